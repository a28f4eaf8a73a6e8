"""What a caller wrote is on one line, and no program that shows it obeys it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.workers.spelling import spell_line

PLAIN = (
    "refund",
    "order_id",
    "crm.refund-v2",
    "ann@example.com",
    "ann.b+c@mail.example.co",
    "auth0|4711",
    "10:30:15",
    "tool:refund",
    "https",
    "report.pdf",
    "#1 for you (really), 50% off; $5 = 5 + 0!",
    "[EMAIL] and [CREDIT_CARD]",
    "Zoë Müller, 日本, עברית, العربية, Ω",
    "e\u0301",
)
HOSTILE = {
    "<!channel>": "[U+003C]!channel[U+003E]",
    "<https://evil.example|ours>": "[U+003C]https[U+003A]//evil.example|ours[U+003E]",
    "@everyone @here @channel": "[U+0040]everyone [U+0040]here [U+0040]channel",
    "x@everyone.example": "x[U+0040]everyone.example",
    "<@U123>": "[U+003C][U+0040]U123[U+003E]",
    "[pay](https://evil.example)": "[pay][U+0028]https[U+003A]//evil.example)",
    "[pay][1]": "[pay][U+005B]1]",
    "http://evil.example": "http[U+003A]//evil.example",
    "www.evil.example": "www[U+002E]evil.example",
    "evil.example/pay": "evil[U+002E]example/pay",
    "line\nTool: harmless": "line[U+000A]Tool: harmless",
    "a\r\nBcc: x": "a[U+000D][U+000A]Bcc: x",
    "a\u2028b\u2029c\x85d\x0be": "a[U+2028]b[U+2029]c[U+0085]d[U+000B]e",
    "pay\u202eexe": "pay[U+202E]exe",
    "a\u200bb\u2066c\ufeffd\u00ade": "a[U+200B]b[U+2066]c[U+FEFF]d[U+00AD]e",
    "\U000e0041\ufe0f\u3164\u2800": "[U+E0041][U+FE0F][U+3164][U+2800]",
    "a\u00a0b\u3000c": "a[U+00A0]b[U+3000]c",
    "\x1b[31mred": "[U+001B][U+005B]31mred",
    "**bold** ~~gone~~ `code`": "[U+002A][U+002A]bold[U+002A][U+002A] [U+007E][U+007E]gone[U+007E][U+007E] "
    "[U+0060]code[U+0060]",
    "_word_ __init__ a_b": "[U+005F]word[U+005F] [U+005F][U+005F]init[U+005F][U+005F] a_b",
    "||secret||": "[U+007C][U+007C]secret[U+007C][U+007C]",
    "&lt;b&gt;": "[U+0026]lt;b[U+0026]gt;",
    "\\n \\u202e": "[U+005C]n [U+005C]u202e",
    ":white_check_mark: :+1: :100:": "[U+003A]white_check_mark: [U+003A]+1: [U+003A]100:",
    "＠everyone ＜b＞": "[U+FF20]everyone [U+FF1C]b[U+FF1E]",
    "[U+202E]": "[U+005B]U+202E]",
    "Z\u0301\u0301\u0301\u0301\u0301": "Z\u0301\u0301\u0301[U+0301][U+0301]",
    "\ud800": "[U+D800]",
    "\ue000\U000fffff": "[U+E000][U+FFFFF]",
}


@pytest.mark.parametrize("text", PLAIN)
def test_ordinary_text_is_as_it_is(text):
    assert spell_line(text, 100) == text


@pytest.mark.parametrize(("text", "spelt"), HOSTILE.items(), ids=lambda text: ascii(text)[:30])
def test_what_a_program_would_obey_is_spelt_out(text, spelt):
    assert spell_line(text, 100) == spelt


def test_text_that_is_cut_says_how_much_is_missing():
    assert spell_line("a" * 2034, 1000) == "a" * 1000 + "... (1,034 more characters)"


ODD = st.one_of(
    st.text(),
    st.text(st.characters(categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs", "Mn", "Me"])),
    st.lists(st.sampled_from([*HOSTILE, "@", "]", "(", "[", "_", "|", ":", "/", ".", "here", "a", " "])).map("".join),
)
# Categories that show nothing, move what is next to them, or end a line.
UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(ODD, st.integers(1, 300))
def test_whatever_is_spelt_is_one_line_of_visible_characters(text, room):
    spelt = spell_line(text, room)
    assert all(unicodedata.category(char) not in UNSEEN for char in spelt)
    assert all(char == " " or unicodedata.category(char) != "Zs" for char in spelt)
    assert len(spelt.splitlines()) <= 1
    assert not set("<>&*~\\`") & set(spelt)
    # What is spelt may follow something that is spelt, and names no link.
    links = spelt.replace("][U+", "")
    assert not any(each in links for each in ("://", "](", "][", "||", "@everyone", "@here", "@channel"))


@given(st.text(max_size=50))
def test_spelling_loses_nothing(text):
    spelt = spell_line(text, 50)
    assert _read(spelt) == text


def _read(spelt):
    """Read a spelling back."""
    parts = spelt.split("[U+")
    return parts[0] + "".join(chr(int(part[: part.index("]")], 16)) + part[part.index("]") + 1 :] for part in parts[1:])
