"""What of a document is searched, and under which names; what the protocol needs stays out of it."""

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agen_authz.core.masking import Custom, Detectors, Rule, Unmaskable, make_plan, mask_message
from agen_authz.core.masking.document import Document
from agen_authz.core.masking.layout import Layouts
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.scanner import get_scanner
from agen_authz.core.masking.style import Masker

EMAIL, CARD = "jane.doe@example.com", 4111111111111111
CHOSEN = Detectors.of("email", "credit_card", "us_ssn", "person_name", "special_category")
PLAN = make_plan([Rule("r", CHOSEN, default=Style.REDACT)], Masker(None, ""))
CUSTOM = make_plan([Rule("r", CHOSEN.add_customs([Custom("word", "abc|7")]), default=Style.REDACT)], Masker(None, ""))


def mask(value: Any, *, is_message: bool = False) -> Any:
    return mask_message(value, PLAN, is_message=is_message).message


def list_texts(value: Any, *, is_message: bool = False, detectors: Detectors = CHOSEN) -> list[tuple[str, str]]:
    """List what is searched, with its pointer."""
    layouts = Layouts(get_scanner(detectors))
    document = Document(value, layouts, layouts.root, is_message=is_message)
    places = [document.spot(leaf).list_steps() for leaf in range(len(document.texts))]
    return [("/".join(map(str, place)), text) for place, text in zip(places, document.texts, strict=True)]


# ---- leaves ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ({"a": "ab 1", "b": ["ab 2", {"c": "ab 3"}]}, [("a", "ab 1"), ("b/0", "ab 2"), ("b/1/c", "ab 3")]),
        ({"a": 411111111111, "b": -10000, "c": 2e12}, [("a", "411111111111"), ("b", "10000"), ("c", "2000000000000")]),
        ({"a": 7, "b": 0.5, "c": True, "d": None, "e": "", "f": "word", "g": "1 2"}, []),
        ({"ssn": 7, "religion": True, "b": {"ssn": ["ab"]}}, [("ssn", "7"), ("religion", "true"), ("b/ssn/0", "ab")]),
        ({"jane doe": 1}, [("jane doe", "jane doe")]),
        ({"4.0e15": 1}, [("4.0e15", "4000000000000000")]),
        ({"a": "4.0e15", "b": "-1.5"}, [("a", "4000000000000000"), ("b", "1.5")]),
        ("x 1234", [("", "x 1234")]),
        (["x 1234"], [("0", "x 1234")]),
        (None, []),
        ({}, []),
    ],
    ids=[
        *("texts", "numbers", "nothing", "told by a name", "names", "names that are numbers", "numbers as texts"),
        *("text", "list", "null", "empty"),
    ],
)  # fmt: skip
def test_strings_numbers_and_names_are_searched(value: Any, texts: list[tuple[str, str]]) -> None:
    assert list_texts(value) == texts


def test_every_text_is_searched_if_there_are_custom_patterns():
    chosen = Detectors().add_customs([Custom("x", "a")])
    texts = [("a", "a"), ("c", "c"), ("a", "b"), ("c/0", "d")]
    assert list_texts({"a": "b", "c": ["d"]}, detectors=chosen) == texts


# ---- the protocol ----------------------------------------------------------------------------------------------

KEPT = ("nextCursor", "cursor", "requestState", "taskId", "progressToken", "requestId", "sessionId", "createdAt")


@pytest.mark.parametrize("outer", ["result", "params"])
def test_fields_of_the_protocol_stay_and_the_same_names_elsewhere_are_masked(outer: str) -> None:
    fields: dict[str, Any] = dict.fromkeys(KEPT, EMAIL)
    message = {
        "jsonrpc": "2.0",
        "id": EMAIL,
        "method": EMAIL,
        outer: {
            **fields,
            "_meta": {"progressToken": EMAIL, "taskId": CARD, "requestState": EMAIL, "x": EMAIL},
            "task": {**fields, "x": EMAIL},
            "structuredContent": {**fields, "id": EMAIL, "task": fields},
            "content": [{"cursor": EMAIL}],
        },
    }
    masked = dict.fromkeys(KEPT, "[EMAIL]")
    assert mask(message, is_message=True) == {
        "jsonrpc": "2.0",
        "id": EMAIL,
        "method": EMAIL,
        outer: {
            **fields,
            "_meta": {"progressToken": EMAIL, "taskId": CARD, "requestState": "[EMAIL]", "x": "[EMAIL]"},
            "task": {**fields, "x": "[EMAIL]"},
            "structuredContent": {**masked, "id": "[EMAIL]", "task": masked},
            "content": [{"cursor": "[EMAIL]"}],
        },
    }


