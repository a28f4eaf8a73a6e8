"""What a condition may cost: told when it loads, and bounded for each decision."""

from typing import Any

import pytest

from agen_authz.core.cel.condition import MAX_WORK, Condition, ConditionMistake
from agen_authz.core.cel.cost import work_out
from agen_authz.core.decide import decide
from agen_authz.core.model import Allow, Deny, Effect, Facts, Outcome, State, TargetKind
from agen_authz.core.policy.access import AccessRule, Basis, compile_access
from agen_authz.core.policy.attribute import Situation
from agen_authz.core.policy.table import Policy, compile_policies, environment
from agen_authz.core.policy.work import MAX_LIST_WORK, Work
from agen_authz.core.reason import Reason
from tests import builders as build
from tests.rules import build_rules

TOOL = build.tool()
TOO_MUCH = "condition 1: it would cost more than one decision may"


def compiled(text: str) -> Condition:
    condition = environment().compile(text)
    assert isinstance(condition, Condition), condition
    return condition


def policy(text: str, state: State = State.ENFORCE) -> Policy:
    return Policy(text, state, Effect.DENY, (), (compiled(text),))


def evaluate(arguments: dict[str, Any], *texts: str) -> list[str]:
    asked = Situation(build.principal(), build.call("tools/call", TOOL, arguments=arguments), TOOL, Facts(build.NOW))
    return [match.cause or match.outcome.value for match in compile_policies(map(policy, texts)).evaluate(asked)]


def power_of(text: str) -> int:
    return max(power for power, factor in enumerate(compiled(text).cost) if factor)


POWERS = {
    "args.x > 5": 0,
    "args.x == 5": 0,
    'args.x == "a" && user.country == "DE"': 0,
    "args.l.exists(i, i > 5)": 1,
    "args.l.exists(i, i.p > 5 && i.q > 6)": 1,
    "size(args.l) > 5": 1,
    'args.t.matches("a")': 1,
    'args.l.exists(i, i.t.matches("a"))': 1,
    'args.t.contains("a")': 1,
    "args.t.contains(args.u)": 2,
    "args.l.exists(i, i.t.contains(i.u))": 2,
    'args.t + "a" == "ba"': 1,
    "args.x in args.l": 1,
    'args.l.all(i, i.name.contains("x"))': 1,
    'args.l.exists(i, "x" in i.tags)': 1,
    "args.l.exists(i, i.t.exists(j, j > 1))": 1,
    "args.l.exists(i, i.t.exists(j, j.u.exists(k, k > 1)))": 1,
    "[args.a, args.b].exists(l, l > 5)": 1,
    "[1, 2].exists(l, l > args.a)": 0,
    "args.l.filter(i, i > 0) == [6]": 2,
    "size(args.l.map(i, i + 1)) > 5": 2,
    "args.l.exists(i, i in args.a)": 2,
    "args.l.exists(i, args.m.exists(j, i > j))": 2,
    "args.l.exists(i, i.t.exists(j, i.t.exists(k, k > j)))": 2,
    "args.l.exists(i, i.t.filter(j, j > 1) == [])": 2,
    "args.l.exists(i, args.t.contains(i))": 2,
    "size(args.l.map(i, args.t + args.t)) > 5": 2,
    "user.roles.exists(r, user.groups.exists(g, g == r))": 2,
    "args.l.exists(i, [1, 2].exists(j, i == j))": 1,
}


@pytest.mark.parametrize("text", POWERS)
def test_cost_grows_with_what_is_read_by_this_power(text):
    assert power_of(text) == POWERS[text]


@pytest.mark.parametrize(
    "text",
    [
        "args.l.all(a, args.m.all(b, args.k.all(c, a > b)))",
        "args.l.map(i, [i, args.t]).exists(s, size(s) > 1)",
        "size(args.l.map(x, args.m.filter(y, args.k.exists(z, z > y)))) > 1",
        "args.l.map(i, args.t + 'x').map(s, s + s).exists(s, s.contains('y') && args.t.contains(s) && s in args.l)",
    ],
)
def test_loops_that_cost_too_much_do_not_load(text):
    mistake = environment().compile(text)
    assert isinstance(mistake, ConditionMistake) and "loops inside of loops" in mistake.message


def test_polynomial_is_worked_out():
    assert work_out((1.0, 2.0, 3.0), 10) == 321.0


