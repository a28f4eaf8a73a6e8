"""Both engines serve the same function of bytes: every test runs on each of them, over TCP and a Unix socket."""

import asyncio
import contextlib
import socket
import stat
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health_pb2

from agen_authz.core.errors import ConfigError
from agen_authz.core.reason import Reason
from agen_authz.servers.engine import CHECK_METHOD, CHECK_SERVICE, Decider, Engine, Listener, is_local
from agen_authz.servers.grpcio_engine import GrpcioEngine
from agen_authz.servers.native_engine import NativeEngine
from agen_authz.waiting import Bulkhead, Deadline
from tests.fakes import FakeClock
from tests.stage.port import reserve_address
from tests.stage.process import BOUND_S

pytestmark = pytest.mark.loopback

ENGINES: dict[str, Any] = {"native": NativeEngine, "grpcio": GrpcioEngine}
HEALTH = "/grpc.health.v1.Health/Check"
WATCH = "/grpc.health.v1.Health/Watch"
REQUEST_BYTES = 64 * 1024


@dataclass
class Desk:
    """A check function that answers, waits, fails or reports, by what the bytes say."""

    released: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    ended: list[str] = field(default_factory=list)
    remaining: list[float | None] = field(default_factory=list)

    async def check(self, raw: bytes, remaining_s: float | None) -> bytes:
        self.remaining.append(remaining_s)
        if raw == b"defect":
            raise RuntimeError("a defect")
        if raw == b"wait":
            try:
                await Bulkhead(1).wait_until(Deadline(clock := FakeClock(), clock.elapsed() + BOUND_S), self._wait)
            except asyncio.CancelledError:
                self.ended.append("cancelled")
                raise
        return b"answer to " + raw

    def find_caller(self, raw: bytes) -> str | None:
        caller, mark, _ = raw.decode("latin-1").partition("'s ")
        return caller if mark else None

    async def refuse(self, reason: Reason) -> bytes:
        return str(reason).encode()

    async def _wait(self) -> None:
        self.waiting.set()
        await self.released.wait()


class Deciding(Desk):
    """A desk whose check is a function."""

    def __init__(self, check: "Callable[[bytes, float | None], Coroutine[Any, Any, bytes]]") -> None:
        super().__init__()
        self._function = check

    async def check(self, raw: bytes, remaining_s: float | None) -> bytes:
        return await self._function(raw, remaining_s)


@pytest.fixture(params=["tcp", "unix"])
def address(request, tmp_path) -> str:
    return reserve_address() if request.param == "tcp" else f"unix://{tmp_path}/authz.sock"


@pytest.fixture(params=ENGINES)
def kind(request) -> str:
    return str(request.param)


def build(kind: str, address: str, desk: Decider, in_flight: int = 64) -> Engine:
    engine: Engine = ENGINES[kind](Listener(address, REQUEST_BYTES, in_flight), desk)
    return engine


def method(channel: aio.Channel, name: str) -> Any:
    """One unary method on bytes; grpcio's types know only generated messages."""
    return channel.unary_unary(name)


@asynccontextmanager
async def served(kind: str, address: str, desk: Desk, in_flight: int = 64) -> AsyncIterator[tuple[Engine, aio.Channel]]:
    engine = build(kind, address, desk, in_flight)
    await engine.start()
    try:
        async with aio.insecure_channel(address.replace("unix://", "unix:")) as channel:
            yield engine, channel
    finally:
        await engine.stop(0)


async def call(channel: aio.Channel, raw: bytes, timeout: float | None = BOUND_S) -> bytes:
    answer: bytes = await method(channel, CHECK_METHOD)(raw, timeout=timeout)
    return answer


async def code_of(pending: "asyncio.Future[bytes] | asyncio.Task[bytes]") -> grpc.StatusCode:
    with pytest.raises(aio.AioRpcError) as caught:
        await pending
    return caught.value.code()


async def test_bytes_go_in_and_come_out(kind, address):
    async with served(kind, address, Desk()) as (_, channel):
        assert await call(channel, b"x") == b"answer to x"


async def test_deadline_is_passed_on_and_its_absence_too(kind, address):
    desk = Desk()
    async with served(kind, address, desk) as (_, channel):
        await call(channel, b"x", 4.0)
        await call(channel, b"x", None)
    told, absent = desk.remaining
    assert told is not None and 0 < told <= 4.5
    assert absent is None


async def test_call_that_waits_holds_up_no_other(kind, address):
    desk = Desk()
    async with served(kind, address, desk) as (_, channel):
        slow = asyncio.ensure_future(call(channel, b"wait"))
        await desk.waiting.wait()
        assert await call(channel, b"x") == b"answer to x"
        desk.released.set()
        assert await slow == b"answer to wait"


async def test_call_is_in_flight_as_long_as_it_waits(kind, address):
    desk = Desk()
    async with served(kind, address, desk) as (engine, channel):
        seen = [engine.count_in_flight()]
        waiting = asyncio.ensure_future(call(channel, b"wait"))
        async with asyncio.timeout(BOUND_S):
            await desk.waiting.wait()
            seen.append(engine.count_in_flight())
            desk.released.set()
            await waiting
        seen.append(engine.count_in_flight())
    assert seen == [0, 1, 0]


async def test_caller_who_leaves_ends_the_wait(kind, address):
    desk = Desk()
    async with served(kind, address, desk) as (_, channel):
        slow = asyncio.ensure_future(call(channel, b"wait"))
        await desk.waiting.wait()
        slow.cancel()
        async with asyncio.timeout(BOUND_S):
            while not desk.ended:
                await asyncio.sleep(0)
    assert desk.ended == ["cancelled"]


