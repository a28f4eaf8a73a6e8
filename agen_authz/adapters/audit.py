"""Evidence on a file descriptor: one event, one line, written before the decision is answered (ADR 0006)."""

import os
import select
from threading import Lock

from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from agen_authz.ports import Metrics

_NAME = "stdout"


class StdoutSink:
    """Writes events to a descriptor, and never waits for whoever reads its other end."""

    def __init__(self, descriptor: int, metrics: Metrics) -> None:
        self._descriptor = descriptor
        self._metrics = metrics
        self._lock = Lock()
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLOUT)
        # What is left of a line that was cut off; it goes out before any other event.
        self._rest = b""

    def emit(self, line: bytes) -> None:
        """Write one event; `ports.AuditSink.emit`."""
        try:
            with self._lock:
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
        self._finish_line()

    def _write_some(self, pending: bytes) -> int:
        ready = self._poll.poll(0)
        if not ready or not ready[0][1] & select.POLLOUT:
            raise BlockingIOError("the reader does not keep up")
        # "Ready" is a promise for this many bytes only: on a descriptor that blocks, more would wait for the reader.
        return os.write(self._descriptor, pending[: select.PIPE_BUF])
