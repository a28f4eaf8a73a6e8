"""Why a condition cannot be evaluated: the sentence names what could not be read, and never a value."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.cel.condition import Condition
from agen_authz.core.cel.failure import explain_error
from agen_authz.core.cel.tree import ConditionTree
from agen_authz.core.model import Effect, Facts, Outcome, State
from agen_authz.core.policy.attribute import Situation
from agen_authz.core.policy.table import Policy, compile_policies, environment, examine
from tests import builders as build

TOOL = build.tool()
SECRET = "hunter2"
DEEP = {"a": {"b": {"c": SECRET}}}


def compiled(text: str) -> Condition:
    condition = environment().compile(text)
    assert isinstance(condition, Condition), condition
    return condition


def situation(arguments: dict[str, Any], **changes: Any) -> Situation:
    call = build.call("tools/call", TOOL, arguments=arguments, inputs=changes.pop("inputs", None))
    return Situation(build.principal(**changes), call, TOOL, Facts(build.NOW))


def cause(text: str, arguments: dict[str, Any], **changes: Any) -> bool | str:
    return examine(compiled(text), situation(arguments, **changes))


READS = " (it reads `args.x`)"
CONVERTED = f"a value cannot be converted to the type that is asked for{READS}"
ORDER, METHOD = (
    f"a value is of another type than `{each}` takes{READS}"
    for each in ("_>_(string, int64)", "(int64).startsWith(string)")
)
CAUSES: dict[str, tuple[str, dict[str, Any], str]] = {
    "another type": ("args.x == 5", {"x": SECRET}, "`args.x` is of another type than what it is compared with"),
    "another type in a loop": (
        "args.l.exists(i, i.p == 5)",
        {"l": [{"p": SECRET}]},
        "`args.l[*].p` is of another type than what it is compared with",
    ),
    "another type of what has no name": (
        "(args.x ? args.y : 1) == 5",
        {"x": True, "y": SECRET},
        "a value is of another type than what it is compared with",
    ),
    "absent": ("args.x == 5", {}, "`args.x` is not there"),
    "absent deep": ("args.a.b.x == 5", DEEP, "`args.a.b.x` is not there"),
    "absent variable": ('user.acr == "a"', {}, "`user.acr` is not there"),
    "absent, of a name that the call chose": (
        "args[args.x] == 5",
        {"x": SECRET},
        "a member is not there (it reads `args.x`, `args[*]`)",
    ),
    "twin": ("args.x == 5", {"x": 5, "X": SECRET}, "`args.x` has a key that another program may read as another one"),
    "twin of a loose name": (
        '"x" in args',
        {"X": SECRET},
        "`args` has a key that another program may read as another one",
    ),
    "inexact": ("args.x == 5", {"x": 2**60}, "`args.x` holds a number beyond 2^53"),
    "too many": ("args.x.all(i, i > 0)", {"x": [1] * 10_001}, "`args.x` leads to more than 10,000 values"),
    "too much": ("size(args.x.filter(i, i > 0)) > 0", {"x": [1] * 5000}, "it would cost more than one decision may"),
    "too many steps": (
        "args.x.all(i, args.x.all(j, i + j > 0))",
        {"x": [1] * 150},
        "it needs too many steps (it reads `args.x`, `args.x[*]`)",
    ),
    "NUL": ('args.x == "a"', {"x": f"{SECRET}\0"}, "`args` holds a NUL"),
    "order of two types": ("args.x > 5", {"x": SECRET}, ORDER),
    "method of another type": (
        'args.x.startsWith("a")',
        {"x": 5},
        METHOD,
    ),
    "conversion": ("int(args.x) == 5", {"x": SECRET}, CONVERTED),
    "time": (
        'timestamp(args.x) > timestamp("2026-01-01T00:00:00Z")',
        {"x": SECRET},
        CONVERTED,
    ),
    "division": ("1 / args.x == 5", {"x": 0}, f"a number is divided by zero{READS}"),
    "overflow": (
        "args.x * 9007199254740992 * 9007199254740992 == 5",
        {"x": 2**40},
        f"a number leaves the 64 bits that CEL has{READS}",
    ),
    "place in a list": (
        "args.x[7] == 5",
        {"x": [SECRET]},
        "a list has no element at this place (it reads `args.x[*]`)",
    ),
    "no object": ("args.x.y == 5", {"x": SECRET}, "what should be an object is not one (it reads `args.x.y`)"),
    "no boolean": ("args.x", {"x": SECRET}, f"it says neither true nor false{READS}"),
}


@pytest.mark.parametrize("name", CAUSES)
def test_cause_names_what_could_not_be_read_and_why(name):
    text, arguments, expected = CAUSES[name]
    assert cause(text, arguments) == expected
    assert SECRET not in expected


def test_unknown_error_is_reported_without_its_text():
    tree = ConditionTree(frozenset({("args", "a" * 200)}), frozenset(), frozenset())
    assert explain_error(SECRET, tree) == f"the library cannot evaluate it (it reads `args.{'a' * 72}...`)"
    assert (
        explain_error(SECRET, ConditionTree(frozenset(), frozenset(), frozenset())) == "the library cannot evaluate it"
    )


def test_match_names_the_condition():
    conditions = tuple(map(compiled, ("true", "args.x == 5", "args.y == 5")))
    policy = Policy("p", State.ENFORCE, Effect.DENY, (), conditions)
    (match,) = compile_policies([policy]).evaluate(situation({"x": SECRET}))
    told = "condition 2: `args.x` is of another type than what it is compared with"
    assert (match.outcome, match.cause) == (Outcome.ERROR, told)


TEXTS = st.sampled_from([text for text, _, _ in CAUSES.values()])
VALUES = st.recursive(
    st.sampled_from([SECRET, f"{SECRET}\0", 2**60, 5, None, True, 2**70]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", SECRET, "p", "x", "X"]), inner, max_size=3)
    ),
    max_leaves=4,
)


@given(TEXTS, st.dictionaries(st.sampled_from(["x", "y", "l", "a", SECRET]), VALUES, max_size=4))
def test_cause_never_holds_a_value(text, arguments):
    said = cause(text, arguments)
    assert not isinstance(said, str) or (SECRET not in said and "115" not in said and bool(said))
