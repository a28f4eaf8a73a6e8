"""Answers that a backend is told to send as resource `crm`, and every byte of what the client then gets."""

import json
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.stage.process import BOUND_S
from tests.stage.scripted import Asked, Scripted, Step, serving_scripted
from tests.stage.world import World, running_world

LEGACY = "2025-11-25"
# In everything that the client must not get, and in nothing else.
SECRET = "secret-4711"
HIDDEN = f"delete_{SECRET}"
JSON, EVENTS = "application/json", "text/event-stream"
OLD: Mapping[str, str] = {"mcp-protocol-version": LEGACY}


def rpc(**members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", **members}


LIST = rpc(id=7, method="tools/list")
CALL = rpc(id=7, method="tools/call", params={"name": "get_customer", "arguments": {}})
CLIENT = {"capabilities": {}, "clientInfo": {"name": "test", "version": "1"}, "protocolVersion": LEGACY}
INITIALIZE = rpc(id=1, method="initialize", params=CLIENT)


def tool(name: str, **members: Any) -> dict[str, Any]:
    return {"name": name, "inputSchema": {"type": "object"}, **members}


def listing(*names: str, message_id: Any = 7) -> dict[str, Any]:
    """Write the answer to `LIST`."""
    return rpc(id=message_id, result={"tools": [tool(name) for name in names]})


# What a backend of these tests lists, and what of it an analyst may see.
ALL, SHOWN = listing("get_a", HIDDEN, "get_b"), listing("get_a", "get_b")


def dump(message: Any) -> bytes:
    return json.dumps(message).encode()


def event(message: Any, name: str = "") -> bytes:
    """Write one event; `name` is its id."""
    line = f"id: {name}\n".encode() if name else b""
    return line + b"data: " + dump(message) + b"\n\n"


def head(*rows: str, status: str = "200 OK", media: str | None = JSON) -> bytes:
    """Write status and headers, as a server does that ends the connection afterwards."""
    typed = () if media is None else (f"content-type: {media}",)
    return "\r\n".join([f"HTTP/1.1 {status}", *typed, "connection: close", *rows, "", ""]).encode("latin-1")


def whole(body: bytes, *rows: str, status: str = "200 OK", media: str | None = JSON) -> bytes:
    """Write an answer whose length is said."""
    return head(f"content-length: {len(body)}", *rows, status=status, media=media) + body


def chunk(part: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(part), part)


def chunked(*parts: bytes, media: str = JSON, ends: bool = True) -> bytes:
    """Write an answer in chunks; it has an end, or the connection ends instead."""
    chunks = b"".join(map(chunk, parts))
    return head("transfer-encoding: chunked", media=media) + chunks + (b"0\r\n\r\n" if ends else b"")


@dataclass(frozen=True)
class Got:
    """Everything that a client got; `is_whole` if the answer has the end that its headers announce."""

    raw: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool

    @property
    def messages(self) -> list[Any]:
        """Read the messages, in the order in which they came."""
        if self.headers.get("content-type") != EVENTS:
            return [json.loads(self.body)] if self.body else []
        events = self.body.split(b"\n\n")
        rows = [row for each in events[:-1] for row in each.split(b"\n") if row.startswith(b"data: ")]
        return [json.loads(row.removeprefix(b"data: ")) for row in rows]

    @property
    def outcomes(self) -> list[Any]:
        """As `messages`, with the Reason in the place of an error of ours."""
        return [_reason_of(message) or message for message in self.messages]


def _reason_of(message: dict[str, Any]) -> str | None:
    details: Any = message.get("error", {}).get("data")
    is_ours = isinstance(details, dict) and "request_id" in details
    return f"{message.get('id')}: {details['reason']}" if is_ours else None


def parse(raw: bytes) -> Got:
    """Read what came until the connection ended; status 0 if that is not even a head."""
    start, mark, rest = raw.partition(b"\r\n\r\n")
    if not mark:
        return Got(raw, 0, {}, b"", False)
    line, *rows = start.decode("latin-1").split("\r\n")
    headers = {name: value.strip() for name, _, value in (row.partition(":") for row in rows)}
    body, is_whole = rest, len(rest) == int(headers.get("content-length", "0"))
    if headers.get("transfer-encoding") == "chunked":
        body, is_whole = _join(rest)
    return Got(raw, int(line.split(" ")[1]), headers, body, is_whole)


def _join(rest: bytes) -> tuple[bytes, bool]:
    body = b""
    while True:
        size, mark, rest = rest.partition(b"\r\n")
        if not mark:
            return body, False
        length = int(size, 16)
        if length == 0:
            return body, rest == b"\r\n"
        body, rest = body + rest[:length], rest[length + 2 :]


@dataclass
class Told:
    """A world whose `crm` does as it is told."""

    world: World
    backend: Scripted
    folder: Path

    def tell(self, *steps: Step) -> None:
        """Let every answer from now on be these steps."""
        self.backend.script = lambda _: steps

    def render(self, body: Any, *, method: str = "POST", token: str | None = None, **headers: str) -> bytes:
        """Write a request that ends its connection; headers have `_` where there is a `-`."""
        raw = b"" if body is None else dump(body)
        rows = {
            "host": urlsplit(self.world.crm).netloc,
            "authorization": f"Bearer {token or self.world.one.mint(self.world.crm)}",
            "accept": f"{JSON}, {EVENTS}",
            "connection": "close",
            **({} if body is None else {"content-type": JSON, "content-length": str(len(raw))}),
            **OLD,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in rows.items())
        return f"{method} {urlsplit(self.world.crm).path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + raw

    def connect(self) -> socket.socket:
        """Open a connection to Envoy."""
        parts = urlsplit(self.world.crm)
        return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=BOUND_S)

    def ask(self, body: Any = LIST, **more: Any) -> Got:
        """Send a request and read until the connection ends; more as for `render`."""
        with self.connect() as connection:
            connection.sendall(self.render(body, **more))
            return parse(b"".join(read_on(connection)))

    def get(self, *steps: Step, body: Any = LIST, **more: Any) -> Got:
        """Let the backend answer so, and ask."""
        self.tell(*steps)
        return self.ask(body, **more)

    def begin(self, backend_id: str = "s-1", **more: Any) -> str:
        """Begin a session; return the id that the client gets."""
        result = {"protocolVersion": LEGACY, "capabilities": {}, "serverInfo": {"name": "told", "version": "1"}}
        answer = whole(dump(rpc(id=1, result=result)), f"mcp-session-id: {backend_id}")
        return self.get(answer, body=INITIALIZE, **more).headers["mcp-session-id"]


