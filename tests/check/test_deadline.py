"""One moment ends everything that a call waits for: what an earlier step has used up is gone for the next wait."""

import asyncio

import pytest

from agen_authz.waiting import Bulkhead, Deadline, wait_until
from tests import builders as build
from tests.builders import claims, sign
from tests.check.rig import Rig
from tests.fakes import FakeClock, MemoryKeys


class Slow:
    """Something to wait for that takes `seconds` of the clock."""

    def __init__(self, clock: FakeClock, seconds: float) -> None:
        self.clock, self.seconds, self.begun = clock, seconds, 0

    async def begin(self) -> str:
        self.begun += 1
        self.clock.advance(self.seconds)
        return "done"


def test_waits_share_one_deadline():
    clock = FakeClock()
    slow, deadline = Slow(clock, 0.75), Deadline(clock, clock.elapsed() + 1.0)

    async def wait_three_times() -> None:
        room = Bulkhead(1)
        assert [await room.wait_until(deadline, slow.begin), await wait_until(deadline, slow.begin)] == ["done"] * 2
        await room.wait_until(deadline, slow.begin)

    with pytest.raises(TimeoutError):
        asyncio.run(wait_three_times())
    assert slow.begun == 2


def test_wait_that_may_not_begin_leaves_its_place():
    clock = FakeClock()
    slow, room = Slow(clock, 0.0), Bulkhead(1)

    async def wait(until: float) -> str:
        return await room.wait_until(Deadline(clock, until), slow.begin)

    with pytest.raises(TimeoutError):
        asyncio.run(wait(clock.elapsed()))
    assert (asyncio.run(wait(clock.elapsed() + 1.0)), slow.begun) == ("done", 1)


@pytest.mark.parametrize(("seconds", "left_s"), [(0.5, 0.5), (2.0, 1.0), (-1.0, -1.0)], ids=["sooner", "later", "gone"])
def test_deadline_is_shortened_and_never_lengthened(seconds, left_s):
    clock = FakeClock()
    assert Deadline(clock, clock.elapsed() + 1.0).at_most(seconds).left_s() == left_s


class LateKeys(MemoryKeys):
    """Keys that are looked up in memory for two seconds, and fetched at once."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__("idp")
        self.clock, self.fetched = clock, 0

    def find_key(self, provider, kid, algorithm):
        self.clock.advance(2.0)

    async def fetch_key(self, provider, kid, algorithm):
        self.fetched += 1
        return build.public_key(build.ec_key())


def test_provider_is_not_asked_if_the_time_is_used_up_before():
    clock = FakeClock(build.NOW)
    keys = LateKeys(clock)
    raw = build.check_request(build.headers_for(sign(claims())), build.encode(build.message()))
    seen = Rig(keys=keys, clock=clock).check(raw, 1.0)
    assert (seen.told, seen.status, keys.fetched) == ("deadline", 503, 0)
