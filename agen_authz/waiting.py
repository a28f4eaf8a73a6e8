"""Waiting on the path of a call: handed to the event loop first, and never without a bound.

Most calls are decided without waiting for anything, in the thread that received them. One that must wait
first yields once, here and nowhere else; its engine then lets the event loop go on with it.
"""

import asyncio
import types
from collections.abc import Awaitable, Generator
from typing import TypeVar

T = TypeVar("T")


@types.coroutine
def hand_over() -> Generator[None, None, None]:
    """Yield once: what follows runs on the event loop, whichever engine received the call."""
    yield


async def wait_for(awaitable: Awaitable[T], bound_s: float) -> T:
    """Wait on the event loop, `bound_s` seconds at most.

    Raises:
        TimeoutError: the bound has passed.
    """
    await hand_over()
    async with asyncio.timeout(bound_s):
        return await awaitable
