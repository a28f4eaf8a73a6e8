"""Clients on kept connections: those who attack, and the good ones whose answers are counted."""

import itertools
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException, HTTPResponse

from tests.stage.port import HOST
from tests.stage.storm import Answered

# Longer than Envoy waits for Check: what it answers then is counted, not that we gave up.
_TIMEOUT_S = 5.0


class Client:
    """One kept connection, opened again when it is lost."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._held: socket.socket | None = None

    def ask(self, raw: bytes) -> int:
        """Send a request and read its answer; its status, 0 if there was none."""
        try:
            if self._held is None:
                self._held = socket.create_connection((HOST, self._port), timeout=_TIMEOUT_S)
                self._held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._held.sendall(raw)
            response = HTTPResponse(self._held, method="POST")
            response.begin()
            response.read()
        except (OSError, HTTPException):
            self.close()
            return 0
        if response.will_close:
            self.close()
        return response.status

    def close(self) -> None:
        """Let go of the connection."""
        if self._held is not None:
            self._held.close()
            self._held = None


def attack(port: int, requests: list[bytes], connections: int, seconds: float) -> dict[int, int]:
    """Send requests in turn on so many connections, until the time is over; count the answers."""
    ends = time.monotonic() + seconds

    def run(_: int) -> list[int]:
        client, seen = Client(port), []
        for raw in itertools.cycle(requests):
            if time.monotonic() > ends:
                break
            seen.append(client.ask(raw))
        client.close()
        return seen

    counts: dict[int, int] = {}
    with ThreadPoolExecutor(connections) as pool:
        for status in itertools.chain.from_iterable(pool.map(run, range(connections))):
            counts[status] = counts.get(status, 0) + 1
    return counts


def call_at_a_rate(port: int, raw: bytes, per_second: float, seconds: float) -> list[Answered]:
    """Repeat a good call on one connection at a fixed rate; one that is late begins at once, timed from its turn."""
    client, seen, begun = Client(port), [], time.monotonic()
    for turn in range(int(per_second * seconds)):
        due = begun + turn / per_second
        now = time.monotonic()
        if now > begun + seconds:
            break
        if now < due:
            time.sleep(due - now)
        started = time.monotonic()
        status = client.ask(raw)
        ended = time.monotonic()
        seen.append(Answered(ended, status, (ended - started) * 1e3))
    client.close()
    return seen
