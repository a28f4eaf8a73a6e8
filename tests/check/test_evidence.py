"""Too much evidence at once: strangers are counted, callers wait a moment, and nothing is allowed without its event."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from agen_authz.core.model import Issuer, Owner, Subject
from agen_authz.obligations import tell
from tests import builders as build
from tests.builders import NOW, claims, sign
from tests.check.rig import Rig, drive, read_answer
from tests.fakes import FakeClock, ListSink

STRANGER = build.check_request(build.headers_for(None), build.encode(build.message()))
FORGED = build.check_request(
    build.headers_for(sign(claims(), key=build.ec_key("forger"))), build.encode(build.message())
)
METADATA = build.check_request({}, method="GET", path="/.well-known/oauth-protected-resource/crm/mcp")
GOOD = build.check_request(build.headers_for(sign(claims())), build.encode(build.message()))
REFUSED = build.check_request(
    build.headers_for(sign(claims())), build.encode(build.message(params={"name": "delete_customer"}))
)


def told_of(rig: Rig) -> list[dict[str, Any]]:
    """Let what was counted be told of, and return the events of that."""
    before = len(rig.audit.events)
    asyncio.run(tell(rig.ports))
    return rig.audit.events[before:]


def counts(event: dict[str, Any]) -> dict[tuple[str, ...], int]:
    return {(row["decision"], row["reason"], row["server"]): row["count"] for row in event["aggregated"]["counts"]}


def test_strangers_beyond_their_share_are_counted_in_one_event():
    clock = FakeClock(NOW)
    rig = Rig(clock=clock, denials_per_second=2)
    answers = []
    for raw in (STRANGER, METADATA, STRANGER, FORGED, FORGED, METADATA, METADATA):
        answers.append(rig.check(raw).status)
        clock.advance(0.01)
    assert answers == [401, 200, 401, 401, 401, 200, 200]
    assert [event["reason"] for event in rig.audit.events] == ["token_missing", "metadata"]
    assert len(rig.metrics.decisions) == 7
    (event,) = told_of(rig)
    assert (event["decision"], event["policy_set"], event["aggregated"]["total"]) == ("aggregated", "v1", 5)
    assert counts(event) == {
        ("deny", "token_missing", "crm"): 1, ("deny", "token_signature", "crm"): 2, ("answer", "metadata", "crm"): 2,
    }  # fmt: skip
    assert (event["aggregated"]["first"], event["aggregated"]["last"]) == (
        "2027-01-15T08:00:00.020000+00:00", "2027-01-15T08:00:00.060000+00:00",
    )  # fmt: skip
    assert [each["reason"] for each in event["aggregated"]["examples"]] == [
        "token_missing",
        "token_signature",
        "metadata",
    ]
    assert event["aggregated"]["examples"][0] == {
        "time": "2027-01-15T08:00:00.020000+00:00", "request_id": f"{3:032x}", "decision": "deny",
        "reason": "token_missing", "server": "crm", "ip": "192.0.2.1", "path": "/crm/mcp", "user_agent": "",
    }  # fmt: skip
    assert told_of(rig) == []


def test_share_comes_back_with_the_time():
    clock = FakeClock(NOW)
    rig = Rig(clock=clock, denials_per_second=2)
    seen = []
    for pause in (0, 0, 0, 0.5, 0, 100, 0, 0):
        clock.advance(pause)
        before = len(rig.audit.events)
        rig.check(STRANGER)
        seen.append(len(rig.audit.events) - before)
    assert seen == [1, 1, 0, 1, 0, 1, 1, 0]


def test_callers_have_an_event_each_however_many_strangers_there_are():
    rig = Rig(denials_per_second=1)
    for raw in (STRANGER, STRANGER, GOOD, REFUSED, GOOD):
        rig.check(raw)
    assert [event["reason"] for event in rig.audit.events] == ["token_missing", "allowed", "not_granted", "allowed"]


def test_stranger_never_waits_and_is_counted_if_there_is_no_room():
    rig = Rig()
    rig.audit.is_full = True
    coroutine = rig.servicer.check(STRANGER, 0.2)
    with pytest.raises(StopIteration) as done:
        coroutine.send(None)
    assert (read_answer(done.value.value).status, rig.audit.waited) == (401, [])
    rig.audit.is_full = False
    (event,) = told_of(rig)
    assert counts(event) == {("deny", "token_missing", "crm"): 1}


async def check_while_full(rig: Rig, raw: bytes, until_room: int, remaining_s: float | None = 10.0) -> Any:
    """Ask while there is no room for events; room comes after so many steps of the event loop."""
    rig.audit.is_full = True
    asked = asyncio.ensure_future(rig.servicer.check(raw, remaining_s))
    for _ in range(until_room):
        await asyncio.sleep(0)
    assert not asked.done()
    rig.audit.is_full = False
    return read_answer(await asked)


async def test_caller_waits_for_room_and_is_allowed():
    rig = Rig()
    seen = await check_while_full(rig, GOOD, 5)
    assert (seen.is_allowed, rig.audit.waited) == (True, [Owner(Issuer(build.ISSUER), Subject("ann"))])
    assert [event["reason"] for event in rig.audit.events] == ["allowed"]


async def test_caller_who_is_denied_waits_too_so_that_the_denial_has_its_event():
    rig = Rig()
    assert (await check_while_full(rig, REFUSED, 5)).told == "unknown_target"
    assert [event["reason"] for event in rig.audit.events] == ["not_granted"]


@pytest.mark.parametrize(("raw", "told", "reason"), [
    (GOOD, (503, "audit_unavailable"), "audit_unavailable"), (REFUSED, (200, "unknown_target"), "not_granted"),
], ids=["allowed", "denied"])  # fmt: skip
@pytest.mark.parametrize("remaining_s", [0.2, None], ids=["deadline", "none"])
def test_caller_who_waited_until_the_deadline_is_denied_and_counted(raw, told, reason, remaining_s):
    rig = Rig()
    rig.audit.is_full = True
    seen = read_answer(drive(rig.servicer.check(raw, remaining_s)))
    assert ((seen.status, seen.told), seen.is_allowed, rig.audit.events) == (told, False, [])
    rig.audit.is_full = False
    (event,) = told_of(rig)
    assert counts(event) == {("deny", reason, "crm"): 1}


def test_caller_whose_time_is_over_does_not_wait_at_all():
    class Late(FakeClock):
        """Whatever is read after the start is a second later."""

        def elapsed(self) -> float:
            self.advance(1.0)
            return super().elapsed()

    rig = Rig(clock=Late())
    rig.audit.is_full = True
    coroutine = rig.servicer.check(GOOD, 0.2)
    with pytest.raises(StopIteration) as done:
        coroutine.send(None)
    assert (read_answer(done.value.value).told, rig.audit.waited) == ("audit_unavailable", [])


def broken() -> ListSink:
    sink = ListSink()
    sink.is_broken = True
    return sink


def test_what_cannot_be_written_stays_counted_until_it_can_be():
    rig = Rig(audit=broken(), denials_per_second=1)
    assert [rig.check(raw).status for raw in (STRANGER, STRANGER, GOOD, METADATA)] == [401, 401, 503, 200]
    asyncio.run(tell(rig.ports))
    held = rig.ports.crowd.take()
    assert (held.total, held.policy_set, len(held.examples)) == (4, "v1", 3)
    rig.ports.crowd.give_back(held)
    mended = ListSink()
    asyncio.run(tell(replace(rig.ports, audit=mended)))
    assert mended.events[0]["aggregated"]["total"] == 4


def test_answer_whose_event_cannot_be_written_is_refused():
    assert Rig(audit=broken()).check(METADATA).told == "audit_unavailable"


async def test_aggregate_waits_for_room_and_what_is_cut_short_is_written_later():
    rig = Rig(denials_per_second=1)
    for raw in (STRANGER, STRANGER):
        rig.check(raw)
    rig.audit.is_full = True
    telling = asyncio.ensure_future(tell(rig.ports))
    await asyncio.sleep(0)
    telling.cancel()
    await asyncio.wait([telling])
    telling = asyncio.ensure_future(tell(rig.ports))
    await asyncio.sleep(0)
    rig.audit.is_full = False
    await telling
    assert [event["decision"] for event in rig.audit.events] == ["deny", "aggregated"]
    assert rig.audit.events[1]["aggregated"]["total"] == 1


def test_many_rows_are_in_several_events_and_nothing_is_lost():
    rig = Rig(resources=tuple(_resources(25)), denials_per_second=1)
    for number in range(25):
        for _ in range(2):
            rig.check(build.check_request(build.headers_for(None), b"{}", path=f"/r{number}/mcp"))
    events = told_of(rig)
    assert [len(event["aggregated"]["counts"]) for event in events] == [10, 10, 5]
    assert [event["aggregated"]["total"] for event in events] == [19, 20, 10]
    assert all(len(json.dumps(event)) < 4096 for event in events)


def _resources(count: int) -> list[Any]:
    return [
        build.resource(name=f"r{number}", path=f"/r{number}/mcp", url=f"https://mcp.example.com/r{number}/mcp")
        for number in range(count)
    ]


def test_clock_that_is_set_back_does_not_turn_the_times_around():
    clock = FakeClock(NOW)
    rig = Rig(clock=clock, denials_per_second=1)
    rig.check(STRANGER)
    for step in (0, -60):
        clock.step(step)
        rig.check(STRANGER)
    (event,) = told_of(rig)
    assert (event["aggregated"]["first"], event["aggregated"]["last"]) == (
        "2027-01-15T07:59:00+00:00", "2027-01-15T08:00:00+00:00",
    )  # fmt: skip


def test_request_that_cannot_be_read_is_counted_without_an_address():
    rig = Rig(denials_per_second=1)
    for _ in range(5):
        drive(rig.servicer.check(b"\xff", 1.0))
    (part,) = rig.ports.crowd.take().split()
    assert part.counts == {("deny", "request_unreadable", ""): 4}
    assert [(each.reason, each.ip, each.path) for each in part.examples] == [("request_unreadable", "", "")]
