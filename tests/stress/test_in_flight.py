"""More calls at once than `limits.in_flight`: who is refused, how, and who is not; on both engines."""

import asyncio

import pytest

from tests.check.rig import Seen
from tests.stage.process import BOUND_S
from tests.stress.stand import ENGINES, Stand, good, standing, waits

pytestmark = pytest.mark.loopback
IN_FLIGHT = 6


@pytest.fixture(params=ENGINES)
async def stand(request, tmp_path):
    async with standing(request.param, tmp_path, IN_FLIGHT) as running:
        yield running


async def fill(stand: Stand, count: int = IN_FLIGHT) -> "list[asyncio.Task[Seen]]":
    """Let calls wait, and return once all of them do."""
    tasks = [stand.ask(waits(sub=f"waits-{number}")) for number in range(count)]
    await stand.until(lambda: stand.keys.waiting == count)
    return tasks


def told(seen: Seen) -> tuple[int, int | None, str | None, str | None]:
    return seen.status, seen.code, seen.told, seen.header("retry-after")


async def test_surplus_is_refused_at_once_and_the_others_finish(stand):
    waiting = await fill(stand)
    surplus = [await asyncio.wait_for(stand.ask(waits(sub="late")), BOUND_S) for _ in range(3)]
    assert [told(seen) for seen in surplus] == [(503, 50300, "overloaded", "1")] * 3
    assert not any(task.done() for task in waiting)
    stand.keys.arrived.set()
    assert [seen.status for seen in await asyncio.gather(*waiting)] == [200] * IN_FLIGHT


async def test_every_refusal_for_load_leaves_its_event(stand):
    await fill(stand)
    await stand.ask(waits(sub="late"))
    (event,) = stand.rig.audit.events
    assert (event["decision"], event["reason"], event["policy_set"]) == ("deny", "overloaded", "v1")
    assert [counted[:2] for counted in stand.rig.metrics.decisions] == [("deny", "overloaded")]


async def test_call_that_needs_no_waiting_is_answered_while_others_wait(stand):
    waiting = await fill(stand, IN_FLIGHT - 1)
    answers = [await stand.ask(good(sub=f"u-{number}")) for number in range(20)]
    assert [seen.status for seen in answers] == [200] * 20
    assert not any(task.done() for task in waiting)


async def test_call_that_needs_no_waiting_is_answered_when_every_place_is_taken(stand):
    # Who waits here may be a stranger: it takes no valid token to name a `kid` that nobody has heard of.
    await fill(stand)
    assert (await stand.ask(good())).status == 200


async def test_caller_who_leaves_frees_the_place(stand):
    waiting = await fill(stand)
    assert (await stand.ask(waits(sub="late"))).told == "overloaded"
    waiting[0].cancel()
    await stand.until(lambda: stand.keys.waiting == IN_FLIGHT - 1)
    assert (await stand.ask(good())).status == 200


async def test_caller_whose_deadline_passes_frees_the_place(stand):
    hasty = stand.ask(waits(sub="hasty"), 0.1)
    waiting = await fill_beside(stand, hasty)
    await asyncio.wait({hasty}, timeout=BOUND_S)
    await stand.until(lambda: stand.keys.waiting == IN_FLIGHT - 1)
    assert (await stand.ask(good())).status == 200
    assert not any(task.done() for task in waiting)


async def fill_beside(stand: Stand, other: "asyncio.Task[Seen]") -> "list[asyncio.Task[Seen]]":
    tasks = [stand.ask(waits(sub=f"waits-{number}")) for number in range(IN_FLIGHT - 1)]
    await stand.until(lambda: stand.keys.waiting >= IN_FLIGHT - 1 or other.done())
    return tasks


async def test_storm_of_calls_that_leave_uses_up_nothing(stand):
    for turn in range(20):
        tasks = [stand.ask(waits(sub=f"storm-{number}")) for number in range(3 * IN_FLIGHT)]
        # In turn, they leave when the first of them has arrived, and when all of them have.
        await arrive(stand, tasks, len(tasks) if turn % 2 else 1)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await stand.until(lambda: stand.keys.waiting == 0)
    # Each asks until it has a place: a call that was left may still be on its way to the engine, and takes one for a
    # moment. A place that is used up for good is never had again, and not all of them wait.
    asking = [asyncio.ensure_future(ask_until_let_in(stand, f"late-{number}")) for number in range(IN_FLIGHT)]
    await stand.until(lambda: stand.keys.waiting == IN_FLIGHT)
    stand.keys.arrived.set()
    assert [seen.status for seen in await asyncio.gather(*asking)] == [200] * IN_FLIGHT


async def arrive(stand: Stand, tasks: "list[asyncio.Task[Seen]]", count: int) -> None:
    """Wait until so many calls are waited for or answered."""
    await stand.until(lambda: stand.keys.waiting + sum(task.done() for task in tasks) >= count)


async def ask_until_let_in(stand: Stand, subject: str) -> Seen:
    """Ask again as long as every place is taken."""
    while (seen := await stand.ask(waits(sub=subject))).told == "overloaded":
        pass
    return seen
