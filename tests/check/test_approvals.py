"""Calls that people must approve: exactly this call, once, and no other call waits for anybody."""

import asyncio
import json
from collections import Counter
from typing import Any

import orjson
import pytest
from msgspec.structs import replace

from agen_authz.core.approval.continuing import name_arguments, name_place, name_state
from agen_authz.core.approval.request import MAX_KEPT_BYTES, Progress
from agen_authz.core.approval.table import Refusal, vote
from agen_authz.core.errors import Unavailable
from agen_authz.core.message.mcp import BodyLimits
from agen_authz.core.model import BoundTask, Digest, Issuer, Owner, State, Subject, TargetKind
from agen_authz.core.pinning.pin import Pinning
from agen_authz.core.reason import Reason
from agen_authz.wire.sealed import open_inspection
from tests import builders as build
from tests.approval_fakes import MemoryApprovals
from tests.check.approval_rig import FINANCE, PAGE, Desk, asks, opens_urls, rules, with_params
from tests.check.rig import drive, read_answer
from tests.check.test_pinned import REWORDED, TOOL, catalogue, seen_of
from tests.core.approval.rig import TERMS, person, single
from tests.properties.policy_strategy import compiled

NEVER = (compiled("args.id == 2"),)
OTHERS = ((TargetKind.TOOL, "crm/list_*"),)


def test_call_that_must_be_approved_is_answered_with_its_page_and_recorded():
    desk = Desk()
    seen = desk.call()
    (request,) = desk.requests
    assert (seen.status, seen.json["result"]["isError"], seen.reason) == (200, True, "approval_required")
    (content,) = seen.json["result"]["content"]
    assert PAGE + request.id in content["text"]
    event = desk.events[-1]
    assert (event["decision"], event["approvals"]) == (
        "await_approval",
        [{"policy": "refunds", "flow": "finance", "id": request.id}],
    )
    assert [(each.occasion.value, each.to) for each in _messages(desk)] == [
        ("opened", "flow:finance"),
        ("opened", "bob@acme.example"),
    ]


def _messages(desk: Desk) -> list[Any]:
    return [each.message for each in desk.approvals.outbox.kept.values()]


def test_request_names_the_whole_call():
    desk = Desk()
    desk.call()
    (request,), binding = desk.requests, desk.requests[0].binding
    assert (binding.issuer, binding.subject, binding.server, binding.method, binding.target) == (
        build.ISSUER,
        "ann",
        "crm",
        "tools/call",
        "tool:get_customer",
    )
    assert (request.policy, request.flow, binding.policy, request.flow_digest) == ("refunds", "finance", "q", "f")
    assert desk.approvals.kept[request.id].params == b'{"name":"get_customer","arguments":{"id":1}}'


def test_approved_call_is_made_once_and_then_asked_for_again():
    desk = Desk()
    desk.call()
    desk.decide()
    seen = desk.call()
    assert (seen.is_allowed, seen.reason, desk.statuses) == (True, "allowed", ["used"])
    assert desk.events[-1]["approvals"] == [{"policy": "refunds", "flow": "finance", "id": desk.requests[0].id}]
    assert desk.call().reason == "approval_required"
    assert desk.statuses == ["used", "open"]


def test_what_happens_is_counted():
    desk = Desk()
    desk.call()
    desk.call()
    desk.wait(60.0)
    desk.decide()
    desk.call()
    counts = {key: count for key, count in desk.rig.metrics.counts.items() if key[0] == "agen_approvals_total"}
    assert counts == {("agen_approvals_total", "finance", event): 1 for event in ("asked", "used")}
    assert desk.rig.metrics.waits == [("finance", 60.0)]


def test_asking_again_finds_the_same_request():
    desk = Desk()
    assert [desk.call().body == desk.call().body for _ in range(2)] == [True, True]
    assert len(desk.requests) == 1


