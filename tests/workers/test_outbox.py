"""Messages are sent once, later if they cannot be sent now, and never more of them in an hour than are allowed."""

import asyncio
import logging

import pytest

from agen_authz.core.approval.request import Occasion, Progress
from agen_authz.core.errors import Unavailable
from agen_authz.workers.outbox import LEASE_S, MAX_ATTEMPTS, run_outbox
from tests.fakes import Naps
from tests.workers.rig import CHANNEL, Rig


def asked_rig(**changes):
    rig = Rig(**changes)
    rig.ask()
    return rig


async def test_message_that_is_due_is_sent_once():
    rig = asked_rig()
    rig.post("m1")
    worker = rig.sender()
    assert [await worker.step(rig.clock.now()) for _ in range(2)] == [1, 0]
    ((id, to, subject, body),) = rig.notifier.sent
    assert (id, to, subject) == ("m1", CHANNEL, "Approval needed: refund on pay")
    assert f"https://approvals.example.com/requests/{'0' * 32}" in body.split("\n")
    assert rig.messages == {("opened", "sent"): 1}


class Killed(BaseException):
    """The process ends."""


async def test_crash_between_sending_and_noting_it_repeats_a_message_once_when_the_lease_is_over():
    rig = asked_rig()
    rig.post("m1")

    async def die(id, now):
        raise Killed

    settle, rig.outbox.settle = rig.outbox.settle, die
    with pytest.raises(Killed):
        await rig.sender().step(rig.clock.now())
    rig.outbox.settle = settle
    rig.notifier.restart()
    restarted = rig.sender()
    # The lease is still good: nobody sends it.
    assert await restarted.step(rig.clock.now()) == 0 and len(rig.notifier.sent) == 1
    rig.clock.advance(LEASE_S)
    await rig.pass_hours(restarted, 2)
    assert [id for id, *_ in rig.notifier.sent] == ["m1", "m1"] and rig.outbox.sent == ["m1"]


async def test_store_that_is_down_when_a_message_was_sent_repeats_none_and_loses_none():
    rig = asked_rig()
    rig.post("m1", "m2")
    worker, send = rig.sender(), rig.notifier.send

    async def send_and_break(*message):
        rig.outbox.is_broken = True
        return await send(*message)

    rig.notifier.send = send_and_break
    with pytest.raises(Unavailable):
        await worker.step(rig.clock.now())
    rig.notifier.send, rig.outbox.is_broken = send, False
    await rig.pass_hours(worker, 1)
    # The process still knows who has taken what.
    assert sorted(id for id, *_ in rig.notifier.sent) == ["m1", "m2"]
    assert sorted(rig.outbox.sent) == ["m1", "m2"]


async def test_message_to_a_place_that_comes_back_is_sent():
    rig = asked_rig()
    rig.post("m1")
    rig.notifier.unreachable.add(CHANNEL)
    worker = rig.sender()
    await rig.pass_hours(worker, 2)
    assert rig.notifier.sent == [] and rig.outbox.given_up == []
    rig.notifier.unreachable.clear()
    await rig.pass_hours(worker, 2)
    assert rig.outbox.sent == ["m1"] and len(rig.notifier.sent) == 1


async def test_attempts_come_later_and_later_and_end(caplog):
    rig = asked_rig()
    rig.ask(ends_at=rig.clock.now() + 1e7)
    rig.post("m1")
    rig.notifier.unreachable.add(CHANNEL)
    worker, delays = rig.sender(), []
    while rig.outbox.kept["m1"].due_at is not None:
        assert await worker.step(rig.clock.now()) == 1
        due_at = rig.outbox.kept["m1"].due_at
        if due_at is not None:
            delays.append(due_at - rig.clock.now())
            rig.clock.advance(delays[-1])
    expected = [min(5.0 * 2**attempt, 3600.0) for attempt in range(MAX_ATTEMPTS - 1)]
    assert all(full / 2 <= delay <= full for delay, full in zip(delays, expected, strict=True))
    assert rig.outbox.given_up == ["m1"]
    assert rig.messages == {("opened", "failed"): MAX_ATTEMPTS - 1, ("opened", "given_up"): 1}
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert record.getMessage() == "a message to people could not be sent, and is not tried any more"


async def test_no_more_messages_are_sent_in_any_hour_than_are_allowed():
    rig = asked_rig(max_per_hour=10)
    rig.ask(ends_at=rig.clock.now() + 1e6)
    rig.post(*(f"m{number}" for number in range(35)))
    worker, times = rig.sender(), []
    for _ in range(5 * 60):
        before = len(rig.notifier.sent)
        await worker.step(rig.clock.now())
        times += [rig.clock.now()] * (len(rig.notifier.sent) - before)
        rig.clock.advance(60.0)
    assert len(times) == len({id for id, *_ in rig.notifier.sent}) == 35
    assert all(sum(start <= time < start + 3600.0 for time in times) <= 10 for start in times)


