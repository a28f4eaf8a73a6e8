"""Evidence on a file descriptor: one event, one line, written before the decision is answered (ADR 0006, ADR 0015)."""

from agen_authz.adapters.audit.handed import HandedSink
from agen_authz.adapters.audit.stdout import StdoutSink

__all__ = ["HandedSink", "StdoutSink"]