SAME = {
    "progress token": with_params(_meta={"progressToken": 4}),
    "number of the call": with_params(_meta={"claudecode/toolUseId": "t"}),
}
OTHER = {
    "argument": with_params(arguments={"id": 2}),
    "type of a number": with_params(arguments={"id": 1.0}),
    "another argument": with_params(arguments={"id": 1, "all": True}),
    "log level": with_params(_meta={"io.modelcontextprotocol/logLevel": "debug"}),
    "another answer": with_params(inputResponses={"x": {"action": "accept"}}),
    "tool": with_params(name="get_customers"),
    "member of the message": {**build.message(), "urgent": True},
}


@pytest.mark.parametrize("name", SAME)
def test_what_must_differ_when_a_call_is_made_again_does_not_matter(name):
    desk = Desk()
    desk.call()
    desk.decide()
    assert desk.call({**SAME[name], "id": 99}).is_allowed


@pytest.mark.parametrize("name", OTHER)
def test_call_that_differs_from_the_approved_one_is_another_call(name):
    desk = Desk()
    desk.call()
    desk.decide()
    seen = desk.call(OTHER[name])
    assert (seen.is_allowed, seen.reason, desk.statuses) == (False, "approval_required", ["approved", "open"])


HEADERS = {"x-account": "1", "mcp-param-x": "1", "mcp-protocol-version": "2025-06-18"}
FORWARDS = build.resource(forward_headers=frozenset({"x-account", "traceparent"}))


@pytest.mark.parametrize("name", HEADERS)
def test_call_with_another_header_that_its_backend_may_act_upon_is_another_call(name):
    desk = Desk(more={"resources": (FORWARDS,)})
    desk.call()
    desk.decide()
    seen = desk.rig.post(build.message(), headers={name: HEADERS[name]})
    assert (seen.is_allowed, seen.reason, desk.statuses) == (False, "approval_required", ["approved", "open"])


@pytest.mark.parametrize("name", ["x-other", "traceparent", "accept-encoding"])
def test_header_that_changes_nothing_of_a_call_does_not_matter(name):
    desk = Desk(more={"resources": (FORWARDS,)})
    desk.call()
    desk.decide()
    assert desk.rig.post(build.message(), headers={name: "gzip"}).is_allowed


def test_requester_is_known_by_all_names_that_the_token_gives():
    desk = Desk()
    desk.call(sub="p-7", oid="O-1", email="Lou@acme.example", email_verified=False)
    (request,), now = desk.requests, desk.rig.clock.now()
    lou = person("lou", tenant=request.binding.tenant, auth_time=now)
    alike = [replace(lou, aliases=frozenset({name})) for name in ("p-7", "o-1", "lou@acme.example", "x")]
    votes = [vote(request, FINANCE, each, TERMS, approves=True, reason="", now=now) for each in alike]
    assert [each is Refusal.REQUESTER for each in votes] == [True, True, True, False]
    assert request.requester_email == ""


@pytest.mark.parametrize("claims", [{"sub": "bob"}, {"client_id": "other"}], ids=["subject", "client"])
def test_approval_is_good_for_its_own_caller_only(claims):
    desk = Desk()
    desk.call()
    desk.decide()
    assert (desk.call(**claims).reason, desk.statuses) == ("approval_required", ["approved", "open"])
    assert desk.call().is_allowed


def test_policy_that_has_changed_asks_again():
    desk = Desk()
    desk.call()
    desk.decide()
    later = desk.reconfigure(policies=(asks(digest=Digest("other")),))
    assert (later.call().reason, later.statuses) == ("approval_required", ["approved", "open"])


def test_tool_whose_definition_has_changed_is_asked_for_again():
    desk = Desk(more={"catalogue": catalogue(TOOL, approved=(TOOL,)), "pinning": Pinning.ENFORCE})
    desk.call()
    desk.decide()
    later = desk.reconfigure(more={"catalogue": catalogue(REWORDED, approved=(REWORDED,))})
    assert later.call().reason == "approval_required"
    assert [each.binding.definition for each in later.requests] == [seen_of(TOOL).digest, seen_of(REWORDED).digest]
    assert desk.call().is_allowed


def test_all_approved_definitions_of_a_tool_are_part_of_the_call():
    seen = catalogue(TOOL, REWORDED, approved=(TOOL, REWORDED))
    desk = Desk(more={"catalogue": seen, "pinning": Pinning.ENFORCE})
    desk.call()
    assert desk.requests[0].binding.definition not in ("", seen_of(TOOL).digest, seen_of(REWORDED).digest)


