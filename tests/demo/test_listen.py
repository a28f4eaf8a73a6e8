"""Serving on loopback: streams are cut at the end, failures stay failures."""

import asyncio
import socket

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from agen_authz.demo.listen import Site, authority_of, bind_loopback, serve_until
from tests.stage.port import HOST

pytestmark = pytest.mark.loopback


async def without_end(_request: Request) -> StreamingResponse:
    async def pieces():
        yield b"first"
        await asyncio.Event().wait()

    return StreamingResponse(pieces())


async def silent(_request: Request) -> StreamingResponse:
    await asyncio.Event().wait()
    raise AssertionError


async def complete_but_busy(scope, _receive, send):
    assert scope["type"] in ("http", "lifespan")
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})
        await asyncio.Event().wait()


async def broken(_request: Request) -> StreamingResponse:
    raise RuntimeError("broken on purpose")


def build_app() -> Starlette:
    return Starlette(routes=[Route("/stream", without_end), Route("/silent", silent), Route("/broken", broken)])


async def start(app: ASGIApp | None = None) -> tuple[asyncio.Event, asyncio.Task[None], socket.socket]:
    stopped, listening = asyncio.Event(), asyncio.Event()
    listener = bind_loopback(HOST, 0)
    serving = asyncio.create_task(serve_until(stopped, [Site(app or build_app(), listener)], listening.set))
    await listening.wait()
    return stopped, serving, listener


async def test_stream_without_end_ends_with_the_server_as_if_it_were_complete():
    stopped, serving, listener = await start()
    async with httpx.AsyncClient(base_url=f"http://{authority_of(listener)}", trust_env=False) as web:
        async with web.stream("GET", "/stream") as answer:
            received = answer.aiter_raw()
            pieces = [await anext(received)]
            stopped.set()
            pieces += [piece async for piece in received]
        await serving
    listener.close()
    assert (answer.status_code, pieces) == (200, [b"first"])


async def test_request_that_was_never_answered_does_not_hold_the_server():
    stopped, serving, listener = await start()
    reader, writer = await asyncio.open_connection(HOST, listener.getsockname()[1])
    writer.write(b"GET /silent HTTP/1.1\r\nhost: x\r\n\r\n")
    await writer.drain()
    stopped.set()
    await serving
    received = await reader.read()
    writer.close()
    listener.close()
    assert received.split(b"\r\n")[0] == b"HTTP/1.1 503 Service Unavailable"


async def test_failure_of_an_application_is_an_error_of_one_answer_only():
    stopped, serving, listener = await start()
    async with httpx.AsyncClient(base_url=f"http://{authority_of(listener)}", trust_env=False) as web:
        statuses = [(await web.get(path)).status_code for path in ("/broken", "/nowhere")]
    stopped.set()
    await serving
    listener.close()
    assert statuses == [500, 404]


async def test_work_after_an_answer_is_cut_without_a_word(caplog):
    stopped, serving, listener = await start(complete_but_busy)
    async with httpx.AsyncClient(base_url=f"http://{authority_of(listener)}", trust_env=False) as web:
        status = (await web.get("/")).status_code
        stopped.set()
        await serving
    listener.close()
    errors = [record.message for record in caplog.records if record.levelname == "ERROR"]
    assert (status, errors) == (204, [])
