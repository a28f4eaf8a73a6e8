"""The order of calls: every caller has an equal share of the places and of the deciding thread's time.

A caller's calls wait in a lane, first come, first served. The lane whose calls have taken least time so far goes
next, so that a caller with heavy calls waits for the others, and they do not wait for it. When every place is taken,
the newest call of the longest lane is refused. Calls without a known caller are one lane.
"""

import heapq
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")

# A caller whose calls took long is behind the others by so many seconds at most.
_MOST_OWED_S = 1.0


@dataclass(slots=True)
class _Lane(Generic[T]):
    key: Hashable
    used_s: float
    calls: deque[T] = field(default_factory=deque)


class Turns(Generic[T]):
    """Calls that wait to be decided, `places` at most; used by one thread."""

    def __init__(self, places: int) -> None:
        self._places = places
        self._count = 0
        self._lanes: dict[Hashable, _Lane[T]] = {}
        # Lanes that wait, the least used first; the number keeps those that used as much in order of arrival.
        self._order: list[tuple[float, int, _Lane[T]]] = []
        self._arrivals = 0
        # What lanes without calls have used, as far as it is more than what the others have.
        self._owed: OrderedDict[Hashable, float] = OrderedDict()
        self._floor_s = 0.0
        self._current: _Lane[T] | None = None

    def __len__(self) -> int:
        return self._count

    def offer(self, caller: Hashable, call: T) -> T | None:
        """Queue a call; return the one for which there is no place, which may be this one."""
        lane, surplus = self._lanes.get(caller), None
        if self._count >= self._places:
            longest = max(self._lanes.values(), key=lambda each: len(each.calls))
            # A place goes to another caller only if that makes the shares more equal.
            if len(longest.calls) <= (0 if lane is None else len(lane.calls)) + 1:
                return call
            surplus = longest.calls.pop()
            self._count -= 1
        if lane is None:
            lane = self._lanes[caller] = _Lane(caller, max(self._owed.pop(caller, 0.0), self._floor_s))
            self._wait(lane)
        lane.calls.append(call)
        self._count += 1
        return surplus

    def take(self) -> T:
        """Take the next call; there must be one. Call `charge` with its time before the next is taken."""
        self._floor_s, _, lane = heapq.heappop(self._order)
        self._current = lane
        self._count -= 1
        return lane.calls.popleft()

    def charge(self, seconds: float) -> None:
        """Charge the seconds that the last call took to its caller."""
        lane, self._current = self._current, None
        if lane is None:
            return
        lane.used_s = min(lane.used_s + seconds, self._floor_s + _MOST_OWED_S)
        if lane.calls:
            self._wait(lane)
            return
        del self._lanes[lane.key]
        self._owed[lane.key] = lane.used_s
        while len(self._owed) > self._places:
            self._owed.popitem(last=False)

    def _wait(self, lane: _Lane[T]) -> None:
        self._arrivals += 1
        heapq.heappush(self._order, (lane.used_s, self._arrivals, lane))
