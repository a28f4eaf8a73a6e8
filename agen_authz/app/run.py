"""`serve`: a supervisor and its workers, how it starts, and how it ends without dropping a call."""

import asyncio
import logging
import signal
import socket

import uvloop

from agen_authz.adapters.clock import SystemClock, SystemEntropy
from agen_authz.adapters.store import list_drivers
from agen_authz.app import garbage
from agen_authz.app.http import bind, build_server
from agen_authz.app.place import find_url
from agen_authz.app.reload import Watch, refuse_unfinished
from agen_authz.app.supervisor.birth import preload
from agen_authz.app.supervisor.fleet import Fleet
from agen_authz.app.supervisor.link import NurseryLink
from agen_authz.app.supervisor.nursery import fork_nursery
from agen_authz.app.supervisor.preparation import prepare_store
from agen_authz.app.worker.run import run_worker
from agen_authz.config import Loaded, list_proc_addresses, unbuilt
from agen_authz.core.errors import ConfigError
from agen_authz.servers.ops import build_ops

_LOG = logging.getLogger(__name__)
_OPS_GRACE_S = 1
_KEY_BYTES = 32


def run(loaded: Loaded) -> None:
    """Serve until SIGTERM or SIGINT; the caller has one thread and no event loop.

    Raises:
        ConfigError: the sidecar cannot start with this configuration.
        WorkerGaveUp: a worker ended too often.
        NurseryLost: no worker can be started any more.
    """
    problems = unbuilt(loaded)
    if problems:
        raise ConfigError(tuple(problems))
    refuse_unfinished(loaded)
    preload(list_drivers(find_url(loaded)))
    garbage.calm()
    # Collected before the fork, and left alone after it: what no process writes to is shared by all of them.
    garbage.settle()
    garbage.shrink()
    prepare_store(loaded)
    link = fork_nursery(run_worker)
    uvloop.run(_supervise(loaded, link))


async def _supervise(loaded: Loaded, link: socket.socket) -> None:
    stopped, started = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    # From here on: providers may be slow to answer, and a file that changes meanwhile has changed.
    watch = Watch(loaded)
    loop.add_signal_handler(signal.SIGHUP, watch.ask)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    nursery = NurseryLink(link)
    fleet = Fleet(loaded, SystemEntropy().draw(_KEY_BYTES), nursery, SystemClock())
    ops = build_server(build_ops(fleet.render_metrics, fleet.check_readiness), grace_s=_OPS_GRACE_S)
    ops_socket = bind(loaded.config.server.ops, "server.ops")
    serving = asyncio.create_task(ops.serve(sockets=[ops_socket]))
    running = asyncio.create_task(fleet.run(started))
    watching = asyncio.create_task(_reload(watch, fleet, started, loaded))
    stopping = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            # It has failed, and says why.
            await running
    finally:
        _LOG.info("shutting down: calls that have begun are finished, new ones are refused")
        for task in (watching, running, stopping):
            task.cancel()
        await asyncio.gather(running, watching, stopping, return_exceptions=True)
        await fleet.drain(loaded.config.server.shutdown_grace)
        ops.should_exit = True
        await asyncio.gather(serving, return_exceptions=True)
        nursery.close()


async def _reload(watch: Watch, fleet: Fleet, started: asyncio.Event, loaded: Loaded) -> None:
    """Let a configuration take effect once every worker has begun with the first one."""
    await started.wait()
    server = loaded.config.server
    proc = ", ".join(list_proc_addresses(server))
    extra = {"authz": server.authz, "proc": proc, "policy_set": loaded.version}
    _LOG.info("Check and Process are served", extra=extra)
    await watch.run(fleet)
