"""Attacks on one listener: what is sent, what the backend and Check answer meanwhile, and what is looked at."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from threading import Event

from envoy_data_plane.envoy.service.auth.v3 import CheckResponse

from tests.envoy.copies import Change, as_rendered
from tests.envoy.stand import PLAIN_ANSWER, Arrived, Asked, Reply, Stand

_BOUND_S = 2.0


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that came of one attack."""

    reply: Reply
    asked: list[Asked]
    arrived: list[Arrived]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Give the status (0: closed without an answer), how often Check was asked, how much arrived."""
        return (self.reply.status if self.reply.raw else 0, len(self.asked), len(self.arrived))


Look = Callable[[Seen], object]


@dataclass(frozen=True, slots=True)
class Protection:
    """One protection.

    Args:
        remove: takes it out of the rendered listener, and nothing else.
        attack: runs against a listener; what it returns is compared.
        stopped: what the attack returns as rendered.
        gets_through: what it returns without the protection.
        given: changes the rendered listener first, where two protections stop the same attack or time is long.
    """

    remove: Change
    attack: Callable[[Stand], object]
    stopped: object
    gets_through: object
    given: Change = as_rendered


def attack(
    raw: bytes,
    look: Look = lambda seen: seen.counts,
    *,
    pieces: Callable[[], Iterator[bytes]] | None = None,
    answer: Callable[[Asked], CheckResponse] | None = None,
) -> Callable[[Stand], object]:
    """Send bytes, while the backend and Check answer as told, and look at the result of them."""

    def run(stand: Stand) -> object:
        stand.reset()
        stand.backend.pieces = pieces or stand.backend.pieces
        stand.check.answer = answer or stand.check.answer
        reply = stand.send(raw)
        return look(Seen(reply, list(stand.check.asked), list(stand.backend.arrived)))

    return run


def lingers(raw: bytes) -> Callable[[Stand], object]:
    """Send something that nobody ends, and tell the status that it gets in time."""

    def run(stand: Stand) -> object:
        stand.reset()
        stand.backend.pieces = partial(_silence, Event())
        with stand.connect() as connection:
            connection.settimeout(_BOUND_S)
            connection.sendall(raw)
            try:
                return Reply(connection.recv(1 << 16)).status
            except TimeoutError:
                return "waits"

    return run


def is_copied(raw: bytes) -> Callable[[Stand], object]:
    """Send a request, and count how often it arrives before it is answered."""

    def run(stand: Stand) -> object:
        stand.reset()
        stand.backend.pieces = partial(_await_copy, stand, Event())
        stand.send(raw)
        return len(stand.backend.arrived)

    return run


def _await_copy(stand: Stand, has_copy: Event) -> Iterator[bytes]:
    if len(stand.backend.arrived) > 1:
        has_copy.set()
    has_copy.wait(_BOUND_S)
    yield PLAIN_ANSWER


def _silence(is_over: Event) -> Iterator[bytes]:
    is_over.wait(_BOUND_S * 2)
    yield b""


# ---- what is looked at, and how a backend answers ------------------------------------------------------


def shown(name: str) -> Look:
    """Look at the values that Check was shown."""
    return lambda seen: [asked.values(name) for asked in seen.asked]


def brought(name: str) -> Look:
    """Look at the values that arrived."""
    return lambda seen: [arrived.values(name) for arrived in seen.arrived]


def told(name: str) -> Look:
    """Look at the value that the client got."""
    return lambda seen: seen.reply.headers.get(name)


def lines(seen: Seen) -> list[str]:
    """Look at the request lines that arrived."""
    return [arrived.line for arrived in seen.arrived]


def bodies(seen: Seen) -> tuple[list[bytes], list[bytes]]:
    """Look at the bodies that Check was shown, and those that arrived."""
    return [asked.body for asked in seen.asked], [arrived.body for arrived in seen.arrived]


def sizes(seen: Seen) -> tuple[list[int], list[int]]:
    """Look at the sizes of the bodies that Check was shown, and of those that arrived."""
    shown, brought = bodies(seen)
    return [len(body) for body in shown], [len(body) for body in brought]


def sends(*pieces: bytes) -> Callable[[], Iterator[bytes]]:
    """Answer with these bytes."""
    return lambda: iter(pieces)


def sends_headers(*rows: str) -> Callable[[], Iterator[bytes]]:
    """Answer with these headers."""
    return sends("\r\n".join(["HTTP/1.1 200 OK", "content-length: 2", *rows]).encode() + b"\r\n\r\nok")


def fails(_: Asked) -> CheckResponse:
    """Fail, as a Check."""
    raise ConnectionAbortedError("the Check of this test fails")
