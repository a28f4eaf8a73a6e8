"""Check on grpcio: every address, and mutual TLS.

Calls wait their turn as on the native engine (`turn.Turns`): between two of them the event loop takes in what came.
"""

import asyncio
import contextlib
import time

import grpc
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio

from agen_authz.core.errors import ConfigError
from agen_authz.core.reason import Reason
from agen_authz.servers.certificate import Certificates, read_certificates
from agen_authz.servers.engine import (
    CHECK_SERVICE,
    Decider,
    Listener,
    TlsFiles,
    claimed,
    refuse_address,
)
from agen_authz.servers.turn import Turns

_MAX_METADATA_BYTES = 64 * 1024
# How long calls are taken in before the next is decided, in rounds of the loop, and how many without one end it.
_ROUNDS, _QUIET_ROUNDS = 64, 2


class GrpcioEngine:
    """`servers.engine.Engine` on `grpc.aio`."""

    def __init__(self, listener: Listener, decider: Decider) -> None:
        self._listener = listener
        self._decider = decider
        self._turns: Turns[asyncio.Future[Reason | None]] = Turns(listener.in_flight)
        self._turning: asyncio.Task[None] | None = None
        self._arrived = 0
        self._health = health_aio.HealthServicer()
        self._server: aio.Server | None = None

    async def start(self) -> None:
        """Listen; `Engine.start`."""
        server = aio.server(
            options=[
                ("grpc.max_receive_message_length", self._listener.message_bytes),
                ("grpc.max_concurrent_streams", self._listener.in_flight),
                ("grpc.max_metadata_size", _MAX_METADATA_BYTES),
                ("grpc.so_reuseport", 0),
            ]
        )
        handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            "Check": grpc.unary_unary_rpc_method_handler(self._answer)
        }
        server.add_registered_method_handlers(CHECK_SERVICE, handlers)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        with claimed(self._listener) as target:
            try:
                if self._listener.tls is None:
                    server.add_insecure_port(target)
                else:
                    server.add_secure_port(target, load_credentials(self._listener.tls))
            except RuntimeError as exc:
                raise refuse_address(self._listener, "not available") from exc
        await self._report(health_pb2.HealthCheckResponse.NOT_SERVING)
        await server.start()
        self._server = server

    async def _answer(self, raw: bytes, context: aio.ServicerContext[bytes, bytes]) -> bytes:
        self._arrived += 1
        surplus = self._turns.offer(self._decider.find_caller(raw), turn := asyncio.get_running_loop().create_future())
        if surplus is not None and not surplus.done():
            surplus.set_result(Reason.OVERLOADED)
        if self._turning is None or self._turning.done():
            self._turning = asyncio.create_task(self._take_turns())
        reason = await turn
        if reason is not None:
            return await self._decider.refuse(reason)
        # None where the caller set no deadline, whatever the stubs say.
        return await self._decider.check(raw, context.time_remaining())

    async def _take_turns(self) -> None:
        # INVARIANT: whose turn it is runs in the loop's next round, up to where it is done or waits for something.
        while self._turns:
            await self._take_in()
            turn = self._turns.take()
            started = time.thread_time()
            if turn.done():
                # Its caller has left.
                await self._decider.refuse(Reason.DEADLINE)
            else:
                turn.set_result(None)
                await asyncio.sleep(0)
            self._turns.charge(time.thread_time() - started)

    async def _take_in(self) -> None:
        # grpcio hands calls over one by one, a few rounds of the loop each: those that are there come in first.
        quiet, seen = 0, self._arrived
        for _ in range(_ROUNDS):
            await asyncio.sleep(0)
            quiet, seen = (quiet + 1, seen) if self._arrived == seen else (0, self._arrived)
            if quiet > _QUIET_ROUNDS:
                return

    async def _report(self, status: int) -> None:
        for service in ("", CHECK_SERVICE):
            await self._health.set(service, status)

    async def set_serving(self, is_serving: bool) -> None:
        """Answer health checks; `Engine.set_serving`."""
        status = health_pb2.HealthCheckResponse
        await self._report(status.SERVING if is_serving else status.NOT_SERVING)

    async def stop(self, grace_s: float) -> None:
        """Close; `Engine.stop`."""
        if self._server is not None:
            await self._server.stop(grace_s)


def load_credentials(tls: TlsFiles) -> grpc.ServerCredentials:
    """Load certificate, key and the CA of clients; clients without a certificate of that CA are refused.

    The files are read again at every handshake: renewed certificates need no restart, and while the files cannot be
    used together the last good set stays.

    Raises:
        ConfigError: the files cannot be used now.
    """
    last = _configure(read_certificates(tls))

    def reread() -> grpc.ServerCertificateConfiguration:
        nonlocal last
        with contextlib.suppress(ConfigError):
            last = _configure(read_certificates(tls))
        return last

    return grpc.dynamic_ssl_server_credentials(last, reread, require_client_authentication=True)


def _configure(read: Certificates) -> grpc.ServerCertificateConfiguration:
    pair = (read.private_key, read.chain)
    return grpc.ssl_server_certificate_configuration([pair], root_certificates=read.client_ca)
