"""Agen's policies become ours: every operator decides as it does there, and what has no equivalent is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest

from agen_authz.authoring.import_agen.imported import Imported, import_policies
from agen_authz.authoring.import_agen.plain import ImportNames
from agen_authz.build.policy import build_policy
from agen_authz.config.sections.policies import Policy as Written
from agen_authz.core.model import Context, Facts, Outcome
from agen_authz.core.policy.attribute import Situation
from agen_authz.core.policy.table import compile_policies
from tests.authoring.rig import draft
from tests.builders import NOW, call, principal, tool
from tests.config.test_mistakes import GOOD

# The result of a policy: it applies, it does not, or it cannot be evaluated.
YES, NO, ERROR = Outcome.APPLIES, None, Outcome.ERROR


def policy(*conditions: Any, **changes: Any) -> dict[str, Any]:
    return {"name": "p", "action": "deny", "conditions": list(conditions), **changes}


def cond(attribute: str, op: Any, value: Any, **changes: Any) -> dict[str, Any]:
    return {"attribute": attribute, "op": op, "value": value, **changes}


def imported(written: Any, **choices: Any) -> dict[str, Any]:
    result = import_policies(written, **choices)
    assert result.errors == ()
    (only,) = result.policies
    return only


def decide(written: dict[str, Any], *, time: str | None = None, args: dict[str, Any] | None = None, **who: Any) -> Any:
    ours = Written.model_validate(imported(written, state="enforce"), strict=False)
    now = NOW if time is None else datetime.fromisoformat(time).astimezone(UTC).timestamp()
    context = Context(who.pop("ip", "192.0.2.1"), (), who.pop("country", None), who.pop("agent", ""))
    target = tool(who.pop("tool", "get_customer"))
    situation = Situation(
        principal(**who), call("tools/call", target, arguments=args or {}), target, Facts(now, None, context, "h")
    )
    found = compile_policies([build_policy(ours)]).evaluate(situation)
    return found[0].outcome if found else None


def arg(op: str, value: Any, given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    return cond("x", op, value), {"args": {"x": given}}


TEXTS = ["de", "fr"]
DAY, NIGHT = "2026-03-01T12:00:00+00:00", "2026-03-01T23:59:59.999+00:00"
NEXT, BEFORE = "2026-03-02T00:00:00+00:00", "2026-02-28T23:59:59+00:00"
# name: (condition, what the call is, whether the condition holds)
OPERATORS: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "in_list, there": (*arg("in_list", TEXTS, "fr"), True),
    "in_list, not there": (*arg("in_list", TEXTS, "us"), False),
    "in_list, another case": (*arg("in_list", TEXTS, "FR"), False),
    "in_list, one value": (*arg("in_list", "fr", "fr"), True),
    "in_list, one of the roles": (cond("roles", "in_list", ["admin", "ops"]), {"roles": ("x", "ops")}, True),
    "in_list, none of the roles": (cond("user_role", "in_list", ["admin"]), {"roles": ("x",)}, False),
    "in_list, no role at all": (cond("roles", "in_list", ["admin"]), {"roles": ()}, False),
    "in_list, a country": (cond("country", "in_list", ["DE"]), {"country": "DE"}, True),
    "in_list, a tool": (cond("tool-name", "in_list", ["get_customer"]), {}, True),
    "in_list, groups": (cond("user.groups", "in_list", ["eu"]), {"groups": ("eu",)}, True),
    "starts_with": (cond("ip", "starts_with", ["10.", "192.0."]), {}, True),
    "starts_with, in the middle": (*arg("starts_with", ["b"], "abc"), False),
    "starts_with, a role": (cond("roles", "starts_with", ["adm"]), {"roles": ("x", "admin")}, True),
    "starts_with, no role": (cond("roles", "starts_with", ["dmin"]), {"roles": ("x", "admin")}, False),
    "ends_with": (cond("user.email", "ends_with", ["@a.com", "@b.com"]), {"email": "x@b.com"}, True),
    "ends_with, in the middle": (*arg("ends_with", ["b"], "abc"), False),
    "contains": (cond("user-agent", "contains", ["iPhone", "Android"]), {"agent": "An iPhone"}, True),
    "contains, not": (cond("User_Agent", "contains", ["iPhone"]), {"agent": "curl"}, False),
    "contains, quotes": (*arg("contains", ['"\\'], 'a"\\b'), True),
    "contains, what looks like an escape": (*arg("contains", ["\\n"], "a\nb"), False),
    "contains, a line end": (*arg("contains", ["\n"], "a\nb"), True),
    "matches": (*arg("matches", "^a.c$", "abc"), True),
    "matches, anywhere": (*arg("matches", "b+", "abbc"), True),
    "matches, not": (*arg("matches", "^b", "abc"), False),
    "matches, a role": (cond("roles", "matches", "^adm"), {"roles": ("admin",)}, True),
    "equal": (*arg("equal", 5, 5), True),
    "equal, a fraction to a whole number": (*arg("equal", 5, 5.0), True),
    "equal, not": (*arg("equal", 5, 5.5), False),
    "equal, a fraction": (*arg("equal", 0.1, 0.1), True),
    "greater_than": (*arg("greater_than", 1000, 1000.01), True),
    "greater_than, the same": (*arg("greater_than", 1000, 1000), False),
    "greater_than, below zero": (*arg("greater_than", -5, -4), True),
    "greater_than, very large": (*arg("greater_than", 1e22, 2e15), False),
    "greater_than_equal": (*arg("greater_than_equal", 1000, 1000), True),
    "greater_than_equal, less": (*arg("greater_than_equal", 1000, 999.99), False),
    "lower_than": (*arg("lower_than", 10, 9), True),
    "lower_than, the same": (*arg("lower_than", 10, 10), False),
    "lower_than_equal": (*arg("lower_than_equal", 10, 10.0), True),
    "lower_than_equal, more": (*arg("lower_than_equal", 10, 11), False),
    "between_numeric, the first": (*arg("between_numeric", [1, 3], 1), True),
    "between_numeric, the last": (*arg("between_numeric", {"start": 1, "end": 3}, 3), True),
    "between_numeric, below": (*arg("between_numeric", [1, 3], 0.5), False),
    "between_numeric, above": (*arg("between_numeric", {"from": 1, "to": 3}, 3.5), False),
    "is, true": (*arg("is", True, True), True),
    "is, false": (*arg("is", False, False), True),
    "is, not": (*arg("is", True, False), False),
    "on, at noon": (cond("date", "on", "2026-03-01"), {"time": DAY}, True),
    "on, its last second": (cond("date", "on", "2026-03-01"), {"time": NIGHT}, True),
    "on, the day after": (cond("date", "on", "2026-03-01"), {"time": NEXT}, False),
    "on, the day before": (cond("date", "on", "2026-03-01"), {"time": BEFORE}, False),
    "on, a day with its time": (cond("date", "on", "2026-03-01T15:00:00Z"), {"time": DAY}, True),
    "on, an argument": (*arg("on", "2026-03-01", "2026-03-01T08:00:00+02:00"), True),
    "on_or_after": (cond("time", "on_or_after", "2026-03-01"), {"time": DAY}, True),
    "on_or_after, its first second": (cond("time", "on_or_after", "2026-03-02"), {"time": NEXT}, True),
    "on_or_after, before": (cond("time", "on_or_after", "2026-03-01"), {"time": BEFORE}, False),
    "on_or_after, a time": (cond("time", "on_or_after", "2026-03-01T12:00:01Z"), {"time": DAY}, False),
    "on_or_before, the whole day": (cond("date", "on_or_before", "2026-03-01"), {"time": NIGHT}, True),
    "on_or_before, after": (cond("date", "on_or_before", "2026-03-01"), {"time": NEXT}, False),
    "on_or_before, a time": (cond("date", "on_or_before", "2026-03-01T12:00:00Z"), {"time": DAY}, True),
    "on_or_before, later than a time": (cond("date", "on_or_before", "2026-03-01T11:59:59Z"), {"time": DAY}, False),
    "between_date, the first": (cond("date", "between_date", ["2026-03-01", "2026-03-01"]), {"time": DAY}, True),
    "between_date, the last": (cond("date", "between_date", ["2026-02-01", "2026-03-01"]), {"time": NIGHT}, True),
    "between_date, before": (cond("date", "between_date", ["2026-03-01", "2026-03-05"]), {"time": BEFORE}, False),
    "between_date, after": (
        cond("date", "between_date", {"start": "2026-02-01", "end": "2026-03-01"}), {"time": NEXT}, False,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("condition", "given", "holds"), OPERATORS.values(), ids=OPERATORS)
def test_operator_decides_as_it_does_there(condition, given, holds):
    assert decide(policy(condition), **given) == (YES if holds else NO)


@pytest.mark.parametrize(("condition", "given", "holds"), OPERATORS.values(), ids=OPERATORS)
def test_negated_operator_decides_the_opposite(condition, given, holds):
    assert decide(policy({**condition, "negate": True}), **given) == (NO if holds else YES)


def test_every_operator_is_tried():
    named = {condition["op"] for condition, _, _ in OPERATORS.values()}
    assert named == {
        "in_list", "starts_with", "ends_with", "contains", "matches", "equal", "greater_than", "greater_than_equal",
        "lower_than", "lower_than_equal", "between_numeric", "is", "on", "on_or_after", "on_or_before", "between_date",
    }  # fmt: skip


@pytest.mark.parametrize("op", sorted({condition["op"] for condition, _, _ in OPERATORS.values()}))
def test_argument_that_is_not_there_is_an_error_and_so_is_its_negation(op):
    value = next(condition["value"] for condition, _, _ in OPERATORS.values() if condition["op"] == op)
    for negate in (False, True):
        assert decide(policy(cond("x", op, value, negate=negate))) == ERROR


@pytest.mark.parametrize("given", ["5", "NaN", True, None, [5], {}], ids=repr)
def test_value_that_is_not_a_number_cannot_be_compared_with_one(given):
    for op in ("equal", "greater_than", "greater_than_equal", "lower_than", "lower_than_equal"):
        assert decide(policy(cond("x", op, 5)), args={"x": given}) == ERROR
        assert decide(policy(cond("x", op, 5, negate=True)), args={"x": given}) == ERROR


A, B, C = (cond(name, "is", True) for name in "abc")
INNER = {"conditionLogic": "or", "conditions": [B, C]}
# name: (policy, the calls to which it applies: which of a, b, c are true)
LOGIC = {
    "and": (policy(A, B, C, conditionLogic="and"), {"abc"}),
    "and, unsaid": (policy(A, B), {"ab", "abc"}),
    "or": (policy(A, B, conditionLogic="OR"), {"a", "b", "ab", "ac", "bc", "abc"}),
    "and with a group of or": (policy(A, INNER), {"ab", "ac", "abc"}),
    "or with a group of and": (
        policy(A, {"conditionLogic": "and", "conditions": [B, C]}, conditionLogic="or"),
        {"a", "ab", "ac", "bc", "abc"},
    ),
    "or with a group of or": (policy(A, INNER, conditionLogic="or"), {"a", "b", "c", "ab", "ac", "bc", "abc"}),
    "and with a group that is and unsaid": (policy(A, {"conditions": [B, C]}), {"abc"}),
    "or of two comparisons": (
        policy(cond("n", "between_numeric", [0, 0]), {**A, "negate": True}, conditionLogic="or"),
        {"", "b", "c", "bc", "a", "ab", "ac", "abc"},
    ),
}


@pytest.mark.parametrize(("written", "expected"), LOGIC.values(), ids=LOGIC)
def test_conditions_are_combined_as_they_are_there(written, expected):
    applies = {
        held
        for held in ("", "a", "b", "c", "ab", "ac", "bc", "abc")
        if decide(written, args={"n": 0, **{name: name in held for name in "abc"}}) == YES
    }
    assert applies == expected


@pytest.mark.parametrize("logic", ["and", "or"])
def test_condition_of_several_values_is_one_within_a_group(logic):
    several = cond("x", "contains", ["p", "q"])
    written = policy({"conditions": [several, A]}, B, conditionLogic=logic)
    for x, a, b in (("p", False, True), ("p", True, False), ("p", False, False), ("z", True, True), ("q", True, True)):
        group = x in "pq" and a
        expected = (group and b) if logic == "and" else (group or b)
        assert decide(written, args={"x": x, "a": a, "b": b}) == (YES if expected else NO)


def test_everything_that_a_policy_says_is_kept():
    written = policy(
        cond("amount", "greater_than", 1000), cond("ip", "starts_with", ["10."], negate=True),
        name="big", id="7", description="d", tools=["refund", "payout"], message="Too big.", enabled=True,
    )  # fmt: skip
    assert imported(written, server="billing") == {
        "name": "big",
        "state": "shadow",
        "tools": ["billing/refund", "billing/payout"],
        "when": ["args.amount > 1000.0", '!(request.ip.startsWith("10."))'],
        "then": "deny",
        "message": "Too big.",
    }


def test_disabled_policy_stays_disabled_and_an_enabled_one_becomes_what_is_asked():
    assert imported(policy(A, enabled=False), state="enforce")["state"] == "disabled"
    assert imported(policy(A), state="enforce")["state"] == "enforce"


def test_step_up_asks_for_what_it_asks_for_there():
    ours = imported(policy(A, action="step_up"))
    acr = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"
    assert (ours["then"], ours["step_up"]) == ("step_up", {"acr": [acr]})


def test_what_must_be_approved_there_is_approved_by_the_named_flow_here():
    result = import_policies([policy(A, action="approval_required")], names=ImportNames("crm", flow="large payments"))
    assert result.errors == ()
    assert [(each["then"], each["flow"]) for each in result.policies] == [("require_approval", "large payments")]


@pytest.mark.parametrize(
    "wrap", [lambda p: p, lambda p: [p], lambda p: {"policies": [p]}], ids=["one", "list", "object"]
)
def test_one_policy_a_list_and_an_object_are_read(wrap):
    assert imported(wrap(policy(A)))["name"] == "p"


def test_what_was_imported_is_a_configuration_that_loads(tmp_path):
    import yaml

    written = [policy(condition, name=name, tools=["x"]) for name, (condition, _, _) in OPERATORS.items()]
    result = import_policies([*written, policy(A, name="more", action="step_up")], server="crm")
    text = "country_header: cf-ipcountry\ntrusted_proxies: [192.0.2.0/24]\n"
    built = draft(tmp_path, GOOD + text + yaml.safe_dump({"policies": list(result.policies)}))
    assert (result.errors, list(built.policies)) == ((), [*OPERATORS, "more"])


# name: (what is imported, the reason why not)
REFUSED: dict[str, tuple[Any, str]] = {
    "mask": (policy(A, action="mask"), "p: action `mask`: `detectors` does not say what is masked"),
    "mask with settings of its own": (
        policy(A, action="mask", detectors=["creditCard"], maskStyle="x"), "p: unknown key `maskStyle`",
    ),
    "mask what no detector here finds": (
        policy(A, action="mask", detectors=["shoe_size"]), "p: detectors: no detector here is called `shoe_size`",
    ),
    "mask with a message": (
        policy(A, action="mask", detectors=["creditCard"], message="m"),
        "p: `message` has no equivalent where something is masked",
    ),
    "detectors of a denial": (policy(A, detectors=["creditCard"]), "p: unknown key `detectors`"),
    "approval_required": (
        policy(A, action="approval_required"),
        "p: action `approval_required`: name the flow of `approvals.flows` by `--flow`",
    ),
    "allow": (policy(A, action="allow"), "p: action `allow`: policies only restrict here; write an access rule"),
    "unknown action": (policy(A, action="explode"), "p: unknown action `explode`"),
    "no action": ({"name": "p", "conditions": [A]}, "p: unknown action `None`"),
    "an action that is no word": (policy(A, action=["deny"]), "p: unknown action `['deny']`"),
    "unknown key": (policy(A, priority=1), "p: unknown key `priority`"),
    "no name": ({"action": "deny"}, "policy 1: not a policy with a name"),
    "a name that is no text": (policy(A, name=5), "policy 1: not a policy with a name"),
    "no object": (["x"], "policy 1: not a policy with a name"),
    "unknown operator": (policy(cond("x", "equals", 1)), "p: unknown operator `equals`"),
    "an operator that is no word": (policy(cond("x", ["is"], 1)), "p: unknown operator `['is']`"),
    "unknown key of a condition": (policy({**A, "caseless": True}), "p: unknown key `caseless` of a condition"),
    "negate that is no boolean": (policy({**A, "negate": "yes"}), "p: `negate` is not true or false"),
    "condition that is no object": (policy("x"), "p: a condition is not an object"),
    "conditions that are no list": (
        {"name": "p", "action": "deny", "conditions": {}}, "p: `conditions` is not a list of at most 10",
    ),
    "too many conditions": (policy(*[A] * 11), "p: `conditions` is not a list of at most 10"),
    "unknown logic": (policy(A, conditionLogic="xor"), "p: unknown conditionLogic `xor`"),
    "groups within groups": (policy({"conditions": [INNER]}), "p: groups within groups"),
    "a negated group": (policy(A, {**INNER, "negate": True}), "p: unknown key `negate` of a group"),
    "an empty group": (policy(A, {"conditionLogic": "or", "conditions": []}), "p: a group without conditions"),
    "no attribute": (policy({"op": "is", "value": True}), "p: a condition without attribute"),
    "tool-id": (
        policy(cond("tool-id", "in_list", ["7"])), "p: attribute `tool-id`: tools have no ids here; use `tools`",
    ),
    "an attribute that is no name": (
        policy(cond("a b", "is", True)), "p: attribute `a b` is neither known nor the name of an argument",
    ),
    "an attribute that goes on": (
        policy(cond("x || true", "is", True)), "p: attribute `x || true` is neither known nor the name of an argument",
    ),
    "an attribute of the user that nobody knows": (
        policy(cond("user.age", "is", True)), "p: attribute `user.age` is neither known nor the name of an argument",
    ),
    "an attribute of the request that nobody knows": (
        policy(cond("request.x", "is", True)), "p: attribute `request.x` is neither known nor the name of an argument",
    ),
    "a number where text is asked": (policy(cond("x", "in_list", [5])), "p: a value is not text"),
    "an empty list": (policy(cond("x", "contains", [])), "p: a list without values"),
    "text where a number is asked": (policy(cond("x", "equal", "5")), "p: a value is not a number"),
    "a boolean where a number is asked": (policy(cond("x", "equal", True)), "p: a value is not a number"),
    "a number that no double holds": (
        policy(cond("x", "equal", 2**53 + 1)), "p: a number that cannot be compared exactly",
    ),
    "a number beyond all doubles": (policy(cond("x", "equal", 10**400)), "p: a number that cannot be compared exactly"),
    "infinity": (policy(cond("x", "lower_than", float("inf"))), "p: a number that cannot be compared exactly"),
    "text where a boolean is asked": (policy(cond("x", "is", "true")), "p: a value is not true or false"),
    "no pair": (policy(cond("x", "between_numeric", [1])), "p: a value is not a pair"),
    "half a pair": (policy(cond("x", "between_numeric", {"start": 1})), "p: a value is not a number"),
    "no date": (policy(cond("date", "on", "soon")), "p: a value is not a date"),
    "a date that does not exist": (policy(cond("date", "on", "2026-02-30")), "p: a value is not a date"),
    "a date with a tail": (policy(cond("date", "on", "2026-02-01x")), "p: a value is not a date"),
    "a date that goes on": (
        policy(cond("date", "on_or_after", '2026-01-01T00:00:00Z") || request.time > timestamp("2020-01-01T00:00:00Z')),
        "p: a value is not a date",
    ),
    "enabled that is no boolean": (policy(A, enabled="false"), "p: `enabled` is not true or false"),
    "tools that are no list": (policy(A, tools="refund"), "p: `tools` is not a list of names"),
    "tools that would name others": (policy(A, tools=["get_*"]), "p: tool `get_*`: here * stands for any name"),
    "a date at the end of time": (policy(cond("date", "on", "9999-12-31")), "p: a value is not a date"),
    "the last day before the end of time": (
        policy(cond("date", "between_date", ["2026-01-01", "9999-12-31"])), "p: a value is not a date",
    ),
    "a time before time": (policy(cond("date", "on", "0001-01-01T00:00:00+05:00")), "p: a value is not a date"),
    "tools that are not named": (policy(A, tools=[7]), "p: `tools` is not a list of names"),
    "a message that is no text": (policy(A, message=7), "p: `message` is not text"),
    "an operator that does not fit: number and address": (
        policy(cond("user.email", "greater_than", 5)), "p: `greater_than` does not go with `user.email`",
    ),
    "an operator that does not fit: date and address": (
        policy(cond("ip", "on", "2026-01-01")), "p: `on` does not go with `request.ip`",
    ),
    "an operator that does not fit: text and time": (
        policy(cond("time", "starts_with", ["2026"])), "p: `starts_with` does not go with `request.time`",
    ),
    "an operator that does not fit: boolean and roles": (
        policy(cond("roles", "is", True)), "p: `is` does not go with `user.roles`",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("written", "error"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_equivalent_is_refused_by_name(written, error):
    assert import_policies(written) == Imported((), (error,))


def test_pattern_that_is_not_one_here_is_refused():
    (error,) = import_policies(policy(cond("x", "matches", "("))).errors
    assert error == 'p: `args.x.matches("(")` is not a condition here: `(` is not an RE2 pattern'


def test_long_condition_is_refused_in_a_short_line():
    (error,) = import_policies(policy(cond("x", "in_list", ["v" * 255] * 100))).errors
    assert error.endswith("is not a condition here: longer than 4096 characters") and len(error) < 200


def test_reason_is_one_line_that_a_terminal_shows_as_it_is():
    written = policy(A, name="a\nb\x1b[2J", action="\u202emask")
    assert import_policies(written).errors == ("a?b?[2J: unknown action `?mask`",)


def test_every_policy_that_has_no_equivalent_is_named_and_the_others_are_there():
    result = import_policies([policy(A, name="a", action="mask"), policy(A, name="b"), policy("x", name="c")])
    assert ([each["name"] for each in result.policies], [each[:2] for each in result.errors]) == (["b"], ["a:", "c:"])


@pytest.mark.parametrize("name", ["p", "x", "user.issuer", "user.claims.team", "inputs.ok.value", "args.x"])
def test_our_own_variables_may_be_named_as_they_are(name):
    ours = imported(policy(cond(name, "in_list", ["v"])))
    spelled = name if name.partition(".")[0] in ("user", "inputs", "args") else f"args.{name}"
    assert ours["when"] == [f'{spelled} in ["v"]']
