"""Requests end in time, whichever replica notes it; people are told once, and what is old is erased."""

import asyncio
import json

import pytest

from agen_authz.core.approval.request import Occasion, Progress
from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from agen_authz.ports.approval import StoredSession
from agen_authz.workers.approvals import run_approvals
from tests.core.approval.rig import FLOW, flow
from tests.fakes import Naps
from tests.workers.rig import CHANNEL, Rig

ID = "0" * 32
DAY_S = 86400.0


def list_told(rig):
    return sorted((each.message.occasion.value, each.message.to) for each in rig.outbox.kept.values())


async def test_request_that_nobody_decides_is_timed_out_and_everybody_is_told():
    rig = Rig()
    rig.ask(remind_at=None)
    keeper = rig.keeper()
    rig.clock.advance(FLOW.timeout_s - 1)
    assert await keeper.step(rig.clock.now()) == 0
    rig.clock.advance(1)
    assert await keeper.step(rig.clock.now()) == 1
    held = rig.approvals.requests[ID]
    assert (held.status, held.version) == (Progress.TIMED_OUT, 1)
    assert list_told(rig) == [
        ("timed_out", "ann@acme.example"),
        ("timed_out", "bob@acme.example"),
        ("timed_out", CHANNEL),
    ]
    (event,) = map(json.loads, rig.events)
    assert (event["decision"], event["approval"]["event"], event["approval"]["status"]) == (
        "approval",
        "timed_out",
        "timed_out",
    )
    assert rig.ended == {("finance", "timed_out"): 1}


async def test_flow_of_low_risk_approves_in_the_end():
    rig = Rig({FLOW.name: flow(approves_on_timeout=True)})
    rig.ask(remind_at=None)
    rig.clock.advance(FLOW.timeout_s)
    await rig.keeper().step(rig.clock.now())
    held = rig.approvals.requests[ID]
    assert (held.status, held.grant_until) == (Progress.APPROVED, held.ends_at + rig.terms.grant_ttl_s)
    (event,) = map(json.loads, rig.events)
    assert event["approval"]["event"] == "approved" and "approver" not in event["approval"]


async def test_flow_that_has_changed_since_approves_nothing():
    rig = Rig({FLOW.name: flow(approves_on_timeout=True)})
    rig.ask(remind_at=None, flow_digest="other")
    rig.clock.advance(FLOW.timeout_s)
    await rig.keeper().step(rig.clock.now())
    assert rig.approvals.requests[ID].status is Progress.TIMED_OUT


async def test_approval_that_nobody_uses_lapses():
    rig = Rig()
    now = rig.clock.now()
    rig.ask(status=Progress.APPROVED, decided_at=now, grant_until=now + 900.0, remind_at=None)
    rig.clock.advance(900.0)
    await rig.keeper().step(rig.clock.now())
    assert rig.approvals.requests[ID].status is Progress.LAPSED
    assert rig.ended == {("finance", "lapsed"): 1}


