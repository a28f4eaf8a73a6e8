"""Events that another process writes: evidence once it says so, unavailable in every other case."""

import asyncio
from dataclasses import dataclass, field

import pytest

from agen_authz.adapters.audit import HandedSink
from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from tests.fakes import CountingMetrics


@dataclass
class Desk:
    """The other process."""

    places: int = 256
    handed: list[tuple[int, bytes, str]] = field(default_factory=list)
    withdrawn: list[int] = field(default_factory=list)
    metrics: CountingMetrics = field(default_factory=CountingMetrics)

    def __post_init__(self) -> None:
        self.sink = HandedSink(self.hand, self.withdrawn.append, self.metrics, self.places)

    def hand(self, number: int, line: bytes, owner: str) -> None:
        self.handed.append((number, line, owner))

    def begin(self, line: bytes, owner: str = "ann") -> "asyncio.Task[None]":
        return asyncio.create_task(self.sink.emit_in_turn(line, owner))


def is_unavailable(task: "asyncio.Task[None]") -> bool:
    fault = task.exception()
    return isinstance(fault, Unavailable) and fault.reason is Reason.AUDIT_UNAVAILABLE


async def settled(*tasks: "asyncio.Task[None]") -> None:
    await asyncio.wait(tasks)


async def test_event_is_evidence_once_the_other_process_has_written_it():
    desk = Desk()
    assert desk.sink.emit(b"at once") is False
    first, second = desk.begin(b"1"), desk.begin(b"2")
    await asyncio.sleep(0)
    assert (desk.handed, first.done()) == ([(1, b"1", "'ann'"), (2, b"2", "'ann'")], False)
    desk.sink.settle(2, is_written=True, is_counted=True)
    desk.sink.settle(1, is_written=True, is_counted=True)
    await settled(first, second)
    assert (first.exception(), second.exception(), desk.withdrawn) == (None, None, [])


@pytest.mark.parametrize(("is_counted", "counted"), [(True, 0), (False, 1)])
async def test_event_that_was_not_written_is_unavailable_and_counted_once(is_counted, counted):
    desk = Desk()
    waiting = desk.begin(b"1")
    await asyncio.sleep(0)
    desk.sink.settle(1, is_written=False, is_counted=is_counted)
    await settled(waiting)
    assert is_unavailable(waiting)
    assert desk.metrics.counts["agen_audit_events_total", "stdout", "failed"] == counted


async def test_event_whose_caller_left_is_withdrawn():
    desk = Desk()
    waiting = desk.begin(b"1")
    await asyncio.sleep(0)
    waiting.cancel()
    await settled(waiting)
    desk.sink.settle(1, is_written=True, is_counted=True)
    assert desk.withdrawn == [1]


async def test_places_are_shared_and_the_newest_of_the_owner_with_the_most_leaves():
    desk = Desk(places=3)
    anns = [desk.begin(b"a", "ann") for _ in range(3)]
    await asyncio.sleep(0)
    bob, late = desk.begin(b"b", "bob"), desk.begin(b"a", "ann")
    await asyncio.sleep(0)
    await settled(anns[2], late)
    assert (is_unavailable(anns[2]), is_unavailable(late)) == (True, True)
    assert (desk.withdrawn, [line for _, line, _ in desk.handed]) == ([3], [b"a", b"a", b"a", b"b"])
    for number in (1, 2, 4):
        desk.sink.settle(number, is_written=True, is_counted=True)
    await settled(anns[0], anns[1], bob)
    assert [task.exception() for task in (anns[0], anns[1], bob)] == [None] * 3
    assert desk.metrics.counts["agen_audit_events_total", "stdout", "failed"] == 2
