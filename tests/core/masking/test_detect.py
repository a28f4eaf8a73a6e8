"""Detection by itself: a text, with its path and region, and what the presets find in a JSON value."""

import json
from base64 import b64encode

import pytest

from agen_authz.core.masking import Custom, Detectors, Match, Unmaskable, detect, list_detected, prepare_detection
from agen_authz.core.masking.detect import find

EMAIL, CARD = "jane.doe@example.com", "4111 1111 1111 1111"
# Each word is decoded, and what it says is searched.
DEAR = "bm90aGluZyBpcyBoZXJl " * 4_000
PHONE = Detectors.of("phone")


def test_match_has_its_place_detector_and_score():
    found = detect(f"{EMAIL}, {CARD}", Detectors.of("email", "credit_card"))
    assert found == [Match(0, 20, "email", 0.9), Match(22, 41, "credit_card", found[1].score)]


def test_only_what_is_chosen_is_found():
    assert detect(f"{EMAIL}, {CARD}", Detectors.of("us_ssn")) == []
    assert detect(f"{EMAIL}, {CARD}", Detectors()) == []


def test_custom_pattern_is_found_under_its_name():
    found = detect("for XY-1234", Detectors().add_customs([Custom("staff", "XY-[0-9]{4}")]))
    assert found == [Match(4, 11, "staff", 1.0)]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ((), []),
        (("ssn",), [Match(0, 9, "us_ssn", 0.6)]),
        (("customer", "socialSecurityNumber", "value"), [Match(0, 9, "us_ssn", 0.6)]),
        (("order_id",), []),
    ],
)
def test_path_tells_what_a_text_is(path: tuple[str, ...], found: list[Match]) -> None:
    assert detect("536221234", Detectors.of("us_ssn"), path=path) == found


@pytest.mark.parametrize(
    ("text", "region", "places"),
    [
        ("x 030 901820, 030 901821 y", "DE", [(2, 12), (14, 24)]),
        ("x 030 901820, 030 901821 y", "de", [(2, 12), (14, 24)]),
        ("x 030 901820, 030 901821 y", None, []),
        ("x 030 901820, 030 901821 y", "??", []),
        ("x +49 30 901820 y", None, [(2, 15)]),
        ("tel. (030) 901820", None, [(5, 17)]),
        ("x (030) 901820", None, []),
        ("x (030) 901820", "DE", [(2, 14)]),
    ],
    ids=[
        *("region", "region in small letters", "no region", "no such region", "international", "a word tells of it"),
        *("nothing tells of it", "brackets in its region"),
    ],
)
def test_national_number_needs_its_region_or_a_word(
    text: str, region: str | None, places: list[tuple[int, int]]
) -> None:
    assert [(each.start, each.end) for each in detect(text, PHONE, region=region)] == places


def test_region_is_nothing_if_telephone_numbers_are_not_asked_for():
    assert detect("030 901820", Detectors.of("email"), region="DE") == []


def test_find_says_what_told_of_a_value():
    text = f"ssn 536-22-1234, CVV: 123, {b64encode(EMAIL.encode()).decode()}"
    found = find(text, Detectors.of("us_ssn", "cvv", "email"))
    assert [(text[each.start : each.end][:11], each.detector, each.why) for each in found] == [
        ("536-22-1234", "us_ssn", ("form", "context", "check")),
        ("123", "cvv", ("label",)),
        ("amFuZS5kb2V", "email", ("form", "check", "encoded")),
    ]


def test_text_that_costs_too_much_is_not_searched_to_its_end():
    with pytest.raises(Unmaskable):
        detect(DEAR, Detectors.of("email"))


# ---- a JSON value ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"a": [EMAIL, {"b": CARD}]}, {"email", "credit_card"}),
        ({"note": json.dumps({"a": EMAIL})}, {"email"}),
        ({EMAIL: 1}, {"email"}),
        (EMAIL, {"email"}),
        (4111111111111111, {"credit_card"}),
        ([], set()),
        (None, set()),
        ({"url": "https://x.example/a"}, set()),
    ],
    ids=["members", "nested", "name", "text", "number", "empty", "null", "in no preset"],
)
def test_detectors_of_the_presets_that_find_something_are_listed(value: object, found: set[str]) -> None:
    assert list_detected(value, 1000) == frozenset(found)  # type: ignore[arg-type]


def nest(value: str, times: int) -> str:
    for _ in range(times):
        value = json.dumps({"v": value})
    return value


@pytest.mark.parametrize(
    ("value", "budget"),
    [
        ({"a": "x" * 100}, 99),
        ({"a": nest(EMAIL, 5)}, 100_000),
        ({"type": "image", "data": "AAEC/w=="}, 1000),
        ({"a": DEAR}, 10**7),
        ({"a": nest(EMAIL, 1)[:-1] + "," + '"b":' + "[" * 140 + "]" * 140 + "}"}, 10**7),
    ],
    ids=["beyond the budget", "nested too often", "binary", "too dear", "nested too deeply"],
)
def test_value_that_cannot_be_looked_at_wholly_has_no_answer(value: object, budget: int) -> None:
    assert list_detected(value, budget) is None  # type: ignore[arg-type]


def test_preparing_changes_nothing():
    prepare_detection()
    assert list_detected([EMAIL], 100) == frozenset({"email"})
