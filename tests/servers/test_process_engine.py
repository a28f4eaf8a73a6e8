"""Process's listener: streams go to the servicer, health checks are answered, and the end waits for what is open."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from grpc import aio
from grpc_health.v1 import health_pb2

from agen_authz.core.errors import ConfigError
from agen_authz.servers.engine import PROCESS_SERVICE, Listener
from agen_authz.servers.ext_proc import Stream
from agen_authz.servers.grpcio_stream import StreamServicer
from agen_authz.servers.process_engine import ProcessEngine
from tests.stage.port import reserve_address
from tests.stage.process import BOUND_S

pytestmark = pytest.mark.loopback
METHOD = f"/{PROCESS_SERVICE}/Process"
STATUS = health_pb2.HealthCheckResponse


@dataclass
class Echo:
    """Answers each event with itself, and holds the stream until it is let go."""

    held: asyncio.Event = field(default_factory=asyncio.Event)

    async def process(self, stream: Stream) -> None:
        while (event := await stream.read()) is not None:
            await stream.write(b"answer to " + event)
        await self.held.wait()


@asynccontextmanager
async def served(address: str, servicer: StreamServicer) -> AsyncIterator[tuple[ProcessEngine, aio.Channel]]:
    engine = ProcessEngine(Listener(address, 1 << 20, 100, setting="server.proc"), servicer)
    await engine.start()
    target = address.replace("unix://", "unix:")
    async with aio.insecure_channel(target) as channel:
        try:
            yield engine, channel
        finally:
            await engine.stop(0)


@pytest.fixture(params=["tcp", "unix"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return reserve_address() if request.param == "tcp" else f"unix://{tmp_path}/proc.sock"


async def health(channel: aio.Channel, service: str) -> int:
    ask: Any = channel.unary_unary("/grpc.health.v1.Health/Check")
    raw = await ask(health_pb2.HealthCheckRequest(service=service).SerializeToString(), timeout=BOUND_S)
    return int(STATUS.FromString(raw).status)


def open_stream(channel: aio.Channel) -> Any:
    stream: Any = channel.stream_stream(METHOD)
    return stream(timeout=BOUND_S)


async def test_events_are_answered_in_their_order(address):
    servicer = Echo()
    servicer.held.set()
    async with served(address, servicer) as (_, channel):
        stream = open_stream(channel)
        answers = []
        for event in (b"1", b"2"):
            await stream.write(event)
            answers.append(await stream.read())
        await stream.done_writing()
        end = await stream.read()
    assert (answers, end) == ([b"answer to 1", b"answer to 2"], aio.EOF)


async def test_health_is_that_of_process_and_of_the_whole(address):
    async with served(address, Echo()) as (engine, channel):
        seen = [[await health(channel, service) for service in ("", PROCESS_SERVICE)]]
        await engine.set_serving(True)
        seen.append([await health(channel, service) for service in ("", PROCESS_SERVICE)])
    assert seen == [[STATUS.NOT_SERVING] * 2, [STATUS.SERVING] * 2]


async def test_quiet_only_once_no_stream_is_open(address):
    servicer = Echo()
    async with served(address, servicer) as (engine, channel):
        await engine.wait_quiet(0.0)
        stream = open_stream(channel)
        await stream.write(b"1")
        await stream.read()
        waiting = asyncio.create_task(engine.wait_quiet(0.0))
        await health(channel, "")
        before, in_flight = waiting.done(), engine.count_in_flight()
        await stream.done_writing()
        servicer.held.set()
        async with asyncio.timeout(BOUND_S):
            await waiting
        ended = engine.count_in_flight()
    assert (before, in_flight, ended) == (False, 1, 0)


async def test_end_cuts_what_is_still_open_when_the_time_is_over(address):
    async with served(address, Echo()) as (engine, channel):
        stream = open_stream(channel)
        await stream.write(b"1")
        await stream.read()
        await engine.stop(0.01)
        with pytest.raises(aio.AioRpcError):
            await stream.read()


async def test_address_that_is_taken_names_its_key(address):
    async with served(address, Echo()):
        with pytest.raises(ConfigError, match=r"server\.proc: cannot listen on"):
            await ProcessEngine(Listener(address, 1, 1, setting="server.proc"), Echo()).start()
