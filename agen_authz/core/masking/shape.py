"""The shape of a text: which of its characters are digits, capitals and small letters; and of a pattern.

A pattern of shapes matches the shape of every text that the pattern matches, and of others: so it tells, once for each
shape, which forms texts of this shape cannot have. Values in tables have few shapes.
"""

import re
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from agen_authz.core.memory import remember

_DIGITS, _CAPITALS, _SMALL = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz"
_SHAPES = str.maketrans(_DIGITS + _CAPITALS + _SMALL, "0" * 10 + "A" * 26 + "a" * 26)
_SHAPES_OF_BYTES = bytes(ord(chr(byte).translate(_SHAPES)) for byte in range(256))
_CLASSES = (sre.LITERAL, sre.NOT_LITERAL, sre.IN, sre.ANY)
_ALL = [chr(code) for code in range(128)]


def shape_of_bytes(raw: bytes) -> str:
    """Return the shape of a text with one byte for each character (view.encode)."""
    return raw.translate(_SHAPES_OF_BYTES).decode("latin-1")


def shape_of(text: str) -> str:
    """Return the shape of an ASCII text: `AB-12` is `AA-00`."""
    return text.translate(_SHAPES)


def shape_pattern(pattern: str) -> "re.Pattern[str]":
    """Make the pattern of the shapes of all texts that a pattern matches."""
    parsed = parser.parse(pattern, re.ASCII)
    return re.compile(_write(parsed, is_folded=bool(parsed.state.flags & re.IGNORECASE)))


def list_firsts(pattern: str) -> frozenset[str]:
    """List the ASCII characters that texts may begin with that a pattern matches."""
    parsed = parser.parse(pattern, re.ASCII)
    return frozenset(_list_firsts(parsed, is_folded=bool(parsed.state.flags & re.IGNORECASE))[0])


def _list_firsts(items: Any, *, is_folded: bool) -> tuple[set[str], bool]:
    """List the first characters, and say if nothing may be there."""
    found: set[str] = set()
    for kind, given in items:
        firsts, may_be_empty = _list_firsts_of(kind, given, is_folded=is_folded)
        found |= firsts
        if not may_be_empty:
            return found, False
    return found, True


def _list_firsts_of(kind: Any, given: Any, *, is_folded: bool) -> tuple[set[str], bool]:
    if kind in _CLASSES:
        return set(_list_chars(_spell(kind, given), is_folded)), False
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        firsts, may_be_empty = _list_firsts(given[2], is_folded=is_folded)
        return firsts, may_be_empty or given[0] == 0
    if kind is sre.SUBPATTERN:
        return _list_firsts(given[3], is_folded=is_folded or bool(given[1] & re.IGNORECASE))
    if kind is sre.BRANCH:
        branches = [_list_firsts(each, is_folded=is_folded) for each in given[1]]
        return set().union(*(firsts for firsts, _ in branches)), any(empty for _, empty in branches)
    return (set(), True) if kind is sre.AT else (set(_ALL), True)


def needs_digit(pattern: str) -> bool:
    """True if every text that a pattern matches has a digit."""
    return _needs_digit(parser.parse(pattern))


def _needs_digit(items: Any) -> bool:
    return any(_needs_digit_of(kind, given) for kind, given in items)


def _needs_digit_of(kind: Any, given: Any) -> bool:
    if kind in _CLASSES:
        single = re.compile(_spell(kind, given))
        return not any(single.fullmatch(char) for char in _ALL if not char.isdigit()) and not single.fullmatch("\xe4")
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        return given[0] > 0 and _needs_digit(given[2])
    if kind in (sre.SUBPATTERN, sre.ATOMIC_GROUP):
        return _needs_digit(given[3] if kind is sre.SUBPATTERN else given)
    if kind is sre.BRANCH:
        return all(_needs_digit(each) for each in given[1])
    return False


def _write(items: Any, *, is_folded: bool) -> str:
    return "".join(_write_item(kind, given, is_folded=is_folded) for kind, given in items)


def _write_item(kind: Any, given: Any, *, is_folded: bool) -> str:
    if kind in _CLASSES:
        return _write_class(kind, given, is_folded=is_folded)
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        low, high, inner = given
        high = "" if high is sre.MAXREPEAT else high
        return f"(?:{_write(inner, is_folded=is_folded)}){{{low},{high}}}"
    if kind is sre.SUBPATTERN:
        _, added, _, inner = given
        return f"(?:{_write(inner, is_folded=is_folded or bool(added & re.IGNORECASE))})"
    if kind is sre.BRANCH:
        return "(?:" + "|".join(_write(each, is_folded=is_folded) for each in given[1]) + ")"
    if kind is sre.AT:
        return ""
    # INVARIANT: forms have nothing else (row.Form); whatever else there is may match any shape.
    return ".*"


def _write_class(kind: Any, given: Any, *, is_folded: bool) -> str:
    """Write a class of characters as the class of their shapes."""
    shapes = dict.fromkeys(map(shape_of, _list_chars(_spell(kind, given), is_folded)))
    return "[" + "".join(map(re.escape, shapes)) + "]" if shapes else r"(?!)"


@remember(1024)
def _list_chars(spelt: str, is_folded: bool) -> list[str]:
    """List the ASCII characters of a class; patterns have few classes, each many times."""
    single = re.compile(spelt, re.IGNORECASE | re.ASCII if is_folded else re.ASCII)
    return [char for char in _ALL if single.fullmatch(char)]


def _spell(kind: Any, given: Any) -> str:
    if kind is sre.ANY:
        return "."
    if kind in (sre.LITERAL, sre.NOT_LITERAL):
        return ("[^" if kind is sre.NOT_LITERAL else "[") + _escape(given) + "]"
    return "[" + "".join(_spell_part(part, what) for part, what in given) + "]"


def _spell_part(part: Any, what: Any) -> str:
    if part is sre.NEGATE:
        return "^"
    if part is sre.RANGE:
        return f"{_escape(what[0])}-{_escape(what[1])}"
    return _CATEGORIES[what] if part is sre.CATEGORY else _escape(what)


def _escape(code: int) -> str:
    return f"\\u{code:04x}"


_CATEGORIES = {
    sre.CATEGORY_DIGIT: r"\d",
    sre.CATEGORY_NOT_DIGIT: r"\D",
    sre.CATEGORY_SPACE: r"\s",
    sre.CATEGORY_NOT_SPACE: r"\S",
    sre.CATEGORY_WORD: r"\w",
    sre.CATEGORY_NOT_WORD: r"\W",
}
