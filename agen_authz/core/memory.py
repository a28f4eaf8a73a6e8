"""Values that are remembered from one call to the next, and why that is safe: every memory of this kind is made here.

1. Only what follows from the key is remembered: a text that was parsed or rendered, or what the configuration says of
   a name. Never a verdict. So a memory changes how long an answer takes, not the answer.
2. Callers choose the keys, so a memory is bounded in number. Who keeps something in it bounds its size as well: what
   is too long is computed again each time.
3. A full `Memory` is cleared whole, for that needs no order and no lock; what `remember` made forgets the key that
   was not used for longest.
4. A `Memory` of what the configuration says belongs to one rule set and ends with it, so a reload forgets it. What
   `remember` made knows no configuration, and lives as long as the process.
5. Calls come from several threads. Each step is one operation of a dict. Two threads may work out the same value, and
   each may keep one more than the limit.

Verified tokens are another matter: their memory (token_cache.py) has an end for each entry, and a lock.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Generic, ParamSpec, TypeVar, cast

K = TypeVar("K")
V = TypeVar("V")
P = ParamSpec("P")


class Memory(Generic[K, V]):
    """Values by key, at most `limit` of them.

    `find` returns what is kept under a key, or None.
    """

    __slots__ = ("_held", "_limit", "find")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held: dict[K, V] = {}
        # The dict's own method: this is asked several times for each call.
        self.find: Callable[[K], V | None] = self._held.get

    def __len__(self) -> int:
        return len(self._held)

    def is_full(self) -> bool:
        """True if the next value that is kept clears all others."""
        return len(self._held) >= self._limit

    def keep(self, key: K, value: V) -> V:
        """Keep a value, after everything is cleared if there is no room; return the value."""
        if self.is_full():
            self.clear()
        self._held[key] = value
        return value

    def clear(self) -> None:
        """Forget everything."""
        self._held.clear()


def remember(limit: int) -> Callable[[Callable[P, V]], Callable[P, V]]:
    """Let a function remember its last `limit` answers; it must be pure, and its arguments bounded in size."""
    return cast("Callable[[Callable[P, V]], Callable[P, V]]", lru_cache(maxsize=limit))
