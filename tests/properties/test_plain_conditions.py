"""Plain conditions say what the library says, or nothing: over random conditions, values and combinations."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.cel.condition import CelType, Condition, Environment

ENVIRONMENT = Environment(
    {
        "args": CelType.OBJECT, "user.claims": CelType.OBJECT, "user.roles": CelType.STRINGS,
        "user.country": CelType.STRING, "user.email_verified": CelType.BOOL,
    }
)  # fmt: skip
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
NUMBERS = ("0", "1", "-1", "1000", "9007199254740992", "9007199254740993", "9223372036854775807", "0.0", "-0.0", "1.0",
           "-9007199254740993", "1000.0", "1000.5", "0.1", "1e300", "9007199254740992.0",
           "9007199254740993.0")  # fmt: skip
TEXTS = ('""', '"a"', '"A"', '"admin"', '"é"', '"1"', '"true"', '"a b"')
PATHS = (
    "args.x", 'args["x"]', "args.x.y", 'args.x["y"]', 'args["a b"]', "user.claims.x", "args.nosuch", "user.country",
    "user.email_verified", "user.roles", "args",
)  # fmt: skip
SCALARS: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), st.sampled_from(["", "a", "A", "admin", "é", "1", "true", "a b", "e\u0301"]),
    st.sampled_from([0, 1, -1, 1000, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63)]),
    st.sampled_from([0.0, -0.0, 1.0, 1000.0, 1000.5, 0.1, 1e300, 2.0**53, 2.0**53 + 2, 2.0**63, 5e-324]),
    st.integers(-5, 5), st.floats(-5, 5),
)  # fmt: skip
MEMBERS: st.SearchStrategy[Any] = st.one_of(
    SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(st.sampled_from(["y", "a", "Y"]), SCALARS, max_size=2)
)
OBJECTS = st.dictionaries(st.sampled_from(["x", "a b", "X"]), MEMBERS, max_size=3)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "args": OBJECTS, "user.claims": OBJECTS, "user.email_verified": st.booleans(),
        "user.roles": st.lists(st.sampled_from(["a", "admin", ""]), max_size=3),
        "user.country": st.sampled_from(["", "a", "é"]),
    },
)  # fmt: skip
CONSTANTS = st.sampled_from([*NUMBERS, *TEXTS, "true", "false", "null"])
ATOMS = st.one_of(
    st.builds("{} {} {}".format, st.sampled_from(PATHS), st.sampled_from(COMPARISONS), CONSTANTS),
    st.builds("{} {} {}".format, CONSTANTS, st.sampled_from(COMPARISONS), st.sampled_from(PATHS)),
    st.builds("{} in {}".format, st.sampled_from([*TEXTS, "1"]), st.sampled_from(PATHS)),
    st.builds(
        lambda path, texts: f"{path} in [{', '.join(texts)}]",
        st.sampled_from(PATHS), st.lists(st.sampled_from([*TEXTS, "1"]), max_size=3),
    ),
    st.sampled_from(PATHS),
    st.builds("has({})".format, st.sampled_from(("args.x", "args.x.y", "user.claims.x"))),
)  # fmt: skip
TEXT = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("!({})".format, inner),
        st.builds("({}) && ({})".format, inner, inner),
        st.builds("({}) || ({})".format, inner, inner),
    ),
    max_leaves=4,
)


@given(TEXT, VALUES)
def test_plain_condition_says_what_the_library_says_or_nothing(text, values):
    condition = ENVIRONMENT.compile(text)
    if not isinstance(condition, Condition) or condition.plain is None:
        return
    said = condition.plain(values)
    activation = ENVIRONMENT.activate(values)
    assert said is None or said is condition.ask_library(activation)
    assert condition.evaluate(activation) is condition.ask_library(activation)


PLAIN: dict[str, tuple[dict[str, Any], bool]] = {
    "args.x > 1000.0": ({"args": {"x": 1000.5}}, True),
    "args.x > 1000": ({"args": {"x": 12.5}}, False),
    "1000.0 < args.x": ({"args": {"x": 1001}}, True),
    "args.x <= -1": ({"args": {"x": -1}}, True),
    'args.x == "a"': ({"args": {"x": "a"}}, True),
    'args.x != "a"': ({"args": {"x": "a"}}, False),
    "args.x == true": ({"args": {"x": True}}, True),
    'args["a b"].y == 0.0': ({"args": {"a b": {"y": 0}}}, True),
    '"office" in user.roles': ({"user.roles": ["home"]}, False),
    '!("office" in user.roles)': ({"user.roles": ["home"]}, True),
    'user.country in ["DE", "FR"]': ({"user.country": "FR"}, True),
    "user.email_verified && args.x > 1.0": ({"user.email_verified": True, "args": {"x": 2.0}}, True),
    "user.email_verified || args.x > 1.0": ({"user.email_verified": False, "args": {"x": 2.0}}, True),
    "args.x": ({"args": {"x": False}}, False),
    'args["x"]': ({"args": {"x": True}}, True),
}


@pytest.mark.parametrize("text", PLAIN)
def test_these_conditions_need_no_library(text):
    values, said = PLAIN[text]
    condition = ENVIRONMENT.compile(text)
    assert isinstance(condition, Condition) and condition.plain is not None
    assert condition.plain(values) is said


LEFT: dict[str, tuple[str, dict[str, Any]]] = {
    "another type": ("args.x > 1000.0", {"args": {"x": "1001"}}),
    "a flag for a number": ("args.x == 1", {"args": {"x": True}}),
    "an integer that doubles do not hold": ("args.x > 1000.0", {"args": {"x": 2**53 + 1}}),
    "absent": ("args.x > 1000.0", {"args": {}}),
    "no variable": ("args.x > 1000.0", {}),
    "a member of a list": ("args.x.y > 1000.0", {"args": {"x": [1]}}),
    "membership in an object": ('"y" in args.x', {"args": {"x": {"y": 1}}}),
    "membership in a mixed list": ('"y" in args.x', {"args": {"x": ["y", 1]}}),
    "no text among texts": ('args.x in ["a"]', {"args": {"x": 1}}),
    "no flag": ("args.x", {"args": {"x": 1}}),
    "the first of two": ("args.x && args.y", {"args": {"x": 1, "y": False}}),
    "what is negated": ("!args.x", {"args": {"x": 1}}),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_is_not_plain_in_a_value_is_left_to_the_library(name):
    text, values = LEFT[name]
    condition = ENVIRONMENT.compile(text)
    assert isinstance(condition, Condition) and condition.plain is not None
    assert condition.plain(values) is None


NOT_PLAIN = (
    "args.x == 9007199254740993", "args.x > -9007199254740993", "args.x == 9223372036854775807",
    "has(args.x)", "args.x > args.y", "size(args.x) > 1", "args.x + 1 > 2", "args.x == null", "args.x == b\"a\"",
    "args.x == 1u", 'args.x in ["a", 1]', "args.x in args.y", "1 in args.x", 'args.x < "a"', "args.x < true",
    "args.x.exists(i, i > 1)", "args.x[0] == 1", "!has(args.x)", "args.x && has(args.y)", "has(args.y) || args.x",
    "args.x ? true : false", 'args.x.startsWith("a")', "args[user.country] == 1", "-args.x == 1", "true",
    "type(args.x) == int",
)  # fmt: skip


@pytest.mark.parametrize("text", NOT_PLAIN)
def test_every_other_form_is_the_librarys(text):
    condition = ENVIRONMENT.compile(text)
    assert isinstance(condition, Condition) and condition.plain is None
