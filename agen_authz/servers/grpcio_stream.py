"""One stream of Process on `grpc.aio`, as `servers.ext_proc.Stream`."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Protocol

import grpc
from grpc import aio

from agen_authz.core.reason import Reason
from agen_authz.servers.ext_proc import Gone, Stream

Context = aio.ServicerContext[bytes, bytes]


class StreamServicer(Protocol):
    """What streams are handed to."""

    def process(self, stream: Stream) -> Coroutine[Any, Any, None]:
        """Answer one stream; returns without an abort only if Envoy was answered in full."""


async def serve_stream(servicer: StreamServicer, context: Context) -> None:
    """Serve one stream: what grpcio calls for it.

    Raises:
        grpc.aio.BaseError: the stream was aborted. INVARIANT: grpcio then never sends OK.
    """
    stream = GrpcioStream(context)
    await servicer.process(stream)
    if stream.failure is not None:
        raise stream.failure


class GrpcioStream:
    """Reads and writes serialised messages.

    Attributes:
        failure: what grpcio raised when the stream was aborted.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.failure: Exception | None = None

    async def read(self) -> bytes | None:
        """Wait for the next message; `Stream.read`."""
        try:
            # The stubs know nothing of EOF, which is another object.
            message: object = await self._context.read()
        except (aio.BaseError, asyncio.InvalidStateError):
            return None
        return message if isinstance(message, bytes) else None

    async def write(self, raw: bytes) -> None:
        """Send a message; `Stream.write`."""
        try:
            await self._context.write(raw)
        except (aio.BaseError, asyncio.InvalidStateError) as exc:
            raise Gone from exc

    async def abort(self, reason: Reason) -> None:
        """End the stream with INTERNAL; `Stream.abort`."""
        if self.failure is not None:
            return
        self.failure = aio.AbortError()
        try:
            await self._context.abort(grpc.StatusCode.INTERNAL, reason.value)
        except (aio.BaseError, asyncio.InvalidStateError) as exc:
            self.failure = exc
