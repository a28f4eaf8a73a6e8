"""How pages are served: on sockets that are bound before, by uvicorn, whose signals stay ours."""

import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from agen_authz.core.errors import ConfigError, Problem


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
