"""Which data-protection rules apply to a call: what it names, or all that its answer may be about."""

from typing import Any

import pytest

from agen_authz.core.cel.condition import MAX_WORK, Condition
from agen_authz.core.decide import decide
from agen_authz.core.model import Allow, Call, Effect, Envelope, Facts, Session, Shape, State, Step, Target, TargetKind
from agen_authz.core.policy.table import Policy, environment
from agen_authz.core.policy.work import Work
from agen_authz.core.protection import find_protections
from tests import builders as build
from tests.rules import build_rules, protect

CUSTOMER, SUMMARY = build.tool(), Target(TargetKind.PROMPT, "crm", "summarize")
NOTE = Target(TargetKind.RESOURCE, "crm", "note://1")
CRM, BILLING, NOTES = (TargetKind.TOOL, "crm/*"), (TargetKind.TOOL, "billing/*"), (TargetKind.RESOURCE, "crm/note://**")
TEXTS = {
    "false": '"admin" in user.roles',
    "true": '"analyst" in user.roles',
    "unknown": 'user.country == "DE"',
    "of arguments": "args.amount > 1000.0",
    "of the time": 'request.time < timestamp("2000-01-01T00:00:00Z")',
}


def rule(name: str = "r", *when: str, selectors: Any = (CRM,), state: State = State.ENFORCE) -> Policy:
    conditions = [environment().compile(TEXTS.get(text, text)) for text in when]
    assert all(isinstance(each, Condition) for each in conditions)
    return Policy(
        name, state, Effect.MASK, selectors, tuple(each for each in conditions if isinstance(each, Condition))
    )


def found(call: Call, *rules: Policy, work: Work | None = None, **principal: Any) -> list[str]:
    caller = build.principal(**{"country": "", "roles": ("analyst",), **principal})
    rule_set = build_rules((build.resource(),), **protect(*rules))
    return [each.name for each in find_protections(call, caller, Facts(build.NOW), rule_set, work=work)]


@pytest.mark.parametrize(
    ("call", "selectors", "applies"),
    [
        (build.call("tools/call", CUSTOMER), (CRM,), True),
        (build.call("tools/call", CUSTOMER), ((TargetKind.TOOL, "CRM/GET_*"),), True),
        (build.call("tools/call", CUSTOMER), (), True),
        (build.call("tools/call", CUSTOMER), (BILLING,), False),
        (build.call("tools/call", CUSTOMER), (NOTES,), False),
        (build.call("resources/read", NOTE), (NOTES,), True),
        (build.call("resources/read", NOTE), (CRM,), False),
        (build.call("prompts/get", SUMMARY), ((TargetKind.PROMPT, "crm/summarize"),), True),
        (build.call("completion/complete", SUMMARY), ((TargetKind.PROMPT, "crm/summarize"),), True),
    ],
)
def test_rule_is_about_what_its_selectors_name(call, selectors, applies):
    assert found(call, rule(selectors=selectors)) == (["r"] if applies else [])


@pytest.mark.parametrize(
    ("when", "applies"),
    [
        ((), True),
        (("true",), True),
        (("false",), False),
        (("unknown",), True),
        (("unknown", "true"), True),
        (("unknown", "false"), False),
        (("of arguments",), True),
    ],
    ids=str,
)
def test_rule_whose_condition_cannot_be_evaluated_applies(when, applies):
    # The call has no amount.
    assert found(build.call("tools/call", CUSTOMER, arguments={}), rule("r", *when)) == (["r"] if applies else [])


ANYTHING = {
    "list": build.call("tools/list"),
    "initialize": build.call("initialize"),
    "discovery": build.call("server/discover"),
    "method that configuration allows": build.call("invented/method"),
    "stream": build.call("GET", envelope=Envelope(shape=Shape.STREAM)),
    "subscription": build.call("subscriptions/listen"),
    "subscription to one document": build.call("subscriptions/listen", NOTE),
    "task": build.call("tasks/get", CUSTOMER, task_ids=("t",)),
    "answer to a task's question": build.call("tasks/update", CUSTOMER, task_ids=("t",), inputs={"a": {}}),
}


