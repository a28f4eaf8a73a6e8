"""Drives an exchange as Envoy does, without a wire: what a client gets, and what Envoy would make of each answer."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from agen_authz.core.exchange import Exchange
from agen_authz.core.model import Envelope, Json
from agen_authz.core.reason import Reason
from agen_authz.core.response.body import ResponseLimits
from agen_authz.core.response.message import Passed, Withheld
from agen_authz.core.response.passage import Passage
from agen_authz.core.response.step import (
    Abort,
    Action,
    AnswerHeaders,
    AnswerTrailers,
    Body,
    Echo,
    Emit,
    Event,
    Headers,
    Replace,
    Terms,
    Trailers,
)

CALL = Envelope(id=7)
LIMITS = ResponseLimits(bytes=4096, depth=16, values=1000)


def pass_all(message: Json) -> Passed | Withheld:
    """Inspect nothing."""
    return Passed(message)


def terms(
    inspect: Callable[[Json], Passed | Withheld] = pass_all,
    envelope: Envelope = CALL,
    limits: ResponseLimits = LIMITS,
    mark_session: Callable[[str], str | None] = lambda _: None,
    *,
    passes_unread: bool = False,
) -> Terms:
    return Terms(inspect, envelope, "r1", limits, mark_session, passes_unread)


def head(
    media: str | None = "application/json", status: int = 200, *others: tuple[str, str]
) -> tuple[tuple[str, str], ...]:
    """Write the headers of a response."""
    typed = () if media is None else (("content-type", media),)
    return ((":status", str(status)), *typed, *others)


@dataclass
class Client:
    """What a client gets of one response."""

    status: int = 0
    fields: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_complete: bool = False
    is_cut: bool = False
    trailers: tuple[str, ...] = ()


class Envoy:
    """Envoy's side of one exchange; an answer that Envoy would not take is an error."""

    def __init__(self, exchange: Exchange | Passage, *, is_duplex: bool = False) -> None:
        self.exchange, self.client, self._is_duplex = exchange, Client(), is_duplex
        self._fields: tuple[tuple[str, str], ...] = ()
        self._trailers: tuple[str, ...] = ()
        self._has_body = False

    def send(self, *events: Event) -> Client:
        """Hand events over until the response is complete or cut."""
        for event in events:
            if not (self.client.is_complete or self.client.is_cut):
                self._take(event, self.exchange.receive(event))
        return self.client

    def _take(self, event: Event, actions: Sequence[Action]) -> None:
        if isinstance(event, Headers):
            self._fields = event.fields
        self._has_body = self._has_body or isinstance(event, Body)
        if isinstance(event, Trailers):
            self._trailers = event.names
        for action in actions:
            self._apply(action, event)
        if isinstance(event, Body) and not self._is_duplex and not self.client.is_cut:
            # One answer for each piece: Envoy would wait for another one, and give up.
            assert [type(action) for action in actions] in ([Emit], [Echo])
            assert self.client.is_complete == event.ends

    def _apply(self, action: Action, event: Event) -> None:
        client = self.client
        assert not (client.is_complete or client.is_cut)
        match action:
            case AnswerHeaders():
                assert isinstance(event, Headers)
                kept = {name: text for name, text in self._fields if name not in action.changes.remove}
                client.fields = kept | dict(action.changes.set)
                client.status, client.is_complete = int(client.fields.pop(":status")), event.ends
            case Replace():
                assert isinstance(event, Headers)
                client.status, client.body, client.is_complete = action.status, action.body, True
            case Emit() | Echo():
                assert client.status and action.is_duplex == self._is_duplex
                assert isinstance(event, Body) or (self._is_duplex and self._has_body)
                client.body += (
                    b"".join(piece.raw for piece in action.pieces) if isinstance(action, Emit) else action.raw
                )
                client.is_complete = action.ends
            case AnswerTrailers():
                assert isinstance(event, Trailers)
                client.trailers = tuple(name for name in self._trailers if name not in action.remove)
                client.is_complete = True
            case Abort():
                client.is_cut = True


def bodies(*pieces: bytes) -> tuple[Body, ...]:
    """Make a body of pieces; the last ends it."""
    return tuple(Body(piece, at == len(pieces) - 1) for at, piece in enumerate(pieces))


def receive(
    raw: Iterable[bytes],
    media: str | None = "application/json",
    *,
    is_duplex: bool = False,
    with_terms: Terms | None = None,
) -> Client:
    """Send a whole response with status 200 and return what the client gets."""
    exchange = Exchange(with_terms or terms())
    return Envoy(exchange, is_duplex=is_duplex).send(Headers(head(media), is_duplex=is_duplex), *bodies(*raw))


def withhold(reason: Reason) -> Callable[[Json], Passed | Withheld]:
    """Inspect so that nothing passes."""
    return lambda _: Withheld(reason)
