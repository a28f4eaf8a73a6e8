"""A message masked: what takes the place of each value, what is left as evidence of it, and when nothing may leave."""

import json
from base64 import b64encode
from typing import Any

import pytest

from agen_authz.core.masking import INCOMPLETE, Custom, Detectors, Receipt, Rule, Unmaskable, make_plan, mask_message
from agen_authz.core.masking.mask import MaskedMessage
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.style import Masker, MaskingKeys

EMAIL, OTHER, CARD = "jane.doe@example.com", "john.roe@example.com", 4111111111111111
# Each word is decoded, and what it says is searched.
DEAR = "bm90aGluZyBpcyBoZXJl " * 4_000
KEYS = MaskingKeys((("m1", b"k" * 32),))
CHOSEN = Detectors.of("email", "credit_card", "us_ssn", "cvv", "person_name", "special_category")
RULE = Rule("r", CHOSEN, default=Style.REDACT)
IMAGE = {"type": "image", "data": "AAEC/w==", "mimeType": "image/png"}


def mask(value: Any, *rules: Rule, is_message: bool = False) -> MaskedMessage:
    return mask_message(value, make_plan(rules or [RULE], Masker(KEYS, "acme")), is_message=is_message)


def structured(**members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": {"structuredContent": members}}


def nest(value: str, times: int) -> str:
    for _ in range(times):
        value = json.dumps({"v": value})
    return value


def receipt(detector: str, pointer: str, **changes: Any) -> Receipt:
    return Receipt(**{"rule": "r", "detector": detector, "style": Style.REDACT, "pointer": pointer, **changes})


# ---- nothing to mask -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [{"a": "hello", "b": [1, None, True]}, [], "x", None, {"a": "[EMAIL]"}])
def test_message_without_a_value_is_the_given_one(value: Any) -> None:
    masked = mask(value)
    assert masked.message is value
    assert masked.receipts == ()


def test_message_without_a_rule_is_the_given_one():
    value = structured(a=EMAIL)
    plan = make_plan([], Masker(None, ""), among=CHOSEN)
    assert mask_message(value, plan).message is value


# ---- values ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "masked", "receipts"),
    [
        ({"a": f"of {EMAIL}."}, {"a": "of [EMAIL]."}, [receipt("email", "/a")]),
        ({"a": f"{EMAIL}, {OTHER}"}, {"a": "[EMAIL], [EMAIL]"}, [receipt("email", "/a", count=2)]),
        ({"a": [CARD, -CARD]}, {"a": ["[CREDIT_CARD]"] * 2}, [receipt("credit_card", f"/a/{n}") for n in (0, 1)]),
        ({"a": float(CARD)}, {"a": "[CREDIT_CARD]"}, [receipt("credit_card", "/a")]),
        ({"religion": True}, {"religion": "[SPECIAL_CATEGORY]"}, [receipt("special_category", "/religion")]),
        ({"a": f'x {{"b":"{EMAIL}"}} y'}, {"a": 'x {"b":"[EMAIL]"} y'}, [receipt("email", "/a/b")]),
        ({"a": b64encode(EMAIL.encode()).decode()}, {"a": "[EMAIL]"}, [receipt("email", "/a")]),
        (EMAIL, "[EMAIL]", [receipt("email", "")]),
    ],
    ids=["text", "two", "numbers", "float", "true under a name of Article 9", "nested", "encoded", "alone"],
)
def test_value_is_masked_and_leaves_a_receipt(value: Any, masked: Any, receipts: list[Receipt]) -> None:
    assert mask(value) == MaskedMessage(masked, tuple(receipts))


def test_given_message_is_not_changed():
    value = structured(a=EMAIL, b={EMAIL: [IMAGE]})
    before = json.dumps(value)
    mask(value, is_message=True)
    assert json.dumps(value) == before


