"""What is found in texts, where, how sure that is and why; and that no text's words count for another one's values."""

from base64 import b64encode

import pytest

from agen_authz.core.masking.detect import find
from agen_authz.core.masking.rule import Unmaskable
from agen_authz.core.masking.scanner import get_scanner
from agen_authz.core.masking.search import search
from agen_authz.core.masking.selection import Custom, Detectors
from agen_authz.core.masking.trail import Trail
from agen_authz.core.masking.work import Allowance

EMAIL, CARD, SSN = "jane.doe@example.com", "4111 1111 1111 1111", "536-22-1234"
TOKEN = "ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
KEY = "-----BEGIN PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n" * 3 + "-----END PRIVATE KEY-----"


def list_found(text: str, *names: str, path: tuple[str, ...] = ()) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(text[each.start : each.end], each.detector, each.why) for each in find(text, Detectors.of(*names), path)]


def encode(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("text", "names", "found"),
    [
        (EMAIL, ("email",), [(EMAIL, "email", ("form", "check"))]),
        (f"{EMAIL} {EMAIL}", ("email",), [(EMAIL, "email", ("form", "check"))] * 2),
        (SSN, ("us_ssn",), [(SSN, "us_ssn", ("form", "check"))]),
        (f"ssn {SSN}", ("us_ssn",), [(SSN, "us_ssn", ("form", "context", "check"))]),
        ("ssn 536221234", ("us_ssn",), [("536221234", "us_ssn", ("form", "context", "check"))]),
        ("536221234", ("us_ssn",), []),
        ("ssn 000221234", ("us_ssn",), []),
        (CARD[:-1] + "2", ("credit_card",), []),
        ("CVV: 123", ("cvv",), [("123", "cvv", ("label",))]),
        ("CVV: none", ("cvv",), []),
        (TOKEN, ("github_token",), [(TOKEN, "github_token", ("label", "check"))]),
        (TOKEN[:9], ("github_token",), []),
        (f"see {KEY} end", ("private_key",), [(KEY, "private_key", ("label", "check"))]),
        ("postgres://u:p4ssw0rdX@db", ("url_userinfo",), [("u:p4ssw0rdX", "url_userinfo", ("label",))]),
        (
            f"https://a.example/?m={EMAIL}",
            ("url", "email"),
            [(f"https://a.example/?m={EMAIL}", "url", ("form",)), (EMAIL, "email", ("form", "check"))],
        ),
        ("+49 30 901820", ("phone",), [("+49 30 901820", "phone", ("form",))]),
        ("+49 30 901820", ("email",), []),
        ("+999 30 901820", ("phone",), []),
        ("fax +49 30 901820", ("fax",), [("+49 30 901820", "fax", ("form", "context"))]),
    ],
    ids=[
        *("distinctive", "twice", "form", "with a word", "only with a word", "without it", "against the check"),
        *("checksum", "label", "label without a value", "beginning", "cut", "key", "around", "one in another"),
        *("phone", "phone not asked for", "no phone", "fax"),
    ],
)
def test_value_is_found_with_what_told_of_it(
    text: str, names: tuple[str, ...], found: list[tuple[str, str, tuple[str, ...]]]
) -> None:
    assert list_found(text, *names) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"at jane\u002edoe@example.com", r"jane\u002edoe@example.com"),
        ("jane.doe%40example.com", "jane.doe%40example.com"),
        ("jane.\u200bdoe@example.com", "jane.\u200bdoe@example.com"),
        ("x jane.doe\uff20example.com", "jane.doe\uff20example.com"),
        (f"x\x1e{EMAIL}", EMAIL),
        (f"\xe4 {encode(EMAIL)}", encode(EMAIL)),
        (encode(encode(encode(encode(EMAIL)))), encode(encode(encode(encode(EMAIL))))),
    ],
    ids=["escape", "percent", "unseen", "wide", "separator", "base64", "base64 four times"],
)
def test_value_that_is_written_otherwise_is_found_where_it_is(text: str, found: str) -> None:
    assert {text[each.start : each.end] for each in find(text, Detectors.of("email"))} == {found}


@pytest.mark.parametrize(
    "text",
    ["%" + "25" * 6 + "34", encode(encode(encode(encode(encode(EMAIL)))))],
    ids=["escapes", "base64"],
)
def test_what_is_encoded_too_often_is_found_as_encoded(text: str) -> None:
    (found,) = find(text, Detectors.of("email"))
    assert (found.start, found.end, found.detector, set(found.why)) == (0, len(text), "encoded", {"encoded"})


