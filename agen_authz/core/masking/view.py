"""A text as detectors see it: spellings that a reader takes for the same are made the same, with a way back.

1. digits of any script and width are ASCII digits; what NFKC maps is mapped (Unicode annex 15)
2. dashes are `-`, spaces ` `, dots of any kind `.`; what ends a line ends one
3. what is not seen is left out: format and control characters, variation selectors, combining marks
4. what is written as an escape is read: `\\u0034`, `\\n`, `%34`, `&#52;`, `=40`, up to four times one in another

So a text may have several views, and is searched in each: one in which what is not seen parts what is around it, one
for each time that escapes were read, and one in which several signs between two digits are one space. What is still
written as an escape after `MAX_UNESCAPES` is beyond what is read.

Detection looks at the views; what is masked is a part of the original, found by the view's index.
"""

import codecs
import html
import re
import unicodedata
from collections.abc import Callable, Iterable

import re2
from msgspec import Struct

from agen_authz.core.memory import Memory

MAX_UNESCAPES = 4
SEPARATOR = "\x1e"
"""Between texts that are searched together: no view holds one."""

# What is to be looked at in an ASCII text: invisible characters, beginnings of escapes, several signs between digits.
_CONTROLS = bytes(sorted({*range(0x20), 0x7F} - set(b"\t\n\r\x1e")))
_ESCAPED = re2.compile(rb"\\[0-9a-zA-Z\"'/]|%[0-9A-Fa-f]{2}|&#?\w{1,31}|=[2-7][0-9A-F]")
_LOOSE_SIGNS = r"[ \t]{2,8}|\t|[ \t]{0,2}[-/|~*\\_][ \t]{1,2}|[ \t]{1,2}[-/|~*\\_][ \t]{0,2}|[|~*\\]{1,2}"
_LOOSE_BYTES = re2.compile(rf"[0-9](?:{_LOOSE_SIGNS})[0-9]".encode("ascii"))
_LOOSE = re.compile(rf"(?<=[0-9])(?:{_LOOSE_SIGNS})(?=[0-9])")
_ESCAPES = re.compile(
    r"(?P<percent>(?:%[0-9A-Fa-f]{2})+)"
    r"|(?P<entity>&(?:\#0{0,32}[0-9]{1,7};?|\#[xX]0{0,32}[0-9a-fA-F]{1,6};?|[A-Za-z][A-Za-z0-9]{1,31};))"
    r"|(?P<unicode>(?:\\+u[0-9a-fA-F]{4})+)|(?P<hex>(?:\\+x[0-9a-fA-F]{2})+)"
    r"|(?P<letter>\\+[nrtbfv0\"\'/])|(?P<quoted>(?:=[2-7][0-9A-F])+)"
)
_DASHES = frozenset("\u02d7\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\u2796\ufe58\ufe63\uff0d\u30fc")
_DOTS = frozenset("\u00b7\u2022\u2027\u2219\u22c5\u30fb\u3002\uff61\u2024\uff0e\ufe52")
_UNSEEN = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800\U0001d159")
_LINES = frozenset("\x0b\x0c\x1c\x1d\x1e\x1f\u0085\u2028\u2029")
# Tags spell ASCII that nobody sees, and models read (Unicode, block Tags).
_TAGS = range(0xE0020, 0xE007F)
_TAG_SHIFT = 0xE0000
_MAX_CHARS = 65_536

# By character; what it is spelt as does not depend on anything else.
_SPELT: Memory[str, str] = Memory(_MAX_CHARS)


