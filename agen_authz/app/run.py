"""A running sidecar: how it starts, what it tells operators, and how it ends without dropping a call."""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Iterator

import uvicorn

from agen_authz.app import garbage
from agen_authz.app.assemble import Sidecar, assemble
from agen_authz.app.evidence import tell_by_the_clock
from agen_authz.app.reload import Watch, refuse_unfinished
from agen_authz.config import Loaded
from agen_authz.core.errors import ConfigError, Problem
from agen_authz.servers.ops import build_ops

_LOG = logging.getLogger(__name__)
# How long health checks say NOT_SERVING before new calls are refused, so that Envoy can go elsewhere.
_NOTICE_S = 1.0
_OPS_GRACE_S = 1


class _OpsServer(uvicorn.Server):
    """uvicorn, but the signals stay ours."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


async def run(loaded: Loaded) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises:
        ConfigError: the sidecar cannot start with this configuration.
    """
    garbage.calm()
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    # From here on: providers may be slow to answer, and a file that changes meanwhile has changed.
    watch = Watch(loaded)
    refuse_unfinished(loaded)
    loop.add_signal_handler(signal.SIGHUP, watch.ask)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    sidecar = await assemble(loaded)
    ops = _build_ops_server(sidecar)
    ops_socket = _bind(loaded.config.server.ops)
    ops_task = asyncio.create_task(ops.serve(sockets=[ops_socket]))
    watching = asyncio.create_task(watch.run(sidecar))
    telling = asyncio.create_task(tell_by_the_clock(sidecar.servicer.ports))
    try:
        await sidecar.engine.start()
        await sidecar.engine.set_serving(True)
        garbage.settle()
        sidecar.is_serving = True
        _LOG.info("Check is served", extra={"authz": loaded.config.server.authz, "policy_set": sidecar.version})
        await stopped.wait()
        await _drain(sidecar, loaded.config.server.shutdown_grace)
    finally:
        watching.cancel()
        telling.cancel()
        ops.should_exit = True
        await asyncio.gather(ops_task, watching, telling, return_exceptions=True)
        await sidecar.close()


async def _drain(sidecar: Sidecar, grace_s: float) -> None:
    """Say NOT_SERVING, keep answering for a moment, then refuse what is new and finish what is in flight."""
    sidecar.is_serving = False
    _LOG.info("shutting down: calls that have begun are finished, new ones are refused")
    await sidecar.engine.set_serving(False)
    await asyncio.sleep(min(_NOTICE_S, grace_s / 4))
    sidecar.servicer.drain()
    await sidecar.engine.stop(grace_s)


def _build_ops_server(sidecar: Sidecar) -> _OpsServer:
    app = build_ops(sidecar.metrics.render, sidecar.check_readiness)
    settings = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=_OPS_GRACE_S
    )
    return _OpsServer(settings)


def _bind(address: str) -> socket.socket:
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host.strip("[]"), int(port)))
    except OSError as exc:
        listener.close()
        message = f"cannot listen on `{address}`: {exc.strerror}"
        cure = "end the other process, or choose another address under `server.ops`"
        raise ConfigError((Problem("server", None, "server.ops", message, cure),)) from exc
    return listener
