"""Which arguments fit, where others do not, and what is said of them."""

from typing import Any

import pytest

from agen_authz.core.arguments.graph import BadSchema
from agen_authz.core.arguments.schema import Schema, compile_schema
from agen_authz.core.model import Unfit
from agen_authz.core.reason import Reason

SECRET = "4111-1111"
ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "minimum": 1, "multipleOf": 1},
        "a/b~c": {"type": "string"},
        "note": {"type": "string", "maxLength": 5, "pattern": "^[a-z]*$"},
        "mail": {"type": "string", "pattern": "^(?!\\.)[a-z.]+@[a-z.]+$"},
        "state": {"enum": ["open", "closed"]},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}, "maxItems": 2, "uniqueItems": True},
        "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
        "by": {"oneOf": [{"type": "string"}, {"type": "object", "required": ["name"]}]},
        "map": {"type": "object", "additionalProperties": {"type": "integer"}, "propertyNames": {"maxLength": 12}},
    },
    "required": ["id"],
    "additionalProperties": False,
    "$defs": {"line": {"type": "object", "properties": {"sku": {"type": "string"}, "sub": {"$ref": "#/$defs/line"}}}},
}
FITS: dict[str, dict[str, Any]] = {
    "least": {"id": 1},
    "whole number with a fraction of nothing": {"id": 1.0},
    "all": {
        "id": 7, "a/b~c": "x", "note": "abc", "mail": "a@b.c", "state": "open", "lines": [{"sku": "1"}, {}],
        "pair": ["a", 1], "by": {"name": 1}, "map": {"x": 1},
    },
    "what nests in itself": {"id": 1, "lines": [{"sub": {"sub": {"sku": "1"}}}]},
}  # fmt: skip
MISFITS: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "/id (required)"),
    "wrong type": ({"id": SECRET}, "/id (type)"),
    "true for a number": ({"id": True}, "/id (type)"),
    "too small": ({"id": 0}, "/id (minimum)"),
    "unknown argument": ({"id": 1, SECRET: 1}, " (additionalProperties)"),
    "escaped name": ({"id": 1, "a/b~c": 1}, "/a~1b~0c (type)"),
    "too long": ({"id": 1, "note": "abcdef"}, "/note (maxLength)"),
    "pattern": ({"id": 1, "note": "ABC"}, "/note (pattern)"),
    "pattern that looks ahead": ({"id": 1, "mail": ".a@b.c"}, "/mail (pattern)"),
    "not listed": ({"id": 1, "state": SECRET}, "/state (enum)"),
    "in a list": ({"id": 1, "lines": [{}, {"sku": 1}]}, "/lines/1/sku (type)"),
    "deep": ({"id": 1, "lines": [{"sub": {"sub": {"sku": 1}}}]}, "/lines/0/sub/sub/sku (type)"),
    "too many": ({"id": 1, "lines": [{}, {"sku": "1"}, {"sku": "2"}]}, "/lines (maxItems)"),
    "twice": ({"id": 1, "lines": [{}, {}]}, "/lines (uniqueItems)"),
    "in a tuple": ({"id": 1, "pair": [1]}, "/pair/0 (type)"),
    "none of several": ({"id": 1, "by": {}}, "/by (oneOf)"),
    "member whose name the caller chose": ({"id": 1, "map": {SECRET: SECRET}}, "/map/* (type)"),
}
DRAFT_4, DRAFT_7 = "http://json-schema.org/draft-04/schema#", "http://json-schema.org/draft-07/schema#"


def compiled(schema: Any) -> Schema:
    made = compile_schema(schema)
    assert isinstance(made, Schema), made
    return made


def check(schema: Any, arguments: dict[str, Any]) -> Unfit | None:
    made = compiled(schema)
    return made.check_arguments(arguments, made.measure(arguments))


def fits(schema: Any, value: Any) -> bool:
    return check({"properties": {"x": schema}}, {"x": value}) is None


@pytest.mark.parametrize("name", FITS)
def test_arguments_that_the_schema_allows_fit(name):
    assert check(ORDER, FITS[name]) is None


@pytest.mark.parametrize("name", MISFITS)
def test_misfit_names_place_and_keyword_and_no_value(name):
    arguments, detail = MISFITS[name]
    found = check(ORDER, arguments)
    assert found == Unfit(Reason.INVALID_ARGUMENTS, f"/params/arguments{detail}")
    assert SECRET not in found.detail