async def test_replicas_that_take_at_once_do_not_exceed_the_bound_together():
    rig = asked_rig(max_per_hour=10)
    rig.post(*(f"m{number}" for number in range(30)))
    take, both = rig.outbox.take, asyncio.Barrier(2)

    async def take_together(*wanted):
        # Both have found that there is room.
        await both.wait()
        taken = await take(*wanted)
        await both.wait()
        return taken

    rig.outbox.take = take_together
    await asyncio.gather(rig.sender().step(rig.clock.now()), rig.sender().step(rig.clock.now()))
    assert len(rig.notifier.sent) <= 10
    rig.outbox.take = take
    await rig.pass_hours(rig.sender(), 1)
    assert len(rig.notifier.sent) == 10
    assert len({id for id, *_ in rig.notifier.sent}) == 10


async def test_bound_that_is_reached_is_logged_once(caplog):
    rig = asked_rig(max_per_hour=1)
    rig.post("m1", "m2")
    await rig.pass_hours(rig.sender(), 0.9)
    assert [each.getMessage() for each in caplog.records] == [
        "no more messages may be sent in this hour; others wait"
    ]  # fmt: skip


async def test_two_workers_send_each_message_once():
    rig = asked_rig()
    rig.post(*(f"m{number}" for number in range(40)))
    first, second = rig.sender(), rig.sender()
    for _ in range(5):
        await asyncio.gather(first.step(rig.clock.now()), second.step(rig.clock.now()))
    assert sorted(id for id, *_ in rig.notifier.sent) == sorted(f"m{number}" for number in range(40))


@pytest.mark.parametrize("occasion", [Occasion.OPENED, Occasion.STEP, Occasion.REMINDER])
async def test_message_that_asks_for_a_decision_is_not_sent_once_it_is_decided(occasion):
    rig = Rig()
    rig.ask(status=Progress.REJECTED)
    rig.post("m1", occasion=occasion)
    await rig.sender().step(rig.clock.now())
    assert rig.notifier.sent == [] and rig.outbox.given_up == ["m1"]
    assert rig.messages == {(occasion.value, "outdated"): 1}


async def test_message_about_a_step_that_is_done_is_not_sent():
    rig = Rig()
    rig.ask(step=1)
    rig.post("m1")
    await rig.sender().step(rig.clock.now())
    assert rig.outbox.given_up == ["m1"]


async def test_end_of_a_request_is_told_though_more_has_happened_since():
    rig = Rig()
    rig.ask(status=Progress.USED)
    rig.post("m1", occasion=Occasion.APPROVED)
    await rig.sender().step(rig.clock.now())
    assert rig.outbox.sent == ["m1"]


async def test_message_to_nowhere_takes_no_room_in_the_hour():
    rig = asked_rig(max_per_hour=1)
    rig.notifier.nowhere.add("flow:silent")
    rig.post("m1", to="flow:silent")
    rig.post("m2")
    worker = rig.sender()
    await worker.step(rig.clock.now())
    await worker.step(rig.clock.now())
    assert (rig.outbox.given_up, rig.outbox.sent) == (["m1"], ["m2"])


async def test_message_that_kills_each_attempt_is_given_up_and_holds_up_no_other(caplog):
    rig = asked_rig()
    rig.ask(ends_at=rig.clock.now() + 1e6)
    rig.post("poison", to="flow:poison")
    rig.post("m1")
    worker, send = rig.sender(), rig.notifier.send

    async def fail(id, *message):
        if id == "poison":
            raise ValueError("a defect")
        return await send(id, *message)

    rig.notifier.send = fail
    for _ in range(MAX_ATTEMPTS):
        with pytest.raises(ValueError, match="a defect"):
            await worker.step(rig.clock.now())
        rig.clock.advance(LEASE_S)
    assert rig.outbox.sent == ["m1"] and rig.outbox.given_up == []
    await worker.step(rig.clock.now())
    assert rig.outbox.given_up == ["poison"]


async def test_defect_is_logged_and_counted_and_the_loop_goes_on(caplog):
    rig, naps = asked_rig(), Naps()
    rig.post("m1")
    worker, count = rig.sender(), rig.outbox.count_sent

    async def fail(since):
        raise ValueError("a defect")

    rig.outbox.count_sent = fail
    task = asyncio.create_task(run_outbox(worker, rig.outbox_ports, naps))
    pause_s, woken = await naps.next()
    assert (pause_s, rig.defects) == (10.0, {("outbox",): 1})
    assert [each.getMessage() for each in caplog.records] == [
        "a defect stopped the sending of messages to people; it continues in ten seconds"
    ]
    rig.outbox.count_sent, rig.outbox.is_broken = count, True
    woken.set_result(None)
    pause_s, woken = await naps.next()
    # A store that is down is no defect.
    assert (pause_s, rig.defects) == (10.0, {("outbox",): 1})
    rig.outbox.is_broken = False
    woken.set_result(None)
    pause_s, woken = await naps.next()
    assert (pause_s, rig.outbox.sent) == (0.0, ["m1"])
    woken.set_result(None)
    assert (await naps.next())[0] == 2.0
    task.cancel()