def test_rejected_call_is_denied_until_the_time_of_its_approvers_is_over():
    desk = Desk()
    desk.call()
    desk.decide(approves=False)
    seen = desk.call()
    assert (seen.reason, seen.told, desk.statuses) == ("approval_rejected", "approval_rejected", ["rejected"])
    assert desk.events[-1]["decision"] == "deny"
    desk.wait(FINANCE.timeout_s)
    assert (desk.call().reason, desk.statuses) == ("approval_required", ["rejected", "open"])


def test_request_that_was_not_decided_in_time_approves_nothing_and_is_asked_for_again():
    desk = Desk()
    first = desk.call()
    # Until its end is noted, the page of the old one is named.
    desk.rig.clock.advance(FINANCE.timeout_s)
    assert desk.call().body == first.body
    desk.wait(0.0)
    assert (desk.call().reason, desk.statuses) == ("approval_required", ["timed_out", "open"])


def test_grant_lapses():
    desk = Desk()
    desk.call()
    desk.decide()
    desk.rig.clock.advance(900.0)
    assert desk.call().reason == "approval_required"


def test_caller_with_too_many_open_requests_is_refused_and_others_are_not():
    desk = Desk()
    reasons = [desk.call(with_params(arguments={"id": number})).reason for number in range(4)]
    assert reasons == ["approval_required"] * 3 + ["approval_limit"]
    assert len(desk.requests) == 3
    assert desk.call(sub="bob").reason == "approval_required"


def test_call_that_is_too_large_to_be_kept_and_read_cannot_be_approved():
    desk = Desk(more={"limits": BodyLimits(2 * MAX_KEPT_BYTES, 32, json_values=10_000)})
    overhead = len(orjson.dumps(with_params(arguments={"id": ""})["params"]))
    fits, too_large = (with_params(arguments={"id": "x" * (MAX_KEPT_BYTES - overhead + more)}) for more in (0, 1))
    assert [desk.call(each).reason for each in (fits, too_large)] == ["approval_required", "approval_impossible"]
    assert len(desk.requests) == 1


def test_store_that_is_down_denies_what_needs_it_and_nothing_else():
    desk = Desk(policies=(asks(selectors=CUSTOMER),))
    desk.approvals.is_broken = True
    denied = desk.call()
    assert (denied.status, denied.reason, denied.header("retry-after")) == (503, "store_unavailable", "1")
    assert desk.call(with_params(name="get_orders")).is_allowed


CUSTOMER = ((TargetKind.TOOL, "crm/get_customer"),)


def test_sidecar_without_a_store_denies_what_needs_one():
    assert Desk(approvals=None).call().reason == "store_unavailable"


def test_policy_in_shadow_asks_nobody_and_its_calls_never_touch_the_store():
    desk = Desk(policies=(asks(state=State.SHADOW),), approvals=None)
    assert desk.call().is_allowed
    assert "approvals" not in desk.events[-1]


class Racing(MemoryApprovals):
    """Another call uses the grant between the look and the use."""

    async def consume(self, ids: Any, now: float, messages: Any = ()) -> bool:
        await super().consume(ids, now)
        return await super().consume(ids, now, messages)


def test_call_whose_grant_another_one_has_used_meanwhile_is_denied():
    desk = Desk(approvals=Racing())
    desk.call()
    desk.decide()
    seen = desk.call()
    assert (seen.status, seen.reason, seen.told, seen.sealed) == (200, "approval_spent", "approval_spent", "")
    assert [each["decision"] for each in desk.events] == ["await_approval", "deny"]


async def test_of_calls_at_once_one_is_allowed():
    desk = Desk()
    both = asyncio.Barrier(2)
    find = desk.approvals.find

    async def find_together(keys: Any) -> Any:
        found = await find(keys)
        await both.wait()
        return found

    raw = build.check_request(build.headers_for(build.sign(build.claims())), build.encode(build.message()))
    await desk.rig.servicer.check(raw, 0.2)
    desk.decide()
    desk.approvals.find = find_together
    answers = await asyncio.gather(*(desk.rig.servicer.check(raw, 0.2) for _ in range(2)))
    assert Counter(read_answer(each).is_allowed for each in answers) == {True: 1, False: 1}
    decisions = Counter((each["decision"], each["reason"]) for each in desk.events[1:])
    assert decisions == {("allow", "allowed"): 1, ("deny", "approval_spent"): 1}


