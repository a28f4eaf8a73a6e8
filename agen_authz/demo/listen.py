"""Serve ASGI applications on loopback sockets until told to stop; nothing of the demo listens anywhere else."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agen_authz.core.errors import ConfigError, Problem
from agen_authz.core.http.loopback import is_loopback

# How long an answer that is under way may take when the demo ends. What never ends is cut then.
_NOTICE_S = 0.3
# What uvicorn waits for after that; it is never needed, but nothing waits for ever.
_GRACE_S = 2


@dataclass(frozen=True, slots=True)
class Site:
    """One application and the socket it answers on."""

    app: ASGIApp
    listener: socket.socket


class _Cuttable:
    """An application whose streams can be cut: they end as if the application had ended them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.cut = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_started = is_open = False

        async def send_and_see(message: Message) -> None:
            nonlocal is_started, is_open
            is_started, is_open = True, message["type"] == "http.response.start" or message.get("more_body", False)
            await send(message)

        answering = asyncio.ensure_future(self._app(scope, receive, send_and_see))
        cut = asyncio.create_task(_wait(self.cut))
        try:
            await asyncio.wait([answering, cut], return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                answering.result()
                return
        finally:
            cut.cancel()
            answering.cancel()
        await asyncio.wait([answering])
        if not is_started:
            await send({"type": "http.response.start", "status": 503, "headers": []})
        if is_open or not is_started:
            await send({"type": "http.response.body", "body": b""})


class _Server(uvicorn.Server):
    """uvicorn, but the signals stay ours and it says when it listens."""

    def __init__(self, app: ASGIApp) -> None:
        self.streams = _Cuttable(app)
        super().__init__(
            uvicorn.Config(
                self.streams,
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_GRACE_S,
            )
        )
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self.listening.set()


def bind_loopback(host: str, port: int) -> socket.socket:
    """Bind a socket on loopback; port 0 takes a free one.

    Raises:
        ConfigError: the address is not on loopback, or is in use.
    """
    where = f"{host}:{port}"
    if not is_loopback(host):
        raise _refuse(where, "not a loopback address", "use 127.0.0.1: the demo's secrets are public")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is spelled out: asyncio sets TCP_NODELAY only then, and without it most answers wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        # Listening now, so that a second process fails at once: SO_REUSEADDR alone lets two bind.
        listener.listen(128)
    except OSError as exc:
        listener.close()
        raise _refuse(where, exc.strerror or "cannot bind", "end the other process, or choose another port") from exc
    return listener


def authority_of(listener: socket.socket) -> str:
    """Write host and port as a URL has them."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


async def serve_until(stopped: asyncio.Event, sites: Sequence[Site], announce: Callable[[], None]) -> None:
    """Serve all sites, announce once when all listen, and end all when `stopped` is set or one of them ends."""
    servers = [_Server(site.app) for site in sites]
    pairs = zip(servers, sites, strict=True)
    running = [asyncio.create_task(server.serve(sockets=[site.listener])) for server, site in pairs]
    told = asyncio.create_task(_announce(servers, announce))
    ending = asyncio.create_task(_wait(stopped))
    try:
        await asyncio.wait([*running, ending], return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
        ending.cancel()
        for server in servers:
            server.should_exit = True
        await asyncio.wait(running, timeout=_NOTICE_S)
        for server in servers:
            server.streams.cut.set()
        await asyncio.gather(*running)


def run_sites(sites: Sequence[Site], line: str) -> None:
    """Serve until SIGTERM or SIGINT, printing one line when all sites listen."""
    asyncio.run(_run(sites, line))


async def _run(sites: Sequence[Site], line: str) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await serve_until(stopped, sites, lambda: print(line, flush=True))


async def _announce(servers: Sequence[_Server], announce: Callable[[], None]) -> None:
    for server in servers:
        await server.listening.wait()
    announce()


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


def _refuse(where: str, message: str, cure: str) -> ConfigError:
    return ConfigError((Problem("demo", None, "", f"cannot listen on `{where}`: {message}", cure),))