def test_ids_of_tasks_stay_in_lists_of_tasks_and_where_a_message_says_what_it_belongs_to():
    related, subscription = "io.modelcontextprotocol/related-task", "io.modelcontextprotocol/subscriptionId"
    result = {
        "_meta": {related: {"taskId": EMAIL, "x": EMAIL}, subscription: EMAIL},
        "tasks": [{"taskId": EMAIL, "statusMessage": EMAIL}, EMAIL],
        "structuredContent": {related: {"taskId": EMAIL}, "tasks": [{"taskId": EMAIL}]},
    }
    assert mask({"id": 1, "result": result}, is_message=True)["result"] == {
        "_meta": {related: {"taskId": EMAIL, "x": "[EMAIL]"}, subscription: EMAIL},
        "tasks": [{"taskId": EMAIL, "statusMessage": "[EMAIL]"}, "[EMAIL]"],
        "structuredContent": {related: {"taskId": "[EMAIL]"}, "tasks": [{"taskId": "[EMAIL]"}]},
    }


def test_fields_of_the_protocol_are_masked_if_they_are_no_text_or_whole_number():
    message = {"id": [EMAIL], "result": {"cursor": {"x": EMAIL}, "taskId": 4111111111111111.0}, "method": None}
    assert mask(message, is_message=True) == {
        "id": ["[EMAIL]"],
        "result": {"cursor": {"x": "[EMAIL]"}, "taskId": "[CREDIT_CARD]"},
        "method": None,
    }


def test_what_is_no_object_where_the_protocol_has_one_is_masked_as_well():
    message = {"result": {"structuredContent": [EMAIL], "_meta": EMAIL, "task": None}, "params": EMAIL, EMAIL: 1}
    assert mask(message, is_message=True) == {
        "result": {"structuredContent": ["[EMAIL]"], "_meta": "[EMAIL]", "task": None},
        "params": "[EMAIL]",
        "[EMAIL]": 1,
    }


@pytest.mark.parametrize("value", [[EMAIL], EMAIL], ids=["batch", "text"])
def test_message_that_is_no_object_is_masked(value: Any) -> None:
    assert mask(value, is_message=True) == ([f"[{'EMAIL'}]"] if isinstance(value, list) else "[EMAIL]")


def test_error_is_masked_and_its_code_stays_a_number():
    message = {"jsonrpc": "2.0", "id": 1, "error": {"code": CARD, "message": EMAIL, "data": {"a": CARD}}}
    error = mask(message, is_message=True)["error"]
    assert (error["code"], error["message"]) == (0, "[EMAIL]")


# ---- nested ----------------------------------------------------------------------------------------------------


def nest(value: Any, times: int) -> Any:
    for _ in range(times):
        value = json.dumps({"v": value})
    return value


def unnest(value: Any, times: int) -> Any:
    for _ in range(times):
        value = json.loads(value)["v"]
    return value


@pytest.mark.parametrize("times", range(1, 5))
def test_json_in_texts_is_searched_four_deep(times: int) -> None:
    assert unnest(mask(nest(EMAIL, times)), times) == "[EMAIL]"


@pytest.mark.parametrize(("times", "value"), [(5, EMAIL), (5, "nothing"), (9, EMAIL)])
def test_what_is_nested_deeper_is_withheld_whole(times: int, value: str) -> None:
    assert unnest(mask(nest(value, times)), 4) == "[NESTED]"


def test_name_tells_of_what_is_nested_below_it():
    assert mask({"ssn": '{"value":"536221234"}'}) == {"ssn": '{"value":"[US_SSN]"}'}


def test_too_many_documents_in_texts_are_refused():
    with pytest.raises(Unmaskable, match="taking it apart costs too much"):
        mask([f'{{"a":{number}}}' for number in range(13_000)])


def test_too_many_names_are_refused():
    with pytest.raises(Unmaskable, match="taking it apart costs too much"):
        mask({"a": dict.fromkeys(map(str, range(25_000)), 1)})


# ---- blobs -----------------------------------------------------------------------------------------------------


def encode(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"blob": encode(f"to {EMAIL}")}, {"blob": encode("to [EMAIL]")}),
        ({"blob": encode(json.dumps({"a": EMAIL}))}, {"blob": encode('{"a":"[EMAIL]"}')}),
        ({"blob": "AAEC/w==", "uri": "a"}, {"text": "[BINARY]", "uri": "a"}),
        ({"blob": f"no base64: {EMAIL}"}, {"blob": "no base64: [EMAIL]"}),
        ({"blob": [EMAIL]}, {"blob": ["[EMAIL]"]}),
        ({"type": "image", "data": "AAEC/w==", "mimeType": "a/b"}, {"type": "text", "text": "[BINARY]"}),
        ({"type": "audio", "data": encode(EMAIL)}, {"type": "audio", "data": encode("[EMAIL]")}),
        ({"type": "image", "data": {"a": EMAIL}}, {"type": "image", "data": {"a": "[EMAIL]"}}),
        ({"type": "other", "data": f"of {EMAIL}"}, {"type": "other", "data": "of [EMAIL]"}),
    ],
    ids=[
        *("text", "document", "binary", "no base64", "no text", "image", "text as audio", "image that is none"),
        "another type",
    ],
)
def test_blobs_are_read_and_masked_or_withheld(value: Any, masked: Any) -> None:
    assert mask({"x": [value]}) == {"x": [masked]}