def test_copy_in_text_has_the_mask_of_the_structured_one():
    content = {"email": EMAIL, "name": "Jane Doe"}
    value = {"result": {"structuredContent": content, "content": [{"type": "text", "text": json.dumps(content)}]}}
    rule = Rule("r", CHOSEN, default=Style.TOKENIZE)
    result: Any = mask(value, rule, is_message=True).message
    assert json.loads(result["result"]["content"][0]["text"]) == result["result"]["structuredContent"]


@pytest.mark.parametrize(
    ("patterns", "masked"),
    [
        ({"short": "abc", "long": "abcd"}, "x[LONG]x jane.doe@example.com"),
        ({"first": "xab", "second": "bcdx"}, "xa[SECOND] jane.doe@example.com"),
        ({"part": "doe@example"}, "xabcdx jane.[PART].com"),
    ],
    ids=["longest", "longest, crossing", "surest"],
)
def test_of_values_that_overlap_one_is_masked(patterns: dict[str, str], masked: str) -> None:
    chosen = Detectors().add_customs(Custom(name, pattern) for name, pattern in patterns.items())
    detectors = chosen.add("email") if "part" in patterns else chosen
    assert mask(f"xabcdx {EMAIL}", Rule("r", detectors)).message == masked


@pytest.mark.parametrize("value", ["E11.9", "| a | Diagnosis |\n|---|---|\n| 1 | E11.9 |"], ids=["member", "table"])
def test_of_equal_values_the_one_that_is_masked_most_strictly_is_masked(value: str) -> None:
    rule = Rule("r", Detectors.of("diagnosis_code", "special_category"))
    masked = mask({"diagnosis": value, "x": value}, rule)
    assert "E11.9" not in str(masked.message)
    assert {each.detector for each in masked.receipts} == {"special_category"}
    assert mask(masked.message, rule).message == masked.message


def test_what_is_found_in_a_mask_is_dropped_if_its_rule_says_so():
    custom = Custom("visit", "V-[0-9]{4}")
    chosen = Detectors.of("special_category").add_customs([custom])
    rule = Rule("r", chosen, styles={"visit": Style.REDACT})
    masked = mask({"diagnosis": "V-1234"}, rule)
    assert masked.message == {}


@pytest.mark.parametrize("name", ["Jane Doe", "Max Mustermann", "Anna Lee", "Bob Ray", "Tim Cook"])
def test_pseudonym_that_can_be_decoded_stays(name: str) -> None:
    masked = mask({"full_name": name}, Rule("r", CHOSEN, default=Style.HASH))
    assert str(masked.message).startswith("{'full_name': 'PERSON_NAME_")
    assert [each.style for each in masked.receipts] == [Style.HASH]


def test_what_a_masked_card_shows_is_not_a_telephone_number():
    rule = Rule("r", Detectors.of("credit_card", "phone"), default=Style.PARTIAL)
    masked = mask({"a": "card 4111 1111 1111 1111, phone 0171 1234567"}, rule)
    assert masked.message == {"a": "card 4111 11** **** 1111, phone 01** *****67"}
    assert mask(masked.message, rule).message == masked.message


def test_label_is_no_part_of_a_number_whose_copy_has_none():
    rule = Rule("r", Detectors.of("medical_record_number"), default=Style.HASH)
    masked = mask({"mrn": "00482913", "x": "MRN 00482913, MRN: 00482913"}, rule)
    texts = json.loads(json.dumps(masked.message))
    assert texts["x"] == f"MRN {texts['mrn']}, MRN: {texts['mrn']}"


def test_network_in_place_of_an_address_stays():
    rule = Rule("r", Detectors.of("ip_address"), default=Style.GENERALIZE)
    masked = mask({"a": "from ip 203.0.113.45 and 2001:db8::7"}, rule)
    assert masked.message == {"a": "from ip 203.0.113.0/24 and 2001:db8::/48"}
    assert mask(masked.message, rule).message == masked.message


def test_mask_that_uncovers_another_value_is_masked_again():
    assert mask(f"https://x.example/?m={EMAIL}", Rule("r", Detectors.of("url", "email"))).message == "[URL]"


