"""Clients that do not behave: they go away in the middle, and strangers bring big bodies."""

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from bench.soak.ask import Ask, Maker, after, only
from bench.soak.teller import Teller
from bench.soak.wire import Line, connect

BIG_BYTES = 1 << 20
_FIRST_BYTES = 12
_RESET_SHARE = 0.5
# No lingering: closing sends a reset.
_AT_ONCE = struct.pack("ii", 1, 0)


def _half_a_body(held: socket.socket, raw: bytes) -> int:
    """Go away in the middle of the body: Envoy waits for all of it, so neither Check nor the backend gets anything."""
    held.sendall(raw[:-40])
    return 0


def _half_a_head(held: socket.socket, raw: bytes) -> int:
    held.sendall(raw[:60])
    return 0


def _all_and_gone(held: socket.socket, raw: bytes) -> int:
    held.sendall(raw)
    return 1


def _first_bytes(held: socket.socket, raw: bytes) -> int:
    held.sendall(raw)
    held.recv(_FIRST_BYTES)
    return 1


WAYS: dict[str, Callable[[socket.socket, bytes], int]] = {
    "abort: half a body": _half_a_body,
    "abort: half a head": _half_a_head,
    "abort: before the answer": _all_and_gone,
    "abort: within the answer": _first_bytes,
}


@dataclass(frozen=True, slots=True)
class Rough:
    """For one thread."""

    maker: Maker
    teller: Teller
    line: Line

    def abort(self) -> None:
        """Send a good call and go away, with a reset half of the time."""
        way = self.maker.rng.choice(list(WAYS))
        token = self.maker.token()
        ask = self.maker.modern(way, token, after(token))
        self.teller.ledger.open(ask.booked_as(), way, ask.caller)
        try:
            most = self._go_away(way, ask)
        except OSError as exc:
            # Gone before we were: whether it arrived is not known.
            self.teller.faults.lose(f"{way}: {type(exc).__name__}")
            most = 1
        self.teller.ledger.settle(ask.booked_as(), 0, most, now=time.monotonic(), is_late=True)
        self.teller.tally.count(way)

    def _go_away(self, way: str, ask: Ask) -> int:
        with connect((ask.place.host, ask.place.port)) as held:
            if self.maker.rng.random() < _RESET_SHARE:
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            return WAYS[way](held, ask.raw())

    def bring_much(self) -> None:
        """Post a big body as a stranger."""
        self.teller.ask(self.line, self._big())

    def _big(self) -> Ask:
        ask = self.maker.modern("stranger, 1 MB", None, only(401, "token_missing"))
        return replace(ask, body=bytes(BIG_BYTES), is_chunked=self.maker.rng.random() < 0.5)
