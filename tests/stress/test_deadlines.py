"""A Check is answered within its time, whatever it waits for; on both engines."""

import asyncio
import gc
import threading
import warnings
from typing import Any

import grpc
import pytest

from agen_authz.servers.engine import CHECK_METHOD
from tests.check.rig import Rig, read_answer
from tests.stage.process import BOUND_S
from tests.stress.stand import ENGINES, LateKeys, good, standing, waits

pytestmark = pytest.mark.loopback
# What the rig's configuration says.
CHECK_TIMEOUT_S = 1.0
# A few turns of the event loop take far less than any time-out here.
TURNS = 100


@pytest.fixture(params=ENGINES)
async def stand(request, tmp_path):
    async with standing(request.param, tmp_path, 64) as running:
        yield running


async def test_wait_for_a_provider_ends_at_check_timeout(stand):
    clock = asyncio.get_running_loop().time
    began = clock()
    asked = [stand.ask(waits(), timeout_s) for timeout_s in (None, BOUND_S)]
    seen = await asyncio.wait_for(asyncio.gather(*asked), BOUND_S)
    told = [(each.status, each.code, each.told, each.header("retry-after")) for each in seen]
    assert told == [(503, 50300, "deadline", "1")] * 2
    assert CHECK_TIMEOUT_S <= clock() - began < BOUND_S
    assert [event["reason"] for event in stand.rig.audit.events] == ["deadline"] * 2


async def test_deadline_shorter_than_check_timeout_ends_the_wait(stand):
    clock = asyncio.get_running_loop().time
    began = clock()
    await asyncio.wait({stand.ask(waits(), CHECK_TIMEOUT_S / 4)})
    await stand.until(lambda: stand.keys.waiting == 0)
    assert clock() - began < CHECK_TIMEOUT_S


async def test_call_is_answered_before_its_deadline_and_leaves_its_event():
    rig = Rig(keys=LateKeys())
    # Whoever set the deadline began to count before the call arrived here.
    async with asyncio.timeout(CHECK_TIMEOUT_S / 2):
        seen = read_answer(await rig.servicer.check(waits(), CHECK_TIMEOUT_S / 2))
    assert (seen.status, seen.told) == (503, "deadline")
    assert [event["reason"] for event in rig.audit.events] == ["deadline"]


def test_call_that_ends_on_its_way_to_the_event_loop_leaves_nothing_behind():
    checked = Rig(keys=LateKeys()).servicer.check(waits(), None)
    checked.send(None)
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        with pytest.raises(asyncio.CancelledError):
            checked.throw(asyncio.CancelledError())
        del checked
        gc.collect()
    assert [str(complaint.message) for complaint in complaints] == []


async def test_calls_with_all_kinds_of_deadlines_hold_up_no_other(stand):
    hanging = [stand.ask(waits(sub=f"u-{number}"), (number + 1) / 100) for number in range(20)]
    answers = [await stand.ask(good(sub=f"good-{number}")) for number in range(20)]
    assert [seen.status for seen in answers] == [200] * 20
    await asyncio.wait(hanging, timeout=BOUND_S)
    await stand.until(lambda: stand.keys.waiting == 0)


async def test_caller_who_leaves_while_the_event_loop_is_busy_is_not_waited_for(tmp_path):
    async with standing("native", tmp_path, 64) as stand:
        impatient = threading.Thread(target=leave_and_go_on, args=(f"unix:{tmp_path}/authz.sock",))
        impatient.start()
        # The event loop is busy here all the while.
        impatient.join(BOUND_S)
        for _ in range(TURNS):
            await asyncio.sleep(0)
        assert stand.keys.waiting == 0


def leave_and_go_on(target: str) -> None:
    """Begin a call that must wait, leave it once it has arrived, and have another answered."""
    with grpc.insecure_channel(target) as channel:
        method: Any = channel.unary_unary(CHECK_METHOD)
        left = method.future(waits(), timeout=BOUND_S)
        method(good(), timeout=BOUND_S)
        left.cancel()
        # Answered on the same connection: the cancellation before it has been read.
        method(good(), timeout=BOUND_S)
