"""What a check costs: what a schema multiplies is counted before the library is asked."""

from typing import Any

import pytest

from agen_authz.core.arguments.cost import MAX_COST
from agen_authz.core.arguments.graph import BadSchema
from agen_authz.core.arguments.pattern import is_fancy, price_pattern
from agen_authz.core.arguments.schema import Schema, compile_schema
from agen_authz.core.reason import Reason

ROW = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string", "pattern": "^[a-z]+$"}}}
# A branch twice: each level of arguments doubles what is asked.
DOUBLING = {
    "properties": {"x": {"$ref": "#/$defs/a"}},
    "$defs": {
        "a": {"anyOf": [{"properties": {"a": {"$ref": "#/$defs/a"}}}, {"properties": {"a": {"$ref": "#/$defs/a"}}}]}
    },
}
MAIL = "^(?!\\.)(?!.*\\.\\.)([a-z0-9_'+\\-.]*)[a-z0-9_+-]@([a-z0-9][a-z0-9\\-]*\\.)+[a-z]{2,}$"


def compiled(schema: Any) -> Schema:
    made = compile_schema({"properties": {"x": schema}} if "properties" not in schema else schema)
    assert isinstance(made, Schema), made
    return made


def measured(schema: Any, value: Any, budget: int = MAX_COST) -> int:
    return compiled(schema).measure({"x": value}, budget)


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


