"""Policies on a resource's URI, a posted response, and what the parser keeps: what no other spelling passes."""

from dataclasses import replace
from functools import partial

import pytest

from agen_authz.core.cel.condition import Condition
from agen_authz.core.decide import decide
from agen_authz.core.model import (
    Allow,
    Decision,
    Deny,
    Effect,
    Envelope,
    Era,
    Facts,
    Outcome,
    Session,
    SessionId,
    Shape,
    State,
    Target,
    TargetKind,
)
from agen_authz.core.policy.access import AccessRule, Basis, compile_access
from agen_authz.core.policy.attribute import Situation
from agen_authz.core.policy.table import Policy, ask, compile_policies, environment
from agen_authz.core.reason import Reason
from tests import builders as build
from tests.rules import build_rules

PRINCIPAL = build.principal()
FACTS = Facts(build.NOW)
APPLIES, ERROR = Outcome.APPLIES, Outcome.ERROR
OTHER_SPELLINGS = (
    "docs://hr/salaries/", "docs://hr//salaries", "docs://hr/salaries;v=1", "docs://hr/salaries?x", "docs:/hr/salaries",
    "docs:///hr/salaries", "docs:hr/salaries", "docs://HR/Salaries/",
)  # fmt: skip


def compiled(text: str) -> Condition:
    condition = environment().compile(text)
    assert isinstance(condition, Condition), condition
    return condition


def policy(*when: str, selector: str | None = None, kind: TargetKind = TargetKind.RESOURCE, **more) -> Policy:
    selectors = () if selector is None else ((kind, selector),)
    name, state = more.pop("name", "p"), more.pop("state", State.ENFORCE)
    return Policy(name, state, more.pop("effect", Effect.DENY), selectors, tuple(map(compiled, when)), **more)


def read(uri: str) -> Situation:
    target = Target(TargetKind.RESOURCE, "crm", uri)
    return Situation(PRINCIPAL, build.call("resources/read", target), target, FACTS)


def found(one: Policy, asked: Situation) -> Outcome | None:
    matches = compile_policies([one]).evaluate(asked)
    return matches[0].outcome if matches else None


@pytest.mark.parametrize("uri", ["docs://hr/salaries", *OTHER_SPELLINGS])
@pytest.mark.parametrize(
    "selector", ["crm/docs://hr/salaries", "crm/docs://hr/*", "*/DOCS://hr/salaries/", "crm/docs:/hr/*"]
)
def test_policy_names_every_spelling_of_a_uri(uri, selector):
    assert found(policy(selector=selector), read(uri)) is APPLIES


@pytest.mark.parametrize(
    "uri", ["docs://hr/salaries2", "docs://hr/salaries/x", "docs://it/salaries", "other://hr/salaries"]
)
def test_policy_names_no_other_uri(uri):
    assert found(policy(selector="crm/docs://hr/salaries"), read(uri)) is None


ALIKE = {
    "one word": ("docs://salaries", "docs:salaries"),
    "one word, the other way": ("docs:salaries", "docs://salaries/"),
    "the folder of what is below it": ("docs://hr/**", "docs://hr"),
    "the folder, with a query": ("docs://hr/*", "docs:/hr?x"),
    "escaped letters in the other case": ("docs://hr/geh%C3%A4lter", "docs://HR/GEH%C3%84LTER"),
    "a mark beside its letter": ("docs://hr/geh%C3%A4lter", "docs://hr/geha%CC%88lter"),
    "letters that are not escaped in the policy": ("docs://hr/geh\u00e4lter", "docs://hr/geh%C3%84lter/"),
}


@pytest.mark.parametrize("name", ALIKE)
def test_policy_names_what_some_backend_opens_alike(name):
    selector, uri = ALIKE[name]
    assert found(policy(selector=f"crm/{selector}"), read(uri)) is APPLIES


@pytest.mark.parametrize("uri", ["docs://hr2", "docs://hr%2Ax", "docs:h", "doc:shr", "docs://hr.x"])
def test_policy_on_a_folder_names_no_other(uri):
    assert found(policy(selector="crm/docs://hr/**"), read(uri)) is None


def test_policy_still_names_the_very_spelling_that_it_has():
    assert found(policy(selector="crm/docs://hr/salaries?x=*"), read("docs://hr/salaries?x=1")) is APPLIES
    assert found(policy(selector="crm/docs:/**"), read("docs:/hr/salaries")) is APPLIES


def test_tool_with_slashes_in_its_name_has_one_spelling():
    target = Target(TargetKind.TOOL, "crm", "hr//salaries")
    asked = Situation(PRINCIPAL, build.call("tools/call", target), target, FACTS)
    assert found(policy(selector="crm/hr/salaries", kind=TargetKind.TOOL), asked) is None