def test_unknown_arguments_fit_a_schema_that_is_open():
    assert check({"type": "object", "properties": {"a": {"type": "string"}}}, {"b": 1}) is None


def test_place_is_left_out_where_finding_it_would_cost_much():
    rows = {"id": 1, "lines": [{"sku": 1, "sub": {"sku": str(at)}} for at in range(2000)]}
    assert check(ORDER, rows) == Unfit(Reason.INVALID_ARGUMENTS, "/params/arguments")


def test_place_is_bounded_in_depth():
    value: Any = 1
    for _ in range(30):
        value = {"sub": value}
    found = check(ORDER, {"id": 1, "lines": [value]})
    assert found is not None and found.detail == "/params/arguments/lines/0" + "/sub" * 14 + " (type)"


def test_draft_of_the_schema_counts():
    tuple_of_one = {"items": [{"type": "integer"}], "additionalItems": False}
    old = compiled({"$schema": DRAFT_7, "properties": {"x": tuple_of_one}})
    assert old.check_arguments({"x": [1]}, 1) is None
    assert old.check_arguments({"x": [1, 2]}, 1) is not None
    oldest = compiled({"$schema": DRAFT_4, "properties": {"x": {"minimum": 1, "exclusiveMinimum": True}}})
    assert oldest.check_arguments({"x": 1}, 1) is not None


def test_before_2019_a_reference_stands_for_the_whole_schema():
    schema = {"properties": {"x": {"$ref": "#/definitions/any", "type": "integer"}}, "definitions": {"any": {}}}
    assert check({"$schema": DRAFT_7, **schema}, {"x": "a"}) is None
    assert check(schema, {"x": "a"}) is not None


def test_dependencies_of_older_drafts_hold_names_and_schemas():
    schema = {"$schema": DRAFT_7, "dependencies": {"a": ["b"], "c": {"required": ["d"]}}}
    assert [check(schema, each) is None for each in ({"a": 1}, {"a": 1, "b": 1}, {"c": 1}, {"c": 1, "d": 1})] == [
        False, True, False, True,
    ]  # fmt: skip


def test_format_only_annotates():
    assert fits({"type": "string", "format": "email"}, "no mail")
    assert check({"$schema": DRAFT_7, "properties": {"x": {"format": "email"}}}, {"x": "no mail"}) is None


@pytest.mark.parametrize(
    "reference", ["#/$defs/a b", "#/$defs/a%20b", "#/$defs/a~1b", "#/$defs/deep/anyOf/0", "#name", "#/x-more/0"]
)
def test_reference_leads_within_the_document(reference):
    number = {"type": "integer"}
    schema = {
        "properties": {"x": {"$ref": reference}},
        "$defs": {"a b": number, "a/b": number, "deep": {"anyOf": [number]}, "named": {"$anchor": "name", **number}},
        "x-more": [number],
    }
    assert [check(schema, {"x": each}) is None for each in (1, "a")] == [True, False]


