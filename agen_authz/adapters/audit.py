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
                if self._rest:
                    self._write(self._rest)
                self._write(line + b"\n")
        except OSError as exc:
            self._metrics.count_audit_event(_NAME, "failed")
            raise Unavailable(Reason.AUDIT_UNAVAILABLE, _NAME) from exc
        self._metrics.count_audit_event(_NAME, "written")

    def _write(self, line: bytes) -> None:
        pending = memoryview(line)
        started = bool(self._rest)
        while pending:
            ready = self._poll.poll(0)
            if not ready or not ready[0][1] & select.POLLOUT:
                # A line that never began is simply not there; one that did is finished before the next.
                self._rest = bytes(pending) if started else b""
                raise BlockingIOError("the reader does not keep up")
            written = os.write(self._descriptor, pending)
            pending, started = pending[written:], True
        self._rest = b""
