"""The contract of `AuditSink`, kept by the adapter and by the fake."""

import asyncio
import fcntl
import os
from pathlib import Path

import pytest

from agen_authz.adapters.audit import StdoutSink
from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from tests.fakes import CountingMetrics, ListSink
from tests.stage.process import BOUND_S

PAGE = 4096


class FileRig:
    def __init__(self, folder: Path) -> None:
        self._path = folder / "audit.jsonl"
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.sink = StdoutSink(self._descriptor, CountingMetrics())

    def lines(self) -> list[bytes]:
        return self._path.read_bytes().splitlines()

    def break_it(self) -> None:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, self._descriptor)
        os.close(full)

    def close(self) -> None:
        os.close(self._descriptor)


class PipeRig:
    def __init__(self, _folder: Path) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        self.sink = StdoutSink(self._writer, CountingMetrics())
        fcntl.fcntl(self._writer, fcntl.F_SETPIPE_SZ, PAGE)
        self._read = b""

    def fill(self) -> None:
        self.lines()
        os.write(self._writer, b"\n" * PAGE)

    def make_room(self) -> None:
        self.lines()

    def lines(self) -> list[bytes]:
        try:
            self._read += os.read(self._reader, PAGE)
        except BlockingIOError:
            pass
        return self._read.split()

    def break_it(self) -> None:
        self.lines()
        os.close(self._reader)
        self._reader = os.open(os.devnull, os.O_RDONLY | os.O_NONBLOCK)

    def close(self) -> None:
        os.close(self._reader)
        os.close(self._writer)


class ListRig:
    def __init__(self, _folder: Path) -> None:
        self.sink = ListSink()

    def fill(self) -> None:
        self.sink.is_full = True

    def make_room(self) -> None:
        self.sink.is_full = False

    def lines(self) -> list[bytes]:
        return self.sink.lines

    def break_it(self) -> None:
        self.sink.is_broken = True

    def close(self) -> None:
        pass


FULL: dict[str, type[PipeRig] | type[ListRig]] = {"pipe": PipeRig, "list": ListRig}


@pytest.fixture(params=["file", *FULL])
def rig(request, tmp_path):
    built: FileRig | PipeRig | ListRig = {"file": FileRig, **FULL}[request.param](tmp_path)
    yield built
    built.close()


@pytest.fixture(params=FULL)
def filled(request, tmp_path):
    built = FULL[request.param](tmp_path)
    yield built
    built.close()


def test_events_are_lines_in_their_order(rig):
    taken = [rig.sink.emit(b'{"number":%d}' % number) for number in range(3)]
    assert (taken, rig.lines()) == ([True] * 3, [b'{"number":0}', b'{"number":1}', b'{"number":2}'])


def test_event_that_cannot_be_written_is_unavailable(rig):
    rig.sink.emit(b"{}")
    rig.break_it()
    with pytest.raises(Unavailable) as refused:
        rig.sink.emit(b'{"lost":true}')
    assert (refused.value.reason, rig.lines()) == (Reason.AUDIT_UNAVAILABLE, [b"{}"])


async def test_event_that_finds_no_room_is_not_written_and_not_unavailable(filled):
    filled.fill()
    assert filled.sink.emit(b"no") is False
    filled.make_room()
    assert (filled.sink.emit(b"yes"), filled.lines()) == (True, [b"yes"])


async def test_event_in_turn_is_written_once_there_is_room(filled):
    filled.fill()
    waiting = asyncio.ensure_future(filled.sink.emit_in_turn(b"late", "ann"))
    await asyncio.sleep(0)
    assert (waiting.done(), filled.lines() if isinstance(filled, ListRig) else []) == (False, [])
    filled.make_room()
    async with asyncio.timeout(BOUND_S):
        await waiting
    assert filled.lines() == [b"late"]


async def test_event_whose_caller_left_is_not_written_later(filled):
    filled.fill()
    waiting = asyncio.ensure_future(filled.sink.emit_in_turn(b"left", "ann"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    filled.make_room()
    await filled.sink.emit_in_turn(b"next", "bob")
    assert filled.lines() == [b"next"]


async def test_event_in_turn_that_can_never_be_written_is_unavailable(filled):
    filled.fill()
    waiting = asyncio.ensure_future(filled.sink.emit_in_turn(b"lost", "ann"))
    await asyncio.sleep(0)
    filled.break_it()
    with pytest.raises(Unavailable) as refused:
        async with asyncio.timeout(BOUND_S):
            await waiting
    assert (refused.value.reason, filled.lines()) == (Reason.AUDIT_UNAVAILABLE, [])
