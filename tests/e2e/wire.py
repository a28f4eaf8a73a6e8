"""HTTP/1.1 byte by byte: requests that no well-behaved client would send, and what came of them on both sides."""

import json
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.world import VERSION, World, tool_call

BOUND_S = 10.0
GOOD = json.dumps(tool_call()).encode()
MODERN = (("mcp-protocol-version", VERSION), ("mcp-method", "tools/call"), ("mcp-name", "get_customer"))
Line = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Sent:
    """One request; header lines stand as they are written, `{token}`, `{host}` and `{length}` are filled in.

    Args:
        replaced: header lines that stand in the place of the good one of the same name.
        added: header lines behind the good ones.
        without: names of good header lines that are left out.
    """

    line: str = "POST /crm/mcp HTTP/1.1"
    replaced: Sequence[Line] = ()
    added: Sequence[Line] = ()
    without: Sequence[str] = ()
    body: bytes = GOOD
    tail: bytes | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What the client got, and what the backends received; status 0 is a connection closed without an answer."""

    status: int
    reason: str | None
    body: bytes
    received: tuple[dict[str, Any], ...]


def send(world: World, sent: Sent, token: str | None = None) -> Seen:
    """Send one request, read its answer to the end, and ask both backends what reached them."""
    for name in ("crm", "billing"):
        world.received(name)
    parts = urlsplit(world.crm)
    filled = {
        "{token}": token or world.one.mint(world.crm),
        "{host}": parts.netloc,
        "{length}": str(len(sent.body)),
    }
    head = "\r\n".join([sent.line, *(f"{name}: {value}" for name, value in _lines(sent)), "", ""])
    for name, value in filled.items():
        head = head.replace(name, value)
    raw = _exchange(parts.hostname or "", parts.port or 0, head.encode("latin-1"), sent.body + (sent.tail or b""))
    status, body = _read(raw)
    received = (*world.received("crm"), *world.received("billing"))
    return Seen(status, _reason_of(body), body, received)


def _lines(sent: Sent) -> list[Line]:
    good: list[Line] = [
        ("host", "{host}"), ("authorization", "Bearer {token}"), ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"), ("content-length", "{length}"), ("connection", "close"),
        *MODERN,
    ]  # fmt: skip
    instead = dict(sent.replaced)
    kept = [(name, instead.pop(name, value)) for name, value in good if name not in sent.without]
    return [*kept, *instead.items(), *sent.added]


def _exchange(host: str, port: int, head: bytes, body: bytes) -> bytes:
    answer = b""
    with socket.create_connection((host, port), timeout=BOUND_S) as connection:
        try:
            connection.sendall(head + body)
            while chunk := connection.recv(65536):
                answer += chunk
        except OSError:
            # Closed while we were still sending, or kept open with nothing more to say.
            return answer
    return answer


def _read(raw: bytes) -> tuple[int, bytes]:
    head, _, body = raw.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    if b"transfer-encoding: chunked" in head.lower():
        body = b"".join(body.split(b"\r\n")[1::2])
    return status, body


def _reason_of(body: bytes) -> str | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    error = document.get("error", {}) if isinstance(document, dict) else {}
    reason = error.get("data", {}).get("reason") if isinstance(error, dict) else None
    return str(reason) if reason is not None else None
