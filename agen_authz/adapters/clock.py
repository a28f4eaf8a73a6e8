"""The one place that reads the clock and draws random values."""

import os
import time
from collections.abc import Iterator

_DRAWS = 256
_NOTHING: Iterator[bytes] = iter(())


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the epoch, UTC; may step."""
        return time.time()

    def elapsed(self) -> float:
        """Seconds since some fixed moment; never steps back."""
        return time.monotonic()


class SystemEntropy:
    """The kernel's random numbers, taken a block at a time: each call needs two draws, and each system call counts."""

    def __init__(self) -> None:
        self._blocks: dict[int, Iterator[bytes]] = {}

    def draw(self, size_bytes: int) -> bytes:
        """Return fresh random bytes; safe for threads."""
        # INVARIANT: `next` of a list's iterator is one step of the interpreter, so no two callers get one draw.
        drawn = next(self._blocks.get(size_bytes, _NOTHING), None)
        if drawn is None:
            block = os.urandom(size_bytes * _DRAWS)
            pieces = iter([block[at : at + size_bytes] for at in range(0, len(block), size_bytes)])
            drawn = next(pieces)
            self._blocks[size_bytes] = pieces
        return drawn
