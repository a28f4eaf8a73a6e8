"""No pattern of the catalogue may take more than linear time for a text that a server chooses: looked at, not timed."""

import re
from collections.abc import Iterator
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import re2

from agen_authz.core.masking.catalog import CATALOG

_ENDLESS = 1_000
"""From so many times on a repeat is as good as endless."""
# Labels look no further than their reach.
PATTERNS = [(row.id, form.pattern) for row in CATALOG.values() for form in (*row.forms, *row.direct)]
LABELS = [(row.id, label.pattern) for row in CATALOG.values() for label in row.labels]
FIELDS = [(row.id, row.field_pattern) for row in CATALOG.values() if row.field_pattern]
_CHARS = [chr(code) for code in range(1, 256)]


def matched(item: Any) -> set[str]:
    """Return the characters that are in what one item matches; all of them if that is not known."""
    kind, given = item
    if kind in (sre.LITERAL, sre.IN, sre.ANY, sre.NOT_LITERAL):
        compiled = re.compile(_spell(item))
        return {char for char in _CHARS if compiled.fullmatch(char)}
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT) and len(given[2]) == 1:
        return matched(given[2][0])
    if kind is sre.AT:
        return set()
    if kind is sre.SUBPATTERN:
        return set().union(*map(matched, given[3]))
    if kind is sre.BRANCH:
        return set().union(*(matched(each) for branch in given[1] for each in branch))
    return set(_CHARS)


def _spell(item: Any) -> str:
    kind, given = item
    match kind:
        case sre.LITERAL:
            return re.escape(chr(given))
        case sre.NOT_LITERAL:
            return f"[^{re.escape(chr(given))}]"
        case sre.ANY:
            return "."
        case _:
            return f"[{''.join(map(_spell_part, given))}]"


def _spell_part(part: Any) -> str:
    kind, given = part
    if kind is sre.NEGATE:
        return "^"
    if kind is sre.RANGE:
        return f"{re.escape(chr(given[0]))}-{re.escape(chr(given[1]))}"
    if kind is sre.CATEGORY:
        name = given.name.removeprefix("CATEGORY_")
        return f"\\{name[4]}" if name.startswith("NOT_") else f"\\{name[0].lower()}"
    return re.escape(chr(given))


def walk(items: Any) -> Iterator[Any]:
    """List every sequence of items in a pattern."""
    yield list(items)
    for kind, given in items:
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            yield from walk(given[2])
        elif kind is sre.SUBPATTERN:
            yield from walk(given[3])
        elif kind is sre.BRANCH:
            for each in given[1]:
                yield from walk(each)
        elif kind in (sre.ASSERT, sre.ASSERT_NOT):
            yield from walk(given[1])
        elif kind is sre.ATOMIC_GROUP:
            yield from walk(given)


def is_endless(item: Any) -> bool:
    kind, given = item
    if kind not in (sre.MAX_REPEAT, sre.MIN_REPEAT):
        return False
    return given[1] is sre.MAXREPEAT or given[1] >= _ENDLESS


def is_quadratic(pattern: str) -> bool:
    """True if a search may read an endless part anew from each character of it, or of another that is before it."""
    parsed = parser.parse(pattern)
    starts_once = bool(parsed) and parsed[0] == (sre.AT, sre.AT_BEGINNING)
    return any(
        (not starts_once and is_endless(item) and matched(before) & matched(item))
        or (is_endless(before) and is_endless(after) and matched(before) & matched(after) & _alone(item))
        for items in walk(parsed)
        for before, item, after in zip(items, items[1:], [*items[2:], (sre.AT, None)], strict=False)
    )


def _alone(item: Any) -> set[str]:
    """Return the characters that an item may be all of."""
    return set() if item[0] in (sre.SUBPATTERN, sre.BRANCH) else matched(item)


def is_exponential(pattern: str) -> bool:
    """True if all of what an endless repeat holds is an endless repeat."""
    return any(
        is_endless(item) and len(item[1][2]) == 1 and any(map(is_endless, _flatten(item[1][2])))
        for items in walk(parser.parse(pattern))
        for item in items
    )


def _flatten(items: Any) -> Iterator[Any]:
    for item in items:
        yield item
        if item[0] is sre.SUBPATTERN and len(item[1][3]) == 1:
            yield from _flatten(item[1][3])


def test_every_form_is_for_re2() -> None:
    assert all(re2.compile(pattern) for _, pattern in PATTERNS)


def test_no_member_is_searched_anew_from_each_of_its_characters() -> None:
    assert [name for name, pattern in FIELDS if is_quadratic(pattern)] == []


def test_no_pattern_repeats_a_repeat() -> None:
    assert [name for name, pattern in (*PATTERNS, *LABELS, *FIELDS) if is_exponential(pattern)] == []


def test_checks_find_what_they_look_for() -> None:
    for quadratic in (r"\d{5}|[a-z].*\d", r"a(\w\S+)x", r"^[^*]*\d[^*]*$"):
        assert is_quadratic(quadratic)
    assert not is_quadratic(r"\d\D+\d|^\s*[^\s<>]{8,}\s*$")
    assert is_exponential(r"((?:[a-z]+)*)x") and not is_exponential(r"(?:[a-z]+,)*")
