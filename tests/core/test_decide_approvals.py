"""What is decided about calls that people must approve: a pure function of how their approvals stand."""

from itertools import product
from typing import Any

import pytest

from agen_authz.core.approval.asking import find_standing
from agen_authz.core.approval.request import Progress
from agen_authz.core.decide import decide, may_list
from agen_authz.core.model import (
    Allow,
    Approval,
    ApprovalStanding,
    AwaitApproval,
    BoundTask,
    Call,
    Deny,
    Digest,
    Effect,
    Envelope,
    Era,
    Facts,
    Issuer,
    Owner,
    Session,
    SessionId,
    Shape,
    State,
    Step,
    Subject,
    Target,
    TargetKind,
)
from agen_authz.core.policy.stepup import Demand
from agen_authz.core.policy.table import Policy, compile_policies
from agen_authz.core.reason import Reason
from tests import builders as build
from tests.builders import NOW
from tests.core.approval.rig import approved, asked
from tests.rules import build_rules

TOOL = build.tool()
CUSTOMER = Target(TargetKind.RESOURCE, "crm", "customer://1")
REJECTED = asked(status=Progress.REJECTED, decided_at=NOW)
SESSION = Session(SessionId("s1"), declares_url=False)


def asks(name: str = "p", **changes: Any) -> Policy:
    values = {"effect": Effect.REQUIRE_APPROVAL, "flow": "finance", "digest": Digest(f"digest of {name}"), **changes}
    return Policy(name, values.pop("state", State.ENFORCE), **values)


def approval(standing: ApprovalStanding, name: str = "p", target: Target = TOOL, request: str = "") -> Approval:
    return Approval(target, name, "finance", Digest(f"digest of {name}"), standing, request)


def decided(*policies: Policy, call: Call | None = None, known: Any = None, **facts: Any) -> Any:
    rules = build_rules([build.resource()], policies=compile_policies(policies))
    held = None if known is None else {(each.target, each.policy): each for each in known}
    call = call or build.call("tools/call", TOOL, arguments={"id": 1})
    return decide(call, build.principal(), Facts(NOW, SESSION, approvals=held, **facts), rules)


def test_what_is_wanted_names_the_target_the_policy_and_its_flow():
    decision = decided(asks(message="Refunds need a second person."))
    wanted = Approval(TOOL, "p", "finance", Digest("digest of p"), message="Refunds need a second person.")
    assert isinstance(decision, AwaitApproval)
    assert (decision.wanted, decision.envelope) == ((wanted,), Envelope(Era.LEGACY, Shape.REQUEST, 7))
    assert [each.policy for each in decision.matched] == ["p"]


KINDS: dict[ApprovalStanding, type[Any]] = {
    ApprovalStanding.UNASKED: AwaitApproval,
    ApprovalStanding.OPEN: AwaitApproval,
    ApprovalStanding.GRANTED: Allow,
}


@pytest.mark.parametrize("standing", ApprovalStanding)
def test_call_is_allowed_if_its_approval_is_granted_and_denied_if_it_is_rejected(standing):
    decision = decided(asks(), known=[approval(standing, request="r1")])
    assert type(decision) is KINDS.get(standing, Deny)
    assert decision.why[-1] == Step("approval", standing.value, "p")
    assert decision.reason is not Reason.POLICY_DENIED


def test_grants_are_what_an_allowed_call_uses():
    granted = [approval(ApprovalStanding.GRANTED, name, request=f"r{name}") for name in ("p", "q")]
    decision = decided(asks("p"), asks("q"), known=granted)
    assert isinstance(decision, Allow) and decision.grants == tuple(granted)


def test_grant_of_a_policy_that_does_not_apply_is_not_used():
    decision = decided(known=[approval(ApprovalStanding.GRANTED, request="r1")])
    assert isinstance(decision, Allow) and decision.grants == ()


@pytest.mark.parametrize(("first", "second"), list(product(ApprovalStanding, ApprovalStanding)))
def test_of_several_approvals_each_must_be_granted_and_none_rejected(first, second):
    decision = decided(asks("p"), asks("q"), known=[approval(first, "p"), approval(second, "q")])
    if ApprovalStanding.REJECTED in (first, second):
        assert isinstance(decision, Deny) and decision.reason is Reason.APPROVAL_REJECTED
    elif first is second is ApprovalStanding.GRANTED:
        assert isinstance(decision, Allow)
    else:
        missing = {name for name, each in (("p", first), ("q", second)) if each is not ApprovalStanding.GRANTED}
        assert isinstance(decision, AwaitApproval) and {each.policy for each in decision.wanted} == missing


