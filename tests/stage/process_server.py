"""The real servicer of Process on a Unix socket, in a thread with a loop of its own."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agen_authz.servers.engine import Listener
from agen_authz.servers.grpcio_stream import StreamServicer
from agen_authz.servers.process_engine import ProcessEngine
from tests.stage.process import START_S


@contextmanager
def serving_process(servicer: StreamServicer, path: Path) -> Iterator[None]:
    """Serve while inside."""
    listening = threading.Event()
    started: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        engine, stopped = ProcessEngine(Listener(f"unix://{path}", 1 << 20, 100), servicer), asyncio.Event()
        await engine.start()
        await engine.set_serving(True)
        started.append((asyncio.get_running_loop(), stopped))
        listening.set()
        await stopped.wait()
        await engine.stop(0)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert listening.wait(START_S)
    try:
        yield
    finally:
        loop, stopped = started[0]
        loop.call_soon_threadsafe(stopped.set)
        thread.join(START_S)
