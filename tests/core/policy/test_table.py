"""Policies: which name a target, what their conditions say, and how they combine."""

import tracemalloc
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from msgspec import structs

from agen_authz.core.cel.condition import Condition
from agen_authz.core.decide import TABLE, decide
from agen_authz.core.model import (
    Allow,
    AwaitApproval,
    Context,
    Decision,
    Deny,
    Effect,
    Facts,
    Outcome,
    State,
    Step,
    StepUp,
    Target,
    TargetKind,
)  # fmt: skip
from agen_authz.core.policy.access import AccessRule, Basis, compile_access
from agen_authz.core.policy.attribute import ATTRIBUTES, Situation
from agen_authz.core.policy.stepup import Demand
from agen_authz.core.policy.table import Policy, compile_policies, environment
from agen_authz.core.reason import Reason
from tests import builders as build
from tests.rules import build_rules

PRINCIPAL = build.principal()
REFUND = Target(TargetKind.TOOL, "crm", "Refund")
AT_HOME = Context("198.51.100.7", (), None, "phone/1")
FACTS = Facts(build.NOW, None, AT_HOME, "mcp.example.com", annotations={"readOnlyHint": False})


def policy(name: str = "p", *when: str, then: Effect = Effect.DENY, state: State = State.ENFORCE, **more) -> Policy:
    conditions = []
    for text in when:
        compiled = environment().compile(text)
        assert isinstance(compiled, Condition), compiled
        conditions.append(compiled)
    selectors = more.pop("selectors", ((TargetKind.TOOL, "crm/re*"),))
    return Policy(name, state, then, selectors, tuple(conditions), **more)


def situation(target: Target = REFUND, arguments=None, tenant: str = "acme", facts: Facts = FACTS) -> Situation:
    call = build.call("tools/call", target, arguments={"amount": 5.0} if arguments is None else arguments)
    return Situation(replace(PRINCIPAL, tenant=tenant), call, target, facts)


def found(*policies: Policy, asked: Situation | None = None, tenants=None) -> list[tuple[str, Outcome]]:
    table = compile_policies(policies, tenants)
    return [(match.policy.name, match.outcome) for match in table.evaluate(asked or situation())]


APPLIES, ERROR = Outcome.APPLIES, Outcome.ERROR
NAMED = {
    "prefix": (((TargetKind.TOOL, "crm/re*"),), True),
    "without regard to case": (((TargetKind.TOOL, "CRM/REFUND"),), True),
    "every server": (((TargetKind.TOOL, "*/refund"),), True),
    "another": (((TargetKind.TOOL, "crm/delete_*"),), False),
    "another kind": (((TargetKind.PROMPT, "crm/**"),), False),
    "second selector": (((TargetKind.TOOL, "crm/a"), (TargetKind.TOOL, "crm/refund")), True),
    "none at all": ((), True),
}


@pytest.mark.parametrize("name", NAMED)
def test_policy_is_about_what_its_selectors_name(name):
    selectors, is_named = NAMED[name]
    assert found(policy(selectors=selectors)) == ([("p", APPLIES)] if is_named else [])


WHEN = {
    "no condition": ((), APPLIES),
    "true": (("args.amount == 5.0",), APPLIES),
    "false": (("args.amount > 5.0",), None),
    "both true": (("args.amount == 5.0", "true"), APPLIES),
    "one false": (("args.amount == 5.0", "false"), None),
    "missing": (("args.nosuch == 1",), ERROR),
    "missing beside false": (("args.nosuch == 1", "false"), None),
    "false beside missing": (("false", "args.nosuch == 1"), None),
    "missing beside true": (("true", "args.nosuch == 1"), ERROR),
    "no boolean": (("args.amount",), ERROR),
}


@pytest.mark.parametrize("name", WHEN)
def test_all_conditions_must_hold_and_false_beats_error(name):
    when, outcome = WHEN[name]
    assert found(policy("p", *when)) == ([] if outcome is None else [("p", outcome)])


def test_twin_of_what_a_condition_reads_cannot_be_evaluated():
    asked = situation(arguments={"amount": 1.0, "Amount": 9000.0})
    assert found(policy("p", "args.amount > 1000.0"), asked=asked) == [("p", ERROR)]
    assert found(policy("q", "args.other == 1", "false"), asked=asked) == []


def test_twin_in_answers_to_elicitations_cannot_be_evaluated():
    call = build.call("tools/call", REFUND, arguments={}, inputs={"ok": True, "OK": False})
    asked = Situation(PRINCIPAL, call, REFUND, FACTS)
    assert found(policy("p", "inputs.ok == true"), asked=asked) == [("p", ERROR)]


def test_integer_that_is_not_exact_cannot_be_evaluated():
    asked = situation(arguments={"amount": 2**53 + 1})
    assert found(policy("p", "args.amount > 1000.0"), asked=asked) == [("p", ERROR)]


def test_disabled_policy_is_not_looked_at():
    assert found(policy("p", state=State.DISABLED), policy("q", state=State.SHADOW)) == [("q", APPLIES)]