async def test_reminders_come_in_their_rhythm_until_the_end():
    rig = Rig()
    rig.ask()
    keeper, reminded = rig.keeper(), []
    start = rig.clock.now()
    for _ in range(int(FLOW.timeout_s // 60) + 10):
        if await keeper.step(rig.clock.now()):
            reminded.append(rig.clock.now() - start)
        rig.clock.advance(60.0)
    assert reminded == [3600.0, 7200.0, 10800.0, 14400.0]
    told = list_told(rig)
    assert told.count((Occasion.REMINDER.value, CHANNEL)) == told.count(("reminder", "bob@acme.example")) == 3
    # A reminder is no event: it decides nothing.
    assert len(rig.events) == 1


async def test_two_workers_note_a_time_out_once():
    rig = Rig()
    rig.ask(remind_at=None)
    rig.clock.advance(FLOW.timeout_s)
    list_due, both = rig.approvals.list_due, asyncio.Barrier(2)

    async def list_together(now, limit):
        due = await list_due(now, limit)
        await both.wait()
        return due

    rig.approvals.list_due = list_together
    done = await asyncio.gather(rig.keeper().step(rig.clock.now()), rig.keeper().step(rig.clock.now()))
    assert sorted(done) == [0, 1]
    assert len(rig.events) == 1 and len(rig.outbox.kept) == 3


async def test_approver_who_is_faster_than_the_clock_wins():
    rig = Rig()
    made = rig.ask(remind_at=None)
    rig.clock.advance(FLOW.timeout_s)

    async def list_stale(now, limit):
        rig.approvals.requests[ID] = type(made)(**{**_members(made), "status": Progress.REJECTED, "version": 1})
        return (made,)

    rig.approvals.list_due = list_stale
    assert await rig.keeper().step(rig.clock.now()) == 0
    assert rig.approvals.requests[ID].status is Progress.REJECTED and rig.events == [] and rig.outbox.kept == {}


def _members(request):
    return {name: getattr(request, name) for name in request.__struct_fields__}


async def test_time_passes_though_no_event_can_be_written():
    rig = Rig()
    rig.ask(remind_at=None)
    rig.clock.advance(FLOW.timeout_s)
    keeper = rig.keeper()

    async def refuse(line):
        raise Unavailable(Reason.AUDIT_UNAVAILABLE, "full")

    rig.record = refuse
    assert await rig.keeper().step(rig.clock.now()) == 1
    assert await keeper.step(rig.clock.now()) == 0


async def test_arguments_are_erased_when_their_time_is_over_and_the_record_stays():
    rig = Rig()
    rig.ask(remind_at=None)
    keeper = rig.keeper()
    await keeper.step(rig.clock.now())
    rig.clock.advance(30 * DAY_S + 1)
    await keeper.step(rig.clock.now())
    assert rig.approvals.kept == {} and ID in rig.approvals.requests


async def test_sessions_are_swept_every_ten_minutes():
    rig = Rig()
    keeper, sweeps = rig.keeper(), []
    sweep = rig.sessions.sweep

    async def count(now):
        sweeps.append(now)
        await sweep(now)

    rig.sessions.sweep = count
    await rig.sessions.put("a", StoredSession(b"", rig.clock.now() + 60.0))
    for _ in range(20):
        await keeper.step(rig.clock.now())
        rig.clock.advance(60.0)
    assert len(sweeps) == 2 and rig.sessions.kept == {}


async def test_store_that_is_down_is_no_defect_and_a_defect_does_not_end_the_loop(caplog):
    rig, naps = Rig(), Naps()
    rig.approvals.is_broken = True
    task = asyncio.create_task(run_approvals(rig.keeper(), rig.time_ports, naps))
    pause_s, woken = await naps.next()
    assert (pause_s, rig.defects) == (10.0, {})
    rig.approvals.is_broken, list_due = False, rig.approvals.list_due

    async def fail(now, limit):
        raise ValueError("a defect")

    rig.approvals.list_due = fail
    woken.set_result(None)
    pause_s, woken = await naps.next()
    assert (pause_s, rig.defects) == (10.0, {("approvals",): 1})
    assert [each.getMessage() for each in caplog.records] == [
        "a defect kept requests for approval from ending in time; it continues in ten seconds"
    ]
    rig.approvals.list_due = list_due
    rig.ask(remind_at=None, ends_at=rig.clock.now())
    woken.set_result(None)
    pause_s, woken = await naps.next()
    assert (pause_s, rig.approvals.requests[ID].status) == (0.0, Progress.TIMED_OUT)
    woken.set_result(None)
    assert (await naps.next())[0] == 2.0
    task.cancel()


async def test_defect_with_some_requests_stops_no_others_and_they_are_tried_again_later(caplog):
    rig = Rig()
    bad = [rig.ask(remind_at=None, id=f"{number:032}", ends_at=rig.clock.now()).id for number in range(150)]
    good = rig.ask(remind_at=None, id="f" * 32, ends_at=rig.clock.now() + 1.0)
    rig.clock.advance(1.0)
    change, keeper = rig.approvals.change, rig.keeper()

    async def fail(before, after, messages=()):
        if before.id in bad:
            raise ValueError("a defect")
        return await change(before, after, messages)

    rig.approvals.change = fail
    assert [await keeper.step(rig.clock.now()) for _ in range(3)] == [0, 1, 0]
    assert rig.approvals.requests[good.id].status is Progress.TIMED_OUT
    assert rig.defects == {("approvals",): len(bad)}
    assert {each.getMessage() for each in caplog.records} == {
        "a defect kept a request for approval from ending in time; others continue"
    }
    rig.approvals.change = change
    rig.clock.advance(600.0)
    assert sum([await keeper.step(rig.clock.now()) for _ in range(4)]) == len(bad)


@pytest.mark.parametrize("count", [1, 250])
async def test_step_changes_a_batch_at_most(count):
    rig = Rig()
    for number in range(count):
        rig.ask(remind_at=None, id=f"{number:032}")
    rig.clock.advance(FLOW.timeout_s)
    keeper = rig.keeper()
    assert await keeper.step(rig.clock.now()) == min(count, 100)