BAD: dict[str, tuple[Any, str]] = {
    "nothing": (None, "not an object"),
    "true": (True, "not an object"),
    "unknown draft": ({"$schema": "https://example.com/schema"}, "draft"),
    "draft that is no text": ({"$schema": 7}, "draft"),
    "another draft within": ({"properties": {"a": {"$schema": DRAFT_7}}}, "`/properties/a/$schema`"),
    "name within": ({"properties": {"a": {"$id": "b"}}}, "`/properties/a/$id`"),
    "name within, draft 4": ({"$schema": DRAFT_4, "properties": {"a": {"id": "b"}}}, "`/properties/a/id`"),
    "dynamic reference": ({"$dynamicRef": "#a"}, "`/$dynamicRef`"),
    "URL": ({"properties": {"a": {"$ref": "https://example.com/x"}}}, "leaves the document"),
    "file": ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "leaves the document"),
    "relative reference": ({"properties": {"a": {"$ref": "other.json#/a"}}}, "leaves the document"),
    "its own name": ({"$id": "https://a.b/c", "allOf": [{"$ref": "https://a.b/c#/$defs/a"}]}, "leaves the document"),
    "reference that is no text": ({"$ref": 1}, "leaves the document"),
    "nowhere": ({"$ref": "#/$defs/a"}, "leads nowhere"),
    "beyond a list": ({"allOf": [{}, {"$ref": "#/allOf/2"}]}, "leads nowhere"),
    "another spelling of a number": ({"allOf": [{}, {"$ref": "#/allOf/00"}]}, "leads nowhere"),
    "unknown anchor": ({"$ref": "#a"}, "leads nowhere"),
    "broken escape": ({"$ref": "#/$defs/%zz", "$defs": {"%zz": {}}}, "leads nowhere"),
    "escape that is no UTF-8": ({"$ref": "#/$defs/%ff", "$defs": {"\u00ff": {}}}, "leads nowhere"),
    "anchor twice": ({"$ref": "#a", "$defs": {"b": {"$anchor": "a"}, "c": {"$anchor": "a"}}}, "`a` is there twice"),
    "reference to no schema": ({"$ref": "#/title", "title": "t"}, "`/title` is not a schema"),
    "reference to itself": ({"$ref": "#"}, "circle"),
    "circle": ({"allOf": [{"anyOf": [{"$ref": "#/allOf/0"}]}]}, "circle"),
    "no schema": ({"items": 1}, "`/items` is not a schema"),
    "no list of schemas": ({"anyOf": {}}, "`/anyOf` does not hold schemas"),
    "no map of schemas": ({"properties": []}, "`/properties` does not hold schemas"),
    "names where schemas belong": ({"properties": {"a": ["b"]}}, "is not a schema"),
    "wrong value of a keyword": ({"properties": {"a": {"required": True}}}, "`required` has a value"),
    "wrong type": ({"type": "objekt"}, "`type` has a value"),
    "broken pattern": ({"properties": {"a": {"pattern": "("}}}, "`pattern` has a value"),
    "pattern that is too large": ({"properties": {"a": {"pattern": "\\p{L}{1000}"}}}, "`pattern` has a value"),
    "patterns that are too large together": (
        {"properties": {f"p{at}": {"pattern": f"\\p{{L}}{{20}}{at}"} for at in range(200)}},
        "`pattern` has a value",
    ),
    "nothing to divide by": (
        {"$schema": "http://json-schema.org/draft-07/schema#", "items": {"multipleOf": -0.0}},
        "`/items/multipleOf` is not greater than 0",
    ),
    "pattern that is too long": ({"properties": {"a": {"pattern": "a" * 4097}}}, "patterns"),
    "too many patterns": ({"patternProperties": {f"^{at}": {} for at in range(201)}}, "patterns"),
    "too deep": (eval('{"not":' * 70 + "{}" + "}" * 70), "levels"),  # noqa: S307  # a text of ours
    "too many values": ({"enum": list(range(20_001))}, "values"),
    "too many characters": ({"description": "a" * 262_145}, "characters"),
}


def chained(length: int) -> Any:
    schema: Any = {"$ref": "#/$defs/a"}
    for _ in range(length):
        schema = {"not": schema}
    return schema


def test_chain_is_measured_from_wherever_it_is_entered():
    # Entered at once it is short enough; entered at the end of another one it is not.
    long_enough = {"a": eval('{"not":' * 20 + "{}" + "}" * 20)}  # noqa: S307  # a text of ours
    assert isinstance(compile_schema({"allOf": [chained(0), chained(9)], "$defs": long_enough}), Schema)
    assert isinstance(compile_schema({"allOf": [chained(0), chained(10)], "$defs": long_enough}), BadSchema)


def test_several_anchors_are_found():
    schema = {
        "properties": {each: {"$ref": f"#{each}"} for each in "ab"},
        "$defs": {"one": {"$anchor": "a", "type": "integer"}, "other": {"$anchor": "b", "type": "string"}},
    }
    assert [check(schema, each) is None for each in ({"a": 1, "b": "x"}, {"a": "x"}, {"b": 1})] == [True, False, False]


@pytest.mark.parametrize("name", BAD)
def test_bad_schema_says_why(name):
    schema, why = BAD[name]
    made = compile_schema(schema)
    assert isinstance(made, BadSchema) and why in made.why, made


def test_what_nothing_leads_to_is_not_read():
    assert (
        check({"type": "object", "$defs": {"a": {"$ref": "https://example.com"}}, "examples": [{"$ref": 1}]}, {})
        is None
    )


def test_draft_may_be_repeated_within():
    assert check({"$schema": DRAFT_7, "properties": {"a": {"$schema": DRAFT_7}}}, {"a": 1}) is None
