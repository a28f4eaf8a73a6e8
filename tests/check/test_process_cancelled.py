"""A stream that Envoy cancels when it has the whole response: what remains to be done is done all the same."""

import asyncio
from collections.abc import Callable

import pytest

from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from agen_authz.core.response.message import Note
from tests.check.test_process import ANSWER, MemoryStream, Rig, opening, piece


class Slow:
    """Writes notes once it may."""

    def __init__(self, fails: bool = False) -> None:
        self.begun, self.may_end = asyncio.Event(), asyncio.Event()
        self.fails, self.written = fails, 0

    async def write(self, notes: tuple[Note, ...], *, is_last: bool = True) -> None:
        self.begun.set()
        await self.may_end.wait()
        if self.fails:
            raise Unavailable(Reason.AUDIT_UNAVAILABLE, "full")
        self.written += is_last


@pytest.mark.parametrize("fails", [False, True])
async def test_last_event_of_a_response_is_written_though_its_stream_is_cancelled(fails: bool):
    slow = Slow(fails)
    rig = Rig(write_notes=slow.write)
    serving = asyncio.create_task(rig.serve(opening(), piece(ANSWER, ends=True), None))
    await slow.begun.wait()
    serving.cancel()
    await asyncio.sleep(0)
    slow.may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert slow.written == (0 if fails else 1)


# name: (the last piece came, copies that are read)
COPIES: dict[str, tuple[bool, Callable[[Rig], bool]]] = {
    "ended": (True, lambda rig: [None if each is None else each.raw for each in rig.copies] == [ANSWER]),
    "not ended": (False, lambda rig: rig.copies == []),
}


@pytest.mark.parametrize("name", COPIES)
async def test_copy_of_a_response_that_has_ended_is_read_though_its_stream_is_cancelled(name: str):
    ends, is_right = COPIES[name]
    rig = Rig(max_bytes=100)
    stream = MemoryStream(opening(), piece(ANSWER, ends=ends))
    serving = asyncio.create_task(rig.servicer.process(stream))
    while len(stream.answers) < 2:
        await asyncio.sleep(0)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert is_right(rig)