async def test_defect_fails_one_call_and_nothing_else(kind, address):
    async with served(kind, address, Desk()) as (_, channel):
        failed = asyncio.ensure_future(call(channel, b"defect"))
        assert await code_of(failed) in (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL)
        assert await call(channel, b"x") == b"answer to x"


async def test_message_beyond_the_limit_is_refused(kind, address):
    async with served(kind, address, Desk()) as (_, channel):
        large = asyncio.ensure_future(call(channel, b"x" * (REQUEST_BYTES + 300 * 1024)))
        assert await code_of(large) == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert len(await call(channel, b"x" * REQUEST_BYTES)) > REQUEST_BYTES


@pytest.mark.parametrize("service", ["", CHECK_SERVICE])
async def test_health_says_what_it_was_told(kind, address, service):
    asked = health_pb2.HealthCheckRequest(service=service).SerializeToString()
    async with served(kind, address, Desk()) as (engine, channel):
        check = method(channel, HEALTH)
        seen = [await check(asked, timeout=BOUND_S)]
        await engine.set_serving(True)
        seen.append(await check(asked, timeout=BOUND_S))
        await engine.set_serving(False)
        seen.append(await check(asked, timeout=BOUND_S))
    status = [health_pb2.HealthCheckResponse.FromString(raw).status for raw in seen]
    assert status == [2, 1, 2]


async def test_client_that_watches_health_gets_changes(kind, address):
    async with served(kind, address, Desk()) as (engine, channel):
        stream: Any = channel.unary_stream(WATCH)
        watch = stream(b"", timeout=BOUND_S)
        seen = [await watch.read()]
        await engine.set_serving(True)
        seen.append(await watch.read())
        watch.cancel()
    assert [health_pb2.HealthCheckResponse.FromString(raw).status for raw in seen] == [2, 1]


async def test_health_of_another_service_is_not_found(kind, address):
    asked = health_pb2.HealthCheckRequest(service="other").SerializeToString()
    async with served(kind, address, Desk()) as (_, channel):
        unknown = asyncio.ensure_future(_unary(channel, HEALTH, asked))
        assert await code_of(unknown) == grpc.StatusCode.NOT_FOUND


async def _unary(channel: aio.Channel, name: str, raw: bytes) -> bytes:
    answer: bytes = await method(channel, name)(raw, timeout=BOUND_S)
    return answer


async def test_malformed_health_request_ends_nothing(kind, address):
    async with served(kind, address, Desk()) as (_, channel):
        with contextlib.suppress(aio.AioRpcError):
            await _unary(channel, HEALTH, b"\xff\xff")
        assert await call(channel, b"x") == b"answer to x"


async def test_stopping_lets_a_call_under_way_finish(kind, address):
    desk = Desk()
    async with served(kind, address, desk) as (engine, channel):
        slow = asyncio.ensure_future(call(channel, b"wait"))
        await desk.waiting.wait()
        stopping = asyncio.ensure_future(engine.stop(BOUND_S))
        await asyncio.sleep(0)
        desk.released.set()
        assert await slow == b"answer to wait"
        await stopping


async def test_taken_address_is_refused_with_the_cure(kind, address):
    async with served(kind, address, Desk()):
        with pytest.raises(ConfigError) as caught:
            await build(kind, address, Desk()).start()
    (problem,) = caught.value.problems
    assert (problem.path, "server.authz" in problem.cure) == ("server.authz", True)


async def test_socket_is_for_owner_and_group(kind, tmp_path):
    path = tmp_path / "authz.sock"
    async with served(kind, f"unix://{path}", Desk()):
        assert stat.S_IMODE(path.stat().st_mode) == 0o660


async def test_socket_without_a_listener_is_replaced(kind, tmp_path):
    path = tmp_path / "authz.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    async with served(kind, f"unix://{path}", Desk()) as (_, channel):
        assert await call(channel, b"x") == b"answer to x"


async def test_file_in_the_place_of_a_socket_is_refused(kind, tmp_path):
    path = tmp_path / "authz.sock"
    path.write_text("precious", "utf-8")
    with pytest.raises(ConfigError):
        await build(kind, f"unix://{path}", Desk()).start()
    assert path.read_text("utf-8") == "precious"


async def test_native_engine_decides_in_the_thread_that_received(tmp_path):
    threads: list[str] = []

    async def check(raw: bytes, remaining_s: float | None) -> bytes:
        threads.append(threading.current_thread().name)
        return raw

    engine = NativeEngine(Listener(f"unix://{tmp_path}/s.sock", REQUEST_BYTES, 64), Deciding(check))
    await engine.start()
    async with aio.insecure_channel(f"unix:{tmp_path}/s.sock") as channel:
        await call(channel, b"x")
    await engine.stop(0)
    assert threads == ["check"]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1:1", True),
        ("[::1]:1", True),
        ("unix:///run/a.sock", True),
        ("0.0.0.0:1", False),
        ("10.0.0.1:1", False),
        ("localhost:1", False),
    ],
)
def test_local_is_what_only_this_machine_reaches(address: str, expected: bool):
    assert is_local(address) is expected


def test_folder_that_is_missing_is_refused(tmp_path: Path):
    engine = NativeEngine(Listener(f"unix://{tmp_path}/none/s.sock", REQUEST_BYTES, 64), Desk())
    with pytest.raises(ConfigError):
        asyncio.run(engine.start())
