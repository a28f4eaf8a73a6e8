"""The order of events: callers take turns, however many events each of them has (max-min fairness)."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, Protocol, TypeVar


class Waiting(Hashable, Protocol):
    """One that waits for its owner's turn."""

    @property
    def owner(self) -> Hashable:
        """Return the owner for whose turn it waits."""


T = TypeVar("T", bound=Waiting)


class FairQueue(Generic[T]):
    """At most `places` wait; if one more comes, the newest of the owner with the most is removed."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._taken = 0
        self._lines: OrderedDict[Hashable, dict[T, None]] = OrderedDict()

    def __len__(self) -> int:
        """Count those who wait."""
        return self._taken

    def join(self, waiting: T) -> T | None:
        """Wait after all others of the same owner; return the one that is removed, which may be `waiting` itself."""
        leaving = None
        if self._taken >= self._places:
            leaving = self._choose(waiting)
            if leaving is waiting:
                return waiting
            self.leave(leaving)
        self._lines.setdefault(waiting.owner, {})[waiting] = None
        self._taken += 1
        return leaving

    def _choose(self, waiting: T) -> T:
        longest = max(self._lines.values(), key=len)
        own = self._lines.get(waiting.owner, {})
        return waiting if len(own) + 1 >= len(longest) else next(reversed(longest))

    def first(self) -> T:
        """Return the next one; there must be one."""
        return next(iter(next(iter(self._lines.values()))))

    def leave(self, waiting: T) -> None:
        """Remove one, if it waits; its owner's next turn comes after those of all others."""
        line = self._lines.get(waiting.owner, {})
        if waiting not in line:
            return
        del line[waiting]
        self._taken -= 1
        if line:
            self._lines.move_to_end(waiting.owner)
        else:
            del self._lines[waiting.owner]
