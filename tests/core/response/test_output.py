"""A masked result still fits its tool's output schema: members that do not are left out, or the result says so."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.arguments.graph import BadSchema
from agen_authz.core.arguments.schema import Schema, compile_schema
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.rule import Receipt
from agen_authz.core.model import Json
from agen_authz.core.response.output import fit_output

TEXT = {"type": "text", "text": "[CARD]"}
NUMBER, STRING = {"type": "integer"}, {"type": "string"}
CARD = Receipt("r", "credit_card", Style.REDACT, "/result/structuredContent/card")


def schema(required: tuple[str, ...] = (), **properties: Any) -> Schema:
    compiled = compile_schema({"type": "object", "properties": properties, "required": list(required)})
    assert isinstance(compiled, Schema)
    return compiled


def answer(structured: Any, **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 7, "result": {"content": [TEXT], "structuredContent": structured, **more}}


def fit(old: Any, new: Any, *schemas: Schema | BadSchema, receipts: tuple[Receipt, ...] = (CARD,)) -> dict[str, Any]:
    before, masked = answer(old), answer(new)
    fitted = fit_output(before, masked, lambda: schemas, receipts)
    # What is fitted is new, and the masked one stays as it was.
    assert masked == answer(new) and before == answer(old)
    result: Any = fitted["result"]
    return result


ROWS = schema(rows={"type": "array", "items": {"type": "object", "properties": {"card": NUMBER, "a": STRING}}})
FITS = {
    "a text for a text": (schema(("card",), card=STRING), {"card": "4"}, {"card": "[C]"}, {"card": "[C]"}),
    "what is not in the schema": (schema(), {"card": 4}, {"card": "[C]"}, {"card": "[C]"}),
    "an optional number": (schema(card=NUMBER), {"card": 4, "a": 1}, {"card": "[C]", "a": 1}, {"a": 1}),
    "one of two": (
        schema(card=NUMBER, mail=STRING), {"card": 4, "mail": "m"}, {"card": "[C]", "mail": "[M]"}, {"mail": "[M]"},
    ),
    "two of three": (
        schema(a=NUMBER, b=STRING, c=NUMBER), {"a": 1, "b": "b", "c": 3}, {"a": "A", "b": "B", "c": "C"}, {"b": "B"},
    ),
    "in items of a list": (
        ROWS, {"rows": [{"card": 4, "a": "x"}, {"a": "y"}, {"card": 5, "a": "z"}]},
        {"rows": [{"card": "[C]", "a": "X"}, {"a": "y"}, {"card": "[C]", "a": "z"}]},
        {"rows": [{"a": "X"}, {"a": "y"}, {"a": "z"}]},
    ),
    "an item of an optional list": (
        schema(cards={"type": "array", "items": NUMBER}), {"cards": [4, 1], "a": 1}, {"cards": ["[C]", 1], "a": 1},
        {"a": 1},
    ),
    "an item of a list, and a member of another item": (
        schema(cards={"type": "array", "items": {"anyOf": [NUMBER, {"type": "object", "properties": {"n": NUMBER}}]}}),
        {"cards": [4, {"n": 5}], "a": 1}, {"cards": ["[C]", {"n": "[C]"}], "a": 1}, {"a": 1},
    ),
    "a name that was masked": (
        schema(who={"type": "object", "additionalProperties": False, "properties": {"ann@x.org": NUMBER}}),
        {"who": {"ann@x.org": 1}, "a": 1}, {"who": {"[EMAIL]": 1}, "a": 1}, {"a": 1},
    ),
    "a number that is not masked": (
        schema(card=NUMBER), {"card": 4, "n": float("1.5")}, {"card": "[C]", "n": float("1.5")}, {"n": 1.5},
    ),
    "an optional member that was dropped": (schema(card=NUMBER), {"card": 4, "a": 1}, {"a": 1}, {"a": 1}),
    "what did not fit before": (schema(("b",), card=NUMBER), {"card": 4}, {"card": "[C]"}, {"card": "[C]"}),
}  # fmt: skip


@pytest.mark.parametrize(("compiled", "old", "new", "fitting"), FITS.values(), ids=FITS)
def test_result_fits_without_what_may_be_left_out(compiled: Schema, old: Any, new: Any, fitting: Any):
    assert fit(old, new, compiled) == {"content": [TEXT], "structuredContent": fitting}


REQUIRED = schema(("card",), card=NUMBER)
FAILS = {
    "a required number": (REQUIRED, {"card": 4}, {"card": "[C]"}),
    "a required member that was dropped": (REQUIRED, {"card": 4}, {}),
    "a required one in a list": (
        schema(("rows", "must"), must=STRING, rows={"items": {"required": ["card"], "properties": {"card": NUMBER}}}),
        {"rows": [{"card": 4}], "must": "m"}, {"rows": [{"card": "[C]"}], "must": "m"},
    ),
    "the whole": (schema(), {"card": 4}, "[C]"),
    "a schema that cannot be used": (BadSchema("x"), {"card": 4}, {"card": "[C]"}),
}  # fmt: skip


@pytest.mark.parametrize(("compiled", "old", "new"), FAILS.values(), ids=FAILS)
def test_result_that_cannot_fit_is_an_error_of_the_tool_that_names_places(compiled: Any, old: Any, new: Any):
    text = (
        "The result is withheld: data protection masked what its output schema requires in another form. "
        "Masked: /result/structuredContent/card (credit_card)."
    )
    assert fit(old, new, compiled) == {"content": [{"type": "text", "text": text}], "isError": True}


def test_structure_that_was_dropped_whole_is_an_error():
    masked: Any = {"jsonrpc": "2.0", "id": 7, "result": {"content": [TEXT], "_meta": {"a": 1}}}
    fitted: Any = fit_output(answer({"card": 4}), masked, lambda: [REQUIRED], ())
    assert (fitted["result"]["isError"], fitted["result"]["_meta"]) == (True, {"a": 1})


def test_places_are_named_once_and_not_without_end():
    receipts = [Receipt("r", "a", Style.DROP, f"/result/structuredContent/{at % 30}") for at in range(60)]
    receipts += [
        Receipt("r", "b", Style.DROP, "/result/structuredContent/0"),
        Receipt("r", "c", Style.DROP, "/result/content/0"),
        Receipt("r", "d", Style.DROP, "/result/structuredContent/0", is_enforced=False),
    ]  # fmt: skip
    text = fit({"card": 4}, {"card": "[C]"}, REQUIRED, receipts=tuple(receipts))["content"][0]["text"]
    assert "/result/structuredContent/0 (a, b); /result/structuredContent/1 (a);" in text
    assert (text.count("/result/"), text.endswith("; and 10 more."), "content/0" in text) == (20, True, False)


def test_any_approved_schema_will_do():
    texts, numbers = schema(("card",), card=STRING), schema(("card",), card=NUMBER)
    assert fit({"card": 4}, {"card": "[C]"}, numbers, texts)["structuredContent"] == {"card": "[C]"}
    loose = schema(card=NUMBER)
    assert fit({"card": 4}, {"card": "[C]"}, numbers, loose)["structuredContent"] == {}


@pytest.mark.parametrize(
    "message", [{"jsonrpc": "2.0", "id": 7, "error": {}}, {"result": []}, {"result": {"content": []}}, {"method": "x"}]
)
def test_message_without_a_structure_asks_for_no_schema(message: Any):
    def fail() -> Any:
        raise AssertionError("a schema is compiled for nothing")

    masked = json.loads(json.dumps(message))
    assert fit_output(message, masked, fail, ()) is masked
    same = answer({"a": 1})
    assert fit_output(answer({"a": 1}), same, fail, ()) is same


def test_result_that_costs_too_much_to_check_is_an_error():
    many = schema(rows={"type": "array", "items": {"properties": {"card": NUMBER}}})
    old = {"rows": [{"card": number} for number in range(3000)]}
    new = {"rows": [{"card": f"[{number}]"} for number in range(3000)]}
    nested: Any = schema(
        rows={"type": "array", "uniqueItems": True, "items": {"anyOf": [{"properties": {"card": NUMBER}}] * 60}}
    )
    assert "isError" not in fit(old, new, many)
    assert fit(old, new, nested)["isError"] is True


def test_thousands_of_members_that_do_not_fit_are_left_out_together():
    old = {"rows": [{"card": number, "a": "x"} for number in range(3000)]}
    new = {"rows": [{"card": "[C]", "a": "y"} for _ in range(3000)]}
    assert fit(old, new, ROWS)["structuredContent"] == {"rows": [{"a": "y"}] * 3000}
    changed = {"rows": [{f"k{number}": "[C]"} for number in range(300)]}
    groups = schema(rows={"items": {"additionalProperties": NUMBER}})
    assert fit({"rows": [{f"k{number}": 1} for number in range(300)]}, changed, groups)["isError"] is True


def test_result_that_was_dropped_whole_is_an_error():
    fitted = fit_output(answer({"card": 4}), {"jsonrpc": "2.0", "id": 7, "result": None}, lambda: [REQUIRED], ())
    result: Any = fitted["result"]
    assert (result["isError"], sorted(result)) == (True, ["content", "isError"])


def test_more_changes_than_are_looked_at_are_an_error():
    old, new = ({"rows": [{"card": each}] * 10_001} for each in (4, "[C]"))
    assert fit(old, {"rows": [*new["rows"]]}, ROWS)["isError"] is True


def test_search_for_what_does_not_fit_ends_when_it_has_cost_too_much():
    names = [f"n{number}" for number in range(100)]
    many = schema(rows={"items": {"properties": dict.fromkeys(names, NUMBER)}})
    old, new = ({"rows": [dict.fromkeys(names, each)] * 90} for each in (4, "[C]"))
    assert fit(old, new, many)["isError"] is True


def test_values_that_only_together_do_not_fit_make_an_error():
    # Each of them alone fits, so it is not known which is wrong.
    together: Any = {"not": {"properties": {"a": STRING, "b": STRING}, "required": ["a", "b"]}}
    pair = compile_schema(together)
    assert fit({"a": 1, "b": 2}, {"a": "A", "b": "B"}, pair)["isError"] is True


LEAF = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=3))
TREE = st.recursive(
    LEAF, lambda each: st.lists(each, max_size=3) | st.dictionaries(st.sampled_from("abc"), each, max_size=3)
)
KINDS = st.sampled_from(["integer", "string", "array", "object"])


@given(
    st.dictionaries(st.sampled_from("abc"), TREE), TREE, st.dictionaries(st.sampled_from("abc"), KINDS), st.booleans()
)
def test_what_is_fitted_fits_or_is_an_error(old: Any, new: Any, kinds: dict[str, str], is_required: bool):
    compiled = schema(tuple(kinds) if is_required else (), **{name: {"type": kind} for name, kind in kinds.items()})
    result = fit(old, new, compiled)
    fits = "structuredContent" in result and compiled.fits(result["structuredContent"], 0)
    assert fits or "isError" in result or not compiled.fits(old, 0) or old == new


def test_structure_whose_own_member_has_a_masked_name_is_an_error():
    members: Json = {"ann@x.org": {"type": "integer"}}
    closed = compile_schema({"type": "object", "properties": members, "additionalProperties": False})
    assert isinstance(closed, Schema)
    assert fit({"ann@x.org": 1}, {"[EMAIL]": 1}, closed)["isError"] is True