def test_policies_of_a_tenant_come_after_those_of_everybody():
    tenants = {"acme": [policy("own")], "other": [policy("theirs")]}
    assert found(policy("all"), tenants=tenants) == [("all", APPLIES), ("own", APPLIES)]
    assert found(policy("all"), tenants=tenants, asked=situation(tenant="nobody")) == [("all", APPLIES)]


def test_flood_of_names_costs_little_memory_however_many_policies_name_them():
    table = compile_policies([policy(f"p{number}", "args.amount > 1000", selectors=()) for number in range(50)])
    tracemalloc.start()
    try:
        for number in range(1000):
            assert len(table.list_for("", Target(TargetKind.RESOURCE, "crm", f"customer://{number}"))) == 50
        assert tracemalloc.get_traced_memory()[0] < 2_000_000
    finally:
        tracemalloc.stop()


def test_names_under_ever_other_policies_are_each_evaluated_by_theirs():
    letters = "abcdefghij"
    table = compile_policies([policy(each, selectors=((TargetKind.TOOL, f"crm/*{each}*"),)) for each in letters])
    for number in range(1 << len(letters)):
        held = "".join(each for index, each in enumerate(letters) if number >> index & 1)
        target = Target(TargetKind.TOOL, "crm", f"_{held}_")
        assert "".join(found.name for found in table.list_for("", target)) == held


def test_flood_of_names_is_evaluated_and_not_kept():
    table = compile_policies([policy()])
    for number in range(5000):
        table.list_for("", Target(TargetKind.TOOL, "crm", f"re{number}"))
    assert len(table._seen) <= 4096


