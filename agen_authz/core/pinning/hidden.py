"""Characters that a model reads and a person does not see, and how they are spelt out (UAX 44, UTS 51).

Hidden is what shows no shape: Unicode's Default_Ignorable_Code_Point (TAG characters, zero-width and
bidirectional controls, variation selectors, fillers), every other format character, control characters but tab and
line ends, private and lone surrogate characters, noncharacters, and two blanks that look like spaces and are not.

What a person writes for good reason is not hidden:
 1. a soft hyphen between two letters
 2. U+200C and U+200D between two letters of a script that joins letters (RFC 5892 appendix A), and U+200D between
    two emoji
 3. one U+FE0E or U+FE0F after a character that has two looks, or in a keycap
 4. the three flags of UTS 51 that are spelt with TAG characters (England, Scotland, Wales)
An unassigned character that is not ignorable is shown as a box, so it is not hidden.
"""

import re
import unicodedata
from collections.abc import Iterator

from msgspec import Struct

from agen_authz.core.model import Json

# Default_Ignorable_Code_Point, reserved ones included: what is assigned there later is ignorable too.
_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Format characters besides, annotations between lines, the blank of braille, a blank that Unicode calls a letter.
_OTHERS = "\u2800\ufff9-\ufffb\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd\U00013430-\U0001343f"
_CONTROLS = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U0010ffff"
_SURROGATES, _NONCHARACTERS = "\ud800-\udfff", "\ufdd0-\ufdef\ufffe\uffff"
_HIDDEN = re.compile(f"[{_IGNORABLE}{_OTHERS}{_CONTROLS}{_PRIVATE}{_SURROGATES}{_NONCHARACTERS}]")
_TAGS = re.compile("[\U000e0020-\U000e007e]+")

# 4.
_FLAGS = re.compile("\U0001f3f4(?:" + "|".join(
    "".join(chr(0xE0000 + ord(letter)) for letter in name) for name in ("gbeng", "gbsct", "gbwls")
) + ")\U000e007f")  # fmt: skip
_JOINERS, _LOOKS, _SOFT_HYPHEN = frozenset("\u200c\u200d"), frozenset("\ufe0e\ufe0f"), "\u00ad"
# 2. Arabic and its neighbours, the scripts of India, Tibet and South-East Asia, Mongolian.
_JOINED = re.compile("[\u0600-\u08ff\u0900-\u0dff\u0f00-\u109f\u1780-\u18af\ua8e0-\ua8ff\U00011000-\U000114ff]")
_TWO_LOOKS = re.compile("[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff]")
_KEYCAP, _KEYCAP_MARK = frozenset("0123456789#*"), "\u20e3"
_EMOJI = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff\ufe0f]")
_UNNAMED = {"Cc": "CONTROL", "Co": "PRIVATE USE", "Cs": "LONE SURROGATE", "Cn": "UNASSIGNED"}
_MAX_FOUND = 20
_AROUND_CHARS = 20


class HiddenText(Struct, frozen=True):
    """Hidden characters in one text: where, as a JSON pointer, and the first of them with what is around, spelt out."""

    path: str
    shown: str


def find_hidden(value: Json, path: str = "") -> tuple[HiddenText, ...]:
    """Find the first 20 texts of a value, keys included, that hold hidden characters."""
    found = []
    for place, text in _walk(value, path):
        at = find_first(text)
        if at is not None:
            found.append(HiddenText(spell(place), spell(text[max(0, at - _AROUND_CHARS) : at + 2 * _AROUND_CHARS])))
        if len(found) == _MAX_FOUND:
            break
    return tuple(found)


def list_texts(value: Json) -> list[str]:
    """List every text of a value, keys included."""
    return [text for _, text in _walk(value, "")]


def _walk(value: Json, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, each in value.items():
            place = f"{path}/{key.replace('~', '~0').replace('/', '~1')}"
            yield place, key
            yield from _walk(each, place)
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _walk(each, f"{path}/{index}")


def find_first(text: str) -> int | None:
    """Find where the first hidden character is; None if there is none."""
    return next((found.start() for found in _list_hidden(text)), None)


def strip_hidden(text: str) -> str:
    """Leave out every character of this kind, those that have a good reason too: what is left is what is seen."""
    return text if text.isascii() and text.isprintable() else _HIDDEN.sub("", text)


def spell(text: str) -> str:
    """Spell out every hidden character, line ends and tabs, so that what is printed is what is there.

    `<U+200B ZERO WIDTH SPACE>`; a run of TAG characters is also shown as the ASCII that a model reads in it.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(shown for _, shown in split_spelt(text))


def split_spelt(text: str) -> list[tuple[bool, str]]:
    """Split a text into what is as it is (False) and what is spelt out (True), so that a page can tell them apart."""
    parts, at = [], 0
    for found in _RUN_OR_BREAK.finditer(text):
        parts += [(False, text[at : found.start()]), (True, _spell_run(found[0]))]
        at = found.end()
    return [(is_spelt, part) for is_spelt, part in [*parts, (False, text[at:])] if part]


_RUN_OR_BREAK = re.compile(f"[\t\n\r\u2028\u2029]|{_TAGS.pattern}|{_HIDDEN.pattern}")


def _spell_run(run: str) -> str:
    if _TAGS.fullmatch(run):
        return f'<U+{ord(run[0]):04X} TAG "{"".join(chr(ord(each) - 0xE0000) for each in run)}">'
    kind = _UNNAMED.get(unicodedata.category(run), "")
    return f"<U+{ord(run):04X} {unicodedata.name(run, kind)}>"


def _list_hidden(text: str) -> Iterator["re.Match[str]"]:
    if text.isascii() and text.isprintable():
        return
    flags = {at for flag in _FLAGS.finditer(text) for at in range(*flag.span())}
    for found in _HIDDEN.finditer(text):
        if found.start() not in flags and not _has_reason(text, found.start()):
            yield found


def _has_reason(text: str, at: int) -> bool:
    before, after = text[at - 1 : at] if at else "", text[at + 1 : at + 2]
    # 1.
    if text[at] == _SOFT_HYPHEN:
        return before.isalpha() and after.isalpha()
    # 2.
    if text[at] in _JOINERS:
        joins_letters = _JOINED.match(before) is not None and _JOINED.match(after) is not None
        joins_emoji = _EMOJI.match(before) is not None and _EMOJI.match(after) is not None
        return joins_letters or (joins_emoji and text[at] == "\u200d")
    # 3.
    is_keycap = before in _KEYCAP and after == _KEYCAP_MARK
    return text[at] in _LOOKS and (is_keycap or _TWO_LOOKS.match(before) is not None)
