"""HTTP/1.1 on a plain socket: one connection at a time, requests written by hand, answers read whole."""

import http.client
import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_S = 15.0
_CHUNK_BYTES = 16_384
Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource is."""

    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """Host and port, as `host` has them."""
        return f"{self.host}:{self.port}"


def place_of(url: str) -> Place:
    """Read a resource's URL."""
    parts = urlsplit(url)
    assert parts.hostname is not None and parts.port is not None
    return Place(parts.hostname, parts.port, parts.path)


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    def message(self) -> dict[str, Any]:
        """Read the JSON-RPC message of the answer, the last one of an event stream; nothing if there is none."""
        text = self.body
        if self.headers.get("content-type", "").startswith("text/event-stream"):
            lines = [line[5:].strip() for line in text.splitlines() if line.startswith(b"data:")]
            text = next((line for line in reversed(lines) if line), b"")
        if not text.lstrip().startswith(b"{"):
            return {}
        read: dict[str, Any] = json.loads(text)
        return read

    def reason(self) -> str:
        """Tell the Reason; `allowed` for a result, `-` if the answer names none."""
        message = self.message()
        if "result" in message:
            return "allowed"
        told = message.get("error", {}).get("data")
        return str(told["reason"]) if isinstance(told, dict) and "reason" in told else "-"


def write_request(method: str, place: Place, headers: Headers, body: bytes = b"", *, is_chunked: bool = False) -> bytes:
    """Write a request down, with the length or the chunks of its body."""
    rows = [f"{method} {place.path} HTTP/1.1", f"host: {place.authority}"]
    rows += [f"{name}: {value}" for name, value in headers]
    if is_chunked:
        rows.append("transfer-encoding: chunked")
        pieces = (body[start : start + _CHUNK_BYTES] for start in range(0, len(body), _CHUNK_BYTES))
        body = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    elif method == "POST":
        rows.append(f"content-length: {len(body)}")
    return "\r\n".join([*rows, "", ""]).encode("latin-1") + body


class Line:
    """A connection that is kept while the other side keeps it."""

    def __init__(self, place: Place) -> None:
        self._address = (place.host, place.port)
        self._socket: socket.socket | None = None

    def exchange(self, method: str, raw: bytes) -> Reply:
        """Send one request and read its answer.

        Raises:
            OSError, http.client.HTTPException: the connection broke before the answer was whole.
        """
        held = self._socket or connect(self._address)
        self._socket = None
        try:
            send(held, raw)
            response = http.client.HTTPResponse(held, method=method)
            response.begin()
            body = b"" if is_stream(method, response) else response.read()
            is_kept = not response.will_close and not is_stream(method, response)
        except BaseException:
            held.close()
            raise
        if is_kept:
            self._socket = held
        else:
            held.close()
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, body)

    def close(self) -> None:
        """Close it; a later request opens another one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def connect(address: tuple[str, int]) -> socket.socket:
    """Connect, with a bound on every wait."""
    return socket.create_connection(address, timeout=TIMEOUT_S)


def send(held: socket.socket, raw: bytes) -> None:
    """Send; where it was refused before all was sent, the answer is there to be read."""
    try:
        held.sendall(raw)
    except (BrokenPipeError, ConnectionResetError):
        return


def is_stream(method: str, response: http.client.HTTPResponse) -> bool:
    """True if the answer lasts until one side ends it."""
    return method == "GET" and response.getheader("content-type", "").startswith("text/event-stream")
