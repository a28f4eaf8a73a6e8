"""The books: what was sent, what was answered, and what the backends received; whatever does not fit is a fault.

A request is known by a separate mark: a header that the sidecar forwards, or the digest of its body. Each
arrival must belong to a request that may arrive, as often as its answer says, and must name its caller.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

MARK = "x-kept"
# An aborted request may arrive late; after this long it is forgotten, and an arrival is a fault.
_LATE_S = 30.0
_MAX_TOLD = 20


@dataclass(slots=True)
class _Row:
    kind: str
    caller: Mapping[str, str]
    arrived: int = 0
    least: int = 0
    most: int = 1
    settled_at: float | None = None
    is_late: bool = False


@dataclass(slots=True)
class Faults:
    """What went wrong: all of it counted, the first ones told; and what was lost without being wrong."""

    count: int = 0
    told: list[str] = field(default_factory=list)
    lost: Counter[str] = field(default_factory=Counter)
    _lock: Lock = field(default_factory=Lock)

    def add(self, fault: str) -> None:
        """Note a wrong answer."""
        with self._lock:
            self.count += 1
            if len(self.told) < _MAX_TOLD:
                self.told.append(fault)

    def lose(self, cause: str) -> None:
        """Note a call that was not served though nothing was wrong with it."""
        with self._lock:
            self.lost[cause] += 1


class Ledger:
    """Every request that is not yet accounted for; for any thread."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._rows: dict[str, _Row] = {}
        self._lock = Lock()

    def open(self, mark: str, kind: str, caller: Mapping[str, str]) -> None:
        """Write down a request before it is sent; `caller` is what its arrival must say in headers."""
        with self._lock:
            self._rows[mark] = _Row(kind, caller)

    def settle(self, mark: str, least: int, most: int, *, now: float, is_late: bool = False) -> None:
        """Say how often the request arrives; `is_late` where it may still be on its way."""
        with self._lock:
            row = self._rows[mark]
            row.least, row.most, row.settled_at, row.is_late = least, most, now, is_late

    def take(self, mark: str, headers: Mapping[str, str]) -> None:
        """Account for an arrival."""
        with self._lock:
            row = self._rows.get(mark)
            if row is not None:
                row.arrived += 1
        if row is None:
            self._faults.add(
                f"a backend received a request that no client may have sent: {headers.get('agen-request-id')}"
            )
            return
        differing = [name for name, value in row.caller.items() if headers.get(name) != value]
        if differing or "authorization" in headers:
            self._faults.add(f"{row.kind}: arrived with wrong {', '.join(differing) or 'authorization'}")

    def close(self, polled_at: float) -> None:
        """Close the rows that were settled before the backends were asked."""
        with self._lock:
            done = [mark for mark, row in self._rows.items() if _is_due(row, polled_at)]
            rows = [self._rows.pop(mark) for mark in done]
        for row in rows:
            if not row.least <= row.arrived <= row.most:
                wanted = row.least if row.least == row.most else f"{row.least} to {row.most}"
                self._faults.add(f"{row.kind}: arrived {row.arrived} times, expected {wanted}")

    def open_rows(self) -> int:
        """Count what is not accounted for yet."""
        with self._lock:
            return len(self._rows)


def _is_due(row: _Row, polled_at: float) -> bool:
    if row.settled_at is None:
        return False
    return row.settled_at + (_LATE_S if row.is_late else 0.0) < polled_at


class Reader:
    """Reads one backend's record, which keeps the last 256 requests, and never twice the same."""

    def __init__(self, name: str, ledger: Ledger, faults: Faults) -> None:
        self._name = name
        self._ledger = ledger
        self._faults = faults
        self._last = 0
        self._waiting: deque[int] = deque()

    def read(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Account for what is new; a body that is still on its way is left for the next time, once."""
        held, self._waiting = set(self._waiting), deque()
        for entry in entries:
            number = entry["number"]
            if number <= self._last and number not in held:
                continue
            if number > self._last + 1 and number not in held:
                self._faults.add(f"{self._name}: {number - self._last - 1} arrivals were not seen, the record is full")
            self._last = max(self._last, number)
            headers = dict(entry["headers"])
            if number not in held and not _is_whole(entry, headers):
                self._waiting.append(number)
                continue
            self._ledger.take(headers.get(MARK) or entry["body_sha256"], headers)


def _is_whole(entry: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
    return bool(MARK in headers or str(entry["body_bytes"]) == headers.get("content-length"))
