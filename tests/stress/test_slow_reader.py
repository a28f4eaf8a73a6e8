"""A reader of the events that is slower than strangers are: no good call is denied, and nobody is left out."""

import asyncio
import json
import signal
from collections import Counter
from collections.abc import Iterator

import pytest

from tests import builders as build
from tests.stage.process import START_S
from tests.stress.sidecar import Plan, Sidecar, Told, running
from tests.stress.stand import ENGINES, good, standing
from tests.stress.test_store_and_disk import Pipe

pytestmark = pytest.mark.loopback
STRANGERS, GOOD = 8, 60
# What is read for each stranger who was answered: less than the event that each would have.
READ_BYTES = 400


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    opened = Pipe()
    yield opened
    opened.close()


async def ask_beside_strangers(sidecar: Sidecar, pipe: Pipe) -> tuple[list[Told], int]:
    """Make good calls while strangers ask; each answer to a stranger lets the reader read a little."""
    strangers, is_over = 0, False

    async def stranger() -> None:
        nonlocal strangers
        while not is_over:
            assert (await sidecar.ask(None)).reason == "token_missing"
            strangers += 1
            pipe.drain(READ_BYTES)

    storming = [asyncio.ensure_future(stranger()) for _ in range(STRANGERS)]
    async with asyncio.timeout(START_S):
        while strangers < GOOD:
            await asyncio.sleep(0.001)
        good = [await sidecar.ask(sidecar.token()) for _ in range(GOOD)]
        is_over = True
        await asyncio.gather(*storming)
    return good, strangers


async def end(sidecar: Sidecar, pipe: Pipe) -> None:
    """End the sidecar, and read what it has to say."""
    sidecar.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(START_S):
        while sidecar.process.poll() is None:
            pipe.drain()
            await asyncio.sleep(0.001)
    pipe.drain()


@pytest.mark.parametrize("engine", ENGINES)
async def test_strangers_and_a_slow_reader_deny_no_good_call_and_every_stranger_is_counted(tmp_path, pipe, engine):
    plan = Plan(tmp_path, engine=engine, audit="{denials_per_second: 1}")
    async with running(plan, pipe.writer) as sidecar:
        pipe.shrink()
        good, strangers = await ask_beside_strangers(sidecar, pipe)
        await end(sidecar, pipe)
    events = [json.loads(line) for line in pipe.read.splitlines()]
    assert Counter(told.reason for told in good) == {"": GOOD}
    allowed = {event["request_id"] for event in events if event["decision"] == "allow"}
    assert allowed >= {told.request_id for told in good}
    single = sum(event["reason"] == "token_missing" for event in events)
    counted = sum(event["aggregated"]["total"] for event in events if event["decision"] == "aggregated")
    assert (single + counted, single < counted) == (strangers, True)


@pytest.mark.parametrize("engine", ENGINES)
async def test_call_that_waits_for_its_event_goes_on_and_a_stranger_does_not_wait(tmp_path, engine):
    stranger = build.check_request(build.headers_for(None), build.encode(build.message()))
    async with standing(engine, tmp_path, 6) as stand:
        stand.rig.audit.others_wait = True
        seen = [await stand.ask(raw) for raw in (good(), stranger, good(sub="bob"))]
        assert [each.status for each in seen] == [200, 401, 200]
        assert [owner.subject for owner in stand.rig.audit.waited] == ["ann", "bob"]
        assert [event["decision"] for event in stand.rig.audit.events] == ["allow", "allow"]
        assert stand.rig.ports.crowd.take().total == 1
