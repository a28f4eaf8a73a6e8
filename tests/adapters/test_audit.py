import asyncio
import fcntl
import os
import pty
import resource
import select
import socket
import termios
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest

from agen_authz.adapters.audit import StdoutSink
from agen_authz.core.errors import Unavailable
from tests.fakes import CountingMetrics
from tests.stage.process import BOUND_S

PAGE = 4096
LONG = b"x" * (PAGE + 1000)


class Pipe:
    """A pipe that holds one page, and a sink that writes into it; the writing end blocks, as standard output does."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)
        self.metrics = CountingMetrics()
        self.sink = StdoutSink(self.writer, self.metrics, places=4)
        fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, PAGE)

    def emit(self, line: bytes) -> bool:
        try:
            return self.sink.emit(line)
        except Unavailable:
            return False

    def wait(self, line: bytes, owner: str = "ann") -> "asyncio.Task[None]":
        return asyncio.ensure_future(self.sink.emit_in_turn(line, owner))

    async def drain_all(self, *waiting: "asyncio.Task[None]") -> bytes:
        """Read until these are written or refused."""
        seen = self.drain()
        async with asyncio.timeout(BOUND_S):
            while not all(each.done() for each in waiting):
                await asyncio.sleep(0)
                seen += self.drain()
        return seen + self.drain()

    def drain(self) -> bytes:
        try:
            return os.read(self.reader, 10 * PAGE)
        except BlockingIOError:
            return b""

    def hang_up(self) -> None:
        os.close(self.reader)
        self.reader = -1

    def close(self) -> None:
        self.sink.close()
        for descriptor in (self.reader, self.writer):
            if descriptor >= 0:
                os.close(descriptor)

    def outcomes(self) -> dict[str, int]:
        return {labels[2]: count for labels, count in self.metrics.counts.items()}


@pytest.fixture
def pipe():
    opened = Pipe()
    yield opened
    opened.close()


def test_event_is_one_line_and_counted(pipe):
    pipe.sink.emit(b'{"a":1}')
    assert (pipe.drain(), pipe.metrics.counts) == (b'{"a":1}\n', {("agen_audit_events_total", "stdout", "written"): 1})


def test_stalled_reader_is_not_waited_for(pipe):
    filled = [pipe.emit(b"x" * (PAGE - 1)), pipe.emit(b"late")]
    assert (filled, pipe.outcomes()) == ([True, False], {"written": 1})
    assert pipe.drain() == b"x" * (PAGE - 1) + b"\n"


def test_event_that_never_began_is_not_written_later(pipe):
    pipe.emit(b"x" * (PAGE - 1))
    pipe.emit(b"lost")
    pipe.drain()
    assert (pipe.emit(b"next"), pipe.drain()) == (True, b"next\n")


def test_line_that_could_be_cut_off_is_not_begun_at_once(pipe):
    assert (pipe.emit(b"x" * PAGE), pipe.emit(LONG), pipe.drain(), pipe.outcomes()) == (False, False, b"", {})


async def test_events_that_wait_are_counted(pipe):
    pipe.emit(b"x" * (PAGE - 1))
    waiting = [pipe.wait(b"1"), pipe.wait(b"2", "bob")]
    await asyncio.sleep(0)
    seen = [pipe.sink.count_waiting()]
    await pipe.drain_all(*waiting)
    assert (seen, pipe.sink.count_waiting(), pipe.sink.places) == ([2], 0, 4)


async def test_line_longer_than_the_pipe_is_written_in_turn_as_the_reader_reads(pipe):
    waiting = pipe.wait(LONG)
    assert (await pipe.drain_all(waiting), pipe.outcomes()) == (LONG + b"\n", {"written": 1})
    assert pipe.emit(b"next")


async def test_as_long_as_an_event_waits_no_other_overtakes_it(pipe):
    pipe.emit(b"x" * (PAGE - 1))
    waiting = pipe.wait(b"first")
    await asyncio.sleep(0)
    pipe.drain()
    # There is room by now, and it is not this one's.
    assert pipe.emit(b"second") is False
    assert await pipe.drain_all(waiting) == b"first\n"
    assert pipe.emit(b"second")


async def test_callers_take_turns_however_many_events_one_of_them_has(pipe):
    pipe.emit(b"x" * (PAGE - 1))
    waiting = [pipe.wait(b"many", "many") for _ in range(3)] + [pipe.wait(b"few", "few")]
    await asyncio.sleep(0)
    assert (await pipe.drain_all(*waiting)).split()[1:] == [b"many", b"few", b"many", b"many"]


async def test_caller_who_waits_with_most_makes_room_for_another(pipe):
    pipe.emit(b"x" * (PAGE - 1))
    many = [pipe.wait(b"many", "many") for _ in range(4)]
    await asyncio.sleep(0)
    few = pipe.wait(b"few", "few")
    await asyncio.wait([many[-1]], timeout=BOUND_S)
    with pytest.raises(Unavailable):
        many[-1].result()
    assert (await pipe.drain_all(*many, few)).split()[1:] == [b"many", b"few", b"many", b"many"]


async def test_event_whose_time_is_up_leaves_the_queue_and_counts_as_failed(pipe):
    pipe.emit(b"x" * (PAGE - 1))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await pipe.sink.emit_in_turn(b"late", "ann")
    pipe.drain()
    assert (pipe.emit(b"next"), pipe.drain(), pipe.outcomes()) == (True, b"next\n", {"written": 2, "failed": 1})


async def leave_half_a_line(pipe: Pipe) -> bytes:
    """Let the only event that waits be cut off, and its caller leave; return the whole line."""
    line = b"x" * (2 * PAGE)
    waiting = pipe.wait(line)
    while not select.select([pipe.reader], [], [], 0)[0]:
        await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    return line + b"\n"


async def test_rest_of_a_line_whose_caller_left_is_written_before_the_next_event(pipe):
    whole = await leave_half_a_line(pipe)
    following = pipe.wait(b"next", "bob")
    assert await pipe.drain_all(following) == whole + b"next\n"


async def test_rest_of_a_line_is_finished_by_an_event_that_does_not_wait(pipe):
    whole, seen, taken = await leave_half_a_line(pipe), b"", []
    for _ in range(3):
        taken.append(pipe.emit(b"next"))
        seen += pipe.drain()
    # The pipe is full, then takes another page of the line, then the end of it.
    assert (taken, seen) == ([False, False, True], whole + b"next\n")


async def test_rest_of_a_line_is_finished_though_no_event_comes(pipe):
    whole, seen = await leave_half_a_line(pipe), b""
    async with asyncio.timeout(BOUND_S):
        while len(seen) < len(whole):
            seen += pipe.drain()
            await asyncio.sleep(0)
    assert seen == whole


async def test_reader_that_hangs_up_denies_everyone_who_waits(pipe):
    waiting = [pipe.wait(LONG), pipe.wait(b"next", "bob")]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    pipe.hang_up()
    done, _ = await asyncio.wait(waiting, timeout=BOUND_S)
    assert [type(each.exception()) for each in done] == [Unavailable] * 2
    assert (pipe.emit(b"{}"), pipe.outcomes()) == (False, {"failed": 3})


def test_reader_that_hung_up_is_unavailable(pipe):
    pipe.hang_up()
    assert (pipe.emit(b"{}"), pipe.outcomes()) == (False, {"failed": 1})


def test_descriptor_that_was_closed_is_unavailable(tmp_path):
    descriptor = os.open(tmp_path / "audit.jsonl", os.O_WRONLY | os.O_CREAT)
    sink = StdoutSink(descriptor, CountingMetrics())
    os.close(descriptor)
    with pytest.raises(Unavailable):
        sink.emit(b"{}")


def test_descriptor_that_is_none_is_unavailable_from_the_start():
    with pytest.raises(Unavailable):
        StdoutSink(10_000, CountingMetrics()).emit(b"{}")


def test_pipe_that_cannot_be_opened_again_is_asked_before_each_write(pipe, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", _refuse)
        sink = StdoutSink(pipe.writer, CountingMetrics())
    fcntl.fcntl(pipe.writer, fcntl.F_SETPIPE_SZ, PAGE)
    assert (sink.emit(b"x" * (PAGE - 1)), sink.emit(b"late")) == (True, False)
    assert pipe.drain() == b"x" * (PAGE - 1) + b"\n"


def test_flags_of_the_descriptor_that_others_share_stay_as_they_are(pipe):
    pipe.emit(b"{}")
    assert os.get_blocking(pipe.writer) is True


def _refuse(*_: object) -> int:
    raise PermissionError


async def test_line_that_cannot_be_cut_short_at_once_on_a_pipe_that_blocks_is_written_piece_by_piece(pipe, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", _refuse)
        pipe.sink = StdoutSink(pipe.writer, pipe.metrics)
    fcntl.fcntl(pipe.writer, fcntl.F_SETPIPE_SZ, PAGE)
    waiting = pipe.wait(LONG)
    assert await pipe.drain_all(waiting) == LONG + b"\n"


def test_pipe_is_grown_to_hold_more_than_a_moment():
    reader, writer = os.pipe()
    StdoutSink(writer, CountingMetrics())
    grown = fcntl.fcntl(writer, fcntl.F_GETPIPE_SZ)
    os.close(reader)
    os.close(writer)
    assert grown == 1024 * 1024


def test_pipe_that_is_larger_already_stays_as_it_is(pipe, monkeypatch):
    fcntl.fcntl(pipe.writer, fcntl.F_SETPIPE_SZ, 1024 * 1024)
    StdoutSink(pipe.writer, CountingMetrics())
    assert fcntl.fcntl(pipe.writer, fcntl.F_GETPIPE_SZ) == 1024 * 1024


@pytest.mark.loopback
def test_stalled_socket_is_not_waited_for_and_takes_events_whole():
    near, far = socket.socketpair()
    with near, far, closing(StdoutSink(near.fileno(), CountingMetrics())) as sink:
        line, count = b"x" * (PAGE - 1), 0
        while sink.emit(line):
            count += 1
        assert (0 < count < 10_000, sink.emit(line)) == (True, False)
        far.setblocking(False)
        seen = b""
        while len(seen) < count * PAGE:
            seen += far.recv(PAGE)
        assert seen == (line + b"\n") * count
        assert sink.emit(b"next")


@pytest.mark.loopback
async def test_event_waits_for_a_socket():
    near, far = socket.socketpair()
    with near, far, closing(StdoutSink(near.fileno(), CountingMetrics())) as sink:
        while sink.emit(b"x" * (PAGE - 1)):
            pass
        waiting = asyncio.ensure_future(sink.emit_in_turn(LONG, "ann"))
        await asyncio.sleep(0)
        assert not waiting.done()
        far.setblocking(False)
        async with asyncio.timeout(BOUND_S):
            while not waiting.done():
                with suppress(BlockingIOError):
                    far.recv(1024 * 1024)
                await asyncio.sleep(0)


@pytest.fixture
def terminal():
    master, slave = pty.openpty()
    yield master, slave
    os.close(master)
    os.close(slave)


def test_terminal_that_is_stopped_is_not_waited_for(terminal):
    _, slave = terminal
    sink = StdoutSink(slave, CountingMetrics())
    # As Ctrl-S does; a write that waits would wait for ever.
    termios.tcflow(slave, termios.TCOOFF)
    taken = [_try(sink, b"x" * 4000) for _ in range(100)]
    termios.tcflow(slave, termios.TCOON)
    assert (taken[-1], os.get_blocking(slave)) == (False, True)


def test_terminal_that_is_not_read_is_not_waited_for(terminal):
    sink = StdoutSink(terminal[1], CountingMetrics())
    assert [_try(sink, b"x" * 4000) for _ in range(100)][-1] is False


def test_terminal_of_another_user_is_unavailable(terminal, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", _refuse)
        sink = StdoutSink(terminal[1], CountingMetrics())
    with pytest.raises(Unavailable):
        sink.emit(b"{}")


def _try(sink: StdoutSink, line: bytes) -> bool:
    try:
        return sink.emit(line)
    except Unavailable:
        return False


def test_line_cut_off_by_a_full_disk_is_finished_once_there_is_room(tmp_path):
    path = tmp_path / "audit.jsonl"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with path.open("ab", buffering=0) as file:
        sink = StdoutSink(file.fileno(), CountingMetrics())
        resource.setrlimit(resource.RLIMIT_FSIZE, (PAGE + 500, hard))
        try:
            with pytest.raises(Unavailable):
                sink.emit(LONG)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert path.read_bytes() == LONG[: PAGE + 500]
        sink.emit(b"next")
    assert path.read_bytes() == LONG + b"\nnext\n"


def test_lines_of_many_threads_do_not_mix(tmp_path):
    path = tmp_path / "audit.jsonl"
    lines = [bytes([65 + number]) * (PAGE + 100 * number) for number in range(8)]
    with path.open("ab", buffering=0) as file, ThreadPoolExecutor(8) as pool:
        sink = StdoutSink(file.fileno(), CountingMetrics())
        list(pool.map(sink.emit, lines * 20))
    assert sorted(path.read_bytes().splitlines()) == sorted(lines * 20)
