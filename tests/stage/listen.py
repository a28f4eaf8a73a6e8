"""Runs ASGI applications on sockets that they are handed, in a thread, for clients that speak real HTTP."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from starlette.types import ASGIApp

from agen_authz.demo.listen import Site, authority_of, bind_loopback, serve_until
from tests.stage.port import HOST
from tests.stage.process import START_S


@contextmanager
def serving(*sites: Site) -> Iterator[None]:
    """Serve while inside; sockets are closed afterwards."""
    listening, ended = threading.Event(), threading.Event()
    started: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        stopped = asyncio.Event()
        started.append((asyncio.get_running_loop(), stopped))
        await serve_until(stopped, sites, listening.set)

    def run() -> None:
        try:
            asyncio.run(serve())
        finally:
            ended.set()
            listening.set()

    with ExitStack() as stack:
        for site in sites:
            stack.enter_context(site.listener)
        thread = threading.Thread(target=run)
        thread.start()
        try:
            assert listening.wait(START_S) and not ended.is_set()
            yield
        finally:
            loop, stopped = started[0]
            if not ended.is_set():
                loop.call_soon_threadsafe(stopped.set)
            thread.join(START_S)


@contextmanager
def serving_app(app: ASGIApp) -> Iterator[str]:
    """Serve one application and yield its URL, without a slash at the end."""
    listener = bind_loopback(HOST, 0)
    with serving(Site(app, listener)):
        yield f"http://{authority_of(listener)}"