class View(Struct, frozen=True):
    """A text as detectors see it.

    Args:
        starts: where in the original each character of `text` begins; `ends` is where each ends. None if the view is
            the original.
        is_loose: True if signs between digits were left out: what is found there must be sure.
    """

    text: str
    starts: tuple[int, ...] | None = None
    ends: tuple[int, ...] | None = None
    is_loose: bool = False

    def locate(self, start: int, end: int) -> tuple[int, int]:
        """Find the part of the original that a part of the view, which is not empty, shows."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


class Views(Struct, frozen=True):
    """The views of a text; `is_beyond` is True if escapes are left that were not read."""

    views: tuple[View, ...]
    is_beyond: bool = False


def is_plain(text: str) -> bool:
    """True if a text is its own and only view, but for separators that it may hold."""
    if not text.isascii():
        return False
    raw = text.encode("ascii")
    if len(raw) != len(raw.translate(None, _CONTROLS)) or _LOOSE_BYTES.search(raw) is not None:
        return False
    # Nearly every text has none of these signs, which is soon known.
    return not any(sign in raw for sign in b"\\%&=") or _ESCAPED.search(raw) is None


def make_views(text: str) -> Views:
    """Make the views of a text."""
    first = View(text)
    made = _list_spellings(first)
    is_beyond = False
    read = made[0]
    for round_ in range(MAX_UNESCAPES + 1):
        unescaped = _unescape(read)
        if unescaped is None:
            break
        if round_ == MAX_UNESCAPES:
            is_beyond = True
            break
        spelt = _list_spellings(unescaped)
        made.extend(spelt)
        read = spelt[0]
    loose = [each for each in map(_loosen, made) if each is not None]
    return Views((*made, *loose), is_beyond)


def spell(text: str) -> str:
    """Spell a text as it is in a view."""
    return _list_spellings(View(text))[0].text


def lower(text: str) -> str:
    """Write a text in lower case, each character as one."""
    written = text.lower()
    if len(written) == len(text):
        return written
    return "".join(each if len(each.lower()) != 1 else each.lower() for each in text)


def encode(text: str) -> bytes:
    """Encode a view with one byte for each character: what is not in Latin-1 is `\\xff` if it is a letter."""
    return text.encode("latin-1", "agen-one-byte")


def _encode_one(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101 it is registered for encoding only
    part = error.object[error.start : error.end]
    return bytes(0xFF if each.isalpha() else 0x1A for each in part), error.end


# A codec's error handler is found by its name: there is no other way to hand one over.
codecs.register_error("agen-one-byte", _encode_one)


def _list_spellings(view: View) -> list[View]:
    """Spell a view; once more with what is not seen as a space, if there is any."""
    text = view.text
    if text.isascii() and len(text) == len(text.encode("ascii").translate(None, _CONTROLS + b"\x1e")):
        return [view]
    spelt = {each: _find_spelling(each) for each in set(text)}
    if all(each == written for each, written in spelt.items()):
        return [view]
    views = [_rewrite(view, ((spelt[each], at, at + 1) for at, each in enumerate(text)))]
    if "" in spelt.values():
        parting = {each: written or _show(each) for each, written in spelt.items()}
        views.append(_rewrite(view, ((parting[each], at, at + 1) for at, each in enumerate(text))))
    return views


def _show(unseen: str) -> str:
    return chr(ord(unseen) - _TAG_SHIFT) if ord(unseen) in _TAGS else " "


def _loosen(view: View) -> View | None:
    parts: list[tuple[str, int, int]] = []
    text, at = view.text, 0
    for found in _LOOSE.finditer(text):
        parts.extend((char, place, place + 1) for place, char in enumerate(text[at : found.start()], at))
        parts.append((" ", found.start(), found.end()))
        at = found.end()
    if not parts:
        return None
    parts.extend((char, place, place + 1) for place, char in enumerate(text[at:], at))
    written = _rewrite(view, parts)
    return View(written.text, written.starts, written.ends, is_loose=True)


def _rewrite(view: View, parts: Iterable[tuple[str, int, int]]) -> View:
    """Write a view anew: each part with the place in the view that it stands for."""
    written: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for part, start, end in parts:
        first, last = view.locate(start, end)
        written.append(part)
        starts.extend([first] * len(part))
        ends.extend([last] * len(part))
    return View("".join(written), tuple(starts), tuple(ends))


def _find_spelling(char: str) -> str:
    known = _SPELT.find(char)
    return known if known is not None else _SPELT.keep(char, _choose_spelling(char))


def _choose_spelling(char: str) -> str:
    for chosen, chars in (("-", _DASHES), (".", _DOTS), ("", _UNSEEN), ("\n", _LINES)):
        if char in chars:
            return chosen
    if char.isascii():
        return "" if (char < " " and char not in "\t\n\r") or char == "\x7f" else char
    kind = unicodedata.category(char)
    if kind in _SPELT_BY_KIND:
        return _SPELT_BY_KIND[kind]
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    written = unicodedata.normalize("NFKC", char)
    # What changes its length in lower case would move everything behind it.
    return written if len(written.lower()) == len(written) else unicodedata.normalize("NFKD", written)[0]


_SPELT_BY_KIND = {"Cf": "", "Mn": "", "Me": "", "Cc": "", "Zs": " ", "Pd": "-"}


def _unescape(view: View) -> View | None:
    parts: list[tuple[str, int, int]] = []
    text, at, has_changed = view.text, 0, False
    for found in _ESCAPES.finditer(text):
        kind = found.lastgroup
        read = _READERS[kind](found.group()) if kind is not None else ""
        if read == found.group():
            continue
        parts.extend((char, place, place + 1) for place, char in enumerate(text[at : found.start()], at))
        # A match that begins or ends within the escape takes all of it, unless its characters are equally long.
        parts.extend(_spread(read, found.start(), found.end()))
        at, has_changed = found.end(), True
    if not has_changed:
        return None
    parts.extend((char, place, place + 1) for place, char in enumerate(text[at:], at))
    return _rewrite(view, parts)


def _spread(read: str, start: int, end: int) -> list[tuple[str, int, int]]:
    each, rest = divmod(end - start, max(len(read), 1))
    if rest:
        return [(char, start, end) for char in read]
    return [(char, start + each * at, start + each * (at + 1)) for at, char in enumerate(read)]


def _read_percent(text: str) -> str:
    return _decode(bytes.fromhex(text.replace("%", "")))


def _read_quoted(text: str) -> str:
    return _decode(bytes.fromhex(text.replace("=", "")))


def _read_hex(text: str) -> str:
    return _decode(bytes.fromhex(text.replace("\\", "").replace("x", "")))


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _read_unicode(text: str) -> str:
    units = bytes.fromhex(text.replace("\\", "").replace("u", ""))
    return units.decode("utf-16-be", "replace")


def _read_letter(text: str) -> str:
    return text[-1] if text[-1] in "\"'/" else "\n"


_READERS: dict[str, Callable[[str], str]] = {
    "percent": _read_percent,
    "entity": html.unescape,
    "unicode": _read_unicode,
    "hex": _read_hex,
    "letter": _read_letter,
    "quoted": _read_quoted,
}