def read_on(connection: socket.socket) -> Iterator[bytes]:
    """Read until the other side ends the connection, in whatever way."""
    try:
        while piece := connection.recv(1 << 16):
            yield piece
    except ConnectionError:
        return


def read_until(connection: socket.socket, mark: bytes) -> bytes:
    """Read until the bytes end with a mark.

    Raises:
        AssertionError: the connection ended before.
    """
    raw = b""
    while not raw.endswith(mark):
        piece = connection.recv(1 << 16)
        assert piece, raw
        raw += piece
    return raw


@contextmanager
def told_world(folder: Path, more: str = "") -> Iterator[Told]:
    """Run everything, with a backend that is told what to send as `crm`."""
    with (
        serving_scripted() as backend,
        running_world(folder, more=more, crm_port=backend.port, changed=_resumable) as world,
    ):
        yield Told(world, backend, folder)


def _resumable(config: str) -> str:
    """Let streams be resumed, and tokens expire without leeway."""
    config = config.replace("insecure_issuer: true,", "insecure_issuer: true, leeway: 0s,")
    return config.replace("- name: crm\n", "- name: crm\n    resumable: true\n", 1)


def by_method(answers: Mapping[str, Iterable[Step]]) -> Any:
    """Write a script that answers by the method of the message."""

    def script(asked: Asked) -> Iterable[Step]:
        return answers[json.loads(asked.body)["method"] if asked.body else asked.method]

    return script
