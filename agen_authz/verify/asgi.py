"""ASGI: an application that gets only requests that the gateway signed.

    app = ASGIVerifier(app, BackendVerifier({"crm-2026-11": key}, resource="crm"))

The application finds the caller in `scope["state"]["agen_identity"]` (`request.state.agen_identity` in Starlette).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from typing import Any

from agen_authz.core.twin import spell_header
from agen_authz.verify.identity import Identity
from agen_authz.verify.refusal import Check, NotVerified
from agen_authz.verify.request import Received, read_headers
from agen_authz.verify.verifier import BackendVerifier, Claimed

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

STATE_KEY = "agen_identity"
MAX_BODY_BYTES = 10 * 1024 * 1024

_LOG = logging.getLogger("agen_authz.verify")
_SHOWN = 200


class ASGIVerifier:
    """An ASGI application around another one.

    Args:
        app: the application to protect.
        verifier: what to verify with.
        unsigned_paths: paths that anybody may ask for, as a probe of the platform does; what they say of a caller is
            taken away.
        max_body_bytes: a larger body is refused.
    """

    def __init__(
        self,
        app: App,
        verifier: BackendVerifier,
        *,
        unsigned_paths: Collection[str] = (),
        max_body_bytes: int = MAX_BODY_BYTES,
    ) -> None:
        self._app = app
        self._verifier = verifier
        self._unsigned_paths = frozenset(unsigned_paths)
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on verified requests; answer 403 to all others."""
        kind = scope["type"]
        if kind == "lifespan":
            await self._app(scope, receive, send)
        elif kind != "http":
            await _refuse_other(kind, receive, send)
        elif scope["path"] in self._unsigned_paths:
            await self._app(_without_identity(scope), receive, send)
        else:
            await self._admit(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            claimed = self._verifier.check_headers(_read(scope))
            body = await self._read_body(receive)
            if body is None:
                return
            self._verifier.check_body(claimed, body)
            await self._spend(claimed)
        except NotVerified as exc:
            _LOG.warning("refused %s %s: %s", scope["method"], ascii(scope["path"][:_SHOWN]), exc)
            await _refuse(send)
            return
        await self._app(_with_identity(scope, claimed.identity), _replay(body, receive), send)

    async def _spend(self, claimed: Claimed) -> None:
        if self._verifier.store.is_blocking:
            await asyncio.to_thread(self._verifier.spend_nonce, claimed)
        else:
            self._verifier.spend_nonce(claimed)

    async def _read_body(self, receive: Receive) -> bytes | None:
        pieces: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return None  # the caller has gone
            piece = message.get("body", b"")
            size += len(piece)
            if size > self._max_body_bytes:
                raise NotVerified(Check.CONTENT_DIGEST, f"the body is longer than {self._max_body_bytes} bytes")
            pieces.append(piece)
            more = message.get("more_body", False)
        return b"".join(pieces)


def _read(scope: Scope) -> Received:
    raw_path = scope.get("raw_path")
    if raw_path is None:
        raise NotVerified(Check.HEADERS, "the server does not tell `raw_path`, which is what was signed")
    headers, repeated = read_headers(scope["headers"])
    query = scope["query_string"].decode("latin-1")
    # A server may leave the query in `raw_path`; that it is a part of the path cannot be known.
    path = raw_path.decode("latin-1").partition("?")[0]
    return Received(scope["method"], path, query or None, headers, scope.get("scheme", "http"), repeated)


def _with_identity(scope: Scope, identity: Identity) -> Scope:
    return {**scope, "state": {**scope.get("state", {}), STATE_KEY: identity}}


def _without_identity(scope: Scope) -> Scope:
    headers = [line for line in scope["headers"] if not spell_header(line[0].decode("latin-1")).startswith("agen-")]
    return {**scope, "headers": headers}


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def receive_again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


async def _refuse(send: Send) -> None:
    # 403 and nothing else: a 401 would send an MCP client that came through the gateway to log in again.
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def _refuse_other(kind: str, receive: Receive, send: Send) -> None:
    if kind != "websocket":
        raise RuntimeError(f"a scope of type `{kind}` cannot be verified")
    await receive()
    await send({"type": "websocket.close", "code": 1008})