class Slow(MemoryApprovals):
    """The grant ends while the call is decided."""

    clock: Any = None

    async def find(self, keys: Any) -> Any:
        found = await super().find(keys)
        if any(each.status is Progress.APPROVED for each in found):
            self.clock.step(900.0)
        return found


def test_call_whose_grant_ends_while_it_is_decided_is_denied():
    desk = Desk(approvals=Slow())
    desk.approvals.clock = desk.rig.clock
    desk.call()
    desk.decide()
    assert (desk.call().reason, desk.statuses) == ("approval_spent", ["approved"])


class DownAtTheEnd(MemoryApprovals):
    async def consume(self, ids: Any, now: float, messages: Any = ()) -> bool:
        raise Unavailable(Reason.STORE_UNAVAILABLE, "store")


def test_call_whose_grant_cannot_be_used_is_denied():
    desk = Desk(approvals=DownAtTheEnd())
    desk.call()
    desk.decide()
    seen = desk.call()
    assert (seen.is_allowed, seen.status, seen.reason) == (False, 503, "store_unavailable")
    assert desk.statuses == ["approved"]


def test_call_whose_event_cannot_be_written_is_denied_and_its_grant_is_lost():
    desk = Desk()
    desk.call()
    desk.decide()
    desk.rig.audit.is_broken = True
    assert (desk.call().is_allowed, desk.statuses) == (False, ["used"])
    assert [each["decision"] for each in desk.events] == ["await_approval"]


class Hanging(MemoryApprovals):
    async def find(self, keys: Any) -> Any:
        await asyncio.Event().wait()


def test_store_that_does_not_answer_in_time_denies():
    desk = Desk(approvals=Hanging())
    raw = build.check_request(build.headers_for(build.sign(build.claims())), build.encode(build.message()))
    assert desk.rig.check(raw, remaining_s=0.02).reason == "deadline"


def test_calls_that_need_approval_take_a_place_among_those_that_wait():
    assert Desk(more={"in_flight": 0}).call().reason == "overloaded"


def test_two_flows_are_asked_at_once_and_their_grants_are_used_together():
    desk = Desk(policies=(asks("a"), asks("b", flow="legal", digest=Digest("r"))))
    seen = desk.call(opens_urls(build.modern(params={"name": "get_customer", "arguments": {"id": 1}})))
    assert [each.flow for each in desk.requests] == ["finance", "legal"]
    call = opens_urls(build.modern(params={"name": "get_customer", "arguments": {"id": 1}}))
    assert _page(seen) == PAGE + desk.requests[0].id
    desk.decide(at=0)
    # The page of what is still missing.
    assert _page(desk.call(call)) == PAGE + desk.requests[1].id
    desk.decide(at=1)
    assert desk.call(call).is_allowed
    assert desk.statuses == ["used", "used"]


def _page(seen: Any) -> str:
    asked = seen.json["result"]["inputRequests"]["agen_approval"]
    return str(asked["params"]["url"])


def test_one_rejection_ends_it_though_the_other_flow_approves():
    desk = Desk(policies=(asks("a"), asks("b", flow="legal", digest=Digest("r"))))
    desk.call()
    desk.decide(at=0)
    desk.decide(at=1, approves=False)
    assert (desk.call().reason, desk.statuses) == ("approval_rejected", ["approved", "rejected"])


def test_requests_of_two_flows_are_opened_both_or_none():
    policies = (asks("a"), asks("b", flow="legal", digest=Digest("r")))
    desk = Desk(policies=policies, approval_rules=rules(max_open=1))
    assert (desk.call().reason, desk.requests) == ("approval_limit", [])


