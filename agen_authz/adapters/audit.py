"""Evidence on a file descriptor: one event, one line, written before the decision is answered (ADR 0006)."""

import os
import select
import stat
from threading import Lock

from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from agen_authz.ports import Metrics

_NAME = "stdout"
_NULL = os.makedev(1, 3)


class StdoutSink:
    """Writes events to a descriptor, and never waits for whoever reads its other end."""

    def __init__(self, descriptor: int, metrics: Metrics) -> None:
        self._descriptor, may_block = _open_without_blocking(descriptor)
        self._metrics = metrics
        self._lock = Lock()
        self._poll: select.poll | None = None
        if may_block:
            self._poll = select.poll()
            self._poll.register(descriptor, select.POLLOUT)
        # What is left of a line that was cut off; it goes out before any other event.
        self._rest = b""

    def emit(self, line: bytes) -> None:
        """Write one event; `ports.AuditSink.emit`."""
        try:
            with self._lock:
                if self._rest:
                    self._finish_line()
                self._write(line + b"\n")
        except OSError as exc:
            self._metrics.count_audit_event(_NAME, "failed")
            raise Unavailable(Reason.AUDIT_UNAVAILABLE, _NAME) from exc
        self._metrics.count_audit_event(_NAME, "written")

    def _finish_line(self) -> None:
        while self._rest:
            self._rest = self._rest[self._write_some(self._rest) :]

    def _write(self, line: bytes) -> None:
        # A line that never began is simply not there; one that did is finished before the next.
        self._rest = line[self._write_some(line) :]
        if self._rest:
            self._finish_line()

    def _write_some(self, pending: bytes) -> int:
        if self._poll is not None:
            ready = self._poll.poll(0)
            if not ready or not ready[0][1] & select.POLLOUT:
                raise BlockingIOError("the reader does not keep up")
        # "Ready" is a promise for this many bytes only: on a descriptor that blocks, more would wait for the reader.
        return os.write(self._descriptor, pending[: select.PIPE_BUF])


def _open_without_blocking(descriptor: int) -> tuple[int, bool]:
    """Find a way to write that never waits: the descriptor, and whether it must be asked before each write.

    A pipe is opened once more for that, because a flag set on standard output would be set for whoever shares it;
    asking instead is a second system call for every event.
    """
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) or status.st_rdev == _NULL:
            return descriptor, False
        if stat.S_ISFIFO(status.st_mode):
            return os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC), False
    except OSError:
        # Another user's pipe, or no /proc.
        return descriptor, True
    return descriptor, True
