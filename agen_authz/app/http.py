"""How pages are served: on sockets that are bound before, by uvicorn, whose signals stay ours.

A connection is closed if no complete head of a request arrives in time: uvicorn itself would keep one that sends
nothing, or only half a head, until no more files can be opened.
"""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from agen_authz.core.errors import ConfigError, Problem

_HEAD_S = 15.0


class PromptProtocol(H11Protocol):
    """HTTP/1.1 with clients that send the head of each request in time."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in H11Protocol
        """Begin to wait for a request."""
        super().connection_made(transport)
        self._watch()

    def handle_events(self) -> None:
        """Take what has arrived; only a complete head ends the wait."""
        super().handle_events()
        self._watch()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the wait."""
        self._stop()
        super().connection_lost(exc)

    def _watch(self) -> None:
        if not _is_over(self.cycle):
            self._stop()
        elif self._timer is None and not self.transport.is_closing():
            self._timer = self.loop.call_later(_HEAD_S, self.transport.close)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _is_over(cycle: RequestResponseCycle | None) -> bool:
    return cycle is None or cycle.response_complete


class HttpServer(uvicorn.Server):
    """uvicorn, but the signals stay ours."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


def build_server(app: ASGIApp, *, grace_s: int) -> HttpServer:
    """Build what serves an application.

    Args:
        grace_s: how long requests that have begun may take once the server stops, in seconds.
    """
    settings = uvicorn.Config(
        app,
        http=PromptProtocol,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=grace_s,
    )
    return HttpServer(settings)


def bind(address: str, path: str) -> socket.socket:
    """Bind a socket to `host:port`.

    Args:
        path: the key that says it, such as `server.ops`.

    Raises:
        ConfigError: the address cannot be listened on.
    """
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), int(port)))
    except OSError as exc:
        listener.close()
        message = f"cannot listen on `{address}`: {exc.strerror}"
        cure = f"end the other process, or choose another address under `{path}`"
        raise ConfigError((Problem("server", None, path, message, cure),)) from exc
    return listener
