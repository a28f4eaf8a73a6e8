"""Which forms a candidate may have: an index of all forms by the number of letters and digits, and by shape.

A candidate is a window of neighbouring groups of letters and digits. Each group of a window is whole, so that a number
is never found in the middle of a longer one.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import re2
from msgspec import Struct

from agen_authz.core.masking.row import SURE, THRESHOLD, Check, Detector
from agen_authz.core.masking.shape import list_firsts, shape_of, shape_pattern
from agen_authz.core.masking.work import Allowance
from agen_authz.core.memory import Memory

MIN_CHARS, MAX_CHARS = 5, 34
_MAX_ONE_GROUP = 96
_MAX_GROUPS, _MAX_DIGIT_GROUPS = 9, 19
_OF_ONE_NUMBER = frozenset({".", "-"})
_GROUP = re.compile(r"[A-Za-z0-9]+")
# Groups of letters and digits, each with a digit; capitals may be before, between and after them.
_CAPITALS, _WITH_DIGIT = rb"[A-Z]{1,4}[ \-./]", rb"[A-Za-z]*[0-9][A-Za-z0-9]*"
_REGION = rb"(?:%b)?%b(?:[ \-./:_]{1,2}(?:%b)?%b)*(?:[ \-./][A-Z]{1,4}\b)?" % (
    *(_CAPITALS, _WITH_DIGIT),
    *(_CAPITALS, _WITH_DIGIT),
)
_MAX_SEEN, _MAX_SHAPE_CHARS = 8_192, 128


class Entry(Struct, frozen=True):
    """A form of a detector, compiled.

    Args:
        firsts: the characters that a value may begin with.
    """

    detector: str
    firsts: frozenset[str]
    pattern: "re.Pattern[str]"
    score: float
    check: Check | None


class Candidate(Struct, frozen=True):
    """A window of a region, and the forms that it may have by its shape.

    Args:
        sure: the forms that count without a word or a name that tells of them; the `others` do not.
    """

    start: int
    end: int
    sure: tuple[Entry, ...]
    others: tuple[Entry, ...]


class Window(Struct, frozen=True):
    """Neighbouring groups of a region.

    Args:
        size: how many letters and digits there are.
        is_part: True if it is cut out of a longer number: digits, next to a group of digits.
    """

    start: int
    end: int
    size: int
    is_part: bool


class FormIndex:
    """The forms of the chosen detectors."""

    __slots__ = ("_by_start", "_region", "_regions", "_seen")

    def __init__(self, rows: Iterable[Detector]) -> None:
        by_start: dict[tuple[int, str], list[tuple[re.Pattern[str], Entry]]] = {}
        for row in rows:
            for form in row.forms:
                firsts, shape = list_firsts(form.pattern), shape_pattern(form.pattern)
                entry = Entry(row.id, firsts, re.compile(form.pattern, re.ASCII), form.score, form.check)
                for size in range(form.sizes[0], form.sizes[1] + 1):
                    for first in {shape_of(each) for each in firsts}:
                        by_start.setdefault((size, first), []).append((shape, entry))
        self._by_start = by_start
        self._region = re2.compile(_REGION)
        self._regions: Memory[str, tuple[Candidate, ...]] = Memory(_MAX_SEEN)
        self._seen: Memory[str, tuple[Candidate, ...]] = Memory(_MAX_SEEN)

    def find(self, shape: str, work: Allowance) -> tuple[Candidate, ...]:
        """List the parts of a text of this shape that may have a form.

        Raises:
            Unmaskable: the search would cost too much.
        """
        known = self._seen.find(shape)
        if known is not None:
            return known
        found = tuple(self._list(shape, work))
        return self._seen.keep(shape, found) if len(shape) <= _MAX_SHAPE_CHARS else found

    def _list(self, shape: str, work: Allowance) -> Iterator[Candidate]:
        # What is searched for are classes of characters that a shape keeps apart.
        for region in self._region.finditer(shape.encode("latin-1", "replace")):
            begins, ends = region.span()
            work.spend(0.5)
            if ends - begins >= MIN_CHARS:
                for each in self._list_windows(shape[begins:ends], work):
                    yield Candidate(begins + each.start, begins + each.end, each.sure, each.others)

    def _list_windows(self, shape: str, work: Allowance) -> tuple[Candidate, ...]:
        known = self._regions.find(shape)
        if known is not None:
            return known
        found = []
        for window in list_windows(shape):
            work.spend(10)
            entries = self._match(shape[window.start : window.end], window.size)
            if entries:
                least = SURE if window.is_part else THRESHOLD
                sure = tuple(entry for entry in entries if entry.score >= least)
                others = tuple(entry for entry in entries if entry.score < least)
                found.append(Candidate(window.start, window.end, sure, others))
        return self._regions.keep(shape, tuple(found)) if len(shape) <= _MAX_SHAPE_CHARS else tuple(found)

    def _match(self, shape: str, size: int) -> tuple[Entry, ...]:
        listed = self._by_start.get((size, shape[0]), ())
        return tuple(entry for pattern, entry in listed if pattern.fullmatch(shape) is not None)


def list_windows(region: str) -> Iterator[Window]:
    """List the windows of a region."""
    groups = [found.span() for found in _GROUP.finditer(region)]
    digits = [region[begins:ends].isdigit() for begins, ends in groups]
    between = [region[left[1] : right[0]] for left, right in pairwise(groups)]
    for first, (start, _) in enumerate(groups):
        size = 0
        is_digits = True
        for last in range(first, min(len(groups), first + _MAX_DIGIT_GROUPS)):
            begins, ends = groups[last]
            size += ends - begins
            is_digits = is_digits and digits[last]
            if size > (_MAX_ONE_GROUP if last == first else MAX_CHARS) or (
                last - first >= _MAX_GROUPS and not is_digits
            ):
                break
            if size >= MIN_CHARS:
                yield Window(start, ends, size, is_digits and _is_part(first, last, digits, between))


def _is_part(first: int, last: int, digits: Sequence[bool], between: Sequence[str]) -> bool:
    """True if the number continues: a group of digits is next to it, with a separator that it has inside as well."""
    inside = set(between[first:last]) or _OF_ONE_NUMBER
    is_before = first > 0 and digits[first - 1] and between[first - 1] in inside
    return is_before or (last + 1 < len(digits) and digits[last + 1] and between[last] in inside)
