"""Texts that a pattern matches, drawn from the pattern: the same ones in every run."""

import re
from random import Random
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from agen_authz.core.memory import remember

_CHARS = [chr(code) for code in range(0x20, 0x7F)]
_MOST = 3
_CATEGORIES = {
    sre.CATEGORY_DIGIT: str.isdigit,
    sre.CATEGORY_NOT_DIGIT: lambda char: not char.isdigit(),
    sre.CATEGORY_SPACE: str.isspace,
    sre.CATEGORY_NOT_SPACE: lambda char: not char.isspace(),
    sre.CATEGORY_WORD: lambda char: char.isalnum() or char == "_",
    sre.CATEGORY_NOT_WORD: lambda char: not (char.isalnum() or char == "_"),
}


def draw(pattern: str, count: int, *, avoids: str = "") -> list[str]:
    """Draw texts that a pattern matches, without some characters if it has a choice; look-around is not heeded."""
    parsed = parser.parse(pattern, re.ASCII)
    is_folded = bool(parsed.state.flags & re.IGNORECASE)
    return [_draw(parsed, Random(seed), avoids, is_folded=is_folded) for seed in range(count)]  # noqa: S311 no secret


def _draw(items: Any, random: Random, avoids: str, *, is_folded: bool) -> str:
    return "".join(_draw_one(kind, given, random, avoids, is_folded=is_folded) for kind, given in items)


def _draw_one(kind: Any, given: Any, random: Random, avoids: str, *, is_folded: bool) -> str:
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        low, high, inner = given
        count = random.randint(low, max(low, min(int(high), low + _MOST)))
        return "".join(_draw(inner, random, avoids, is_folded=is_folded) for _ in range(count))
    if kind is sre.SUBPATTERN:
        return _draw(given[3], random, avoids, is_folded=is_folded or bool(given[1] & re.IGNORECASE))
    if kind is sre.BRANCH:
        return _draw(random.choice(given[1]), random, avoids, is_folded=is_folded)
    if kind is sre.ATOMIC_GROUP:
        return _draw(given, random, avoids, is_folded=is_folded)
    if kind in (sre.AT, sre.ASSERT, sre.ASSERT_NOT):
        return ""
    chars = _list_chars(kind, tuple(given) if isinstance(given, list) else given, avoids)
    char = random.choice(chars)
    return random.choice([char.lower(), char.upper()]) if is_folded else char


@remember(4096)
def _list_chars(kind: Any, given: Any, avoids: str) -> list[str]:
    chars = [char for char in (*_CHARS, *_list_literals(kind, given)) if _is_in(kind, given, char)]
    return [char for char in chars if char not in avoids] or chars


def _list_literals(kind: Any, given: Any) -> list[str]:
    if kind is sre.LITERAL:
        return [chr(given)]
    if kind is not sre.IN:
        return []
    literals = [what for part, what in given if part is sre.LITERAL]
    return [chr(code) for code in (*literals, *(what[0] for part, what in given if part is sre.RANGE))]


def _is_in(kind: Any, given: Any, char: str) -> bool:
    if kind is sre.ANY:
        return True
    if kind in (sre.LITERAL, sre.NOT_LITERAL):
        return (ord(char) == given) == (kind is sre.LITERAL)
    is_negated = given[0][0] is sre.NEGATE
    return any(_is_of(part, what, char) for part, what in given) != is_negated


def _is_of(part: Any, what: Any, char: str) -> bool:
    if part is sre.RANGE:
        return bool(what[0] <= ord(char) <= what[1])
    if part is sre.CATEGORY:
        return _CATEGORIES[what](char)
    return bool(part is sre.LITERAL and ord(char) == what)
