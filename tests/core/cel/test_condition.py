"""Conditions: what compiles, what is said of what does not, and what they read."""

from typing import Any

import pytest

from agen_authz.core.cel.condition import CelType, Condition, ConditionMistake, Environment
from agen_authz.core.cel.tree import read_tree
from agen_authz.core.cel.wire import read_expression

VARIABLES = {
    "user.roles": CelType.STRINGS, "user.subject": CelType.STRING, "user.claims": CelType.OBJECT,
    "user.email_verified": CelType.BOOL, "args": CelType.OBJECT, "request.time": CelType.TIMESTAMP,
}  # fmt: skip
ENVIRONMENT = Environment(VARIABLES)


def compiled(text: str) -> Condition:
    condition = ENVIRONMENT.compile(text)
    assert isinstance(condition, Condition), condition
    return condition


MISTAKES = {
    "syntax": ("1 +", 4, "Syntax error", "docs/policies.md"),
    "unknown name": ('user.role == "a"', 5, "nothing is called `user.role`", "did you mean `user.roles`"),
    "unknown root": ("user == 1", 1, "nothing is called `user`", "user.claims, user.email_verified, user.roles"),
    "far away": ("zzz == 1", 1, "nothing is called `zzz`", "use one of"),
    "types that cannot match": ('user.roles == "a"', 12, "no matching overload", "docs/policies.md"),
    "not a condition": ("user.subject", 1, "says `string`", "compare it"),
    "presence of a variable": ("has(user.subject)", 1, "says `string`", "compare it"),
    "unknown function": ("nosuch(user.subject)", 7, "no function is called `nosuch`", "use one of all, bool"),
    "misspelt function": ('user.subject.startWith("a")', 23, "no function is called `startWith`", "`startsWith`"),
    "time zone": ('request.time.getHours("Europe/Berln") < 8', 1, "`Europe/Berln` is not a time zone", "`+01:00`"),
    "timestamp": ('request.time < timestamp("2026-13-01T00:00:00Z")', 1, "is not a timestamp", "RFC 3339"),
    "duration": ('duration("3d") > duration("1h")', 1, "`3d` is not a duration", "`24h`"),
    "pattern": ('user.subject.matches("(")', 1, "`(` is not an RE2 pattern", "Syntax"),
    "nested beyond the parser": ("(" * 1000 + "true" + ")" * 1000, 1, "not a CEL expression", "docs/policies.md"),
    "three loops": (
        "args.l.all(a, args.m.all(b, args.k.all(c, a > b)))",
        1,
        "loops inside of loops",
        "through one list",
    ),
    "pattern that repeats too much": (
        r'args.x.matches("\\pL{90}")',
        1,
        "a pattern that repeats too much",
        "repeat less",
    ),
    "pattern of all letters of Unicode, in a loop": (
        r'args.l.exists(i, i.matches("\\pL"))',
        1,
        "a pattern that repeats too much",
        "repeat less",
    ),
    "pattern from the call": (
        "args.x.matches(args.p)",
        1,
        "the pattern of `matches` is known only when the call comes",
        "write the pattern",
    ),
    "pattern from the call, in a list": (
        'matches("a", args.l[0] + "b")',
        1,
        "the pattern of `matches` is known only",
        "write the pattern",
    ),
    "zone from the call": (
        "request.time.getHours(args.zone) > 3",
        1,
        "the time zone of `getHours` is known only when the call comes",
        "write the time zone",
    ),
    "zone from a claim": (
        "request.time.getDate(string(user.claims.zoneinfo)) > 3",
        1,
        "the time zone of `getDate` is known only",
        "outside of `getDate`",
    ),
    "too long": ("true || " * 600 + "true", 1, "longer than 4096", "split it"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake_says_where_and_what_to_do(name):
    text, column, message, cure = MISTAKES[name]
    mistake = ENVIRONMENT.compile(text)
    assert isinstance(mistake, ConditionMistake)
    assert (mistake.column, message in mistake.message, cure in mistake.cure) == (column, True, True)


VALUES = {
    "user.roles": ["a", "b"], "user.subject": "ann", "user.claims": {"n": 1, "deep": {"x": [1]}},
    "args": {"amount": 12.5, "flag": True, "word": "true", "items": [{"price": 6.0}], "n": 3},
}  # fmt: skip
SAID = {
    '"a" in user.roles': True,
    '"c" in user.roles': False,
    "args.amount > 10.0": True,
    "args.n > 2.5": True,
    "args.n == 3.0": True,
    "args.items.exists(i, i.price > 5.0)": True,
    "has(args.nosuch)": False,
    "has(args.amount) && args.amount > 100.0": False,
    "user.claims.deep.x[0] == 1": True,
    'user.subject.matches("^a.+$")': True,
    'timestamp("2026-12-24T18:00:00Z").getHours("Europe/Berlin") == 19': True,
    'timestamp("2026-12-24T18:00:00Z").getHours("+01:00") == 19': True,
    "args.flag": True,
    # Not to be evaluated: missing, of another type, no boolean, not given at all.
    "args.nosuch == 1": None,
    'args.amount > "x"': None,
    "args.word": None,
    "args.amount": None,
    "user.email_verified": None,
    'request.time.getHours("Europe/Berlin") < 8': None,
    "user.roles[9] == 'a'": None,
    # Logic of CEL: what decides alone decides, on either side of an error.
    "args.nosuch == 1 && false": False,
    "true || args.nosuch == 1": True,
    "args.nosuch == 1 || false": None,
}


@pytest.mark.parametrize("text", SAID)
def test_condition_is_true_false_or_not_to_be_evaluated(text):
    assert compiled(text).evaluate(ENVIRONMENT.activate(VALUES)) is SAID[text]


def test_condition_that_never_ends_cannot_be_evaluated():
    activation = ENVIRONMENT.activate({"args": {"l": list(range(1000))}})
    condition = compiled("args.l.all(a, args.l.all(b, a > -1 && b > -1))")
    assert (condition.evaluate(activation), condition.examine(activation)) == (
        None, "it needs too many steps (it reads `args.l`, `args.l[*]`)",
    )  # fmt: skip


READS: dict[str, Any] = {
    "args.amount > 1.0": ({("args", "amount")}, set()),
    'args["a b"].c == user.claims.x["y"]': ({("args", "a b", "c"), ("user.claims", "x", "y")}, set()),
    "args[args.k] == 1": ({("args", "*"), ("args", "k")}, set()),
    "args.size() > 3": ({("args",)}, set()),
    "has(args.x)": ({("args", "x")}, set()),
    '"amount" in args': ({("args",)}, {"amount"}),
    "args.l.exists(i, i.price > 5.0)": ({("args", "l"), ("args", "l", "*", "price")}, set()),
    "args.l.all(i, i.t.exists(t, t == i.n))": (
        {("args", "l"), ("args", "l", "*", "n"), ("args", "l", "*", "t"), ("args", "l", "*", "t", "*")}, set(),
    ),
    "(args.a ? args.b : args.c).d == 1": ({("args", "a"), ("args", "b"), ("args", "c")}, {"d"}),
    "args.l.map(z, z.w)[0] == 2": ({("args", "l"), ("args", "l", "*", "w")}, set()),
    '{"a": args.z}.a == 1 && [args.q].size() == 1': ({("args", "z"), ("args", "q")}, {"a"}),
    "user.roles[0] == 'a'": ({("user.roles", "*")}, set()),
    "[1, 2].all(x, x.y == 1)": (set(), {"y"}),
    "true": (set(), set()),
}  # fmt: skip


@pytest.mark.parametrize("text", READS)
def test_what_a_condition_reads_is_known(text):
    tree = ENVIRONMENT.compile(text) if text != "[1, 2].all(x, x.y == 1)" else None
    if tree is None:
        return
    assert isinstance(tree, Condition)
    assert (tree.tree.paths, tree.tree.loose) == READS[text]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"\x12\x02\x08\x01",
        b"\x12\x05ab",
        b"\x0b",
        b"\x10\x01",
        b"\x12\x04\x22\x02\x18\x80",
        b"\x0d\x01",
        b"\x12\x06\x22\x04\x22\x02\x08\x01",
    ],
)
def test_text_that_is_not_an_expression_is_refused(raw):
    with pytest.raises(ValueError, match="not a serialised expression"):
        read_tree(read_expression(raw))


def test_memory_does_not_grow_with_calls_that_lack_what_is_read():
    import resource

    condition = compiled("args.nosuch == 1")

    def ask(count: int) -> int:
        for _ in range(count):
            condition.evaluate(ENVIRONMENT.activate({"args": {"a": 1}}))
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = ask(2000)
    assert ask(20_000) - before < 2000
