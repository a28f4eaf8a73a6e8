"""What was only counted is told of by the clock and at the end."""

import asyncio
import logging

import pytest

from agen_authz.app.evidence import tell_at_the_end, tell_by_the_clock
from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from tests import builders as build
from tests.check.rig import Rig
from tests.fakes import ListSink, Naps

STRANGER = build.check_request(build.headers_for(None), build.encode(build.message()))


class Faulty(ListSink):
    """Fails as often as it is told to."""

    faults: list[Exception]

    def emit(self, line: bytes) -> bool:
        if self.faults:
            raise self.faults.pop()
        return super().emit(line)


def crowded(*faults: Exception) -> Rig:
    audit = Faulty()
    audit.faults = []
    rig = Rig(audit=audit, denials_per_second=1)
    for _ in range(3):
        rig.check(STRANGER)
    audit.faults = list(faults)
    audit.lines.clear()
    return rig


def totals(rig: Rig) -> list[int]:
    return [event["aggregated"]["total"] for event in rig.audit.events]


async def test_clock_tells_every_second_as_long_as_there_is_something():
    rig, naps = crowded(RuntimeError("a defect")), Naps()
    telling = asyncio.ensure_future(tell_by_the_clock(rig.ports, naps))
    seen, slept = [], set()
    for _ in range(4):
        seconds, wake = await naps.next()
        seen.append(totals(rig))
        slept.add(seconds)
        wake.set_result(None)
    telling.cancel()
    # A defect ends neither the clock nor the counts.
    assert (slept, seen) == ({1.0}, [[], [], [2], [2]])


async def test_end_tells_of_what_is_left():
    rig = crowded()
    await tell_at_the_end(rig.ports)
    assert totals(rig) == [2]


async def test_counts_that_cannot_be_written_at_the_end_are_logged(caplog: pytest.LogCaptureFixture):
    rig = crowded(Unavailable(Reason.AUDIT_UNAVAILABLE, "broken"))
    with caplog.at_level(logging.ERROR):
        await tell_at_the_end(rig.ports)
    (record,) = caplog.records
    assert (record.__dict__["total"], record.__dict__["counts"]) == (2, ["2 x deny token_missing crm"])
