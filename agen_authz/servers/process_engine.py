"""Process on grpcio: one bidirectional stream for each response, with health checks on the same socket.

A `StreamServicer` answers the streams. The engine knows how many are open, and since when there
is none.
"""

import asyncio
import time

import grpc
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio

from agen_authz.servers.engine import PROCESS_SERVICE, Listener, claimed, refuse_address
from agen_authz.servers.grpcio_engine import load_credentials
from agen_authz.servers.grpcio_stream import Context, StreamServicer, serve_stream

_MAX_METADATA_BYTES = 64 * 1024
# A piece of a body is what Envoy has read by then (1 MiB unless its buffers are larger), however little may be held:
# a body that is too large is to become an error, not the end of the connection.
_MIN_MESSAGE_BYTES = 8 << 20
_LOOK_S = 0.02
# `in_flight` streams are the most of one connection; of all connections together, so many times as many.
_CONNECTIONS = 4


class ProcessEngine:
    """A gRPC server with Process and grpc.health.v1 on one socket; `servers.engine.Engine`."""

    def __init__(self, listener: Listener, servicer: StreamServicer) -> None:
        self._listener = listener
        self._servicer = servicer
        self._health = health_aio.HealthServicer()
        self._server: aio.Server | None = None
        self._open = 0
        self._idle_since: float | None = time.monotonic()

    async def start(self) -> None:
        """Listen, and answer NOT_SERVING until told otherwise; `Engine.start`."""
        server = aio.server(
            options=[
                ("grpc.max_receive_message_length", max(self._listener.message_bytes, _MIN_MESSAGE_BYTES)),
                ("grpc.max_concurrent_streams", self._listener.in_flight),
                ("grpc.max_metadata_size", _MAX_METADATA_BYTES),
                ("grpc.so_reuseport", 0),
            ],
            # A stream beyond them is refused, and Envoy answers 502. An open stream of events counts all the time.
            maximum_concurrent_rpcs=_CONNECTIONS * self._listener.in_flight,
        )
        handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            "Process": grpc.stream_stream_rpc_method_handler(self._answer)
        }
        server.add_registered_method_handlers(PROCESS_SERVICE, handlers)
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

    async def _answer(self, _: object, context: Context) -> None:
        self._open += 1
        self._idle_since = None
        try:
            await serve_stream(self._servicer, context)
        finally:
            self._open -= 1
            if not self._open:
                self._idle_since = time.monotonic()

    async def wait_quiet(self, seconds: float) -> None:
        """Return once no stream has been open for so long, up to now included."""
        while self._idle_since is None or time.monotonic() - self._idle_since < seconds:
            await asyncio.sleep(_LOOK_S)

    async def _report(self, status: int) -> None:
        for service in ("", PROCESS_SERVICE):
            await self._health.set(service, status)

    async def set_serving(self, is_serving: bool) -> None:
        """Answer health checks; `Engine.set_serving`."""
        status = health_pb2.HealthCheckResponse
        await self._report(status.SERVING if is_serving else status.NOT_SERVING)

    async def stop(self, grace_s: float) -> None:
        """Take no new streams, wait for those that are open, close; `Engine.stop`."""
        if self._server is not None:
            await self._server.stop(grace_s)
