"""Several approved definitions, the headers that they want, and what a call gets that fits none of them."""

from typing import Any

import pytest

from agen_authz.core.arguments.approved import MAX_APPROVED, ApprovedSchemas, SchemaCompiler
from agen_authz.core.arguments.graph import BadSchema
from agen_authz.core.arguments.schema import compile_schema
from agen_authz.core.model import Call, Digest, Envelope, Era, Json, Mirrored, Shape, Unfit
from agen_authz.core.reason import Reason
from tests import builders as build

NUMBER: dict[str, Any] = {"properties": {"id": {"type": "integer"}}, "required": ["id"]}
TEXT: dict[str, Any] = {"properties": {"id": {"type": "string"}}}
BROKEN = {"type": "objekt"}
REGION: dict[str, Any] = {
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "dry": {"type": "boolean", "x-mcp-header": "Dry-Run"},
        "page": {"properties": {"size": {"type": "integer", "x-mcp-header": "Size"}}},
        "size": {"type": "integer"},
        "note": {"type": ["string", "null"]},
        "user": {"type": "string", "x-mcp-header": "user_id"},
    }
}
MODERN = Envelope(Era.MODERN, Shape.REQUEST, 7)
WRONG = Unfit(Reason.INVALID_ARGUMENTS, "/params/arguments/id (type)")


def approve(*schemas: Any) -> ApprovedSchemas:
    return SchemaCompiler().compile((Digest(str(at)), {"inputSchema": each}) for at, each in enumerate(schemas))


def call(arguments: dict[str, Any], headers: dict[str, str] | None = None, **changes: Any) -> Call:
    mirrored = None if headers is None else Mirrored(headers, arguments)
    return build.call("tools/call", build.tool(), arguments=arguments, mirrored=mirrored, **changes)


def test_call_that_fits_any_approved_schema_fits():
    both = approve(NUMBER, TEXT)
    assert [both.check(call({"id": each})) for each in (1, "a", None)] == [None, None, WRONG]


def test_refusal_is_that_of_the_first_usable_schema():
    assert approve(BROKEN, NUMBER, TEXT).check(call({"id": True})) == WRONG


def test_tool_whose_schemas_are_all_bad_is_refused():
    unfit = Unfit(Reason.SCHEMA_UNUSABLE, "`type` has a value that JSON Schema does not allow")
    assert approve(BROKEN).check(call({})) == unfit


def test_nothing_fits_where_nothing_is_approved():
    assert approve().check(call({})) == Unfit(Reason.SCHEMA_UNUSABLE, "no definition is approved")


def test_call_without_arguments_is_checked_as_an_empty_object():
    asked = build.call("tools/call", build.tool(), arguments=None)
    assert approve(NUMBER).check(asked) == Unfit(Reason.INVALID_ARGUMENTS, "/params/arguments/id (required)")


@pytest.mark.parametrize("definition", [None, [], {"name": "a"}, {"inputSchema": None}])
def test_definition_without_a_schema_is_bad(definition):
    approved = SchemaCompiler().compile([(Digest("a"), definition)])
    unfit = approved.check(call({}))
    assert unfit is not None and unfit.reason is Reason.SCHEMA_UNUSABLE


def test_schemas_are_compiled_once_for_each_digest():
    compiler = SchemaCompiler()
    one, other = (compiler.compile([(Digest("a"), {"inputSchema": TEXT})]) for _ in range(2))
    assert one.schemas[0] is other.schemas[0]


def test_compiled_schemas_are_bounded_in_number():
    compiler = SchemaCompiler(limit=1)
    one, _, other = (compiler.compile([(Digest(each), {"inputSchema": TEXT})]) for each in "aba")
    assert one.schemas[0] is not other.schemas[0]


def test_schemas_of_one_tool_are_bounded_in_number():
    assert len(approve(*[TEXT] * (MAX_APPROVED + 1)).schemas) == MAX_APPROVED


def test_schemas_together_cost_no_more_than_one():
    # Each of them alone is affordable, and none fits.
    schema = {"properties": {"ids": {"items": {"enum": [f"a{at}" for at in range(1000)]}}}}
    arguments = {"ids": ["b"] * 1500}
    unfit = approve(schema, schema, schema, TEXT).check(call(arguments))
    assert unfit == Unfit(Reason.INVALID_ARGUMENTS, "/params/arguments")
    costly = {"properties": {"ids": {"items": {"enum": [f"a{at}" for at in range(5000)]}}}}
    unfit = approve(costly).check(call(arguments))
    assert unfit is not None and unfit.reason is Reason.ARGUMENTS_TOO_COMPLEX


