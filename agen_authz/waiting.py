"""Waiting on the path of a call: handed to the event loop first, never without a bound, and only so many at once.

Most calls are decided without waiting for anything, in the thread that received them. One that must wait
first yields once, here and nowhere else; its engine then lets the event loop go on with it.
"""

import asyncio
import types
from collections.abc import Awaitable, Callable, Generator
from threading import Lock
from typing import TypeVar

from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason

T = TypeVar("T")


@types.coroutine
def hand_over() -> Generator[None, None, None]:
    """Yield once: what follows runs on the event loop, whichever engine received the call."""
    yield


async def wait_within(begin: Callable[[], Awaitable[T]], bound_s: float) -> T:
    """Begin something on the event loop and wait for it, `bound_s` seconds at most.

    How many calls wait must be bounded by the caller, or by what is waited for.

    Raises:
        TimeoutError: the bound has passed.
    """
    await hand_over()
    async with asyncio.timeout(bound_s):
        return await begin()


class WaitingRoom:
    """At most `places` calls wait at a time. Calls that do not wait are not counted."""

    def __init__(self, places: int) -> None:
        self._free = places
        # Calls come in on the receiving thread, and leave on the event loop.
        self._lock = Lock()

    async def wait_for(self, begin: Callable[[], Awaitable[T]], bound_s: float) -> T:
        """Begin something on the event loop and wait for it, `bound_s` seconds at most.

        Raises:
            Unavailable: every place is taken.
            TimeoutError: the bound has passed.
        """
        self._enter()
        try:
            return await wait_within(begin, bound_s)
        finally:
            with self._lock:
                self._free += 1

    def _enter(self) -> None:
        with self._lock:
            if self._free <= 0:
                raise Unavailable(Reason.OVERLOADED, "limits.in_flight")
            self._free -= 1
