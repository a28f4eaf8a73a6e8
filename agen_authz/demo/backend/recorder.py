"""Remembers what reached a server, so that a test can say what Envoy let through; off unless asked for.

What is remembered holds headers as they came, credentials among them: never switch this on with real callers.
"""

import hashlib
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

RECORD_PATH = "/demo/received"
_CAPACITY = 256


@dataclass(slots=True)
class Received:
    """One request; the digest grows with its body."""

    number: int
    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    digest: Any = field(default_factory=hashlib.sha256)
    body_bytes: int = 0

    def take(self, piece: bytes) -> None:
        """Count a piece of the body in."""
        self.digest.update(piece)
        self.body_bytes += len(piece)

    def render(self) -> dict[str, object]:
        """Write it down as JSON; header names are in lower case, repeated ones stay repeated."""
        return {
            "number": self.number,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": [list(header) for header in self.headers],
            "body_bytes": self.body_bytes,
            "body_sha256": self.digest.hexdigest(),
        }


class Recorder:
    """An ASGI application around another one: keeps the last requests, tells them at GET /demo/received."""

    def __init__(self, app: ASGIApp, capacity: int = _CAPACITY) -> None:
        self._app = app
        self._received: deque[Received] = deque(maxlen=capacity)
        self._count = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer about the record, or record and pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == RECORD_PATH:
            await self._answer(scope["method"])(scope, receive, send)
            return
        entry = self._begin(scope)

        async def receive_and_record() -> Message:
            message = await receive()
            entry.take(message.get("body", b""))
            return message

        await self._app(scope, receive_and_record, send)

    def _begin(self, scope: Scope) -> Received:
        # Kept before the application runs: a stream that never ends has arrived, too.
        self._count += 1
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        query = scope["query_string"].decode("latin-1")
        entry = Received(self._count, scope["method"], scope["path"], query, headers)
        self._received.append(entry)
        return entry

    def _answer(self, method: str) -> Response:
        if method == "DELETE":
            self._received.clear()
            return Response(status_code=204)
        if method != "GET":
            return Response(status_code=405, headers={"allow": "GET, DELETE"})
        return JSONResponse({"received": [entry.render() for entry in self._received]})
