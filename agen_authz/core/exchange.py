"""One response on its way to the client, as a state machine: no byte leaves before the message that it is part of.

The `_ON_...` tables are the machine: what each event does in each state. What is not in them ends the exchange with an
Abort, which makes Envoy reset the response.

    AWAITING     nothing has come yet
    HOLDING      a JSON body is held until it is whole
    SNIFFING     events were announced; the first byte says if it is a JSON body instead
    STREAMING    events are inspected one by one
    PASSING      it cannot be inspected, and its terms let it pass: the rest leaves as it comes
    DISCARDING   the rest is not passed on: an error was the last event, or takes the place of a JSON body at its end
    ENDED        everything is answered; what still comes is dropped

Envoy sends bodies in one of two modes. STREAMED: each piece is answered once, so nothing can be sent after the last
piece, and nothing ends before the backend ends it. FULL_DUPLEX_STREAMED: pieces are answered whenever there is
something to send, and the end is ours. In both, headers are answered at once, so the status never depends on the body
(ADR 0022).

A response that nothing inspects is a `Passage` (core/response/passage.py), which has no states.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import TypeAlias, assert_never

from agen_authz.core.reason import Reason
from agen_authz.core.response.head import (
    Head,
    Media,
    choose_changes,
    may_pass_encoded,
    read_head,
    refuse_head,
    status_in_place_of,
)
from agen_authz.core.response.inspector import ResponseInspector
from agen_authz.core.response.message import Note
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
from agen_authz.core.sse import COMMENT, WRITTEN_COMMENT, Oversized, SseReader

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
    PASSING = auto()
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
        self._reader = SseReader(terms.limits.bytes, keeps_oversized=terms.passes_unread)
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
        """True while events come, which may be for as long as the token is valid."""
        return self.phase in (Phase.SNIFFING, Phase.STREAMING) or (self.phase is Phase.PASSING and self._is_framed)

    @property
    def outcome(self) -> ResponseOutcome:
        """What became of the response so far."""
        return self._inspector.outcome

    @property
    def reason(self) -> Reason | None:
        """Why something was withheld, blocked or cut, first of all; None if nothing was."""
        return self._inspector.reason

    @property
    def incomplete(self) -> int:
        """How many messages were withheld because something was left after masking."""
        return self._inspector.incomplete

    @property
    def uninspected(self) -> tuple[Note, ...]:
        """What data protection could not inspect; to be written at the end, for nothing leaves because of it."""
        return tuple(self._inspector.uninspected)

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
        if refused is Reason.RESPONSE_ENCODED and self._terms.passes_unread and may_pass_encoded(head, headers.fields):
            return self._pass_encoded(head, headers)
        if refused is not None:
            return self._end(self._replace(head.status, refused))
        media = None if headers.ends else head.media
        answer = AnswerHeaders(choose_changes(headers.fields, media, self._terms.mark_session))
        if headers.ends:
            return self._end(answer)
        self._is_framed = head.media is Media.EVENTS
        self.phase = Phase.SNIFFING if self._is_framed else Phase.HOLDING
        return (answer,)

    def _replace(self, status: int, refused: Reason) -> Replace:
        if 200 <= status < 300 and self._inspector.drop(refused):
            return Replace(status, b"")
        return Replace(status_in_place_of(status), self._inspector.block(refused))

    def _pass_encoded(self, head: Head, headers: Headers) -> Actions:
        self._inspector.skip(Reason.RESPONSE_ENCODED)
        self._is_framed = head.media is Media.EVENTS
        self.phase = Phase.PASSING
        mark = self._terms.mark_session
        return (AnswerHeaders(choose_changes(headers.fields, head.media, mark, keeps_encoding=True)),)

    # ---- a body that passes as it came -----------------------------------------------------------------

    def _pass(self, body: Body) -> Actions:
        echo = Echo(body.raw, body.ends, self._is_duplex)
        return self._end(echo) if body.ends else (echo,)

    def _pass_from(self, raw: bytes, outgoing: "_Outgoing", body: Body) -> Actions:
        self._inspector.skip(Reason.RESPONSE_TOO_LARGE)
        self._held.clear()
        self.phase = Phase.PASSING
        outgoing.add(raw)
        passed = self._emit(*outgoing.list_pieces(), ends=body.ends)
        return self._end(passed) if body.ends else (passed,)

    # ---- a JSON body -----------------------------------------------------------------------------------

    def _hold(self, body: Body) -> Actions:
        self._held += body.raw
        if len(self._held) > self._terms.limits.bytes:
            may_pass = self._terms.passes_unread
            return self._pass_from(bytes(self._held), _Outgoing(), body) if may_pass else self._discard_all(body)
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
                if self._terms.passes_unread:
                    return self._pass_from(found.held, outgoing, body)
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

    def _expire_while_passing(self, _: Expired) -> Actions:
        # In the middle of what was not read, an error would not be read either.
        return self.abort(Reason.TOKEN_EXPIRED) if self._is_framed else ()

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
    Phase.PASSING: Exchange._pass,
    Phase.DISCARDING: Exchange._discard,
    Phase.ENDED: Exchange._ignore,
}
_ON_TRAILERS: Mapping[Phase, Callable[[Exchange, Trailers], Actions]] = {
    Phase.HOLDING: Exchange._release_at_trailers,
    Phase.SNIFFING: Exchange._drop_trailers,
    Phase.STREAMING: Exchange._conclude_at_trailers,
    Phase.PASSING: Exchange._drop_trailers,
    Phase.DISCARDING: Exchange._discard_at_trailers,
    Phase.ENDED: Exchange._ignore,
}
# A JSON body is one answer, to a call that was decided while the token was valid: it may still arrive.
_ON_EXPIRED: Mapping[Phase, Callable[[Exchange, Expired], Actions]] = {
    Phase.HOLDING: Exchange._ignore,
    Phase.SNIFFING: Exchange._expire,
    Phase.STREAMING: Exchange._expire,
    Phase.PASSING: Exchange._expire_while_passing,
    Phase.DISCARDING: Exchange._expire_at_last,
    Phase.ENDED: Exchange._ignore,
}