@pytest.mark.parametrize("value", [2**53 - 1, -0.5, 1e300, None, "\u202e\u00e9\U0001f600"], ids=ascii)
def test_whatever_json_a_call_holds_can_be_approved(value):
    desk = Desk()
    call = with_params(arguments={"id": value})
    desk.call(call)
    (kept,) = desk.approvals.kept.values()
    assert json.loads(kept.params)["arguments"] == {"id": value}
    desk.decide()
    assert desk.call(call).is_allowed


@pytest.mark.parametrize("number", ["9007199254740993.0", "1e-400", "-0"])
@pytest.mark.parametrize("policy", [asks(), asks(conditions=NEVER)], ids=["applies", "does not apply"])
def test_call_with_a_number_that_is_not_read_as_it_is_written_cannot_be_approved(number, policy):
    desk, document = Desk(policies=(policy,)), continued()
    send(desk)
    raw = build.encode(document).replace(b'"id": 1}', b'"id": 1, "b": ' + number.encode() + b"}")
    assert number.encode() in raw
    seen = desk.rig.check(build.check_request(build.headers_for(build.sign(build.claims()), document), raw))
    assert (seen.told, desk.requests) == ("approval_impossible", [])


# ---- a call that continues another -----------------------------------------------------------------------

STATE = "s-1"
ANN = Owner(Issuer(build.ISSUER), Subject("ann"))


def continued(state: Any = STATE, **inputs: Any) -> dict[str, Any]:
    """Write a modern call that answers what the backend asked."""
    return build.modern(
        params={"name": "get_customer", "arguments": {"id": 1}, "inputResponses": inputs, "requestState": state}
    )


def send(desk: Desk, owner: Owner = ANN, name: str = "get_customer", server: str = "crm", **sent: Any) -> None:
    """Let Process note a state that a backend has sent."""
    arguments = name_arguments(build.call("tools/call", arguments=sent.get("arguments", {"id": 1})), b"k")
    state = name_state(owner, build.tool(name), arguments, sent.get("state", STATE))
    assert asyncio.run(desk.rig.tasks.bind(name_place(server), state, BoundTask(owner, name), build.NOW))


def test_call_that_continues_one_that_its_backend_sent_is_asked_for_and_made_once():
    desk = Desk()
    send(desk)
    assert desk.call(continued(amount={"action": "accept"})).reason == "approval_required"
    desk.decide()
    # New inputs ask again.
    assert desk.call(continued(amount={"action": "decline"})).reason == "approval_required"
    assert desk.call(continued(amount={"action": "accept"})).is_allowed
    assert desk.statuses == ["used", "open"]


EVE = Owner(Issuer(build.ISSUER), Subject("eve"))


@pytest.mark.parametrize("policy", [asks(), asks(conditions=NEVER)], ids=["applies", "does not apply"])
@pytest.mark.parametrize(
    "sent",
    [None, {"owner": EVE}, {"name": "get_orders"}, {"server": "billing"}, {"state": "s-2"}, {"arguments": {"id": 2}}],
    ids=["never", "another caller", "another tool", "another backend", "another state", "other arguments"],
)
def test_call_that_continues_what_its_backend_did_not_send_to_it_is_refused(sent, policy):
    desk = Desk(policies=(policy,))
    if sent is not None:
        send(desk, **sent)
    seen = desk.call(continued())
    assert (seen.status, seen.told, desk.requests) == (200, "approval_state_unknown", [])


def test_call_that_continues_what_its_backend_sent_is_allowed_if_no_policy_applies():
    desk = Desk(policies=(asks(conditions=NEVER),), approvals=None)
    send(desk)
    assert desk.call(continued()).is_allowed


def test_state_is_noted_for_the_arguments_that_it_was_sent_for():
    desk = Desk(policies=(asks(conditions=NEVER),))
    opened = [
        open_inspection(desk.call(build.modern(params={"name": name, "arguments": {"id": 1}})).sealed, b"m" * 32)
        for name in ("get_customer", "get_orders")
    ]
    named = name_arguments(build.call("tools/call", arguments={"id": 1}), b"k")
    assert [each is not None and each.arguments for each in opened] == [named] * 2


@pytest.mark.parametrize("state", [None, 1, {"a": 1}, ""])
def test_state_that_is_none_is_refused(state):
    desk = Desk()
    assert desk.call(continued(state)).reason == "approval_state_unknown"