CONDITIONS = {
    'tool.name == "docs://hr/salaries"': ERROR,
    'tool.name.startsWith("docs://hr/s")': ERROR,
    'tool.name in ["docs://hr/salaries", "docs://hr/bonus"]': ERROR,
    'tool.name.contains("salaries")': APPLIES,
    'tool.name == "docs://it/salaries"': None,
    "tool.kind == 'resource'": APPLIES,
}


@pytest.mark.parametrize("text", CONDITIONS)
def test_condition_that_depends_on_the_spelling_cannot_be_evaluated(text):
    asked = read("docs:/hr//salaries/")
    assert found(policy(text), asked) is CONDITIONS[text]
    assert ask(compiled(text), asked) is {ERROR: None, APPLIES: True, None: False}[CONDITIONS[text]]


def test_condition_that_any_spelling_meets_is_met():
    assert found(policy('tool.name.startsWith("docs://hr/")'), read("docs://hr/salaries?page=2")) is APPLIES


# ---- posted responses ----------------------------------------------------------------------------------------

READS = "has(inputs.details) && inputs.details.content.amount > 5000.0"
SESSION = Session(SessionId("s1"), declares_url=False)


def post(*policies: Policy, shape: Shape = Shape.RESPONSE, method: str = "response", **tenants) -> Decision:
    rule = AccessRule("all", ((TargetKind.TOOL, "crm/**"),), frozenset(PRINCIPAL.roles))
    table = compile_policies(policies, tenants)
    sets = build_rules([build.resource()], compile_access(Basis.ROLES, [rule]), table)
    envelope = Envelope(Era.LEGACY, shape, 7)
    call = build.call(method, envelope=envelope, session_id=SessionId("s1"))
    return decide(call, replace(PRINCIPAL, tenant="acme"), Facts(build.NOW, SESSION), sets)


asks = partial(policy, effect=Effect.REQUIRE_APPROVAL)

MEANT = {
    "tool of the server": (policy(READS, selector="crm/pay*", kind=TargetKind.TOOL), True),
    "every server": (policy(READS, selector="*/pay*", kind=TargetKind.TOOL), True),
    "no selector": (policy(READS), True),
    "in capitals": (policy(READS, selector="CRM/pay", kind=TargetKind.TOOL), True),
    "prompt": (policy(READS, selector="crm/ask", kind=TargetKind.PROMPT), True),
    "another server": (policy(READS, selector="billing/pay", kind=TargetKind.TOOL), False),
    "disabled": (policy(READS, state=State.DISABLED), False),
    "reads arguments only": (policy("args.amount > 5000.0"), False),
    "asks for approval": (asks("args.amount > 5000.0"), True),
    "asks another caller for approval": (asks('"boss" in user.roles'), False),
    "asks for approval elsewhere": (asks(selector="billing/pay", kind=TargetKind.TOOL), False),
    "asks for approval and is disabled": (asks(state=State.DISABLED), False),
    "another caller": (policy(READS, '"boss" in user.roles'), False),
    "this caller": (policy(READS, '"analyst" in user.roles'), True),
    "a condition on what the answer does not say": (
        policy(READS, "args.amount > 5000.0", "request.method == 'x'"),
        True,
    ),
}


@pytest.mark.parametrize("name", MEANT)
def test_posted_response_cannot_be_held_to_policies_on_answers(name):
    one, is_denied = MEANT[name]
    decision = post(one)
    assert isinstance(decision, Deny) is is_denied
    if isinstance(decision, Deny):
        assert decision.reason is Reason.POLICY_ERROR
        assert [(each.policy, each.outcome) for each in decision.matched] == [("p", ERROR)]


def test_policy_of_the_callers_tenant_counts_and_of_another_does_not():
    assert isinstance(post(acme=[policy(READS)]), Deny)
    assert isinstance(post(other=[policy(READS)]), Allow)


def test_policy_is_listed_once_for_callers_without_a_tenant():
    call = build.call("response", envelope=Envelope(Era.LEGACY, Shape.RESPONSE, 7))
    asked = Situation(PRINCIPAL, call, Target(TargetKind.TOOL, "crm", ""), FACTS)
    assert len(compile_policies([policy(READS)]).evaluate_answer(asked)) == 1


@pytest.mark.parametrize("one", [policy(READS, state=State.SHADOW), asks(state=State.SHADOW)], ids=["reads", "asks"])
def test_policy_in_shadow_is_recorded_for_a_posted_response(one):
    decision = post(one)
    assert isinstance(decision, Allow) and [each.outcome for each in decision.matched] == [ERROR]


def test_notification_is_not_an_answer():
    notified = post(policy(READS), shape=Shape.NOTIFICATION, method="notifications/initialized")
    assert isinstance(notified, Allow)


# ---- what the parser keeps -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["tools/call", "resources/read", "prompts/get", "completion/complete"])
def test_method_that_names_a_target_is_nothing_without_one(method):
    decision = post(shape=Shape.REQUEST, method=method)
    assert isinstance(decision, Deny) and decision.reason is Reason.UNKNOWN_METHOD
