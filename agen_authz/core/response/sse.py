"""Moved to core/sse.py."""

from agen_authz.core.sse import (
    COMMENT,
    OVERSIZED,
    WRITTEN_COMMENT,
    Event,
    Oversized,
    SseReader,
    write_event,
    write_unread,
)

__all__ = ["COMMENT", "OVERSIZED", "WRITTEN_COMMENT", "Event", "Oversized", "SseReader", "write_event", "write_unread"]