# ---- tables ----------------------------------------------------------------------------------------------------

cells = st.one_of(
    st.sampled_from(
        [
            *(EMAIL, f"to {EMAIL}", CARD, -CARD, float(CARD), "4.111111111111111e15", "536-22-1234", "word", "", "a b"),
            *(7, 0.5, 20_000, True, None, [], ["word"], ["word", EMAIL], [1], {"x": EMAIL}, '{"a":1}', nest(EMAIL, 1)),
            *('say "hi"', "abc"),
        ]
    ),
)
columns = st.dictionaries(
    st.sampled_from(["a", "note", "ssn", "id", "full_name", "religion", "jane doe", "blob", EMAIL]),
    st.lists(cells, min_size=2, max_size=2),
    min_size=1,
    max_size=4,
)


@settings(max_examples=40)
@given(columns=columns)
@pytest.mark.parametrize("plan", [PLAN, CUSTOM], ids=["plain", "custom"])
def test_rows_of_a_table_are_masked_as_each_by_itself(plan: Any, columns: dict[str, list[Any]]) -> None:
    pair = [{name: values[place] for name, values in columns.items()} for place in (0, 1)]
    few = mask_message({"x": [*pair, pair[0]]}, plan, is_message=False)
    many = mask_message({"x": [*pair, pair[0], *pair]}, plan, is_message=False)
    rows: Any = few.message["x"]  # type: ignore[call-overload, index]
    assert many.message == {"x": [*rows, *rows[:2]]}
    assert {each.pointer for each in few.receipts} == {
        each.pointer for each in many.receipts if each.pointer[:4] not in ("/x/3", "/x/4")
    }


@pytest.mark.parametrize(
    ("column", "masked"),
    [
        (["word", "other", "words", "end"], None),
        ([["word"], [], ["other"], ["words", "end"]], None),
        ([[], [], [], []], None),
        ([["word"], ["two words"], [EMAIL], []], [["word"], ["two words"], ["[EMAIL]"], []]),
        ([["word"], [1], [EMAIL], []], [["word"], [1], ["[EMAIL]"], []]),
        ([1, 2, 0.5, -7], None),
        ([1, CARD, 0.5, -CARD], [1, "[CREDIT_CARD]", 0.5, "[CREDIT_CARD]"]),
        (["", "word", f'a "{EMAIL}"', '{"a":1}'], ["", "word", 'a "[EMAIL]"', '{"a":1}']),
        (["4.111111111111111e15", "1.5", "x", EMAIL], ["[CREDIT_CARD]", "1.5", "x", "[EMAIL]"]),
        ([EMAIL, "two words", "", "word"], ["[EMAIL]", "two words", "", "word"]),
        ([EMAIL, 1, None, {"a": EMAIL}], ["[EMAIL]", 1, None, {"a": "[EMAIL]"}]),
    ],
    ids=[
        *("words", "lists of words", "empty lists", "lists of texts", "lists of others", "small numbers", "numbers"),
        *("texts with quotes", "numbers as texts", "texts", "of several kinds"),
    ],
)
def test_column_of_a_table_is_masked(column: list[Any], masked: list[Any] | None) -> None:
    rows = [{"x": item, "y": 1} for item in column]
    assert mask(rows) == (rows if masked is None else [{"x": item, "y": 1} for item in masked])


def test_column_is_masked_by_its_name():
    rows = [{"ssn": number, "x": "a"} for number in (536221234, 1, 536221234, 2)]
    assert [row["ssn"] for row in mask(rows)] == ["[US_SSN]", 1, "[US_SSN]", 2]


@pytest.mark.parametrize(
    "rows",
    [
        [{"a": EMAIL}, {"b": EMAIL}, {"a": EMAIL}, {"a": EMAIL}],
        [{"a": EMAIL}, EMAIL, {"a": EMAIL}, {"a": EMAIL}],
        [EMAIL, {"a": EMAIL}, {"a": EMAIL}, {"a": EMAIL}],
        [{}, {}, {}, {"a": EMAIL}],
        [{EMAIL: 1}] * 4,
    ],
    ids=["other names", "a text between", "a text first", "empty", "names that are values"],
)
def test_list_that_is_no_table_is_masked_as_well(rows: list[Any]) -> None:
    assert mask(rows) == json.loads(json.dumps(rows).replace(EMAIL, "[EMAIL]"))