@pytest.mark.parametrize("policy", [asks(), asks(conditions=NEVER)], ids=["applies", "does not apply"])
def test_legacy_call_cannot_carry_a_state(policy):
    desk = Desk(policies=(policy,))
    send(desk)
    assert desk.call(with_params(requestState=STATE)).reason == "approval_state_unknown"


@pytest.mark.parametrize("policy", [asks(), asks(conditions=NEVER)], ids=["applies", "does not apply"])
def test_state_cannot_be_looked_up_while_the_store_is_down(policy):
    desk = Desk(policies=(policy,))
    desk.rig.tasks.is_broken = True
    assert desk.call(continued()).reason == "store_unavailable"


def test_call_that_no_one_must_approve_carries_what_it_likes():
    assert Desk(policies=(asks(selectors=OTHERS),)).call(continued()).is_allowed


@pytest.mark.parametrize(
    ("document", "policies", "is_told"),
    [
        (build.modern(), (asks(),), True),
        (build.modern(), (asks(conditions=NEVER),), True),
        (build.modern(), (asks(state=State.SHADOW),), False),
        (build.modern(), (asks(selectors=OTHERS),), False),
        (build.message(), (asks(conditions=NEVER),), False),
    ],
    ids=["asked for", "perhaps later", "in shadow", "of another tool", "legacy"],
)
def test_process_notes_states_where_a_policy_may_want_the_next_call_approved(document, policies, is_told):
    desk = Desk(policies=policies)
    if desk.call(document).reason == "approval_required":
        desk.decide()
    seen = desk.call(document)
    opened = open_inspection(seen.sealed, b"m" * 32) if seen.sealed else None
    assert (seen.is_allowed, opened is not None and opened.may_be_continued) == (True, is_told)


# ---- a call that is held ---------------------------------------------------------------------------------


def hold(answers: list[Any], hold_s: float = 0.6) -> Desk:
    """Hold calls; before each look, the next of `answers` is called, and time passes."""
    naps = iter(answers)

    async def sleep(seconds: float) -> None:
        desk.rig.clock.advance(seconds)
        next(naps, lambda: None)()

    desk = Desk(approval_rules=rules(hold_s=hold_s), more={"sleep": sleep})
    return desk


def ask_held(desk: Desk, remaining_s: float = 10.0) -> Any:
    raw = build.check_request(build.headers_for(build.sign(build.claims())), build.encode(build.message()))
    return read_answer(drive(desk.rig.servicer.check(raw, remaining_s)), "")


def test_call_is_held_until_it_is_decided():
    answers: list[Any] = [lambda: None]
    desk = hold(answers)
    answers.append(desk.decide)
    assert ask_held(desk).is_allowed
    assert [each["decision"] for each in desk.events] == ["allow"] and desk.statuses == ["used"]


def test_held_call_is_denied_as_soon_as_it_is_rejected():
    answers: list[Any] = []
    desk = hold(answers)
    answers.append(lambda: desk.decide(approves=False))
    assert ask_held(desk).told == "approval_rejected"


def test_held_call_is_answered_when_its_time_is_over():
    desk = hold([])
    began = desk.rig.clock.elapsed()
    assert ask_held(desk).json["result"]["isError"] is True
    assert (desk.rig.clock.elapsed() - began, desk.statuses) == (pytest.approx(0.6), ["open"])


def test_held_call_leaves_time_for_its_answer():
    desk = hold([], hold_s=5.0)
    began = desk.rig.clock.elapsed()
    ask_held(desk, remaining_s=1.0)
    assert 0.5 < desk.rig.clock.elapsed() - began < 0.9


def test_call_that_cannot_be_held_is_told_its_page():
    answers: list[Any] = []
    desk = hold(answers)
    answers.append(lambda: setattr(desk.approvals, "is_broken", True))
    assert ask_held(desk).json["result"]["isError"] is True


def test_flow_of_two_people_needs_both():
    desk = Desk(approval_rules=rules(single(quorum=2)))
    desk.call()
    desk.decide()
    assert (desk.call().reason, desk.statuses) == ("approval_required", ["open"])