HEADERS: dict[str, tuple[dict[str, Any], dict[str, str] | None, str | None]] = {
    "none wanted": ({}, None, None),
    "null wants none": ({"note": None}, None, None),
    "name that no header can have": ({"user": "a"}, {"mcp-param-user-id": "a"}, "mcp-param-user_id"),
    "repeated": ({"region": "eu"}, {"mcp-param-region": "eu"}, None),
    "decoded": ({"region": " eu"}, {"mcp-param-region": "=?base64?IGV1?="}, None),
    "boolean": ({"dry": True}, {"mcp-param-dry-run": "true"}, None),
    "in an object": ({"page": {"size": 42}}, {"mcp-param-size": "42.0"}, None),
    "missing": ({"region": "eu"}, None, "mcp-param-region"),
    "missing beside another": ({"region": "eu", "dry": False}, {"mcp-param-region": "eu"}, "mcp-param-dry-run"),
    "another value": ({"region": "eu"}, {"mcp-param-region": "us"}, "mcp-param-region"),
    "another case": ({"region": "eu"}, {"mcp-param-region": "EU"}, "mcp-param-region"),
    "without an argument": ({}, {"mcp-param-region": "eu"}, "mcp-param-region"),
    "of null": ({"note": None}, {"mcp-param-note": "null"}, "mcp-param-*"),
    "another argument of its name": ({"page": {"size": 1}, "size": 2}, {"mcp-param-size": "2"}, "mcp-param-size"),
    "its argument, though another has its name": ({"page": {"size": 1}, "size": 2}, {"mcp-param-size": "1"}, None),
    "unnamed, and repeats something": ({"size": 2}, {"mcp-param-other": "2"}, None),
    "unnamed, and repeats nothing": ({"size": 2}, {"mcp-param-other": "3"}, "mcp-param-*"),
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_repeat_the_arguments_that_the_schema_names(name):
    arguments, headers, lie = HEADERS[name]
    found = approve(REGION).check(call(arguments, headers, envelope=MODERN))
    assert found == (None if lie is None else Unfit(Reason.HEADER_MISMATCH, lie))


def test_legacy_clients_need_not_send_headers_but_may_not_lie_in_them():
    approved = approve(REGION)
    assert approved.check(call({"region": "eu"})) is None
    lie = approved.check(call({"region": "eu"}, {"mcp-param-region": "us"}))
    assert lie == Unfit(Reason.HEADER_MISMATCH, "mcp-param-region")


def test_arguments_and_headers_fit_the_same_schema():
    # Arguments fit the second only, headers the first only.
    first = {"properties": {"region": {"type": "string"}}, "required": ["id"]}
    approved = approve(first, REGION)
    assert approved.check(call({"region": "eu"}, envelope=MODERN)) is not None
    assert approved.check(call({"region": "eu", "id": 1}, envelope=MODERN)) is None


BAD_ANNOTATIONS: dict[str, Any] = {
    "no text": {"properties": {"a": {"type": "string", "x-mcp-header": 1}}},
    "empty": {"properties": {"a": {"type": "string", "x-mcp-header": ""}}},
    "no field name": {"properties": {"a": {"type": "string", "x-mcp-header": "a b"}}},
    "line end": {"properties": {"a": {"type": "string", "x-mcp-header": "a\n"}}},
    "number": {"properties": {"a": {"type": "number", "x-mcp-header": "A"}}},
    "object": {"properties": {"a": {"type": "object", "x-mcp-header": "A"}}},
    "no type": {"properties": {"a": {"x-mcp-header": "A"}}},
    "several types": {"properties": {"a": {"type": ["string", "null"], "x-mcp-header": "A"}}},
    "the whole": {"type": "string", "x-mcp-header": "A"},
    "items": {"properties": {"a": {"items": {"type": "string", "x-mcp-header": "A"}}}},
    "a branch": {"anyOf": [{"properties": {"a": {"type": "string", "x-mcp-header": "A"}}}]},
    "behind a reference": {
        "properties": {"a": {"$ref": "#/$defs/a"}},
        "$defs": {"a": {"type": "string", "x-mcp-header": "A"}},
    },
    "twice": {"properties": {each: {"type": "string", "x-mcp-header": each} for each in "aA"}},
}


@pytest.mark.parametrize("name", BAD_ANNOTATIONS)
def test_annotation_that_mcp_does_not_allow_makes_the_schema_bad(name):
    made = compile_schema(BAD_ANNOTATIONS[name])
    assert isinstance(made, BadSchema) and "x-mcp-header" in made.why


def test_property_may_have_the_annotations_name():
    assert approve({"properties": {"x-mcp-header": {"type": "string"}}}).check(call({"x-mcp-header": "a"})) is None


def approved_of(*digests: str) -> list[tuple[Digest, Json]]:
    return [(Digest(each), {"inputSchema": TEXT}) for each in digests]


def test_prepared_schema_is_the_one_that_calls_get():
    compiler = SchemaCompiler()
    compiler.prepare([approved_of("a", "b"), approved_of("c")])
    first = [compiler.compile(approved_of(each)).schemas[0] for each in "abc"]
    compiler.prepare([approved_of("b")])
    again = [compiler.compile(approved_of(each)).schemas[0] for each in "abc"]
    # What is approved still is not compiled again; what was not is forgotten.
    assert [one is other for one, other in zip(first, again, strict=True)] == [False, True, False]


def test_what_is_prepared_is_bounded():
    compiler = SchemaCompiler(limit=2)
    compiler.prepare([approved_of("a", "b", "c")])
    assert len(compiler._prepared) == 2
    compiler.prepare([approved_of(*map(str, range(MAX_APPROVED + 9)))])
    assert len(SchemaCompiler()._prepared) == 0 and len(compiler._prepared) == 2
