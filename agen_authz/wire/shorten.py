"""Room in an event: long texts and lists are cut, and what is missing is named by its size and its digest.

An event has a bounded size whatever a caller sends, and no caller can push one field out by filling another. Most
events fit with texts that are `WHOLE`. If one does not, each field has `FULL` room, and then `TIGHT` room, for which
there is always space.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import orjson

T = TypeVar("T")
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Room:
    """How much of a field an event holds.

    Args:
        items: of a list.
        chars: of a text, if each takes one byte in a line of JSON.
        wide_chars: of any other text, in which each may take twelve (two escaped UTF-16 units).
    """

    items: int
    chars: int
    wide_chars: int


_ANY = 2**62
WHOLE = Room(items=20, chars=_ANY, wide_chars=_ANY)
FULL = Room(items=20, chars=512, wide_chars=512)
TIGHT = Room(items=4, chars=128, wide_chars=10)


def fit(render: Callable[[Room], bytes], limit_bytes: int) -> bytes:
    """Render in the largest room in which it is shorter than a limit; in `TIGHT` room it is taken as it is.

    INVARIANT: what is rendered in `TIGHT` room fits; each caller has a test that says so.
    """
    for room in (WHOLE, FULL):
        rendered = render(room)
        if len(rendered) < limit_bytes:
            return rendered
    return render(TIGHT)


class Shortener:
    """Cuts the fields of one event, and remembers in `shortened` which were cut and what they were."""

    __slots__ = ("_room", "shortened")

    def __init__(self, room: Room) -> None:
        self._room = room
        self.shortened: list[dict[str, object]] = []

    def text(self, field: str, value: str) -> str:
        """Keep the beginning of a text; its digest is SHA-256 of its UTF-8."""
        kept = self._cut(value)
        if kept is not value:
            self._note(field, len(value), value.encode("utf-8"))
        return kept

    def texts(self, field: str, values: Sequence[str]) -> Sequence[str]:
        """Keep the first of a list of texts; the digest is SHA-256 of all of them as a JSON array."""
        if self._keeps(values):
            return values
        kept = [self._cut(value) for value in values[: self._room.items]]
        if len(kept) < len(values) or any(map(_differs, kept, values)):
            self._note(field, len(values), orjson.dumps(values))
        return kept

    def rows(
        self, field: str, rows: Sequence[Row], choose: Callable[[Sequence[Row], int], Sequence[Row]] | None = None
    ) -> Sequence[Row]:
        """Keep some rows of texts, the first unless `choose` says which; the digest is of an array of arrays."""
        if self._keeps(rows):
            return rows
        chosen = rows
        if len(rows) > self._room.items:
            chosen = rows[: self._room.items] if choose is None else choose(rows, self._room.items)
        kept = [tuple(map(self._cut, row)) for row in chosen]
        if len(kept) < len(rows) or kept != list(rows):
            self._note(field, len(rows), orjson.dumps(rows))
        return kept

    def _keeps(self, items: Sequence[object]) -> bool:
        return self._room is WHOLE and len(items) <= WHOLE.items

    def _cut(self, value: str) -> str:
        room = self._room
        if len(value) <= room.wide_chars:
            return value
        limit = room.chars if _is_plain(value) else room.wide_chars
        return value if len(value) <= limit else value[:limit]

    def _note(self, field: str, total: int, whole: bytes) -> None:
        self.shortened.append({"field": field, "total": total, "digest": hashlib.sha256(whole).hexdigest()})


def _differs(one: str, other: str) -> bool:
    return one is not other


def _is_plain(value: str) -> bool:
    return value.isascii() and value.isprintable() and '"' not in value and "\\" not in value
