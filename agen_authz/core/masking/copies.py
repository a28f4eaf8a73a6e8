"""Copies of a value elsewhere in its message: what a name or a label told of has no form to be found by."""

from collections.abc import Sequence

from ahocorasick_rs import AhoCorasick, MatchKind

from agen_authz.core.masking.search import Found

# A shorter value is a part of many other things.
_MIN_CHARS, _MIN_DIGITS, _MAX_CHARS = 5, 6, 200
_MAX_VALUES = 2_000
_TOLD = frozenset({"field", "label", "context"})


def find_copies(found: Sequence[Found], texts: Sequence[str]) -> list[Found]:
    """Find where else values are, as whole words."""
    values: dict[str, Found] = {}
    for each in found:
        value = texts[each.leaf][each.start : each.end]
        if not _TOLD.isdisjoint(each.why) and _is_telling(value):
            values.setdefault(value, each)
    if not values or len(texts) < 2 or len(values) > _MAX_VALUES:
        return []
    automaton = AhoCorasick(list(values), matchkind=MatchKind.LeftmostLongest)
    originals = list(values.values())
    return [
        Found(leaf, start, end, originals[number].detector, originals[number].score, ("copy",))
        for leaf, text in enumerate(texts)
        for number, start, end in automaton.find_matches_as_indexes(text)
        if _is_whole(text, start, end)
    ]


def _is_telling(value: str) -> bool:
    if not _MIN_CHARS <= len(value) <= _MAX_CHARS or value.lower() in ("false", "unknown"):
        return False
    return not value.isdigit() or len(value) >= _MIN_DIGITS


def _is_whole(text: str, start: int, end: int) -> bool:
    return not (text[start - 1 : start].isalnum() or text[end : end + 1].isalnum())

