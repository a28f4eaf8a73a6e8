"""Copies of what passed are read afterwards, one message at a time, and what they show is reported."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agen_authz.core.masking.row import Style
from agen_authz.core.masking.rule import Receipt, Unmaskable
from agen_authz.core.model import Json
from agen_authz.core.response.body import ResponseLimits
from agen_authz.core.response.passage import Copy
from agen_authz.core.response.protect import Mask
from agen_authz.obligations.mask import MAX_ROWS, MaskingPorts
from agen_authz.obligations.watch import MAX_WAITING, Watched, Watcher
from agen_authz.wire.masked import Origin
from tests.core.response.wireless import head
from tests.fakes import CountingMetrics, FakeClock, ListSink

LIMITS = ResponseLimits(bytes=1 << 20, depth=8)


def find(message: dict[str, Json]) -> tuple[Json, tuple[Receipt, ...]]:
    """Find what the result of a message lists."""
    listed: Any = message["result"]
    if listed == ["deep"]:
        raise Unmaskable("too deep")
    if listed == ["broken"]:
        raise RuntimeError("a defect")
    return message, tuple(Receipt("r", each, Style.REDACT, f"/{each}", is_enforced=False) for each in listed)


def copy(*results: list[str]) -> Copy:
    raw = [json.dumps({"jsonrpc": "2.0", "id": 1, "result": each}).encode() for each in results]
    return Copy(head(), raw[0] if len(raw) == 1 else b"".join(b"data: " + each + b"\n\n" for each in raw))


class Rig:
    def __init__(self) -> None:
        self.audit, self.metrics = ListSink(), CountingMetrics()
        self.watcher = Watcher(MaskingPorts(self.audit, self.metrics, FakeClock()))
        self.pauses = 0

    def offer(self, held: Copy | None, *, is_sample: bool = True, mask: Mask = find) -> None:
        self.watcher.offer(Watched(Origin("r1", "crm", "v1"), is_sample, mask, LIMITS), held)

    async def pause(self, seconds: float) -> None:
        self.pauses += 1
        await asyncio.sleep(seconds)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read all that is handed over until the end."""
        task = asyncio.create_task(self.watcher.run(self.pause))
        yield
        while sum(count for key, count in self.metrics.counts.items() if key[0].endswith("copies_total")) < self.total:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    total = 1

    @property
    def outcomes(self) -> dict[str, int]:
        return {key[2]: count for key, count in self.metrics.counts.items() if key[0] == "agen_response_copies_total"}


async def test_what_a_sample_shows_is_counted_and_becomes_one_event():
    rig = Rig()
    async with rig.running():
        rig.offer(copy(["email"], ["email", "vin"], []))
    (event,) = rig.audit.events
    assert (event["decision"], event["request_id"], event["server"]) == ("sample", "r1", "crm")
    assert [(row["detector"], row["count"], row["shadow"]) for row in event["masking"]["receipts"]] == [
        ("email", 2, True), ("vin", 1, True),
    ]  # fmt: skip
    assert rig.metrics.counts["agen_unruled_total", "email", "crm"] == 2
    assert (rig.pauses, rig.outcomes) == (3, {"found": 1})


async def test_what_rules_in_shadow_show_is_counted_as_theirs():
    rig = Rig()
    async with rig.running():
        rig.offer(copy(["email"]), is_sample=False)
    assert rig.audit.events[0]["decision"] == "mask"
    assert rig.metrics.counts["agen_masked_shadow_total", "email", "redact", "crm"] == 1


QUIET = {
    "nothing in it": (copy([]), "clean"), "not readable": (Copy(head(), b"<html>"), "unread"),
    "not inspected to its end": (copy(["deep"]), "unread"), "too large": (None, "dropped"),
}  # fmt: skip


@pytest.mark.parametrize(("held", "outcome"), QUIET.values(), ids=QUIET)
async def test_copy_that_shows_nothing_leaves_no_event(held: Copy | None, outcome: str):
    rig = Rig()
    async with rig.running():
        rig.offer(held)
    assert (rig.audit.events, rig.outcomes) == ([], {outcome: 1})


async def test_event_says_if_a_part_could_not_be_inspected():
    rig = Rig()
    async with rig.running():
        rig.offer(copy(["deep"], ["email"]))
    assert rig.audit.events[0]["masking"]["uninspected"] == [
        {"reason": "unmaskable", "detail": "too deep", "outcome": "passed"}
    ]


async def test_copies_beyond_the_queue_are_dropped():
    rig = Rig()
    for _ in range(MAX_WAITING + 3):
        rig.offer(copy([]))
    assert rig.outcomes == {"dropped": 3}
    rig.total = MAX_WAITING + 3
    async with rig.running():
        pass
    assert rig.outcomes == {"dropped": 3, "clean": MAX_WAITING}


async def test_copy_with_more_than_an_event_holds_is_not_read_to_its_end():
    rig = Rig()
    many = [[f"d{at}-{number}" for number in range(MAX_ROWS // 2)] for at in range(4)]
    async with rig.running():
        rig.offer(copy(*many))
    assert (rig.pauses, rig.audit.events[0]["masking"]["values"]) == (2, MAX_ROWS)


async def test_event_that_cannot_be_written_is_lost():
    rig = Rig()
    rig.audit.is_broken, rig.total = True, 2
    async with rig.running():
        rig.offer(copy(["email"]))
        rig.offer(copy(["email"]))
    assert rig.outcomes == {"found": 2}


async def test_defect_is_logged_and_the_next_copy_is_read(caplog: pytest.LogCaptureFixture):
    rig = Rig()
    with caplog.at_level(logging.ERROR):
        async with rig.running():
            rig.offer(copy(["broken"]))
            rig.offer(copy(["email"]))
    assert rig.outcomes == {"found": 1}
    assert [each.message for each in caplog.records] == [
        "a defect ended the reading of a copy of a response; the response had passed"
    ]
