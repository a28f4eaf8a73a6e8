"""Process on grpcio: one bidirectional stream for each response, with health checks on the same socket.

A `StreamServicer` answers the streams. The engine knows how many are open, and since when there
is none.
"""

import asyncio
import time

import grpc

from agen_authz.servers.engine import PROCESS_SERVICE, Listener
from agen_authz.servers.grpcio_server import GrpcioServer
from agen_authz.servers.grpcio_stream import Context, StreamServicer, serve_stream

# A piece of a body is what Envoy has read by then (1 MiB unless its buffers are larger), however little may be held:
# a body that is too large is to become an error, not the end of the connection.
_MIN_MESSAGE_BYTES = 8 << 20
_LOOK_S = 0.02
# `in_flight` streams are the most of one connection; of all connections together, so many times as many.
_CONNECTIONS = 4


class ProcessEngine:
    """A gRPC server with Process and grpc.health.v1 on one socket; `servers.engine.Engine`."""

    def __init__(self, listener: Listener, servicer: StreamServicer) -> None:
        # A stream beyond the last bound is refused, and Envoy answers 502. An open stream of events counts too.
        message_bytes, most = max(listener.message_bytes, _MIN_MESSAGE_BYTES), _CONNECTIONS * listener.in_flight
        self._server = GrpcioServer(listener, PROCESS_SERVICE, message_bytes, most)
        self._servicer = servicer
        self._open = 0
        self._idle_since: float | None = time.monotonic()

    async def start(self) -> None:
        """Listen, and answer NOT_SERVING until told otherwise; `Engine.start`."""
        await self._server.start("Process", grpc.stream_stream_rpc_method_handler(self._answer))

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

    async def set_serving(self, is_serving: bool) -> None:
        """Answer health checks; `Engine.set_serving`."""
        await self._server.set_serving(is_serving)

    def count_in_flight(self) -> int:
        """Count the streams that are open; `Engine.count_in_flight`."""
        return self._open

    async def stop(self, grace_s: float) -> None:
        """Take no new streams, wait for those that are open, close; `Engine.stop`."""
        await self._server.stop(grace_s)
