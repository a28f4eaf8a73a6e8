"""One end of a control channel: whole messages on a connected Unix socket, and None once the other end is gone."""

import asyncio
import contextlib
import socket
from typing import Generic, TypeVar

import msgspec

from agen_authz.app.control.message import ToSupervisor, ToWorker

_Sent = TypeVar("_Sent", bound=msgspec.Struct)
_Received = TypeVar("_Received", bound=msgspec.Struct)

_HEAD_BYTES = 4
# More than the largest configuration (4 MiB) with keys and bundles of certificates for hundreds of providers.
_MAX_BYTES = 256 * 1024 * 1024
_FLUSH_S = 1.0
_ENCODER = msgspec.msgpack.Encoder()


class Channel(Generic[_Sent, _Received]):
    """Sends one kind of message and receives the other; belongs to one event loop."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, decoder: msgspec.msgpack.Decoder[_Received]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._decoder = decoder

    def send(self, message: _Sent) -> None:
        """Send a message; if the other end is gone it is lost, which `receive` reports."""
        raw = _ENCODER.encode(message)
        self._writer.write(len(raw).to_bytes(_HEAD_BYTES, "big") + raw)

    async def receive(self) -> _Received | None:
        """Receive the next message; None if the other end is closed, or what came is not a message."""
        try:
            size = int.from_bytes(await self._reader.readexactly(_HEAD_BYTES), "big")
            if size > _MAX_BYTES:
                return None
            return self._decoder.decode(await self._reader.readexactly(size))
        except (asyncio.IncompleteReadError, OSError, msgspec.MsgspecError):
            return None

    async def close(self) -> None:
        """Close this end; what was sent before still arrives, if the other end reads it."""
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(_FLUSH_S):
                await self._writer.wait_closed()


async def open_to_worker(end: socket.socket) -> "Channel[ToWorker, ToSupervisor]":
    """Open the supervisor's end."""
    reader, writer = await asyncio.open_connection(sock=end)
    return Channel(reader, writer, msgspec.msgpack.Decoder(ToSupervisor))


async def open_to_supervisor(end: socket.socket) -> "Channel[ToSupervisor, ToWorker]":
    """Open a worker's end."""
    reader, writer = await asyncio.open_connection(sock=end)
    return Channel(reader, writer, msgspec.msgpack.Decoder(ToWorker))
