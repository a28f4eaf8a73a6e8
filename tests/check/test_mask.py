"""What was masked is counted, and reported in one event for each response."""

from typing import Any

import pytest

from agen_authz.core.errors import Unavailable
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.rule import Receipt
from agen_authz.core.model import NOBODY, Owner
from agen_authz.core.reason import Reason
from agen_authz.core.response.message import MaskedValues, Uninspected
from agen_authz.obligations.mask import MAX_ROWS, MaskingLedger, MaskingPorts
from agen_authz.wire.masked import Origin
from tests import builders as build
from tests.fakes import CountingMetrics, FakeClock, ListSink


class Rig:
    def __init__(self, origin: Origin | None = None) -> None:
        self.audit, self.metrics = ListSink(), CountingMetrics()
        origin = origin or Origin("r1", "crm", "v1", build.principal())
        self.ledger = MaskingLedger(origin, MaskingPorts(self.audit, self.metrics, FakeClock()))

    async def note(self, *receipts: Receipt, is_last: bool = False) -> None:
        await self.ledger.note([MaskedValues(receipts)] if receipts else [], is_last=is_last)

    @property
    def rows(self) -> list[list[tuple[str, int]]]:
        """The rows of each event."""
        events: list[Any] = self.audit.events
        return [[(row["pointer"], row["count"]) for row in event["masking"]["receipts"]] for event in events]


def receipt(pointer: str = "/a", count: int = 1, detector: str = "email", **more: Any) -> Receipt:
    return Receipt("r", detector, Style.REDACT, pointer, count, **more)


async def test_last_message_is_written_at_once():
    rig = Rig()
    await rig.note(receipt("/a", 2), receipt("/b"), is_last=True)
    await rig.note(is_last=True)
    assert rig.rows == [[("/a", 2), ("/b", 1)]]


async def test_messages_of_a_stream_are_collected_and_the_same_places_added_up():
    rig = Rig()
    await rig.note(receipt("/a", 2), receipt("/b"))
    await rig.note(receipt("/a", 3))
    assert rig.rows == []
    await rig.note(is_last=True)
    assert rig.rows == [[("/a", 5), ("/b", 1)]]


async def test_nothing_is_written_of_nothing():
    rig = Rig()
    await rig.note()
    await rig.note(is_last=True)
    assert rig.rows == []


async def test_stream_that_goes_on_is_written_in_between():
    rig = Rig()
    for at in range(MAX_ROWS * 2):
        await rig.note(receipt(f"/{at}"))
    await rig.note(receipt("/last"), is_last=True)
    assert [event["masking"]["values"] for event in rig.audit.events] == [MAX_ROWS, MAX_ROWS, 1]


async def test_event_that_cannot_be_written_keeps_the_message_back_and_what_left_before_is_told_later():
    rig = Rig()
    await rig.note(receipt("/left"))
    rig.audit.is_broken = True
    with pytest.raises(Unavailable):
        await rig.note(receipt("/withheld"), is_last=True)
    rig.audit.is_broken = False
    await rig.note(is_last=True)
    assert rig.rows == [[("/left", 1)]]
    assert rig.metrics.counts["agen_masked_total", "email", "redact", "crm"] == 1


async def test_enforced_and_shadow_are_counted_apart():
    rig = Rig()
    await rig.note(receipt(count=2), receipt("/b", 3), receipt(detector="vin", count=4, is_enforced=False))
    assert rig.metrics.counts == {
        ("agen_masked_total", "email", "redact", "crm"): 5,
        ("agen_masked_shadow_total", "vin", "redact", "crm"): 4,
    }


async def test_what_could_not_be_inspected_is_told_without_receipts():
    rig = Rig()
    await rig.ledger.note([Uninspected(Reason.UNMASKABLE, "too deep")], is_last=True)
    (event,) = rig.audit.events
    assert event["masking"]["uninspected"] == [{"reason": "unmaskable", "detail": "too deep", "outcome": "withheld"}]


@pytest.mark.parametrize("caller", [None, build.principal()])
async def test_event_waits_for_its_callers_turn(caller):
    rig = Rig(Origin("r1", "crm", "v1", caller))
    rig.audit.others_wait = True
    await rig.note(receipt(), is_last=True)
    assert rig.audit.waited == [NOBODY if caller is None else Owner(caller.issuer, caller.subject)]
    assert len(rig.rows) == 1


async def test_event_for_which_there_is_no_room_in_time_is_not_waited_for():
    rig = Rig()
    rig.audit.is_full = True
    with pytest.raises(Unavailable):
        await rig.note(receipt(), is_last=True)
