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
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, compress

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
_ODD = re2.compile(b"|".join((rb"[\x00-\x08\x0b\x0c\x0e-\x1d\x1f\x7f]", _ESCAPED.pattern, _LOOSE_BYTES.pattern)))
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
# Tags spell ASCII that people do not see, and models read (Unicode, block Tags).
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
    starts: Sequence[int] | None = None
    ends: Sequence[int] | None = None
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
    return text.isascii() and _is_plain(text.encode("ascii"))


def _is_plain(raw: bytes) -> bool:
    if len(raw) != len(raw.translate(None, _CONTROLS)) or _LOOSE_BYTES.search(raw) is not None:
        return False
    # Nearly every text has none of these signs, which is soon known.
    return not any(sign in raw for sign in b"\\%&=") or _ESCAPED.search(raw) is None


def list_odd(texts: Sequence[str]) -> set[int]:
    """List the texts that are not their own and only view."""
    odd = {number for number, text in enumerate(texts) if not text.isascii() or SEPARATOR in text}
    numbers = [number for number in range(len(texts)) if number not in odd] if odd else range(len(texts))
    raw = SEPARATOR.join([texts[number] for number in numbers]).encode("ascii")
    if not _is_plain(raw):
        starts = [0, *accumulate(len(texts[number]) + 1 for number in numbers)]
        at = 0
        while (found := _ODD.search(raw, at)) is not None:
            place = bisect_right(starts, found.start()) - 1
            odd.add(numbers[place])
            # One sign is enough: on with the next text.
            at = starts[place + 1]
    return odd


def make_views(text: str) -> Views:
    """Make the views of a text."""
    first = View(text)
    made = _list_spellings(first)
    unescaped = _unescape(made[0])
    rounds = 0
    while unescaped is not None and rounds < MAX_UNESCAPES:
        spelt = _list_spellings(unescaped)
        made.extend(spelt)
        unescaped = _unescape(spelt[0])
        rounds += 1
    loose = [each for each in map(_loosen, made) if each is not None]
    return Views((*made, *loose), unescaped is not None)


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
    views = [_respell(view, spelt)]
    if "" in spelt.values():
        views.append(_respell(view, {each: written or _show(each) for each, written in spelt.items()}))
    return views


def _respell(view: View, spelt: Mapping[str, str]) -> View:
    text = view.text.translate({ord(each): written for each, written in spelt.items()})
    lengths = {each: len(written) for each, written in spelt.items()}
    longest = max(lengths.values())
    if longest == 1 and 0 not in lengths.values():
        return View(text, view.starts, view.ends)
    counts = list(map(lengths.__getitem__, view.text))
    starts, ends = _index(view, 0, len(view.text))
    if longest <= 1:
        return View(text, list(compress(starts, counts)), list(compress(ends, counts)))
    return View(
        text,
        [start for start, count in zip(starts, counts, strict=True) for _ in range(count)],
        [end for end, count in zip(ends, counts, strict=True) for _ in range(count)],
    )


def _index(view: View, start: int, end: int) -> tuple[Sequence[int], Sequence[int]]:
    """List where in the original each character of a part begins, and where it ends."""
    if view.starts is None or view.ends is None:
        return range(start, end), range(start + 1, end + 1)
    return view.starts[start:end], view.ends[start:end]


def _show(unseen: str) -> str:
    return chr(ord(unseen) - _TAG_SHIFT) if ord(unseen) in _TAGS else " "


def _loosen(view: View) -> View | None:
    found = [(each.start(), each.end(), " ") for each in _LOOSE.finditer(view.text)]
    return _rewrite(view, found, is_loose=True) if found else None


def _rewrite(view: View, found: Iterable[tuple[int, int, str]], *, is_loose: bool = False) -> View:
    """Rewrite parts of a view: where each is, and what is in its place."""
    written: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for start, end, part in (*found, (len(view.text), len(view.text), "")):
        # What is between two parts stays.
        written.append(view.text[at:start])
        kept_starts, kept_ends = _index(view, at, start)
        starts.extend(kept_starts)
        ends.extend(kept_ends)
        if part:
            written.append(part)
            part_starts, part_ends = _spread(view, start, end, len(part))
            starts.extend(part_starts)
            ends.extend(part_ends)
        at = end
    return View("".join(written), starts, ends, is_loose=is_loose)


def _spread(view: View, start: int, end: int, count: int) -> tuple[Sequence[int], Sequence[int]]:
    """List where the characters of a part begin and end: each has its share, or the whole if shares are not equal."""
    each, rest = divmod(end - start, count)
    if rest or not each:
        first, last = view.locate(start, end)
        return [first] * count, [last] * count
    starts, ends = _index(view, start, end)
    return starts[::each], ends[each - 1 :: each]


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
    found = []
    for each in _ESCAPES.finditer(view.text):
        escape = each.group()
        read = _READERS[each.lastgroup or ""](escape)
        if read != escape:
            found.append((each.start(), each.end(), read))
    return _rewrite(view, found) if found else None


def _read_percent(text: str) -> str:
    return _decode(bytes.fromhex(text.replace("%", "")))


def _read_quoted(text: str) -> str:
    return _decode(bytes.fromhex(text.replace("=", "")))


def _read_hex(text: str) -> str:
    return _decode(bytes.fromhex(text.replace("\\", "").replace("x", "")))


def _decode(raw: bytes) -> str:
    # A byte that is not UTF-8 must not change how those next to it are read.
    return raw.decode("utf-8", "replace")


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
