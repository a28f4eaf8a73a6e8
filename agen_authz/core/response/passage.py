"""A response that nothing inspects: it passes as it is, and a copy may be kept that is read afterwards.

Nothing depends on the copy: not a header, a status, a byte or the moment at which one leaves. A body that is larger
than what may be kept is not kept at all, for its beginning alone says little of it.
"""

from typing import assert_never

from msgspec import Struct

from agen_authz.core.reason import Reason
from agen_authz.core.response.head import Fields
from agen_authz.core.response.step import (
    Abort,
    Action,
    AnswerHeaders,
    AnswerTrailers,
    Body,
    Echo,
    Event,
    Expired,
    Headers,
    ResponseOutcome,
    Trailers,
)


class Copy(Struct, frozen=True):
    """What one response was: its headers and its whole body."""

    fields: Fields
    raw: bytes


class Passage:
    """One response that nothing inspects, because Check said so: it passes as it is.

    Args:
        max_bytes: of the body, for a copy to be kept; None if none is wanted.
    """

    __slots__ = ("_fields", "_is_duplex", "_kept", "_max_bytes", "has_ended", "outcome")

    is_stream = False

    def __init__(self, max_bytes: int | None = None) -> None:
        self._is_duplex, self.has_ended = False, False
        self.outcome = ResponseOutcome.SKIPPED
        self._max_bytes = max_bytes
        self._fields: Fields = ()
        # None if nothing is kept, or nothing any more.
        self._kept: bytearray | None = None if max_bytes is None else bytearray()

    @property
    def copy(self) -> Copy | None:
        """What passed; None if it has not ended, if it was too large, or if no copy is wanted."""
        if self._kept is None or not self.has_ended or self.outcome is ResponseOutcome.ABORTED:
            return None
        return Copy(self._fields, bytes(self._kept))

    def abort(self, reason: Reason) -> tuple[Action, ...]:
        """End everything."""
        self.has_ended, self.outcome = True, ResponseOutcome.ABORTED
        return (Abort(reason),)

    def receive(self, event: Event) -> tuple[Action, ...]:
        """Take one event; total."""
        match event:
            case Headers():
                self._is_duplex, self.has_ended = event.is_duplex, event.ends
                self._fields = event.fields
                return (AnswerHeaders(),)
            case Body():
                self.has_ended = event.ends
                self._keep(event.raw)
                return (Echo(event.raw, event.ends, self._is_duplex),)
            case Trailers():
                self.has_ended = True
                return (AnswerTrailers(),)
            case Expired():
                return ()
            case _:
                assert_never(event)

    def _keep(self, raw: bytes) -> None:
        if self._kept is None or self._max_bytes is None:
            return
        self._kept += raw
        if len(self._kept) > self._max_bytes:
            self._kept = None