# ---- several rules ---------------------------------------------------------------------------------------------


def test_value_is_masked_by_the_strictest_rule_that_does_not_exempt_it():
    strict = Rule("strict", Detectors.of("email"), default=Style.REDACT, exempt=(("a",),))
    loose = Rule("loose", Detectors.of("email"))
    assert mask({"a": EMAIL, "b": EMAIL}, loose, strict) == MaskedMessage(
        {"a": "j***@example.com", "b": "[EMAIL]"},
        (
            receipt("email", "/a", rule="loose", style=Style.PARTIAL),
            receipt("email", "/b", rule="strict"),
        ),
    )


def test_exempt_value_stays_and_leaves_no_receipt():
    rule = Rule("r", CHOSEN, exempt=(("*", "a"),))
    value: Any = {"x": {"a": {"b": EMAIL}, EMAIL[:4]: 1}}
    assert mask(value, rule) == MaskedMessage(value)


def test_rule_in_shadow_leaves_receipts_and_no_change():
    value: Any = {"a": EMAIL, "b": CARD}
    rule = Rule("w", Detectors.of("email"), is_enforced=False)
    masked = mask(value, rule)
    assert masked == MaskedMessage(value, (receipt("email", "/a", rule="w", style=Style.PARTIAL, is_enforced=False),))
    assert masked.message is value


def test_rule_in_shadow_is_counted_next_to_one_that_is_enforced():
    rules = (Rule("w", Detectors.of("email"), is_enforced=False, exempt=(("b",),)), RULE)
    masked = mask({"a": EMAIL, "b": EMAIL}, *rules)
    assert masked.message == {"a": "[EMAIL]", "b": "[EMAIL]"}
    assert [(each.rule, each.pointer, each.is_enforced) for each in masked.receipts] == [
        ("w", "/a", False),
        ("r", "/a", True),
        ("r", "/b", True),
    ]


def test_what_a_rule_in_shadow_cannot_read_stays():
    rule = Rule("w", CHOSEN, is_enforced=False)
    value: Any = {"a": IMAGE, "b": "%" + "25" * 6 + "34", "c": nest(EMAIL, 5)}
    assert mask(value, rule).message is value


# ---- names -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "masked", "pointers"),
    [
        ({EMAIL: {"x": CARD}}, {"[EMAIL]": {"x": "[CREDIT_CARD]"}}, ["/[EMAIL]", "/[EMAIL]/x"]),
        ({EMAIL: 1, OTHER: 2}, {"[EMAIL]": 1, "[EMAIL] 2": 2}, ["/[EMAIL]"]),
        ({"a/b~c d": EMAIL}, {"a/b~c d": "[EMAIL]"}, ["/a~1b~0c d"]),
        ({"4.111111111111111e15": 1}, {"[CREDIT_CARD]": 1}, ["/[CREDIT_CARD]"]),
        (
            {"full_name": "Jane Doe", "jane doe": {"x": CARD}},
            {"full_name": "[PERSON_NAME]", "[PERSON_NAME]": {"x": "[CREDIT_CARD]"}},
            ["/full_name", "/[PERSON_NAME]/x", "/[PERSON_NAME]"],
        ),
        (
            {"full_name": "Mueller", "x": {"mueller": IMAGE}},
            {"full_name": "[PERSON_NAME]", "x": {"[PERSON_NAME]": {"type": "text", "text": "[BINARY]"}}},
            ["/full_name", "/x/[PERSON_NAME]", "/x/[PERSON_NAME]/data"],
        ),
    ],
    ids=["name", "two become one", "signs of pointers", "number", "copy", "copy that is a word"],
)
def test_name_that_is_a_value_is_masked_in_pointers_too(value: Any, masked: Any, pointers: list[str]) -> None:
    result = mask(value)
    assert (result.message, [each.pointer for each in result.receipts]) == (masked, pointers)


