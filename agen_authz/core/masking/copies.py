"""Copies of a value elsewhere in its message: what a name or a label told of has no form to be found by."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from ahocorasick_rs import AhoCorasick, MatchKind

from agen_authz.core.masking.document import Document
from agen_authz.core.masking.rule import Unmaskable
from agen_authz.core.masking.search import Found
from agen_authz.core.masking.view import SEPARATOR, lower

# A shorter value is a part of many other things.
_MIN_CHARS, _MIN_DIGITS, _MAX_CHARS = 5, 6, 200
_MAX_VALUES = 50_000
_TOLD = frozenset({"field", "label", "context"})
_NOTHING = frozenset({"false", "unknown", "undefined", "other", "never"})
_ESCAPED_LETTERS = frozenset({"\\n", "\\r", "\\t"})


def find_copies(found: Sequence[Found], document: Document) -> list[Found]:
    """Find where else values are, as whole words, in capitals or not; names of members become texts of the document.

    Raises:
        Unmaskable: there are too many values.
    """
    values: dict[str, Found] = {}
    for each in found:
        value = lower(document.texts[each.leaf][each.start : each.end])
        if not _TOLD.isdisjoint(each.why) and _is_telling(value):
            values.setdefault(value, each)
    if len(values) > _MAX_VALUES:
        raise Unmaskable("too many values whose copies would have to be searched for")
    if not values:
        return []
    automaton = AhoCorasick(list(values), matchkind=MatchKind.LeftmostLongest)
    known: dict[tuple[str, ...], list[str]] = {}
    found_names = {document.texts[each.leaf] for each in found if document.is_name(each.leaf)}
    for node, names in document.objects:
        if names not in known:
            known[names] = [name for name in names if name not in found_names and any(_list_whole(automaton, name))]
        for name in known[names]:
            document.add_name(node, name)
    return list(_list_copies(automaton, list(values.values()), document.texts))


def _list_copies(automaton: AhoCorasick, values: Sequence[Found], texts: Sequence[str]) -> Iterator[Found]:
    """List where values are, as whole words: all texts are searched at once."""
    starts = [0, *accumulate(len(text) + 1 for text in texts)]
    for number, start, end in _list_whole(automaton, SEPARATOR.join(texts)):
        leaf = bisect_right(starts, start) - 1
        begins = starts[leaf]
        yield Found(leaf, start - begins, end - begins, values[number].detector, values[number].score, ("copy",))


def _is_telling(value: str) -> bool:
    if not _MIN_CHARS <= len(value) <= _MAX_CHARS or value in _NOTHING:
        return False
    return not value.isdigit() or len(value) >= _MIN_DIGITS


def _list_whole(automaton: AhoCorasick, text: str) -> Iterator[tuple[int, int, int]]:
    for number, start, end in automaton.find_matches_as_indexes(lower(text)):
        is_begun = text[start - 1 : start].isalnum() and text[max(start - 2, 0) : start] not in _ESCAPED_LETTERS
        if not is_begun and not text[end : end + 1].isalnum():
            yield number, start, end
