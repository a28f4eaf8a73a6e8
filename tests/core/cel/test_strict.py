"""`==`, `!=` and `in`: what is of another JSON type than what it is compared with cannot be evaluated."""

from datetime import UTC, datetime
from typing import Any

import pytest

from agen_authz.core.cel.condition import CelType, Condition, ConditionMistake, Environment
from agen_authz.core.cel.strict import make_strict

ENVIRONMENT = Environment(
    {
        "args": CelType.OBJECT, "inputs": CelType.OBJECT, "user.claims": CelType.OBJECT, "user.roles": CelType.STRINGS,
        "user.country": CelType.STRING, "request.time": CelType.TIMESTAMP,
    }
)  # fmt: skip
GIVEN = {
    "inputs": {"a": 1}, "user.claims": {"level": "5"}, "user.roles": ["a", "b"], "user.country": "DE",
    "request.time": datetime(2026, 1, 1, tzinfo=UTC),
}  # fmt: skip
LONG = list(range(300))
CASES: list[tuple[str, dict[str, Any], bool | None]] = [
    # What the attack showed.
    ("args.force == true", {"force": True}, True),
    ("args.force == true", {"force": False}, False),
    ("args.force == true", {"force": "true"}, None),
    ("args.force == true", {"force": "yes"}, None),
    ("args.force == true", {"force": 1}, None),
    ("args.force != true", {"force": "true"}, None),
    ("args.force != true", {"force": False}, True),
    ("args.account == 5", {"account": "5"}, None),
    ("args.account == 5", {"account": 6}, False),
    ("5 == args.account", {"account": "5"}, None),
    ("args.account in [5, 7]", {"account": "5"}, None),
    ("args.account in [5, 7]", {"account": 7}, True),
    ("args.account in [5, 7]", {"account": 6}, False),
    ("args.ids.exists(i, i == 5)", {"ids": ["5"]}, None),
    ("args.ids.exists(i, i == 5)", {"ids": [4]}, False),
    ("args.ids.exists(i, i == 5)", {"ids": ["5", 5]}, True),
    ('args.mode == "all"', {"mode": ["all"]}, None),
    # Numbers are one type.
    ("args.n == 5", {"n": 5.0}, True),
    ("args.n == 5.5", {"n": 6}, False),
    ("args.n in [5, 7.0]", {"n": 7}, True),
    ("args.n == 5u", {"n": 6}, False),
    # Null: the constant may be compared with anything, the value with nothing else.
    ("args.n == null", {"n": 5}, False),
    ("args.n == null", {"n": None}, True),
    ("args.n != null && args.n == 5", {"n": None}, False),
    ("args.n == 5", {"n": None}, None),
    ("args.n in [null, 5]", {"n": None}, True),
    ("args.n in [null, 5]", {"n": 6}, False),
    ("args.n in [null, 5]", {"n": "5"}, None),
    # What decides alone decides.
    ("has(args.n) && args.n == 5", {}, False),
    ('type(args.n) == string && args.n == "5"', {"n": 5}, False),
    ("args.n == 5 || args.m > 3", {"n": "5", "m": 4}, True),
    ("args.n == 5 || args.m > 3", {"n": "5", "m": 2}, None),
    # Lists of constants of several kinds: each element is compared.
    ('args.n in [5, "x"]', {"n": "5"}, None),
    ('args.n in [5, "5"]', {"n": "5"}, True),
    ("args.n in []", {"n": "5"}, False),
    # Typed variables.
    ("args.role in user.roles", {"role": "c"}, False),
    ("args.role in user.roles", {"role": 5}, None),
    ("args.country == user.country", {"country": "FR"}, False),
    ("args.country == user.country", {"country": ["DE"]}, None),
    ("user.country in args.countries", {"countries": ["FR"]}, False),
    ("user.country in args.countries", {"countries": ["FR", 1]}, None),
    ("user.country in args.countries", {"countries": ["DE", 1]}, True),
    ("args.roles == user.roles", {"roles": ["a", "c"]}, False),
    ("args.roles == user.roles", {"roles": ["a", 1]}, None),
    ("args.due == request.time", {"due": "2026-01-01T00:00:00Z"}, None),
    ("timestamp(args.due) == request.time", {"due": "2026-01-02T00:00:00Z"}, False),
    ('args.x == b"a"', {"x": "a"}, None),
    # Claims are held to the same rule.
    ("user.claims.level == 5", {}, None),
    # Two arguments.
    ("args.a == args.b", {"a": 5, "b": 6.0}, False),
    ("args.a == args.b", {"a": 5, "b": "5"}, None),
    ("args.a != args.b", {"a": 5, "b": "5"}, None),
    ("args.a != args.b", {"a": 5, "b": 6}, True),
    ("args.a == args.b", {"a": None, "b": None}, True),
    ("args.a == args.b", {"a": None, "b": 1}, None),
    ("args.a == args.b", {"a": [1], "b": [2]}, False),
    ("args.a == args.b", {"a": [1], "b": ["1"]}, None),
    ("args.a == args.b", {"a": [1], "b": ["1", 2]}, False),
    ("args.a == args.b", {"a": [True], "b": [False]}, False),
    ("args.a == args.b", {"a": [[1]], "b": [[2]]}, None),
    ("args.a == args.b", {"a": {"x": 1}, "b": {"x": 2}}, False),
    ("args.a == args.b", {"a": {"x": 1}, "b": {"x": 2.5}}, False),
    ("args.a == args.b", {"a": {"x": 1}, "b": {"x": "1"}}, None),
    ("args.a == args.b", {"a": {"x": 1}, "b": {"y": 1}}, False),
    ("args == inputs", {"a": 1}, True),
    ("args == inputs", {"a": "1"}, None),
    ("args.a in args.b", {"a": 5, "b": [6]}, False),
    ("args.a in args.b", {"a": 5, "b": ["5"]}, None),
    # Lists and objects that are spelt out.
    ("args.l == [1, 2]", {"l": [1, 3]}, False),
    ("args.l == [1, 2]", {"l": ["1", 2]}, None),
    ("args.l == [1, 2]", {"l": [1]}, False),
    ("args.l == [1, 2]", {"l": "1, 2"}, None),
    ("args.l == [1, null]", {"l": [1, 3]}, False),
    ('args.l == [1, [2, "a"]]', {"l": [1, [2, "b"]]}, False),
    ('args.l == [1, [2, "a"]]', {"l": [1, [2, 5]]}, None),
    (f"args.l == {LONG}", {"l": [*LONG[:-1], 1]}, False),
    (f"args.l == {LONG}", {"l": [*LONG[:-1], "299"]}, None),
    ('args.m == {"a": 1}', {"m": {"a": 2}}, False),
    ('args.m == {"a": 1}', {"m": {"a": "1"}}, None),
    ('args.m == {"a": 1}', {"m": {"b": 1}}, False),
    ('args.m == {"a": 1}', {"m": []}, None),
    ('args.k in {"a": 1}', {"k": "b"}, False),
    ('args.k in {"a": 1}', {"k": 5}, None),
    ('"b" in args', {"a": 1}, False),
    ("args.k in args", {"k": "a", "a": 1}, True),
    ("args.k in args", {"k": "b"}, False),
    ("args.k in args", {"k": 5}, None),
    ('"b" in args.m', {"m": {"a": 1}}, False),
    # Wherever the value comes from.
    ("(args.c ? args.a : args.b) == 5", {"c": True, "a": "5", "b": 5}, None),
    ("(args.c ? args.a : args.b) == 5", {"c": False, "a": "5", "b": 5}, True),
    ("(args.c ? 5 : 6) == 5", {"c": False}, False),
    ("args[args.k] == 5", {"k": "a", "a": "5"}, None),
    ('args["a"] == 5', {"a": "5"}, None),
    ("args.l[0] == 5", {"l": ["5"]}, None),
    ('user.roles[0] == "b"', {}, False),
    ("args.l.exists(i, i.a == 5)", {"l": [{"a": "5"}]}, None),
    ("args.l.all(i, args.m.exists(j, i == j))", {"l": [1], "m": ["1"]}, None),
    ('args.l.exists_one(i, i == "a")', {"l": ["a", "a"]}, False),
    ("args.l.exists(args, args == 5)", {"l": ["5"]}, None),
    ("[1, 2].exists(i, i == args.x)", {"x": "1"}, None),
    ("args.l.filter(n, n > 5) == [6]", {"l": [7, 1]}, False),
    ('args.l.map(n, n) == ["6"]', {"l": [6]}, None),
    ("args.x.y == (args.z == 1)", {"x": {"y": "true"}, "z": 1}, None),
    ("dyn(args.x) == 5", {"x": "5"}, None),
    ("-args.x == 5", {"x": -6}, False),
    ("[has(args.x), args.y] == [true, 5]", {"x": 1, "y": "5"}, None),
    # What the type checker generalises wrongly.
    ('{"a": 5, "b": args.x}.b == 5', {"x": "5"}, None),
    ("([5] + args.l)[1] == 5", {"l": ["5"]}, None),
    ("[5, args.x].exists(i, i == 6)", {"x": "6"}, None),
]


