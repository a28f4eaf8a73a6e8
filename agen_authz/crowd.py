"""Decisions without their own event: strangers' requests beyond their share, and events that could not be written."""

from threading import Lock

from agen_authz.core.stage import Ended
from agen_authz.wire.aggregate import Aggregate


class Crowd:
    """Counts decisions without their own event; safe for threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._gathered = Aggregate()
        self._allowance = float("inf")
        self._counted_at = float("-inf")

    def admits(self, per_second: int, elapsed: float) -> bool:
        """True if one more stranger's request may have its own event now.

        Args:
            elapsed: `Clock.elapsed()`.
        """
        with self._lock:
            earned = (elapsed - self._counted_at) * per_second
            self._allowance = min(self._allowance + earned, float(per_second))
            self._counted_at = elapsed
            if self._allowance < 1:
                return False
            self._allowance -= 1
            return True

    def count(self, ended: Ended, now: float) -> None:
        """Count one decision, for the next shared event.

        Args:
            now: `Clock.now()`.
        """
        with self._lock:
            self._gathered.count(ended.decision, ended.stage, now)

    def take(self) -> Aggregate:
        """Take what was counted, and start again at zero."""
        with self._lock:
            gathered, self._gathered = self._gathered, Aggregate()
            return gathered

    def give_back(self, part: Aggregate) -> None:
        """Count again what could not be reported."""
        with self._lock:
            self._gathered.add(part)
