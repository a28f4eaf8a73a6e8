"""A small HTTP server on loopback that answers exactly what a test tells it to, bad manners included."""

import asyncio
import json
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/keys"
Reply = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


def reply(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """Write an HTTP/1.1 response."""
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Web:
    """One provider: its answers by path, and how often each path was asked."""

    def __init__(self) -> None:
        self.url, self.port = "", 0
        self.replies: dict[str, Reply] = {}
        self.asked: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        # A test that clears it holds every answer back.
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    def publish(self, *keys: dict[str, Any]) -> None:
        """Publish keys, and where they are."""
        self.replies[JWKS] = reply(json.dumps({"keys": keys}).encode())
        self.discover()

    def discover(self, path: str = DISCOVERY, **changes: Any) -> None:
        """Publish a discovery document, or one with something changed."""
        document = {"issuer": self.url, "jwks_uri": self.url + JWKS, **changes}
        self.replies[path] = reply(json.dumps(document).encode())

    def go_down(self) -> None:
        """Answer everything with 503."""
        self.replies = dict.fromkeys(self.replies, reply(b"", "503 Service Unavailable"))

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            path = head[0].split(" ")[1]
            self.asked[path] += 1
            self.headers.append(
                {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
            )
            length = int(self.headers[-1].get("content-length", "0"))
            self.bodies.append(await reader.readexactly(length))
            await self.may_answer.wait()
            said = self.replies.get(path, reply(b"", "404 Not Found"))
            if isinstance(said, bytes):
                writer.write(said)
                await writer.drain()
            else:
                await said(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has hung up, which is what some tests want it to do
        finally:
            writer.close()


@asynccontextmanager
async def running_web(tls: ssl.SSLContext | None = None) -> AsyncIterator[Web]:
    """Run a provider on a free port; over TLS if there is a context for it."""
    web = Web()
    server = await asyncio.start_server(web.answer, "127.0.0.1", 0, ssl=tls)
    web.port = server.sockets[0].getsockname()[1]
    web.url = f"{'http' if tls is None else 'https'}://127.0.0.1:{web.port}"
    try:
        yield web
    finally:
        web.may_answer.set()
        server.close()


class Proxy:
    """An HTTP proxy that tunnels every name to one port on loopback, or refuses; what it was asked for."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[str] = []
        self.status = "200 OK"
        self.target = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one CONNECT, and pass bytes on until either side hangs up."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head.split("\r\n")[0])
        writer.write(f"HTTP/1.1 {self.status}\r\n\r\n".encode())
        if self.status.startswith("200"):
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.target)
            await asyncio.gather(_pass_on(reader, there_writer), _pass_on(there_reader, writer))
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        pass  # either side may hang up
    finally:
        writer.close()


@asynccontextmanager
async def running_proxy(target: int) -> AsyncIterator[Proxy]:
    """Run a proxy that leads to a port on loopback."""
    proxy = Proxy()
    proxy.target = target
    server = await asyncio.start_server(proxy.answer, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
