"""The texts of a message as they are searched: the views of all of them as one text, with a way back to each."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from msgspec import Struct

from agen_authz.core.masking.view import SEPARATOR, View, encode, list_odd, make_views
from agen_authz.core.masking.work import Allowance


class Joined(Struct, frozen=True):
    """The views of all texts of a message, one after the other.

    Args:
        bounds: where each view begins and ends in `text`; `starts` are the beginnings.
        leaves: of which text each view is; None if each text has one, which is the text itself.
        views: with the ways back to their texts; None as `leaves` is.
        beyond: texts with escapes that are nested too deeply to be read.
    """

    text: str
    raw: bytes
    starts: list[int]
    bounds: list[tuple[int, int]]
    leaves: list[int] | None = None
    views: list[View] | None = None
    beyond: Sequence[int] = ()

    def find(self, at: int) -> int:
        """Find the number of the view that a place is in."""
        return bisect_right(self.starts, at) - 1

    def leaf(self, view: int) -> int:
        """Return of which text a view is."""
        return view if self.leaves is None else self.leaves[view]

    def locate(self, view: int, start: int, end: int) -> tuple[int, int]:
        """Find the part of a text that a part of its view shows."""
        begins = self.starts[view]
        if self.views is None:
            return start - begins, end - begins
        return self.views[view].locate(start - begins, end - begins)


def join(texts: Sequence[str], work: Allowance) -> Joined:
    """Join the views of texts.

    Raises:
        Unmaskable: to make them would cost too much.
    """
    odd = list_odd(texts)
    if not odd:
        joined = SEPARATOR.join(texts)
        starts, bounds = _bound(texts)
        return Joined(joined, joined.encode("ascii"), starts, bounds)
    views: list[View] = []
    leaves: list[int] = []
    beyond: list[int] = []
    for number, text in enumerate(texts):
        if number not in odd:
            views.append(View(text))
            leaves.append(number)
            continue
        made = make_views(text)
        # Each view was written character by character.
        work.spend(len(text) * len(made.views) / 8)
        views.extend(made.views)
        leaves.extend([number] * len(made.views))
        if made.is_beyond:
            beyond.append(number)
    written = [view.text for view in views]
    joined = SEPARATOR.join(written)
    starts, bounds = _bound(written)
    return Joined(joined, encode(joined), starts, bounds, leaves, views, beyond)


def _bound(texts: Sequence[str]) -> tuple[list[int], list[tuple[int, int]]]:
    lengths = list(map(len, texts))
    starts = [0, *accumulate(length + 1 for length in lengths[:-1])]
    return starts, [(start, start + length) for start, length in zip(starts, lengths, strict=True)]