def test_names_are_searched_again_once_something_was_found_in_one_like_them():
    plan = make_plan([RULE], Masker(None, ""))
    value: dict[str, Any] = {"a b c": {"x": 1}}
    assert mask_message(value, plan, is_message=False).message is value
    for _ in range(2):
        assert mask_message({**value, EMAIL: 1}, plan, is_message=False).message == {**value, "[EMAIL]": 1}


# ---- dropped ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "masked"),
    [
        ({"cvv": "123", "a": 1}, {"a": 1}),
        ({"cvv": 123, "a": 1}, {"a": 1}),
        ({"cvv": ["123", 123]}, {"cvv": ["", ""]}),
        ({"a": "CVV: 123, ok"}, {"a": "CVV: , ok"}),
        ({"a": '{"cvv":"123","b":1}'}, {"a": '{"b":1}'}),
    ],
    ids=["member", "number", "elements", "text", "nested"],
)
def test_dropped_value_is_left_out_or_empty(members: Any, masked: Any) -> None:
    message: Any = mask(structured(**members), is_message=True).message
    assert message["result"]["structuredContent"] == masked


def test_dropped_value_of_the_protocol_is_empty():
    assert mask({"result": {"cvv": "123"}}, is_message=True).message == {"result": {"cvv": ""}}


# ---- what cannot be read ---------------------------------------------------------------------------------------


def test_binary_is_withheld_unless_every_rule_lets_it_pass():
    value = {"result": {"content": [IMAGE, {"type": "text", "text": EMAIL}]}}
    text = {"type": "text", "text": "[EMAIL]"}
    passing = Rule("p", CHOSEN, default=Style.REDACT, passes_binary=True)
    assert mask(value, passing, RULE, is_message=True).message == {
        "result": {"content": [{"type": "text", "text": "[BINARY]"}, text]}
    }
    assert mask(value, passing, is_message=True).message == {"result": {"content": [IMAGE, text]}}


def test_what_is_withheld_whole_leaves_a_receipt():
    masked = mask({"a": IMAGE, "b": nest(EMAIL, 5), "c": "%" + "25" * 6 + "34"})
    assert sorted((each.detector, each.pointer) for each in masked.receipts) == [
        ("binary", "/a/data"),
        ("encoded", "/c"),
        ("nested", "/b/v/v/v/v"),
    ]


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ({"bird": 1}, {"[STAFF]": 1}),
        ({"a": 123, "b": 1.123, "c": 12}, {"a": "[STAFF]", "b": "1.[STAFF]", "c": 12}),
        ([{"a": 123}, {"a": 5}, {"a": 6}, {"a": 7}], [{"a": "[STAFF]"}, {"a": 5}, {"a": 6}, {"a": 7}]),
        ([{"bird": 5}] * 4, [{"[STAFF]": 5}] * 4),
    ],
    ids=["name", "numbers", "column", "names of rows"],
)
def test_custom_pattern_is_found_in_short_names_and_small_numbers(value: Any, masked: Any) -> None:
    rule = Rule("r", Detectors().add_customs([Custom("staff", "bird|[0-9]{3}")]))
    assert mask(value, rule).message == masked


def test_message_that_costs_too_much_does_not_leave():
    with pytest.raises(Unmaskable, match="costs too much"):
        mask({"a": DEAR})


def test_message_in_which_masks_are_found_again_and_again_does_not_leave():
    rule = Rule("r", Detectors().add_customs([Custom("staff", r"XY-[0-9]{4}|\[|STAFF")]))
    with pytest.raises(Unmaskable) as refused:
        mask({"a": "of XY-1234"}, rule)
    assert refused.value.detail == INCOMPLETE


# ---- once more -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", list(Style))
def test_masked_message_is_masked_to_itself(style: Style) -> None:
    rule = Rule("r", CHOSEN, default=style)
    once = mask(structured(a=EMAIL, b=CARD, name="Jane Doe", note=f"jane doe, {EMAIL}"), rule, is_message=True)
    assert mask(once.message, rule, is_message=True).message == once.message
