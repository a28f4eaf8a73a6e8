"""What may be used once and not for long: logins under way, authorization codes, refresh tokens."""

from dataclasses import dataclass
from typing import Generic, TypeVar

_T = TypeVar("_T")
_CAPACITY = 1000


@dataclass(frozen=True, slots=True)
class _Entry(Generic[_T]):
    value: _T
    expires: float


class OneTime(Generic[_T]):
    """Values that are taken at most once, bounded in number: the oldest make room."""

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._entries: dict[str, _Entry[_T]] = {}

    def put(self, key: str, value: _T, *, expires: float) -> None:
        """Keep a value until it is taken or expires."""
        self._entries.pop(key, None)
        while len(self._entries) >= self._capacity:
            del self._entries[next(iter(self._entries))]
        self._entries[key] = _Entry(value, expires)

    def consume(self, key: str, now: float) -> _T | None:
        """Take a value: the second caller finds nothing."""
        entry = self._entries.pop(key, None)
        return entry.value if entry is not None and now < entry.expires else None
