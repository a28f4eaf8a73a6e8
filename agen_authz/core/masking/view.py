"""A text as detectors see it: spellings that a reader takes for the same are made the same, with a way back.

1. digits of any script and width are ASCII digits; what NFKC maps is mapped (Unicode annex 15)
2. dashes are `-`, spaces ` `, dots of any kind between digits `.`
3. what is not seen is left out: format and control characters, variation selectors, combining marks
4. what is written as an escape is read: `\\u0034`, `\\n`, `%34`, `&#52;`, up to four times one in another

Detection looks at the view; what is masked is a part of the original, found by the view's index.
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

# What is to be looked at in an ASCII text: invisible characters, and beginnings of escapes.
_CONTROLS = bytes(sorted({*range(0x20), 0x7F} - set(b"\t\n\r\x1e")))
_ESCAPED = re2.compile(rb"\\[uxnrt\"'/]|%[0-9A-Fa-f]{2}|&#?\w{1,31};")
_ESCAPES = re.compile(
    r"(?P<percent>(?:%[0-9A-Fa-f]{2})+)|(?P<entity>&(?:\#[0-9]{1,7}|\#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)"
    r"|(?P<unicode>(?:\\+u[0-9a-fA-F]{4})+)|(?P<hex>(?:\\+x[0-9a-fA-F]{2})+)|(?P<letter>\\+[nrt\"\'/])"
)
_DASHES = frozenset("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\ufe58\ufe63\uff0d\u30fc")
_DOTS = frozenset("\u00b7\u2022\u2027\u2219\u22c5\u30fb\u3002\uff61\u2024\uff0e\ufe52")
_UNSEEN = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800")
_LINES = frozenset("\u0085\u2028\u2029")
_MAX_CHARS = 65_536

# By code point; what a character is does not depend on anything else.
_SPELT: Memory[str, str] = Memory(_MAX_CHARS)


class View(Struct, frozen=True):
    """A text as detectors see it.

    Args:
        index: where in the original each character of `text` begins, and at the end the original's length; None if
            both are the same.
    """

    text: str
    index: tuple[int, ...] | None = None

    def locate(self, start: int, end: int) -> tuple[int, int]:
        """Find the part of the original that a part of the view shows."""
        if self.index is None:
            return start, end
        return self.index[start], self.index[end]


def is_plain(text: str) -> bool:
    """True if a text is its own view, but for separators that it may hold."""
    if not text.isascii():
        return False
    raw = text.encode("ascii")
    if len(raw) != len(raw.translate(None, _CONTROLS)):
        return False
    # Nearly every text has none of these signs, which is soon known.
    return not any(sign in raw for sign in b"\\%&") or _ESCAPED.search(raw) is None


def make_views(text: str) -> tuple[View, ...]:
    """Make the views of a text: as it is read, and once more with its escapes read, if there are any."""
    seen = _spell(View(text))
    views = [seen]
    for _ in range(MAX_UNESCAPES):
        read = _unescape(views[-1])
        if read is None:
            break
        views.append(_spell(read))
    return (views[0], views[-1]) if len(views) > 1 else (seen,)


def spell(text: str) -> str:
    """Spell a text as it is in a view."""
    return _spell(View(text)).text


def encode(text: str) -> bytes:
    """Encode a view with one byte for each character: what is not in Latin-1 is `\\xff` if it is a letter."""
    return text.encode("latin-1", "agen-one-byte")


def _encode_one(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101 it is registered for encoding only
    part = error.object[error.start : error.end]
    return bytes(0xFF if each.isalpha() else 0x1A for each in part), error.end


# A codec's error handler is found by its name: there is no other way to hand one over.
codecs.register_error("agen-one-byte", _encode_one)


def _spell(view: View) -> View:
    text = view.text
    if is_plain(text) and SEPARATOR not in text:
        return view
    spelt = {each: _find_spelling(each) for each in set(text)}
    if all(each == written for each, written in spelt.items()):
        return view
    return _rewrite(view, ((spelt[each], at, at + 1) for at, each in enumerate(text)))


def _rewrite(view: View, parts: Iterable[tuple[str, int, int]]) -> View:
    """Write a view anew: each part with the place that it stands for."""
    index = view.index
    written: list[str] = []
    places: list[int] = []
    for part, start, _ in parts:
        written.append(part)
        places.extend([start if index is None else index[start]] * len(part))
    places.append(len(view.text) if index is None else index[-1])
    return View("".join(written), tuple(places))


def _find_spelling(char: str) -> str:
    known = _SPELT.find(char)
    return known if known is not None else _SPELT.keep(char, _choose_spelling(char))


def _choose_spelling(char: str) -> str:
    if char.isascii():
        return "" if (char < " " and char not in "\t\n\r") or char == "\x7f" else char
    for chosen, chars in (("-", _DASHES), (".", _DOTS), ("", _UNSEEN), ("\n", _LINES)):
        if char in chars:
            return chosen
    kind = unicodedata.category(char)
    if kind in ("Cf", "Mn", "Me", "Cc"):
        return ""
    if kind == "Zs":
        return " "
    if kind == "Pd":
        return "-"
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    written = unicodedata.normalize("NFKC", char)
    # What changes its length in lower case would move everything behind it.
    return written if len(written.lower()) == len(written) else unicodedata.normalize("NFKD", written)[0]


def _unescape(view: View) -> View | None:
    parts: list[tuple[str, int, int]] = []
    text, at, has_changed = view.text, 0, False
    for found in _ESCAPES.finditer(text):
        kind = found.lastgroup
        read = _READERS[kind](found.group()) if kind is not None else None
        if read is None or read == found.group():
            continue
        parts.extend((char, place, place + 1) for place, char in enumerate(text[at : found.start()], at))
        parts.extend(_spread(read, found.start(), found.end()))
        at, has_changed = found.end(), True
    if not has_changed:
        return None
    parts.extend((char, place, place + 1) for place, char in enumerate(text[at:], at))
    return _rewrite(view, parts)


def _spread(read: str, start: int, end: int) -> list[tuple[str, int, int]]:
    """Give each character of an escape its part, if all are equally long; else the whole of it."""
    each, rest = divmod(end - start, len(read))
    if rest:
        # A match that begins within the escape takes all of it.
        return [(char, start, end) for char in read]
    return [(char, start + each * at, start + each * (at + 1)) for at, char in enumerate(read)]


def _read_percent(text: str) -> str:
    return _decode(bytes.fromhex(text.replace("%", "")))


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
}
