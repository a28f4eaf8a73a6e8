"""Waiting on the path of a call: on the event loop only, never past a deadline, and bounded in number.

Most calls are decided without waiting for anything, in the thread that received them. One that must wait
first yields once, here and nowhere else; its engine then lets the event loop continue with it.
"""

import asyncio
import contextlib
import types
from collections.abc import Awaitable, Callable, Generator
from threading import Lock
from typing import TypeVar

from msgspec import Struct

from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from agen_authz.ports import Clock

T = TypeVar("T")


class Deadline(Struct, frozen=True):
    """The moment by which everything that a call waits for must be over.

    It is a moment, not a duration: a duration would start again with every wait, so two waits would take twice as long.

    Args:
        at: the moment, as `clock.elapsed()` tells it.
    """

    clock: Clock
    at: float

    def left_s(self) -> float:
        """How many seconds are left; zero or less if the moment has passed."""
        return self.at - self.clock.elapsed()

    def at_most(self, seconds: float) -> "Deadline":
        """Return this moment, or the one that is `seconds` from now if that is earlier."""
        return Deadline(self.clock, min(self.at, self.clock.elapsed() + seconds))


@types.coroutine
def hand_over() -> Generator[None, None, None]:
    """Yield once: what follows runs on the event loop, whichever engine received the call."""
    yield


async def wait_until(deadline: Deadline, begin: Callable[[], Awaitable[T]]) -> T:
    """Begin something on the event loop and wait for it until the deadline.

    How many calls wait must be bounded by the caller, or by what is waited for.

    Raises:
        TimeoutError: the deadline has passed; if it had passed before, nothing was begun.
    """
    await hand_over()
    # The time in which the call was handed over counts.
    left_s = deadline.left_s()
    if left_s <= 0:
        raise TimeoutError
    async with asyncio.timeout(left_s):
        return await begin()


async def finish(last: Awaitable[T]) -> T:
    """Do what remains to be done, to its end, though who waits for it may be cancelled meanwhile."""
    task = asyncio.ensure_future(last)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        with contextlib.suppress(Exception):
            await task
        raise


class Bulkhead:
    """At most `places` calls wait at a time. Calls that do not wait are not counted."""

    def __init__(self, places: int) -> None:
        self._free = places
        # Calls come in on the receiving thread, and leave on the event loop.
        self._lock = Lock()

    async def wait_until(self, deadline: Deadline, begin: Callable[[], Awaitable[T]]) -> T:
        """Begin something on the event loop and wait for it until the deadline.

        Raises:
            Unavailable: every place is taken.
            TimeoutError: the deadline has passed.
        """
        self._enter()
        try:
            return await wait_until(deadline, begin)
        finally:
            with self._lock:
                self._free += 1

    def _enter(self) -> None:
        with self._lock:
            if self._free <= 0:
                raise Unavailable(Reason.OVERLOADED, "limits.in_flight")
            self._free -= 1
