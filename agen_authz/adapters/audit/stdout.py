"""Events on standard output: written at once if there is room, else in turn, and never waited for without a bound.

An event either goes out at once, from whichever thread decides, or it waits on the event loop. As long as one waits,
all that come wait too. So a line that was cut off is always finished before any other event begins.
"""

import asyncio
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock
from typing import NoReturn

from agen_authz.adapters.audit.descriptor import ATOMIC_BYTES, open_outlet
from agen_authz.adapters.audit.queue import FairQueue
from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from agen_authz.ports import AuditMetrics

_NAME = "stdout"
_LAST = 500


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    """An event that waits for its owner's turn; `written` is set when all of it is out."""

    owner: Hashable
    line: bytes
    written: "asyncio.Future[None]"

    def settle(self, fault: OSError | None = None) -> None:
        if self.written.done():
            return
        if fault is None:
            self.written.set_result(None)
        else:
            self.written.set_exception(fault)


class StdoutSink:
    """Implements `ports.AuditSink`; `emit` is safe for threads, `emit_in_turn` belongs to one event loop.

    Args:
        places: how many events may wait.
        may_be_cut: True if another process wrote here before, and may have ended in the middle of a line.
    """

    def __init__(self, descriptor: int, metrics: AuditMetrics, places: int = 1024, *, may_be_cut: bool = False) -> None:
        self._outlet = open_outlet(descriptor)
        self._metrics = metrics
        self._lock = Lock()
        self.places = places
        self._queue: FairQueue[_Waiter] = FairQueue(places)
        # What is left of a line that was cut off, and whose it is if they still wait for it.
        self._rest = b"\n" if may_be_cut else b""
        # What a person may look at without a reader of the stream: the last lines that were written.
        self._last: deque[bytes] = deque(maxlen=_LAST)
        self._half_written: _Waiter | None = None
        self._watching: asyncio.AbstractEventLoop | None = None

    def emit(self, line: bytes) -> bool:
        """Write one event now; `ports.AuditSink.emit`."""
        try:
            with self._lock:
                is_written = self._may_begin(line) and self._begin(line + b"\n")
                if is_written:
                    # A disk that is full by now, a socket that is slow: what cannot be finished is not evidence yet.
                    self._finish()
        except OSError as exc:
            self._fail(exc)
        if is_written:
            self._last.append(line)
            self._metrics.count_audit_event(_NAME, "written")
        return is_written

    async def emit_in_turn(self, line: bytes, owner: Hashable) -> None:
        """Write one event when there is room and it is its owner's turn; `ports.AuditSink.emit_in_turn`."""
        loop = asyncio.get_running_loop()
        waiter = _Waiter(owner, line + b"\n", loop.create_future())
        try:
            with self._lock:
                leaving = self._queue.join(waiter)
            if leaving is not None:
                leaving.settle(BlockingIOError("too many events wait"))
            self._watch(loop)
            await waiter.written
        except OSError as exc:
            self._fail(exc)
        except asyncio.CancelledError:
            # The time is up, or the client has left.
            self._metrics.count_audit_event(_NAME, "failed")
            raise
        finally:
            self._leave(waiter)
        self._last.append(line)
        self._metrics.count_audit_event(_NAME, "written")

    def list_last(self) -> tuple[bytes, ...]:
        """List the last few hundred events that were written, the oldest first."""
        return tuple(self._last)

    def count_waiting(self) -> int:
        """Count the events that wait for room."""
        return len(self._queue)

    def close(self) -> None:
        """Close what was opened besides the descriptor itself."""
        self._outlet.close()

    def _may_begin(self, line: bytes) -> bool:
        """False if others wait, or if the line could be cut off: then it is written in turn."""
        is_free = not self._queue and self._half_written is None
        return is_free and not (self._outlet.may_fill and len(line) >= ATOMIC_BYTES)

    def _begin(self, line: bytes) -> bool:
        """Write a line after what is left of the last one; False if nothing of it is written."""
        try:
            self._finish()
            self._rest = line[self._outlet.write(line) :]
        except BlockingIOError:
            return False
        return True

    def _finish(self) -> None:
        while self._rest:
            self._rest = self._rest[self._outlet.write(self._rest) :]
        if self._half_written is not None:
            self._half_written.settle()
            self._half_written = None

    def _serve(self) -> None:
        """Write what waits, as long as there is room; the event loop calls this when there may be."""
        with self._lock:
            try:
                self._finish()
                while self._queue:
                    waiter = self._queue.first()
                    if not self._begin(waiter.line):
                        return
                    self._queue.leave(waiter)
                    self._half_written = waiter
                    self._finish()
            except BlockingIOError:
                return
            except OSError as exc:
                self._give_up(exc)
            self._unwatch()

    def _give_up(self, fault: OSError) -> None:
        """Tell all who wait that nothing can be written; what is left of a line stays to be finished."""
        waiters = [] if self._half_written is None else [self._half_written]
        self._half_written = None
        while self._queue:
            waiters.append(self._queue.first())
            self._queue.leave(waiters[-1])
        for waiter in waiters:
            waiter.settle(OSError(fault.errno, fault.strerror))

    def _leave(self, waiter: _Waiter) -> None:
        with self._lock:
            self._queue.leave(waiter)
            if self._half_written is waiter:
                self._half_written = None

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._watching is not loop:
            loop.add_writer(self._outlet.descriptor, self._serve)
            self._watching = loop

    def _unwatch(self) -> None:
        if self._watching is not None:
            self._watching.remove_writer(self._outlet.descriptor)
            self._watching = None

    def _fail(self, fault: OSError) -> NoReturn:
        self._metrics.count_audit_event(_NAME, "failed")
        raise Unavailable(Reason.AUDIT_UNAVAILABLE, _NAME) from fault
