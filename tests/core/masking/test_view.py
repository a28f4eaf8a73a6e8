"""What a reader takes for the same is spelt the same, and every part of a view leads back to what it was made of."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.masking.view import SEPARATOR, Views, encode, is_plain, lower, make_views, spell
from tests.core.masking.evasion_case import escape

CARD = "4111111111111111"


def list_texts(text: str) -> list[str]:
    return [view.text for view in make_views(text).views]


# ---- spellings -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "spelt"),
    [
        ("plain, with 1 sign.", "plain, with 1 sign."),
        ("\uff14\u0664\u096a\U0001d7d2\u2463", "44444"),
        ("a\u2010b\u2014c\u2212d\u30fc", "a-b-c-d-"),
        ("a\u00a0b\u2003c\u3000d", "a b c d"),
        ("a\u00b7b\u2022c\uff0ed", "a.b.c.d"),
        ("a\x0bb\x1eb\u2028c\u0085d", "a\nb\nb\nc\nd"),
        ("a\x00b\x7fc\u200bd\u00ade\ufe0f", "abcde"),
        ("e\u0301\u20e3", "e"),
        ("\ufb01\u212a\u00bd", "fiK1\u20442"),
        ("\u0130", "I"),
        ("\u0416\u00e4\u6570", "\u0416\u00e4\u6570"),
    ],
    ids=[
        *("ASCII", "digits", "dashes", "spaces", "dots", "ends of lines", "unseen", "marks"),
        *("compatibility", "longer in lower case", "other letters"),
    ],
)
def test_spellings_of_the_same_are_made_the_same(written: str, spelt: str) -> None:
    assert spell(written) == spelt


@pytest.mark.parametrize(
    ("written", "texts"),
    [
        ("a", ["a"]),
        ("4111\u200b1111", ["41111111", "4111 1111"]),
        ("a\U000e0041b", ["ab", "aAb"]),
        ("x%34%35", ["x%34%35", "x45"]),
        ("%ff%34", ["%ff%34", "\ufffd4"]),
        ("&#52;&#x34;&copy;", ["&#52;&#x34;&copy;", "44\xa9"]),
        ("&bogus;", ["&bogus;"]),
        (r"\u0034\x34\n", [r"\u0034\x34\n", "44\n"]),
        (r"\'\/", [r"\'\/", "'/"]),
        (r"\ud83d\ude00\ud83d", [r"\ud83d\ude00\ud83d", "\U0001f600\ufffd"]),
        ("jane=40x", ["jane=40x", "jane@x"]),
        ("%2534", ["%2534", "%34", "4"]),
        ("1 - 2  3|4", ["1 - 2  3|4", "1 2 3 4"]),
        (r"4\u0020\u00204", [r"4\u0020\u00204", "4  4", "4 4"]),
    ],
    ids=[
        *("plain", "unseen between", "tags", "percent", "not UTF-8", "entities", "no entity", "escapes", "signs"),
        *("surrogates", "quoted-printable", "twice", "loose", "loose once read"),
    ],
)
def test_text_has_a_view_for_each_way_to_read_it(written: str, texts: list[str]) -> None:
    assert list_texts(written) == texts


@pytest.mark.parametrize(("times", "is_beyond"), [(4, False), (5, True), (9, True)])
def test_escapes_in_escapes_are_read_four_times(times: int, is_beyond: bool) -> None:
    made = make_views("%" + "25" * (times - 1) + "34")
    assert (len(made.views), made.is_beyond) == (5, is_beyond)
    assert ("4" in [view.text for view in made.views]) is not is_beyond


@pytest.mark.parametrize(
    ("text", "is_own"),
    [
        ("", True),
        ("100 % of 4 & 5 = 9\n", True),
        (f"a{SEPARATOR}b", True),
        ("\xe4", False),
        ("a\x00", False),
        ("1  2", False),
        ("%41", False),
        ("&amp;", False),
        (r"\n", False),
        ("=41", False),
    ],
)
def test_plain_text_is_its_own_view(text: str, is_own: bool) -> None:
    assert is_plain(text) is is_own


@given(text=st.text(alphabet=st.characters(max_codepoint=0x7F, exclude_characters=SEPARATOR), max_size=12))
def test_plain_text_has_no_other_view(text: str) -> None:
    if is_plain(text):
        assert make_views(text) == Views((make_views(text).views[0],)) and list_texts(text) == [text]


# ---- the way back ----------------------------------------------------------------------------------------------

_WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "escaped": escape,
    "percent": lambda text: "".join(f"%{ord(each):02x}" for each in text),
    "entities": lambda text: "".join(f"&#{ord(each)};" for each in text),
    "twice": lambda text: "".join(f"%25{ord(each):02x}" for each in text),
    "wide": lambda text: "".join(chr(ord(each) + 0xFEE0) for each in text),
    "parted": "\u200b".join,
    "hex": lambda text: "".join(f"\\x{ord(each):02x}" for each in text),
}
parts = st.tuples(st.text(alphabet="0123456789abc", min_size=1, max_size=3), st.sampled_from(sorted(_WAYS)))
around = st.text(alphabet="xyz \n\xe4\ufb01\u0301\u6570\\%&", max_size=4)


@given(before=around, after=around, value=st.lists(parts, min_size=2, max_size=5))
def test_value_in_a_view_leads_to_the_part_that_holds_it(before: str, after: str, value: list[tuple[str, str]]) -> None:
    meant = "".join(text for text, _ in value)
    written = "".join(_WAYS[way](text) for text, way in value)
    text = f"{before} {written} {after}"
    found = [
        view.locate(at, at + len(meant))
        for view in make_views(text).views
        if (at := view.text.find(f" {meant} ") + 1) > 0
    ]
    assert found
    begins = len(before) + 1
    for start, end in found:
        assert start <= begins and end >= begins + len(written) - 1


@pytest.mark.parametrize(
    ("text", "view", "places"),
    [
        ("%C3%A9%34", 1, [(0, 9), (0, 9)]),
        ("\ufb01%34", 0, [(0, 1), (0, 1), (1, 2), (2, 3), (3, 4)]),
        ("&#52;4", 1, [(0, 5), (5, 6)]),
        (r"\u0034\u0034", 1, [(0, 6), (6, 12)]),
    ],
    ids=["unequal shares", "one becomes two", "entity", "equal shares"],
)
def test_character_of_a_view_is_the_part_it_was_written_as(text: str, view: int, places: list[tuple[int, int]]) -> None:
    shown = make_views(text).views[view]
    assert [shown.locate(at, at + 1) for at in range(len(shown.text))] == places


@given(text=st.text(alphabet="04aZ \t-|%34&#;=x\\u\u200b\ufb01\xe4\u0301\u0664", max_size=16))
def test_every_character_of_a_view_is_of_a_part_of_the_text(text: str) -> None:
    for view in make_views(text).views:
        places = [view.locate(at, at + 1) for at in range(len(view.text))]
        assert all(0 <= start < end <= len(text) for start, end in places)
        assert places == sorted(places)
        assert SEPARATOR not in view.text


# ---- one for each ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "written"), [("AbC", "abc"), ("\u0130X", "\u0130x"), ("\xc4\u1e9e", "\xe4\xdf")], ids=["ASCII", "I", "sz"]
)
def test_lower_case_has_as_many_characters(text: str, written: str) -> None:
    assert lower(text) == written


def test_encoded_view_has_a_byte_for_each_character():
    assert encode("a\xe4\u0416\u20ac\U0001f600z") == b"a\xe4\xff\x1a\x1az"