AFFORDED: dict[str, tuple[str, dict[str, Any], str]] = {
    "filter": ("size(args.l.filter(i, i > 0)) > 5", {"l": [1] * 900}, "applies"),
    "long filter": ("size(args.l.filter(i, i > 0)) > 5", {"l": [1] * 9_900}, TOO_MUCH),
    "long map": ("size(args.l.map(i, i + 1)) > 5", {"l": [1] * 4_900}, TOO_MUCH),
    "long exists": ("args.l.exists(i, i > 0)", {"l": [1] * 9_990}, "applies"),
    "nested in": ("args.l.exists(i, i in args.m)", {"l": [1] * 40, "m": [1] * 40}, "applies"),
    "long nested in": ("args.l.exists(i, i in args.m)", {"l": [1] * 5_000, "m": [2] * 5_000}, TOO_MUCH),
    "more than may be read": (
        "args.l.exists(i, i in args.m)",
        {"l": [1] * 5_000, "m": [2] * 100_000},
        "condition 1: `args.m` leads to more than 10,000 values",
    ),
    "texts made in a loop": ("size(args.l.map(i, args.t + args.t)) > 5", {"l": [1] * 900, "t": "x" * 60_000}, TOO_MUCH),
    "pattern in a long text": ('args.t.matches("a[ab]{14}c")', {"t": "ab" * 10_000}, "no"),
    "pattern that repeats, in a long text": ('args.t.matches("a[ab]{200}c")', {"t": "ab" * 10_000}, TOO_MUCH),
    "small pattern in a very long text": ('args.t.matches("a[ab]{14}c")', {"t": "ab" * 400_000}, TOO_MUCH),
    "pattern for many texts": ('args.l.exists(i, i.matches("^[a-z]{3}$"))', {"l": ["no!"] * 900 + ["yes"]}, "applies"),
    "text looked for in a long one": ("args.t.contains(args.u)", {"t": "a" * 30_000, "u": "b"}, "no"),
    "long text looked for in a long one": (
        "args.t.contains(args.u)",
        {"t": "a" * 300_000, "u": "a" * 100_000 + "b"},
        TOO_MUCH,
    ),
    "plain one reads past a long list": ("args.n > 0", {"n": 1, "l": [1] * 40_000}, "applies"),
}


@pytest.mark.parametrize("name", AFFORDED)
def test_condition_that_would_cost_too_much_cannot_be_evaluated(name):
    text, arguments, expected = AFFORDED[name]
    assert evaluate(arguments, text) == ([] if expected == "no" else [expected])


LOOPS = [f"args.l.exists(i, i > {number} || i == 1)" for number in range(40)]
LONG = {"l": [0.5] * 9_000 + [1]}


def test_conditions_of_one_decision_share_what_it_may_cost():
    found = evaluate(LONG, *LOOPS)
    afforded = found.count("applies")
    assert 0 < afforded < 40 and found == ["applies"] * afforded + [TOO_MUCH] * (40 - afforded)
    assert evaluate({"l": [1]}, *LOOPS) == ["applies"] * 40


def test_targets_of_one_call_share_what_it_may_cost():
    rule = AccessRule("all", ((TargetKind.TOOL, "crm/**"),), frozenset(build.principal().roles))
    sets = build_rules(
        [build.resource()], compile_access(Basis.ROLES, [rule]),
        compile_policies([policy("args.l.all(i, i > 5)")]),
    )  # fmt: skip

    def ask(count: int) -> Allow | Deny:
        targets = [build.tool(f"t{number}") for number in range(count)]
        decision = decide(build.call("tools/call", *targets, arguments=LONG), build.principal(), Facts(build.NOW), sets)
        assert isinstance(decision, Allow | Deny)
        return decision

    assert isinstance(ask(1), Allow)
    denied = ask(60)
    assert isinstance(denied, Deny) and denied.reason is Reason.POLICY_ERROR


def test_policies_in_shadow_take_nothing_from_enforced_ones():
    table = compile_policies([*(policy(text, State.SHADOW) for text in LOOPS), policy("args.l.exists(i, i == 1)")])
    asked = Situation(build.principal(), build.call("tools/call", TOOL, arguments=LONG), TOOL, Facts(build.NOW))
    matches = table.evaluate(asked)
    assert matches[-1].outcome is Outcome.APPLIES and matches[-2].cause == TOO_MUCH


def test_bound_is_about_25_milliseconds():
    # As units of 5 ns; bench/conditions.py measures what it comes to.
    assert pytest.approx(0.025) == MAX_WORK * 5e-9
    assert pytest.approx(1.0) == MAX_LIST_WORK * 5e-9


def test_what_was_walked_is_charged_once_at_its_price():
    work = Work()
    # 60 units for each value: so many fill all that one decision may spend, and one more is too much.
    work.look.walked = round(MAX_WORK / 60)
    assert (work.spend(0.0, is_watched=False), work.spend(0.0, is_watched=False)) == (True, True)
    work.look.walked += 1
    assert work.spend(0.0, is_watched=False) is False
