"""Inspects what one response holds, message by message, and writes what may leave in its place.

1. A message that passes is written from what the inspection returned.
2. The answer to the call that is withheld becomes an error with the call's id. So does a JSON body that is withheld
   or cannot be read.
3. Within a stream, any other message that is withheld or cannot be read is dropped; its `id` and `retry` stay, for
   clients resume with them. A stream that then ends without an answer gets an error as its last event.
4. A message with notes leaves once they are written; otherwise it is withheld.
5. What should have no answer (a notification, a posted response, the end of a session) has one that no client reads:
   if it says that all is well and cannot be read, nothing leaves in its place, for servers write some word there.
6. If the terms let pass what cannot be read, such a body or event leaves as it came, and is noted at the end.
"""

from agen_authz.core.model import Json, Shape
from agen_authz.core.reason import Reason
from agen_authz.core.response.body import is_answer, looks_like_events, read_document, write_document
from agen_authz.core.response.failure import write_failure
from agen_authz.core.response.message import MaskedValues, Note, Uninspected, Withheld
from agen_authz.core.response.step import Piece, ResponseOutcome, Terms
from agen_authz.core.sse import Event, SseReader, write_event, write_unread

_RANKS = {outcome: rank for rank, outcome in enumerate(ResponseOutcome)}
_MESSAGE = Event(name=b"message")
_NO_ANSWER = frozenset({Shape.NOTIFICATION, Shape.RESPONSE, Shape.END})
_UNMASKED = frozenset({Reason.UNMASKABLE, Reason.MASKING_INCOMPLETE})
# More different ones add nothing.
_MAX_UNINSPECTED = 8


class ResponseInspector:
    """Inspects one response.

    Attributes:
        outcome: what became of it so far.
        reason: why something was withheld or blocked, first of all.
        unreadable: how many events could not be read.
        incomplete: how many messages were withheld because something was left after masking.
        uninspected: what data protection could not inspect, to be noted at the end.
    """

    __slots__ = (
        *("_expects_answer", "_missed", "_terms", "incomplete", "outcome", "reason", "uninspected", "unreadable"),
    )

    def __init__(self, terms: Terms) -> None:
        self.outcome = ResponseOutcome.PASSED
        self.reason: Reason | None = None
        self.unreadable = self.incomplete = 0
        self.uninspected: list[Uninspected] = []
        self._terms = terms
        self._expects_answer = terms.envelope.shape is Shape.REQUEST
        # Why a message was dropped that may have been the answer.
        self._missed: Reason | None = None

    def mark(self, outcome: ResponseOutcome, reason: Reason | None = None) -> None:
        """Remember what became of the response."""
        self.reason = self.reason or reason
        if _RANKS[outcome] > _RANKS[self.outcome]:
            self.outcome = outcome

    def skip(self, reason: Reason) -> None:
        """Remember that something leaves as it came, though it could not be inspected."""
        self.mark(ResponseOutcome.SKIPPED, reason)
        self._note_uninspected(Uninspected(reason, has_passed=True))

    def _note_uninspected(self, noted: Uninspected) -> None:
        if noted not in self.uninspected and len(self.uninspected) < _MAX_UNINSPECTED:
            self.uninspected.append(noted)

    def drop(self, reason: Reason) -> bool:
        """True if nothing takes the place of a body with a status of success, for no answer is expected at all."""
        if self._terms.envelope.shape not in _NO_ANSWER:
            return False
        self.mark(ResponseOutcome.BLOCKED, reason)
        return True

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
            return (Piece(self._refuse_body(raw, is_framed=is_framed)),)
        written, notes = self._inspect(document)
        frame = _frame if is_framed else bytes
        if isinstance(written, Reason):
            return (Piece(frame(self._write_failure(written))),)
        if not notes:
            return (Piece(frame(written)),)
        return (Piece(frame(written), notes, frame(self._write_failure(Reason.STORE_UNAVAILABLE))),)

    def _refuse_body(self, raw: bytes, *, is_framed: bool) -> bytes:
        if not self._terms.passes_unread:
            return self.block(Reason.RESPONSE_UNREADABLE, is_framed=is_framed)
        self.skip(Reason.RESPONSE_UNREADABLE)
        return raw

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
            return self._refuse_event(event)
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

    def _refuse_event(self, event: Event) -> bytes:
        # Without its name, which cannot pass, an event would be another one.
        if self._terms.passes_unread and not event.is_named_badly:
            self.skip(Reason.RESPONSE_UNREADABLE)
            return write_unread(event)
        self.unreadable += 1
        self._miss(Reason.RESPONSE_UNREADABLE)
        return write_event(event, None)

    def _write_in_place(self, event: Event, reason: Reason, *, answers: bool) -> bytes:
        return write_event(event, self._write_failure(reason) if answers else None)

    def _miss(self, reason: Reason) -> None:
        self._missed = self._missed or reason
        self.mark(ResponseOutcome.WITHHELD, reason)

    def _inspect(self, document: dict[str, Json]) -> tuple[bytes | Reason, tuple[Note, ...]]:
        inspected = self._terms.inspect(document)
        if isinstance(inspected, Withheld):
            self.mark(ResponseOutcome.WITHHELD, inspected.reason)
            if inspected.reason in _UNMASKED:
                self.incomplete += inspected.reason is Reason.MASKING_INCOMPLETE
                self._note_uninspected(Uninspected(inspected.reason, inspected.detail))
            return inspected.reason, ()
        if inspected.message is not document:
            self.mark(ResponseOutcome.MASKED if _has_masked(inspected.notes) else ResponseOutcome.CHANGED)
        return write_document(inspected.message), inspected.notes


def _has_masked(notes: tuple[Note, ...]) -> bool:
    return any(isinstance(note, MaskedValues) and any(each.is_enforced for each in note.receipts) for note in notes)


def _frame(raw: bytes) -> bytes:
    return write_event(_MESSAGE, raw)
