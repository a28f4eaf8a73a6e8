"""Inspects what one response holds, message by message, and writes what may leave in its place.

1. A message that passes is written from what the inspection returned.
2. The answer to the call that is withheld becomes an error with the call's id. So does a JSON body that is withheld
   or cannot be read.
3. Within a stream, any other message that is withheld or cannot be read is dropped; its `id` and `retry` stay, for
   clients resume with them. A stream that then ends without an answer gets an error as its last event.
4. A message with notes leaves once they are written; otherwise it is withheld.
"""

from agen_authz.core.model import Json, Shape
from agen_authz.core.reason import Reason
from agen_authz.core.response.body import is_answer, looks_like_events, read_document, write_document
from agen_authz.core.response.failure import write_failure
from agen_authz.core.response.message import Note, Withheld
from agen_authz.core.response.sse import Event, SseReader, write_event
from agen_authz.core.response.step import Piece, ResponseOutcome, Terms

_RANKS = {outcome: rank for rank, outcome in enumerate(ResponseOutcome)}
_MESSAGE = Event(name=b"message")


class ResponseInspector:
    """Inspects one response.

    Attributes:
        outcome: what became of it so far.
        reason: why something was withheld or blocked, first of all.
        unreadable: how many events could not be read.
    """

    __slots__ = ("_expects_answer", "_missed", "_terms", "outcome", "reason", "unreadable")

    def __init__(self, terms: Terms) -> None:
        self.outcome = ResponseOutcome.PASSED
        self.reason: Reason | None = None
        self.unreadable = 0
        self._terms = terms
        self._expects_answer = terms.envelope.shape is Shape.REQUEST
        # Why a message was dropped that may have been the answer.
        self._missed: Reason | None = None

    def mark(self, outcome: ResponseOutcome, reason: Reason | None = None) -> None:
        """Remember what became of the response."""
        self.reason = self.reason or reason
        if _RANKS[outcome] > _RANKS[self.outcome]:
            self.outcome = outcome

    def block(self, reason: Reason, *, is_framed: bool = False) -> bytes:
        """Write the error that takes the place of a whole body; as an event if events were announced."""
        self.mark(ResponseOutcome.BLOCKED, reason)
        written = self._write_failure(reason)
        return _frame(written) if is_framed else written

    def cut(self, reason: Reason, outcome: ResponseOutcome) -> bytes:
        """Write the last event of a stream that is ended early: nothing if no answer is expected any more."""
        self.mark(outcome, reason)
        return write_event(_MESSAGE, self._write_failure(reason)) if self._expects_answer else b""

    def conclude(self) -> bytes:
        """Write the last event of a stream that has ended: an error if the answer may have been dropped."""
        if self._missed is None or not self._expects_answer:
            return b""
        return write_event(_MESSAGE, self._write_failure(self._missed))

    def _write_failure(self, reason: Reason) -> bytes:
        return write_failure(self._terms.envelope, reason, self._terms.request_id)

    # ---- a whole body ----------------------------------------------------------------------------------

    def read_body(self, raw: bytes, *, is_framed: bool) -> tuple[Piece, ...]:
        """Inspect a whole body; nothing leaves if it is empty.

        Args:
            is_framed: True if events were announced: then the message leaves as one.
        """
        if not raw.strip():
            return ()
        document = read_document(raw, self._terms.limits)
        if document is None and looks_like_events(raw):
            document = self._read_single(raw)
        if document is None:
            return (Piece(self.block(Reason.RESPONSE_UNREADABLE, is_framed=is_framed)),)
        written, notes = self._inspect(document)
        frame = _frame if is_framed else bytes
        if isinstance(written, Reason):
            return (Piece(frame(self._write_failure(written))),)
        if not notes:
            return (Piece(frame(written)),)
        return (Piece(frame(written), notes, frame(self._write_failure(Reason.STORE_UNAVAILABLE))),)

    def _read_single(self, raw: bytes) -> dict[str, Json] | None:
        """Read events that were announced as JSON: they can leave as JSON if there is one message."""
        found = SseReader(self._terms.limits.bytes).read(raw)
        texts = [each.data for each in found if isinstance(each, Event) and each.data]
        return read_document(texts[0], self._terms.limits) if len(texts) == 1 else None

    # ---- an event --------------------------------------------------------------------------------------

    def read_event(self, event: Event) -> bytes | Piece:
        """Inspect one event of a stream; a Piece if something must be written first."""
        text = event.data
        if text is None:
            return write_event(event, None)
        if not text.strip():
            return write_event(event, b"")
        document = None if event.is_named_badly else read_document(text, self._terms.limits)
        if document is None:
            self.unreadable += 1
            self._miss(Reason.RESPONSE_UNREADABLE)
            return write_event(event, None)
        written, notes = self._inspect(document)
        answers = self._expects_answer and is_answer(document, self._terms.envelope)
        if answers:
            self._expects_answer = False
        if isinstance(written, Reason):
            if not answers:
                self._miss(written)
            return self._write_in_place(event, written, answers=answers)
        if not notes:
            return write_event(event, written)
        otherwise = self._write_in_place(event, Reason.STORE_UNAVAILABLE, answers=answers)
        return Piece(write_event(event, written), notes, otherwise)

    def _write_in_place(self, event: Event, reason: Reason, *, answers: bool) -> bytes:
        return write_event(event, self._write_failure(reason) if answers else None)

    def _miss(self, reason: Reason) -> None:
        self._missed = self._missed or reason
        self.mark(ResponseOutcome.WITHHELD, reason)

    def _inspect(self, document: dict[str, Json]) -> tuple[bytes | Reason, tuple[Note, ...]]:
        inspected = self._terms.inspect(document)
        if isinstance(inspected, Withheld):
            self.mark(ResponseOutcome.WITHHELD, inspected.reason)
            return inspected.reason, ()
        if inspected.message is not document:
            self.mark(ResponseOutcome.CHANGED)
        return write_document(inspected.message), inspected.notes


def _frame(raw: bytes) -> bytes:
    return write_event(_MESSAGE, raw)