@pytest.mark.parametrize("other", [TOOL, CUSTOMER], ids=["another policy", "another target"])
def test_grant_counts_for_its_own_policy_and_target_only(other):
    name = "p" if other is CUSTOMER else "q"
    decision = decided(asks(), known=[approval(ApprovalStanding.GRANTED, name, other)])
    assert isinstance(decision, AwaitApproval)


def test_policy_in_shadow_is_recorded_and_asks_nobody():
    decision = decided(asks(state=State.SHADOW), known=[])
    assert isinstance(decision, Allow) and decision.grants == ()
    assert [(each.policy, each.state) for each in decision.matched] == [("p", State.SHADOW)]


@pytest.mark.parametrize(
    ("call", "session", "opens"),
    [
        (build.call("tools/call", TOOL), None, False),
        (build.call("tools/call", TOOL), Session(SessionId("s"), declares_url=False), False),
        (build.call("tools/call", TOOL), Session(SessionId("s"), declares_url=True), True),
        (build.call("tools/call", TOOL, envelope=Envelope(Era.MODERN, id=1)), None, False),
        (build.call("tools/call", TOOL, envelope=Envelope(Era.MODERN, id=1), declares_url=True), None, True),
    ],
    ids=["legacy", "session", "session that declares it", "modern", "modern that declares it"],
)
def test_client_opens_urls_if_it_declared_that(call, session, opens):
    rules = build_rules([build.resource()], policies=compile_policies([asks()]))
    decision = decide(call, build.principal(), Facts(NOW, session), rules)
    assert isinstance(decision, AwaitApproval) and decision.opens_urls is opens


@pytest.mark.parametrize(
    "call",
    [
        build.call("completion/complete", CUSTOMER),
        build.call("tools/call", TOOL, envelope=Envelope(Era.LEGACY, Shape.NOTIFICATION)),
    ],
    ids=["completion", "notification"],
)
@pytest.mark.parametrize("known", [None, [approval(ApprovalStanding.GRANTED)]], ids=["not asked", "granted"])
def test_what_is_not_asked_for_once_cannot_be_approved(call, known):
    decision = decided(asks(), call=call, known=known)
    assert isinstance(decision, Deny) and decision.reason is Reason.APPROVAL_IMPOSSIBLE


ANN = Owner(Issuer(build.ISSUER), Subject("ann"))


@pytest.mark.parametrize(
    ("method", "inputs", "kind"),
    [("tasks/get", None, Allow), ("tasks/cancel", None, Allow), ("tasks/update", {"x": {}}, AwaitApproval)],
)
def test_task_of_an_approved_call_is_looked_at_freely_and_new_inputs_ask_again(method, inputs, kind):
    call = build.call(
        method, envelope=Envelope(Era.MODERN, id=1), uses_task=True, task_ids=("t",), inputs=inputs, arguments=None
    )
    decision = decided(asks(), call=call, tasks=(BoundTask(ANN, TOOL.name),))
    assert type(decision) is kind


def test_deny_and_step_up_are_answered_before_an_approval():
    deny = Policy("d", State.ENFORCE, Effect.DENY)
    strong = Policy("s", State.ENFORCE, Effect.STEP_UP, demand=Demand(scope="big"))
    words = [
        decided(asks(), *more, known=[approval(ApprovalStanding.GRANTED)]).word
        for more in ([deny, strong], [strong], [])
    ]
    assert words == ["deny", "step_up", "allow"]


def test_tool_that_needs_an_approval_is_listed():
    rules = build_rules([build.resource()], policies=compile_policies([asks()]))
    assert may_list(TOOL, build.call("tools/list"), build.principal(), Facts(NOW), rules)


@pytest.mark.parametrize(
    ("request_of_call", "now", "standing"),
    [
        (None, NOW, ApprovalStanding.UNASKED),
        (asked(), NOW, ApprovalStanding.OPEN),
        (asked(), asked().ends_at, ApprovalStanding.UNASKED),
        (approved(), NOW + 1, ApprovalStanding.GRANTED),
        (approved(), (approved().grant_until or 0.0), ApprovalStanding.UNASKED),
        (REJECTED, NOW + 1, ApprovalStanding.REJECTED),
        (REJECTED, REJECTED.ends_at, ApprovalStanding.UNASKED),
    ],
    ids=["none", "open", "out of time", "granted", "lapsed", "rejected", "rejected, and its time is over"],
)
def test_standing_follows_from_the_request_and_the_time(request_of_call, now, standing):
    assert find_standing(request_of_call, now) is standing