DOUBLED = {
    "a0": {"type": "string"},
    **{f"a{at}": {"allOf": [{"$ref": f"#/$defs/a{at - 1}"}] * 2} for at in range(1, 13)},
}
LONG_NAMES = {"a" * 100 + str(at): 1 for at in range(1000)}
MANY: dict[str, Any] = {f"p{at}": {} for at in range(1000)}
NAMES: dict[str, Any] = {f"^x.*{at}$": {} for at in range(100)}
DIFFERENT = {"uniqueItems": True, "items": {"$ref": "#/$defs/a"}}
AFFORDABLE: dict[str, tuple[Any, Any]] = {
    "5,000 rows": ({"items": ROW}, [{"id": at, "name": "name"} for at in range(5000)]),
    "a megabyte of text": ({"type": "string", "maxLength": 2_000_000}, "a" * 1_000_000),
    "a thousand addresses": ({"items": {"pattern": MAIL}}, ["some.one@example.com"] * 1000),
    "50,000 numbers that differ": ({"uniqueItems": True}, list(range(50_000))),
    "what nests in itself": (
        {"properties": {"x": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"properties": {"a": {"$ref": "#/$defs/a"}}}}},
        nested(150),
    ),
    "long text that no pattern is about": (
        {"properties": {"x": {"properties": {"path": {"pattern": "^[a-z/]{1,200}$"}, "content": {"type": "string"}}}}},
        {"path": "a/b", "content": "a" * 1_000_000},
    ),
}  # fmt: skip
UNAFFORDABLE: dict[str, tuple[Any, Any]] = {
    "branches that double": (DOUBLING, nested(30)),
    "5,000 choices for 5,000 texts": ({"items": {"enum": [f"a{at}" for at in range(5000)]}}, ["a4999"] * 5000),
    "1,000 properties of 50,000 objects": ({"items": {"properties": MANY}}, [{}] * 50_000),
    "doubling in one place": (
        {"properties": {"x": {"items": {"$ref": "#/$defs/a12"}}}, "$defs": DOUBLED},
        [""] * 1000,
    ),
    "pattern with many states": ({"pattern": "^(?:.*a.{300}b|.*b.{300}a)$"}, "ab" * 50_000),
    "pattern that looks ahead": ({"pattern": "(?=(a+)+$)b"}, "a" * 50_000),
    "many patterns of names": ({"patternProperties": NAMES}, {f"x{at}": 1 for at in range(5000)}),
    "pattern of names": ({"propertyNames": {"pattern": "(?=[a-z]).*$"}}, LONG_NAMES),
    "multiples": ({"items": {"multipleOf": 1e-300}}, [1e308] * 10_000),
    "lists of lists that differ": (
        {"properties": {"x": {"$ref": "#/$defs/a"}}, "$defs": {"a": DIFFERENT}},
        eval("[" * 60 + ",".join(map(str, range(20_000))) + "]" * 60),  # noqa: S307  # a text of ours
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", AFFORDABLE)
def test_what_callers_send_is_affordable(name):
    schema, value = AFFORDABLE[name]
    made = compiled(schema)
    cost = made.measure({"x": value})
    assert cost <= MAX_COST and made.check_arguments({"x": value}, cost) is None


@pytest.mark.parametrize("name", UNAFFORDABLE)
def test_what_is_not_affordable_is_refused_unseen(name):
    schema, value = UNAFFORDABLE[name]
    made = compiled(schema)
    unfit = made.check_arguments({"x": value}, made.measure({"x": value}))
    assert unfit is not None and unfit.reason is Reason.ARGUMENTS_TOO_COMPLEX


def test_cost_grows_by_what_is_asked():
    doubled = [measured(DOUBLING, nested(depth)) for depth in (4, 5, 6)]
    assert doubled[2] - doubled[1] == 2 * (doubled[1] - doubled[0])


def test_unevaluated_members_are_asked_twice():
    plain = {"allOf": [{"properties": {"a": {"items": {"enum": list(range(100))}}}}]}
    value = {"a": list(range(100))}
    assert measured({**plain, "unevaluatedProperties": False}, value) > 2 * measured(plain, value)


@pytest.mark.parametrize("schema", [{"prefixItems": [ROW, ROW]}, {"contains": ROW}, {"unevaluatedItems": ROW}])
def test_each_way_to_ask_of_items_counts(schema):
    rows = [{"id": at, "name": "name"} for at in range(10)]
    assert measured(schema, rows) >= measured({"items": ROW}, rows)


def test_walk_ends_with_the_budget():
    assert (
        10 < measured({"items": {"type": "integer"}}, [[1]] * 1000, budget=10) < measured({"items": {}}, [[1]] * 1000)
    )


def test_schema_with_too_many_ways_is_bad():
    # Of each name it is asked a different number of times, so each order of names makes another sum.
    ways = {f"p{at}": {"anyOf": [{"$ref": "#/$defs/a"}] * (at + 1)} for at in range(60)}
    schema: Any = {"properties": {"x": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"properties": ways}}}
    made = compile_schema(schema)
    assert isinstance(made, BadSchema) and "too many ways" in made.why


def test_schema_whose_branches_all_ask_of_every_name_is_bad():
    # What is worked out grows with the product of both, which is a minute for one that may be pinned.
    made = compile_schema({"anyOf": [{"properties": {f"k{at}_{of}": True for of in range(3)}} for at in range(900)]})
    assert isinstance(made, BadSchema) and "too many ways" in made.why


def test_schema_with_many_branches_or_many_names_is_none_of_those():
    many: list[Any] = [{"oneOf": [{"properties": {f"k{at}": {}, "kind": {"const": at}}} for at in range(100)]}]
    many.append({"properties": {f"k{at}": {"type": "string"} for at in range(5000)}})
    assert not [made for each in many if isinstance(made := compile_schema(each), BadSchema)]


PRICES = {
    "a": (1, False), "abc": (3, False), "[a-z]": (1, False), "[^]a]": (1, False), "a{10}": (10, False),
    "a{2,10}": (10, False), "a{10,}": (10, False), "a{0}": (1, False), "(?:ab){10}": (20, False),
    "((ab){10}c){2}": (42, False), "(a{10}|b){3}": (33, False), "\\d{4}-\\{2}": (8, False), "a{b}": (4, False),
    "(?=a)b": (2, True), "(?<!a)b": (2, True), "(a)\\1": (2, True), "(?<n>a)": (1, False), ")a": (2, False),
    "((((((a{999}){999}){999})": (1_000_000, False),
}  # fmt: skip


@pytest.mark.parametrize("pattern", PRICES)
def test_atoms_of_a_pattern_are_counted_with_their_repetitions(pattern):
    atoms, looks = PRICES[pattern]
    price = 4 + atoms // 2
    assert (is_fancy(pattern), price_pattern(pattern)) == (looks, 200 + 2 * price if looks else price)
