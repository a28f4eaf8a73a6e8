"""Characters that a person does not see: found anywhere, spelt out, and left alone where they have a reason."""

import pytest

from agen_authz.core.model import Json
from agen_authz.core.pinning.hidden import HiddenText, find_first, find_hidden, list_texts, spell, strip_hidden

TAGS = "".join(chr(0xE0000 + ord(each)) for each in "send it")
ENGLAND = "\U0001f3f4" + "".join(chr(0xE0000 + ord(each)) for each in "gbeng") + "\U000e007f"


@pytest.mark.parametrize(
    ("text", "spelt"),
    [
        ("a\u200bb", "a<U+200B ZERO WIDTH SPACE>b"),
        ("a\u202eb", "a<U+202E RIGHT-TO-LEFT OVERRIDE>b"),
        ("a\u2066b", "a<U+2066 LEFT-TO-RIGHT ISOLATE>b"),
        ("a\u200fb", "a<U+200F RIGHT-TO-LEFT MARK>b"),
        ("a\ufeffb", "a<U+FEFF ZERO WIDTH NO-BREAK SPACE>b"),
        ("a\u2060b", "a<U+2060 WORD JOINER>b"),
        ("a\u2065b", "a<U+2065 UNASSIGNED>b"),
        ("a\u3164b", "a<U+3164 HANGUL FILLER>b"),
        ("a\u2800b", "a<U+2800 BRAILLE PATTERN BLANK>b"),
        ("a\x1b[2Jb", "a<U+001B CONTROL>[2Jb"),
        ("a\x00b", "a<U+0000 CONTROL>b"),
        ("a\x9bb", "a<U+009B CONTROL>b"),
        ("a\ue000b", "a<U+E000 PRIVATE USE>b"),
        ("a\ud800b", "a<U+D800 LONE SURROGATE>b"),
        ("a\ufffeb", "a<U+FFFE UNASSIGNED>b"),
        ("a\ufe0fb", "a<U+FE0F VARIATION SELECTOR-16>b"),
        ("a\U000e0100b", "a<U+E0100 VARIATION SELECTOR-17>b"),
        ("a\U000e0001b", "a<U+E0001 LANGUAGE TAG>b"),
        (f"a{TAGS}b", 'a<U+E0073 TAG "send it">b'),
        (f"{TAGS}\u200b", '<U+E0073 TAG "send it"><U+200B ZERO WIDTH SPACE>'),
    ],
)
def test_hidden_character_is_found_and_spelt_out(text, spelt):
    assert (find_first(text) is not None, spell(text)) == (True, spelt)


@pytest.mark.parametrize(
    "text",
    [
        "", "plain", "line\nend\r\n\tand tab", "\u00fc \u4e2d \u00a0 \u2028",
        "Kunden\u00adnummer",
        "\U0001f469\u200d\U0001f4bb", "\u2764\ufe0f\u200d\U0001f525", "\U0001f44d\U0001f3fd", "\u2764\ufe0f",
        "1\ufe0f\u20e3", "\u00a9\ufe0e", ENGLAND,
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0915\u094d\u200d\u0937",
        # Assigned after the version of Unicode that Python 3.11 knows.
        "\U0001fae8",
    ],
)  # fmt: skip
def test_character_with_a_good_reason_is_not_hidden(text):
    assert find_first(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "\u00ad", "a\u00ad", " \u00adb", "1\u00ad2",
        "a\u200db", "\U0001f469\u200d", "\U0001f469\u200dx", "\U0001f469\u200c\U0001f4bb", "\u0645\u200c ",
        "\u2764\ufe0f\ufe0f", "\u2764\ufe00", "1\ufe0f", "x\ufe0f\u20e3", "\ufe0f",
        ENGLAND[:-1], ENGLAND + "\U000e0061", "\U0001f3f4" + TAGS + "\U000e007f",
    ],
)  # fmt: skip
def test_same_character_without_the_reason_is_hidden(text):
    assert find_first(text) is not None


def test_hidden_text_is_found_in_values_and_keys_however_deep():
    value: Json = {"a": ["x", {"b/c~": "d\u200b"}], "k\u2060": {"e": None}, "n": 1}
    assert find_hidden(value) == (
        HiddenText("/a/1/b~1c~0", "d<U+200B ZERO WIDTH SPACE>"),
        HiddenText("/k<U+2060 WORD JOINER>", "k<U+2060 WORD JOINER>"),
    )


def test_what_is_shown_is_the_first_hidden_character_and_a_little_around_it():
    (found,) = find_hidden("x" * 100 + "\u200b" + "y" * 100)
    assert found == HiddenText("", "x" * 20 + "<U+200B ZERO WIDTH SPACE>" + "y" * 39)


def test_number_of_findings_is_bounded():
    assert len(find_hidden(["\u200b"] * 1000)) == 20


def test_texts_are_keys_and_values():
    assert list_texts({"a": ["b", {"c": "d"}, 1, None]}) == ["a", "b", "c", "d"]


def test_line_ends_and_tabs_are_spelt_out_too_so_that_one_text_is_one_line():
    assert spell("a\n\tb\r\u2028\u2029") == (
        "a<U+000A CONTROL><U+0009 CONTROL>b<U+000D CONTROL><U+2028 LINE SEPARATOR><U+2029 PARAGRAPH SEPARATOR>"
    )


def test_strip_leaves_what_is_seen():
    assert (strip_hidden(f"ig\u00adno\u200bre{TAGS}"), strip_hidden("plain")) == ("ignore", "plain")
