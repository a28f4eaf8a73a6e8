"""Events that another process writes: each is handed over, and is evidence once that process says so (ADR 0025)."""

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from agen_authz.adapters.audit.queue import FairQueue
from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from agen_authz.ports import AuditMetrics

_NAME = "stdout"


@dataclass(frozen=True, slots=True, eq=False)
class _Handed:
    number: int
    owner: Hashable
    written: "asyncio.Future[bool]"


class HandedSink:
    """Implements `ports.AuditSink`; belongs to one event loop."""

    def __init__(
        self,
        hand: Callable[[int, bytes, str], None],
        withdraw: Callable[[int], None],
        metrics: AuditMetrics,
        places: int = 256,
    ) -> None:
        self._hand = hand
        self._withdraw = withdraw
        self._metrics = metrics
        self._queue: FairQueue[_Handed] = FairQueue(places)
        self._waiting: dict[int, _Handed] = {}
        self._count = 0

    def emit(self, line: bytes) -> bool:
        """Return False: whether an event is written is known only later; `ports.AuditSink.emit`."""
        return False

    async def emit_in_turn(self, line: bytes, owner: Hashable) -> None:
        """Hand an event over, and wait until it is written; `ports.AuditSink.emit_in_turn`."""
        self._count += 1
        handed = _Handed(self._count, owner, asyncio.get_running_loop().create_future())
        leaving = self._queue.join(handed)
        if leaving is not None and leaving is not handed:
            self._withdraw(leaving.number)
        if leaving is not None:
            self._settle(leaving, is_written=False, is_counted=False)
        if leaving is not handed:
            self._waiting[handed.number] = handed
            self._hand(handed.number, line, repr(owner))
        try:
            if not await handed.written:
                raise Unavailable(Reason.AUDIT_UNAVAILABLE, _NAME)
        except asyncio.CancelledError:
            # Counted by the process that was to write it.
            self._withdraw(handed.number)
            raise
        finally:
            self._waiting.pop(handed.number, None)
            self._queue.leave(handed)

    def settle(self, number: int, *, is_written: bool, is_counted: bool) -> None:
        """Note what the other process says of an event; nothing happens if it was withdrawn."""
        handed = self._waiting.get(number)
        if handed is not None:
            self._settle(handed, is_written=is_written, is_counted=is_counted)

    def _settle(self, handed: _Handed, *, is_written: bool, is_counted: bool) -> None:
        if handed.written.done():
            return
        if not (is_written or is_counted):
            self._metrics.count_audit_event(_NAME, "failed")
        handed.written.set_result(is_written)