READ = {
    "user.issuer": PRINCIPAL.issuer, "user.subject": PRINCIPAL.subject, "user.roles": list(PRINCIPAL.roles),
    "tool.name": "Refund", "tool.server": "crm", "tool.kind": "tool", "args": {"amount": 5.0}, "inputs": {},
    "tool.annotations": {"readOnlyHint": False},
    "request.method": "tools/call", "request.ip": "198.51.100.7", "request.networks": [], "request.country": None,
    "request.user_agent": "phone/1", "request.host": "mcp.example.com",
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_attribute_is_read_from_where_it_stands(name):
    assert ATTRIBUTES[name].read(situation()) == READ[name]


ABSENT = ("tool.annotations", "user.email", "user.tenant", "user.client", "user.country", "user.acr", "user.auth_time",
          "request.ip", "request.networks", "request.country", "request.user_agent", "request.host")  # fmt: skip


@pytest.mark.parametrize("name", ABSENT)
def test_unknown_value_is_absent(name):
    blank: dict[str, Any] = {"email": "", "tenant": "", "client": "", "country": "", "acr": "", "auth_time": None}
    asked = structs.replace(situation(facts=Facts(build.NOW)), principal=replace(PRINCIPAL, **blank))
    assert ATTRIBUTES[name].read(asked) is None


def test_every_attribute_can_be_read_and_compared():
    values = {
        "bool": "true",
        "string": '"x"',
        "list(string)": '["x"]',
        "timestamp": 'timestamp("2026-01-01T00:00:00Z")',
    }
    for name, attribute in ATTRIBUTES.items():
        text = f"{name} == {values[attribute.kind.value]}" if attribute.kind.value in values else f"size({name}) > 99"
        given = structs.replace(
            situation(),
            principal=replace(PRINCIPAL, tenant="t", email="e", country="DE", acr="a", auth_time=1.0),
            facts=structs.replace(FACTS, context=Context("::1", ("n",), "DE", "ua")),
        )
        assert found(policy("p", f"!({text})", selectors=()), asked=given) == [("p", APPLIES)], name


# ---- the combining rule --------------------------------------------------------------------------------------

STEP_UP: dict[str, Any] = {"then": Effect.STEP_UP, "demand": Demand(scope="big")}
STRONG = replace(PRINCIPAL, scopes=(*PRINCIPAL.scopes, "big"))


def decided(*policies: Policy, principal=PRINCIPAL, targets=(REFUND,), **tenants) -> Decision:
    rule = AccessRule("all", ((TargetKind.TOOL, "crm/**"),), frozenset(PRINCIPAL.roles))
    sets = build_rules([build.resource()], compile_access(Basis.ROLES, [rule]), compile_policies(policies, tenants))
    method = "tools/call"
    return decide(build.call(method, *targets, arguments={"amount": 5.0}), principal, FACTS, sets)


COMBINED = {
    "nothing": ([], Allow, None),
    "deny": ([policy()], Deny, Reason.POLICY_DENIED),
    "error": ([policy("p", "args.x == 1")], Deny, Reason.POLICY_ERROR),
    "error of a step-up": ([policy("p", "args.x == 1", **STEP_UP)], Deny, Reason.POLICY_ERROR),
    "error of an approval": ([policy("p", "args.x == 1", then=Effect.REQUIRE_APPROVAL)], Deny, Reason.POLICY_ERROR),
    "step-up": ([policy(**STEP_UP)], StepUp, Reason.STEP_UP_REQUIRED),
    "approval": ([policy(then=Effect.REQUIRE_APPROVAL)], AwaitApproval, Reason.APPROVAL_REQUIRED),
    "deny before approval": ([policy(then=Effect.REQUIRE_APPROVAL), policy("q")], Deny, Reason.POLICY_DENIED),
    "error before approval": (
        [policy(then=Effect.REQUIRE_APPROVAL), policy("q", "args.x == 1")],
        Deny,
        Reason.POLICY_ERROR,
    ),
    "shadow approval": ([policy(then=Effect.REQUIRE_APPROVAL, state=State.SHADOW)], Allow, None),
    "deny before error": ([policy("p", "args.x == 1"), policy("q")], Deny, Reason.POLICY_DENIED),
    "deny before step-up": ([policy(**STEP_UP), policy("q")], Deny, Reason.POLICY_DENIED),
    "error before step-up": ([policy(**STEP_UP), policy("q", "args.x == 1")], Deny, Reason.POLICY_ERROR),
    "step-up before approval": ([policy(then=Effect.REQUIRE_APPROVAL), policy("q", **STEP_UP)], StepUp, None),
    "shadow deny": ([policy(state=State.SHADOW)], Allow, None),
    "shadow error": ([policy("p", "args.x == 1", state=State.SHADOW)], Allow, None),
    "shadow step-up": ([policy(state=State.SHADOW, **STEP_UP)], Allow, None),
    "shadow beside deny": ([policy(state=State.SHADOW, **STEP_UP), policy("q")], Deny, Reason.POLICY_DENIED),
    "condition that is false": ([policy("p", "args.amount > 9.0")], Allow, None),
    "step-up that asks for nothing": ([policy(then=Effect.STEP_UP)], StepUp, None),
}


@pytest.mark.parametrize("name", COMBINED)
def test_policies_are_combined_by_one_table(name):
    policies, kind, reason = COMBINED[name]
    decision = decided(*policies)
    assert (type(decision), None if reason is None else getattr(decision, "reason", None)) == (kind, reason)


DECIDING = [effect for effect in Effect if effect is not Effect.MASK]


@pytest.mark.parametrize(("outcome", "effect"), list(product(Outcome, DECIDING)))
def test_no_enforced_policy_is_ever_passed_over(outcome, effect):
    condition = "args.amount == 5.0" if outcome is Outcome.APPLIES else "args.x == 1"
    demand = STEP_UP if effect is Effect.STEP_UP else {"then": effect}
    decision = decided(policy("p", condition, **demand))
    asking: dict[Effect, type[Any]] = {Effect.STEP_UP: StepUp, Effect.REQUIRE_APPROVAL: AwaitApproval}
    assert type(decision) is (asking.get(effect, Deny) if outcome is Outcome.APPLIES else Deny)
    assert [(each.policy, each.outcome, each.effect) for each in decision.matched] == [("p", outcome, effect)]


def test_no_two_rows_of_the_table_pick_the_same_policy():
    picked = [pair for row in TABLE for pair in row.picks]
    assert sorted(picked) == sorted(product(Outcome, DECIDING))


def test_data_protection_rule_among_policies_is_no_decision():
    with pytest.raises(KeyError):
        decided(policy(then=Effect.MASK))


def test_what_needs_an_approval_says_which_policy_wants_it():
    decision = decided(policy(then=Effect.REQUIRE_APPROVAL))
    assert isinstance(decision, AwaitApproval)
    steps = (Step("policy", "enforce_require_approval_applies", "p"), Step("approval", "unasked", "p"))
    assert decision.why[-2:] == steps


def test_strong_token_meets_the_demand_and_the_match_is_recorded():
    decision = decided(policy(**STEP_UP), principal=STRONG)
    assert isinstance(decision, Allow)
    assert [(each.policy, each.effect, each.outcome) for each in decision.matched] == [("p", Effect.STEP_UP, APPLIES)]
    assert decision.why[-1].outcome == "enforce_step_up_applies"


def test_denial_says_what_the_policy_wants_said():
    decision = decided(policy(message="Not on Sundays."))
    assert isinstance(decision, Deny) and (decision.message, decision.target) == ("Not on Sundays.", REFUND)


def test_error_does_not_say_what_the_policy_wants_said():
    decision = decided(policy("p", "args.x == 1", message="Not on Sundays."))
    assert isinstance(decision, Deny) and decision.message is None


def test_every_step_is_in_why():
    decision = decided(policy("s", state=State.SHADOW), policy("e", "args.x == 1"))
    assert isinstance(decision, Deny)
    steps = [(step.check, step.outcome, step.rule) for step in decision.why if step.check == "policy"]
    assert steps == [("policy", "shadow_deny_applies", "s"), ("policy", "enforce_deny_error", "e")]


def test_tenant_that_adds_a_policy_only_tightens():
    assert isinstance(
        decided(policy("own", **STEP_UP), acme=[policy("t")], principal=replace(STRONG, tenant="acme")), Deny
    )