@pytest.mark.parametrize(
    ("text", "arguments", "expected"), CASES, ids=[f"{t[:60]} {str(a)[-40:]}" for t, a, _ in CASES]
)
def test_value_of_another_type_cannot_be_evaluated(text, arguments, expected):
    condition = ENVIRONMENT.compile(text)
    assert isinstance(condition, Condition), condition
    assert condition.evaluate(ENVIRONMENT.activate({**GIVEN, "args": arguments})) is expected


UNCHANGED = (
    'user.country == "DE"', '"a" in user.roles', 'user.country in ["DE"]', "args.n == null", "args.n > 5",
    "type(args.n) == int", "size(args.l) == 3", "has(args.n) == true", 'user.roles.exists(r, r == "a")',
)  # fmt: skip


@pytest.mark.parametrize("text", UNCHANGED)
def test_what_has_its_types_for_certain_is_left_as_it_is(text):
    assert make_strict(ENVIRONMENT._env.compile(text).serialize()) is None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("args.x == " + "[" * 20 + "1" + "]" * 20, id="list"),
        pytest.param("args.l.exists(i, " * 28 + "i == 1" + ")" * 28, id="loop"),
    ],
)
def test_comparison_nested_beyond_what_the_library_reads_does_not_load(text):
    mistake = ENVIRONMENT.compile(text)
    assert isinstance(mistake, ConditionMistake) and "nested too deeply" in mistake.message


def test_number_where_a_message_should_be_is_refused():
    with pytest.raises(ValueError, match="not a serialised expression"):
        make_strict(bytes([2 << 3 | 2, 2, 4 << 3, 1]))
