"""The one place that reads the clock and draws random values."""

import os
import time


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since the epoch, UTC; may step."""
        return time.time()

    def elapsed(self) -> float:
        """Seconds since some fixed moment; never steps back."""
        return time.monotonic()


class SystemEntropy:
    """The kernel's random numbers."""

    def draw(self, size_bytes: int) -> bytes:
        """Return fresh random bytes."""
        return os.urandom(size_bytes)