def test_loose_signs_are_read_over_only_by_what_is_sure():
    assert [each.detector for each in find("4111 | 1111 | 1111 | 1111", Detectors.of("credit_card"))] == ["credit_card"]
    assert find("536 | 22 | 1234", Detectors.of("us_ssn")) == []


# ---- what is near ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path", "is_found"),
    [
        (SSN, (), True),
        (f"order {SSN}", (), False),
        (f"order {SSN}, ssn", (), True),
        (SSN, ("order_id",), False),
        (f"order {SSN}", ("ssn",), True),
        (f"order {CARD}", (), True),
    ],
    ids=["by itself", "a word against it", "one for it too", "a name against it", "a name for it", "sure"],
)
def test_words_and_names_speak_for_and_against_a_value(text: str, path: tuple[str, ...], is_found: bool) -> None:
    assert bool(find(text, Detectors.of("us_ssn", "credit_card"), path)) is is_found


def test_words_of_one_text_do_not_count_in_another():
    scanner = get_scanner(Detectors.of("us_ssn", "cvv"))
    texts = ["ssn", "536221234", "CVV:", "123", "ssn 536221234"]
    found = search(scanner, texts, [Trail()] * len(texts), Allowance(100))
    assert [(each.leaf, each.start, each.end) for each in found] == [(4, 4, 13)]


@pytest.mark.parametrize("other", ["plain", "\u200b1", "a\x1eb", "%41"], ids=["plain", "views", "separator", "escape"])
def test_place_of_a_value_is_that_in_its_own_text(other: str) -> None:
    scanner = get_scanner(Detectors.of("email"))
    found = search(scanner, [other, f"x {EMAIL}", other, EMAIL], [Trail()] * 4, Allowance(100))
    assert [(each.leaf, each.start, each.end) for each in found] == [(1, 2, 22), (3, 0, 20)]


def test_label_within_a_value_finds_what_is_around_it():
    token = "qTzWpLxRbNvKsM.atlasv1." + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5bC7dE9fG1hJ3kL5mN7pQ9rS1tU3"
    assert list_found(f"token {token} x", "hashicorp_token") == [(token, "hashicorp_token", ("label", "check"))]
    assert list_found(f"see .atlasv1. and {token[:14]}", "hashicorp_token") == []


def test_no_texts_have_no_values():
    assert search(get_scanner(Detectors.of("email")), [], [], Allowance(0)) == []


# ---- names -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [("536221234", [("536221234", "us_ssn", ("field",))]), ("unknown", []), ("", [])],
    ids=["value", "no value", "empty"],
)
def test_member_is_a_value_by_its_name_if_it_holds_one(
    text: str, found: list[tuple[str, str, tuple[str, ...]]]
) -> None:
    assert list_found(text, "us_ssn", path=("ssn",)) == found


def test_value_with_a_form_and_a_name_is_found_once():
    assert list_found(EMAIL, "email", path=("email",)) == [(EMAIL, "email", ("form", "field", "check"))]


# ---- custom patterns -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "places"),
    [("XY-[0-9]{4}", [(2, 9)]), ("Z*", []), ("[0-9]", [(5, 6), (6, 7), (7, 8), (8, 9)]), ("\xe4", [(10, 11)])],
    ids=["match", "empty match", "every one", "not ASCII"],
)
def test_custom_pattern_is_found_where_it_matches(pattern: str, places: list[tuple[int, int]]) -> None:
    found = find("a XY-1234 \xe4", Detectors().add_customs([Custom("staff", pattern)]))
    assert [(each.start, each.end) for each in found] == places
    assert {each.detector for each in found} <= {"staff"}


@pytest.mark.parametrize(
    "text",
    ["XY-\uff11\uff1234", "XY\u201012\u200b34", "XY%2D1234", "XY\\u002d1234"],
    ids=["wide digits", "other dash", "percent", "escape"],
)
def test_custom_pattern_is_found_however_its_value_is_written(text: str) -> None:
    found = find(text, Detectors().add_customs([Custom("staff", "XY-[0-9]{4}")]))
    assert [(each.start, each.end) for each in found] == [(0, len(text))]


def test_custom_pattern_may_be_about_signs_that_are_read_over():
    found = find("XY\u2010\uff11", Detectors().add_customs([Custom("staff", "XY\u2010|Z*")]))
    assert [(each.start, each.end) for each in found] == [(0, 3)]


def test_search_that_costs_too_much_ends():
    scanner = get_scanner(Detectors.of("cvv"))
    with pytest.raises(Unmaskable):
        search(scanner, ["bm90aGluZyBpcyBoZXJl " * 4_000], [Trail()], Allowance(0))
