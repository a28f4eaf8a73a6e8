"""The worker that decides writes the events of all: one process writes a stream, so its lines stay whole (ADR 0025)."""

import asyncio
from collections.abc import Callable

from agen_authz.app.control.message import Write, Written
from agen_authz.core.errors import Unavailable
from agen_authz.ports import AuditSink

# As long as the event of many waits. A worker that waits for less withdraws its event then.
_PATIENCE_S = 1.0


class Scribe:
    """Writes what other workers hand over; belongs to one event loop."""

    def __init__(
        self, sink: AuditSink, answer: Callable[[Written], None], list_last: Callable[[], tuple[bytes, ...]]
    ) -> None:
        self._sink = sink
        self._answer = answer
        # The last events that were written, of all workers.
        self.list_last = list_last
        self._writing: dict[int, asyncio.Task[None]] = {}

    def take(self, message: Write) -> None:
        """Write an event, and answer."""
        writing = self._writing[message.number] = asyncio.create_task(self._write(message))
        writing.add_done_callback(lambda _: self._writing.pop(message.number, None))

    def withdraw(self, number: int) -> None:
        """Write an event no more, if it is not written yet."""
        writing = self._writing.get(number)
        if writing is not None:
            writing.cancel()

    async def _write(self, message: Write) -> None:
        is_written = False
        try:
            if not self._sink.emit(message.line):
                async with asyncio.timeout(_PATIENCE_S):
                    await self._sink.emit_in_turn(message.line, message.owner)
            is_written = True
        except (Unavailable, TimeoutError):
            # The sink has counted it.
            pass
        self._answer(Written(message.number, is_written))

    async def close(self) -> None:
        """Give up what is not written yet."""
        writing = list(self._writing.values())
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
