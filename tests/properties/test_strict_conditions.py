"""A value in another JSON type never turns what a condition says: over random conditions and values.

A caller who may choose the type sends `"5"`, `5` or `true` for one another, because some backend reads the one as the
other. Whatever a condition said of the one, it says the same of the other, or cannot be evaluated.
"""

from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from agen_authz.core.cel.condition import CelType, Condition, Environment

ENVIRONMENT = Environment({"args": CelType.OBJECT, "user.roles": CelType.STRINGS, "user.country": CelType.STRING})
GIVEN = {"user.roles": ["5", "true"], "user.country": "5"}
CONSTANTS = ("5", "7.0", '"5"', '"7"', "true", "false", '"true"', '"a"', "null", "[5]", '["5", 7]', '{"k": 5}', "[[5]]")
# Each a way to reach a value that the caller chose; `{}` is what a loop's body stands on.
VALUES = (
    "args.x", 'args["x"]', "args.y", "args.l[0]", "args.o.k", "args[args.key]", "args.o[args.key]", "args.l", "args.o",
    "(args.flag ? args.x : args.y)", "(args.flag ? args.x : 5)", "[args.x, 5][0]", '{"a": 5, "b": args.x}.b',
    "([5] + args.l)[1]", "args.l.map(i, i)", "args.l.filter(i, i != null)", "[args.x]", '{"k": args.x}', "dyn(args.x)",
    "args.l.map(i, [i])[0]",
)  # fmt: skip
OTHERS = st.sampled_from([*CONSTANTS, *VALUES, "user.country", "user.roles"])
LISTS = (
    "[5, 7]",
    '["5", "a"]',
    '[5, "7", true]',
    "[]",
    "args.l",
    "user.roles",
    "args.o",
    "[args.x]",
    "args.l.map(i, i)",
)
ATOMS = st.one_of(
    st.builds("{} {} {}".format, st.sampled_from(VALUES), st.sampled_from(["==", "!="]), OTHERS),
    st.builds("{} {} {}".format, OTHERS, st.sampled_from(["==", "!="]), st.sampled_from(VALUES)),
    st.builds("{} in {}".format, st.sampled_from(VALUES), st.sampled_from(LISTS)),
    st.builds("{} in args.l".format, st.sampled_from(["5", '"5"', "true", "user.country"])),
    st.builds(
        "args.{}.{}(i, i {} {})".format,
        st.sampled_from("lo"), st.sampled_from(["exists", "all", "exists_one"]), st.sampled_from(["==", "!="]), OTHERS,
    ),
    st.builds("args.l.exists(i, i in {})".format, st.sampled_from(LISTS)),
    st.builds("size(args.l.filter(i, i == {})) == 1".format, OTHERS),
    st.sampled_from(["has(args.x)", "args.x", "args.x > 5", "args.flag"]),
)  # fmt: skip
TEXTS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("!({})".format, inner), st.builds("({}) && ({})".format, inner, inner),
        st.builds("({}) || ({})".format, inner, inner), st.builds("({}) ? ({}) : ({})".format, inner, inner, inner),
        st.builds("({}) == ({})".format, inner, inner),
    ),
    max_leaves=3,
)  # fmt: skip
SCALARS: st.SearchStrategy[Any] = st.sampled_from([5, 5.0, 7, "5", "7", "a", True, False, "true", "false", None])
SOME: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("kx5"), inner, max_size=2),
    max_leaves=3,
)  # fmt: skip
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "x": SOME, "y": SOME, "l": st.lists(SOME, min_size=1, max_size=3) | SOME,
        "o": st.dictionaries(st.sampled_from("kx5"), SOME, max_size=2) | SOME,
        "key": st.sampled_from(["x", "k", "5", 5]), "flag": st.booleans(),
    },
)  # fmt: skip
# What lax readers take for one another.
TWINS: dict[str, list[Any]] = {
    "int 5": ["5", [5]], "float 5.0": ["5"], "int 7": ["7"], "str '5'": [5, 5.0], "str '7'": [7, ["7"]],
    "str 'a'": [["a"]], "bool True": ["true", 1, "yes"], "bool False": ["false", 0, "off"], "str 'true'": [True],
    "str 'false'": [False],
}  # fmt: skip


def exchange(value: Any, at: int, choice: int) -> tuple[Any, int]:
    """Put another type in the place of the scalar number `at`; the rest of `at` below zero where that was done."""
    if isinstance(value, dict):
        written = {}
        for key, held in value.items():
            written[key], at = exchange(held, at, choice)
        return written, at
    if isinstance(value, list):
        items = []
        for held in value:
            item, at = exchange(held, at, choice)
            items.append(item)
        return items, at
    twins = TWINS.get(f"{type(value).__name__} {value!r}")
    if at == 0 and twins:
        return twins[choice % len(twins)], -1
    return value, at - 1 if twins and at > 0 else at


def ask(condition: Condition, arguments: dict[str, Any]) -> bool | None:
    return condition.evaluate(ENVIRONMENT.activate({**GIVEN, "args": arguments}))


@given(TEXTS, ARGUMENTS, st.integers(0, 5), st.integers(0, 2))
def test_value_in_another_type_never_turns_what_is_said(text, arguments, at, choice):
    condition = ENVIRONMENT.compile(text)
    assume(isinstance(condition, Condition))
    assert isinstance(condition, Condition)
    other, left = exchange(arguments, at, choice)
    assume(left < 0)
    said, told = ask(condition, arguments), ask(condition, other)
    assert said is None or told is None or said is told
