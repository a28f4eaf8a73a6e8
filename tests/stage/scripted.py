"""An MCP server that sends what a test tells it, byte by byte: one request on each connection, HTTP/1.1."""

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TypeAlias

from tests.stage.port import HOST
from tests.stage.process import START_S

_BACKLOG = 2048


class Cut(Enum):
    """The connection is reset: what was sent before may still arrive."""

    RESET = auto()


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that arrived; names of headers are in lower case."""

    method: str
    headers: dict[str, str]
    body: bytes


# Bytes are sent; a Future is waited for; after the last step the connection is closed.
Step: TypeAlias = "bytes | Future[None] | Cut"
Script: TypeAlias = Callable[[Asked], Iterable[Step]]


@dataclass
class Scripted:
    """The server; `script` may be replaced at any time, and counts for requests that arrive from then on."""

    port: int
    script: Script = lambda _: ()
    asked: list[Asked] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        try:
            asked = await _read(reader)
            self.asked.append(asked)
            for step in self.script(asked):
                await _take(step, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # Envoy went away, or never asked.
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *rows = head.rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(line.partition(" ")[0], headers, body)


async def _take(step: Step, writer: asyncio.StreamWriter) -> None:
    if isinstance(step, bytes):
        writer.write(step)
        await writer.drain()
    elif isinstance(step, Future):
        # One Future may hold many connections: none of them may cancel it.
        await asyncio.shield(asyncio.wrap_future(step))
    else:
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()


@contextmanager
def serving_scripted() -> Iterator[Scripted]:
    """Serve while inside, in a thread."""
    listener = socket.create_server((HOST, 0), backlog=_BACKLOG)
    scripted, listening = Scripted(int(listener.getsockname()[1])), threading.Event()
    started: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        server, stopped = await asyncio.start_server(scripted.answer, sock=listener, backlog=_BACKLOG), asyncio.Event()
        started.append((asyncio.get_running_loop(), stopped))
        listening.set()
        await stopped.wait()
        server.close()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert listening.wait(START_S)
    try:
        yield scripted
    finally:
        loop, stopped = started[0]
        loop.call_soon_threadsafe(stopped.set)
        thread.join(START_S)
