"""One response on its way to the client, as a state machine: no byte leaves before the message that it is part of.

The `_ON_...` tables are the machine: what each event does in each state. What is not in them ends the exchange with an
Abort, which makes Envoy reset the response.

    AWAITING     nothing has come yet
    HOLDING      a JSON body is held until it is whole
    SNIFFING     events were announced; the first byte says if it is a JSON body instead
    STREAMING    events are inspected one by one
    DISCARDING   the rest is not passed on: an error was the last event, or takes the place of a JSON body at its end
    ENDED        everything is answered; what still comes is dropped

Envoy sends bodies in one of two modes. STREAMED: each piece is answered once, so nothing can be sent after the last
piece, and nothing ends before the backend ends it. FULL_DUPLEX_STREAMED: pieces are answered whenever there is
something to send, and the end is ours. In both, headers are answered at once, so the status never depends on the body
(ADR 0022).

A response that nothing inspects is a `Passage`, which has no states: it passes as it is.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import TypeAlias, assert_never

from agen_authz.core.reason import Reason
from agen_authz.core.response.head import Media, choose_changes, read_head, refuse_head, status_in_place_of
from agen_authz.core.response.inspector import ResponseInspector
from agen_authz.core.response.sse import COMMENT, WRITTEN_COMMENT, Oversized, SseReader
from agen_authz.core.response.step import (
    Abort,
    Action,
    AnswerHeaders,
    AnswerTrailers,
    Body,
    Echo,
    Emit,
    Event,
    Expired,
    Headers,
    Piece,
    Replace,
    ResponseOutcome,
    Terms,
    Trailers,
)

# Only the beginning of a body can show that it is JSON where events were announced.
_SNIFFED_BYTES = 1024
_BLANK = b" \t\r\n"
# Of a body that is not passed on, this many times `ResponseLimits.bytes` are taken in before it is cut.
_DISCARDED = 16
# With more events than this that cannot be read, a stream is not MCP.
_MAX_UNREADABLE = 1000

Actions: TypeAlias = tuple[Action, ...]


class Phase(Enum):
    """Where an exchange is; the module says what each means."""

    AWAITING = auto()
    HOLDING = auto()
    SNIFFING = auto()
    STREAMING = auto()
    DISCARDING = auto()
    ENDED = auto()


class _Outgoing:
    """What leaves with one piece of a body: bytes, joined, and pieces with notes between them."""

    __slots__ = ("_joined", "_pieces")

    def __init__(self) -> None:
        self._joined: list[bytes] = []
        self._pieces: list[Piece] = []

    def add(self, written: bytes | Piece) -> None:
        if isinstance(written, bytes):
            self._joined.append(written)
            return
        self._flush()
        self._pieces.append(written)

    def _flush(self) -> None:
        if self._joined:
            self._pieces.append(Piece(b"".join(self._joined)))
            self._joined.clear()

    def list_pieces(self) -> list[Piece]:
        self._flush()
        return self._pieces


class Exchange:
    """One response that is inspected; `receive` takes what comes and returns what Envoy is answered, in order.

    Attributes:
        phase: where it is.

    Args:
        terms: how the response is inspected.
    """

    __slots__ = (
        *("_held", "_inspector", "_is_duplex", "_is_framed", "_pending", "_reader", "_swallowed", "_terms", "phase"),
    )

    def __init__(self, terms: Terms) -> None:
        self.phase = Phase.AWAITING
        self._terms = terms
        self._inspector = ResponseInspector(terms)
        self._reader = SseReader(terms.limits.bytes)
        self._is_duplex = False
        self._held = bytearray()
        # True if events were announced, so that a JSON message leaves as one.
        self._is_framed = False
        # The error that leaves once a JSON body that is not passed on has ended, and how much came that is not.
        self._pending, self._swallowed = b"", 0

    @property
    def has_ended(self) -> bool:
        """True if everything is answered."""
        return self.phase is Phase.ENDED

    @property
    def is_stream(self) -> bool:
        """True while events are read, which may come for as long as the token is valid."""
        return self.phase in (Phase.SNIFFING, Phase.STREAMING)

    @property
    def outcome(self) -> ResponseOutcome:
        """What became of the response so far."""
        return self._inspector.outcome

    @property
    def reason(self) -> Reason | None:
        """Why something was withheld, blocked or cut, first of all; None if nothing was."""
        return self._inspector.reason

    def receive(self, event: Event) -> Actions:
        """Take one event; total: whatever comes in whatever state is answered, dropped or aborted."""
        match event:
            case Body():
                on_body = _ON_BODY.get(self.phase)
                return self.abort(Reason.RESPONSE_UNREADABLE) if on_body is None else on_body(self, event)
            case Headers():
                on_headers = _ON_HEADERS.get(self.phase)
                return self.abort(Reason.RESPONSE_UNREADABLE) if on_headers is None else on_headers(self, event)
            case Trailers():
                on_trailers = _ON_TRAILERS.get(self.phase)
                return self.abort(Reason.RESPONSE_UNREADABLE) if on_trailers is None else on_trailers(self, event)
            case Expired():
                on_expired = _ON_EXPIRED.get(self.phase)
                return self.abort(Reason.TOKEN_EXPIRED) if on_expired is None else on_expired(self, event)
            case _:
                assert_never(event)

    def withhold(self, piece: Piece) -> Piece:
        """Choose what leaves in place of a piece whose notes cannot be written."""
        self._inspector.mark(ResponseOutcome.WITHHELD, Reason.STORE_UNAVAILABLE)
        return Piece(piece.otherwise)

    def abort(self, reason: Reason) -> Actions:
        """End everything, whatever the state is."""
        self._inspector.mark(
            ResponseOutcome.EXPIRED if reason is Reason.TOKEN_EXPIRED else ResponseOutcome.ABORTED, reason
        )
        return self._end(Abort(reason))

    def _end(self, *actions: Action) -> Actions:
        self.phase = Phase.ENDED
        self._held.clear()
        return actions

    def _emit(self, *pieces: Piece, ends: bool = False) -> Emit:
        return Emit(pieces, ends, self._is_duplex)

    # ---- headers ---------------------------------------------------------------------------------------

    def _begin(self, headers: Headers) -> Actions:
        self._is_duplex = headers.is_duplex
        head = read_head(headers.fields)
        if head is None:
            return self.abort(Reason.RESPONSE_UNREADABLE)
        refused = refuse_head(head, has_body=not headers.ends)
        if refused is not None:
            return self._end(Replace(status_in_place_of(head.status), self._inspector.block(refused)))
        media = None if headers.ends else head.media
        answer = AnswerHeaders(choose_changes(headers.fields, media, self._terms.mark_session))
        if headers.ends:
            return self._end(answer)
        self._is_framed = head.media is Media.EVENTS
        self.phase = Phase.SNIFFING if self._is_framed else Phase.HOLDING
        return (answer,)

    # ---- a JSON body -----------------------------------------------------------------------------------

    def _hold(self, body: Body) -> Actions:
        self._held += body.raw
        if len(self._held) > self._terms.limits.bytes:
            return self._discard_all(body)
        if not body.ends:
            return (self._emit(),)
        return self._end(self._emit(*self._read_held(), ends=True))

    def _read_held(self) -> tuple[Piece, ...]:
        return self._inspector.read_body(bytes(self._held), is_framed=self._is_framed)

    def _discard_all(self, body: Body) -> Actions:
        self._held.clear()
        self._pending = self._inspector.block(Reason.RESPONSE_TOO_LARGE, is_framed=self._is_framed)
        self.phase = Phase.DISCARDING
        return self._discard(body)

    def _discard(self, body: Body) -> Actions:
        self._swallowed += len(body.raw)
        if body.ends or self._is_duplex:
            return self._end(self._emit(Piece(self._pending), ends=True))
        if self._swallowed > _DISCARDED * self._terms.limits.bytes:
            return self.abort(Reason.RESPONSE_TOO_LARGE)
        return (self._emit(),)

    def _discard_at_trailers(self, trailers: Trailers) -> Actions:
        return self._end_at_trailers((Piece(self._pending),) if self._pending else (), trailers)

    def _release_at_trailers(self, trailers: Trailers) -> Actions:
        return self._end_at_trailers(self._read_held(), trailers)

    def _end_at_trailers(self, pieces: tuple[Piece, ...], trailers: Trailers) -> Actions:
        dropped = AnswerTrailers(trailers.names)
        if not pieces:
            return self._end(dropped)
        if self._is_duplex:
            return self._end(self._emit(*pieces), dropped)
        # STREAMED: what is held can leave with a piece of the body only, and there is none any more.
        return self.abort(Reason.RESPONSE_UNREADABLE)

    # ---- events ----------------------------------------------------------------------------------------

    def _sniff(self, body: Body) -> Actions:
        self._held += body.raw
        start = bytes(self._held[:_SNIFFED_BYTES]).lstrip(_BLANK)
        if not start and not body.ends and len(self._held) < _SNIFFED_BYTES:
            return (self._emit(),)
        held = Body(bytes(self._held), body.ends)
        self._held.clear()
        if start[:1] in (b"{", b"["):
            self.phase = Phase.HOLDING
            return self._hold(held)
        self.phase = Phase.STREAMING
        return self._stream(held)

    def _stream(self, body: Body) -> Actions:
        outgoing, inspector = _Outgoing(), self._inspector
        add, read_event = outgoing.add, inspector.read_event
        for found in self._reader.read(body.raw):
            if found is COMMENT:
                add(WRITTEN_COMMENT)
            elif isinstance(found, Oversized):
                return self._cut_after(outgoing, Reason.RESPONSE_TOO_LARGE, body)
            else:
                add(read_event(found))
                if inspector.unreadable > _MAX_UNREADABLE:
                    return self._cut_after(outgoing, Reason.RESPONSE_UNREADABLE, body)
        if not body.ends:
            return (self._emit(*outgoing.list_pieces()),)
        outgoing.add(self._inspector.conclude())
        return self._end(self._emit(*outgoing.list_pieces(), ends=True))

    def _cut_after(self, outgoing: "_Outgoing", reason: Reason, body: Body) -> Actions:
        outgoing.add(self._inspector.cut(reason, ResponseOutcome.BLOCKED))
        pieces = outgoing.list_pieces()
        if body.ends or self._is_duplex:
            return self._end(self._emit(*pieces, ends=True))
        self.phase = Phase.DISCARDING
        return (self._emit(*pieces),)

    def _conclude_at_trailers(self, trailers: Trailers) -> Actions:
        written = self._inspector.conclude()
        return self._end_at_trailers((Piece(written),) if written else (), trailers)

    def _drop_trailers(self, trailers: Trailers) -> Actions:
        return self._end(AnswerTrailers(trailers.names))

    def _expire(self, _: Expired) -> Actions:
        # Before a first piece Envoy takes no body, in neither mode.
        has_begun = self.phase is Phase.STREAMING or bool(self._held)
        if not self._is_duplex or not has_begun:
            return self.abort(Reason.TOKEN_EXPIRED)
        written = self._inspector.cut(Reason.TOKEN_EXPIRED, ResponseOutcome.EXPIRED)
        return self._end(self._emit(Piece(written), ends=True))

    def _expire_at_last(self, _: Expired) -> Actions:
        return () if self._pending else self.abort(Reason.TOKEN_EXPIRED)

    def _ignore(self, _: Event) -> Actions:
        return ()


_ON_HEADERS: Mapping[Phase, Callable[[Exchange, Headers], Actions]] = {
    Phase.AWAITING: Exchange._begin,
    Phase.ENDED: Exchange._ignore,
}
_ON_BODY: Mapping[Phase, Callable[[Exchange, Body], Actions]] = {
    Phase.HOLDING: Exchange._hold,
    Phase.SNIFFING: Exchange._sniff,
    Phase.STREAMING: Exchange._stream,
    Phase.DISCARDING: Exchange._discard,
    Phase.ENDED: Exchange._ignore,
}
_ON_TRAILERS: Mapping[Phase, Callable[[Exchange, Trailers], Actions]] = {
    Phase.HOLDING: Exchange._release_at_trailers,
    Phase.SNIFFING: Exchange._drop_trailers,
    Phase.STREAMING: Exchange._conclude_at_trailers,
    Phase.DISCARDING: Exchange._discard_at_trailers,
    Phase.ENDED: Exchange._ignore,
}
# A JSON body is one answer, to a call that was decided while the token was valid: it may still arrive.
_ON_EXPIRED: Mapping[Phase, Callable[[Exchange, Expired], Actions]] = {
    Phase.HOLDING: Exchange._ignore,
    Phase.SNIFFING: Exchange._expire,
    Phase.STREAMING: Exchange._expire,
    Phase.DISCARDING: Exchange._expire_at_last,
    Phase.ENDED: Exchange._ignore,
}


class Passage:
    """One response that nothing inspects, because Check said so with its keyed word: it passes as it is."""

    __slots__ = ("_is_duplex", "has_ended", "outcome")

    is_stream = False

    def __init__(self) -> None:
        self._is_duplex, self.has_ended = False, False
        self.outcome = ResponseOutcome.SKIPPED

    def abort(self, reason: Reason) -> Actions:
        """End everything."""
        self.has_ended, self.outcome = True, ResponseOutcome.ABORTED
        return (Abort(reason),)

    def receive(self, event: Event) -> Actions:
        """Take one event; total."""
        match event:
            case Headers():
                self._is_duplex, self.has_ended = event.is_duplex, event.ends
                return (AnswerHeaders(),)
            case Body():
                self.has_ended = event.ends
                return (Echo(event.raw, event.ends, self._is_duplex),)
            case Trailers():
                self.has_ended = True
                return (AnswerTrailers(),)
            case Expired():
                return ()
            case _:
                assert_never(event)
