"""The last events, as the console shows them: asked of the worker that decides, which has written them."""

import asyncio
from collections.abc import Callable, Sequence

from agen_authz.app.control.message import Recall, Recalled

_PATIENCE_S = 2.0


class LastEvents:
    """Asks for the last events; belongs to one event loop."""

    def __init__(self, send: Callable[[Recall], None]) -> None:
        self._send = send
        self._count = 0
        self._waiting: dict[int, asyncio.Future[Sequence[bytes] | None]] = {}

    async def read(self) -> Sequence[bytes] | None:
        """Read them, the oldest first; None if the worker that decides does not answer."""
        self._count += 1
        number = self._count
        waiting: asyncio.Future[Sequence[bytes] | None] = asyncio.get_running_loop().create_future()
        self._waiting[number] = waiting
        self._send(Recall(number))
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await waiting
        except TimeoutError:
            return None
        finally:
            del self._waiting[number]

    def settle(self, message: Recalled) -> None:
        """Take an answer; nothing happens if no caller waits for it any more."""
        waiting = self._waiting.get(message.number)
        if waiting is not None and not waiting.done():
            waiting.set_result(message.lines)