@pytest.mark.parametrize("call", ANYTHING.values(), ids=ANYTHING)
@pytest.mark.parametrize(
    ("when", "selectors", "applies"),
    [
        ((), (CRM,), True),
        ((), (), True),
        ((), (NOTES,), True),
        ((), (BILLING, NOTES), True),
        ((), ((TargetKind.TOOL, "*/get_*"),), True),
        ((), (BILLING,), False),
        (("true",), (CRM,), True),
        (("false",), (CRM,), False),
        (("unknown",), (CRM,), True),
        (("of arguments",), (CRM,), True),
        (("of arguments", "false"), (CRM,), False),
        (('"credit_card" in detected',), (CRM,), True),
        # The stream lives on.
        (("of the time",), (CRM,), True),
    ],
    ids=str,
)
def test_answer_that_may_be_about_anything_has_every_rule_that_may_apply_on_its_server(call, when, selectors, applies):
    assert found(call, rule("r", *when, selectors=selectors)) == (["r"] if applies else [])


NOTHING = {
    "ping": build.call("ping"),
    "notification": build.call("notifications/initialized", envelope=Envelope(shape=Shape.NOTIFICATION)),
    "posted response": build.call("response", envelope=Envelope(shape=Shape.RESPONSE)),
    "end of a session": build.call("DELETE", envelope=Envelope(shape=Shape.END)),
}


@pytest.mark.parametrize("call", NOTHING.values(), ids=NOTHING)
def test_answer_that_should_hold_nothing_has_every_rule_that_may_apply_on_its_server(call):
    assert found(call, rule("r"), rule("all", selectors=())) == ["r", "all"]


@pytest.mark.parametrize("call", [build.call("tools/call", CUSTOMER), build.call("tools/list")], ids=["call", "list"])
def test_rules_come_in_the_order_of_the_file_and_disabled_ones_not_at_all(call):
    rules = [
        rule("z"), rule("off", state=State.DISABLED), rule("watched", state=State.SHADOW), rule("a", selectors=()),
    ]  # fmt: skip
    assert found(call, *rules) == ["z", "watched", "a"]


def test_rules_of_several_targets_come_in_the_order_of_the_file():
    rules = [rule("notes", selectors=(NOTES,)), rule("tools"), rule("both", selectors=())]
    assert found(build.call("resources/read", CUSTOMER, NOTE), *rules) == ["notes", "tools", "both"]


def test_rule_that_costs_more_than_a_decision_may_applies():
    spent = Work()
    spent.spend(MAX_WORK, is_watched=False)
    dear = rule("r", 'args.names.exists(n, n.startsWith("x"))')
    call = build.call("tools/call", CUSTOMER, arguments={"names": ["a"]})
    assert (found(call, dear), found(call, dear, work=spent)) == ([], ["r"])


def decided(*rules: Policy, policies: Any = None, roles: tuple[str, ...] = ("analyst",)) -> Any:
    rule_set = build_rules((build.resource(),), policies=policies, **protect(*rules))
    call = build.call("tools/call", CUSTOMER, arguments={})
    facts = Facts(build.NOW, Session("s", declares_url=False))  # type: ignore[arg-type]  # any id
    return decide(call, build.principal(roles=roles), facts, rule_set)


def test_call_that_is_allowed_carries_its_rules_and_says_so():
    decision = decided(rule("masks"), rule("watches", state=State.SHADOW), rule("not here", "false"))
    assert isinstance(decision, Allow)
    assert decision.protections == ("masks", "watches")
    assert decision.why[-2:] == (
        Step("data_protection", "enforce", "masks"),
        Step("data_protection", "shadow", "watches"),
    )
    assert decision.matched == ()


def test_call_that_is_denied_carries_none():
    assert not hasattr(decided(rule(), roles=("stranger",)), "protections")


def test_call_without_rules_carries_none():
    assert decided().protections == ()
