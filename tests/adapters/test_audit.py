import fcntl
import os
import resource
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from agen_authz.adapters.audit import StdoutSink
from agen_authz.core.errors import Unavailable
from tests.fakes import CountingMetrics

PAGE = 4096
LONG = b"x" * (PAGE + 1000)


class Pipe:
    """A pipe that holds one page, and a sink that writes into it; the writing end blocks, as standard output does."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        fcntl.fcntl(self.writer, fcntl.F_SETPIPE_SZ, PAGE)
        os.set_blocking(self.reader, False)
        self.metrics = CountingMetrics()
        self.sink = StdoutSink(self.writer, self.metrics)

    def emit(self, line: bytes) -> bool:
        try:
            self.sink.emit(line)
        except Unavailable:
            return False
        return True

    def drain(self) -> bytes:
        try:
            return os.read(self.reader, 10 * PAGE)
        except BlockingIOError:
            return b""

    def hang_up(self) -> None:
        os.close(self.reader)
        self.reader = -1

    def close(self) -> None:
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
    assert (filled, pipe.outcomes()) == ([True, False], {"written": 1, "failed": 1})
    assert pipe.drain() == b"x" * (PAGE - 1) + b"\n"


def test_event_that_never_began_is_not_written_later(pipe):
    pipe.emit(b"x" * (PAGE - 1))
    pipe.emit(b"lost")
    pipe.drain()
    assert (pipe.emit(b"next"), pipe.drain()) == (True, b"next\n")


def test_line_longer_than_the_pipe_is_cut_off_and_not_waited_for(pipe):
    assert (pipe.emit(LONG), pipe.drain(), pipe.outcomes()) == (False, LONG[:PAGE], {"failed": 1})


def test_line_that_was_cut_off_is_finished_before_the_next_event(pipe):
    pipe.emit(LONG)
    seen = pipe.drain()
    # The rest of the first line takes a part of the page: an event that needs more than what is left is lost whole.
    emitted = [pipe.emit(b"y" * (PAGE - 500))]
    seen += pipe.drain()
    emitted.append(pipe.emit(b"third"))
    seen += pipe.drain()
    assert (emitted, seen) == ([False, True], LONG + b"\nthird\n")


def test_rest_of_a_line_waits_as_long_as_the_reader_stalls(pipe):
    pipe.emit(LONG)
    stalled = [pipe.emit(b"lost"), pipe.emit(b"lost too")]
    seen = pipe.drain()
    pipe.emit(b"y" * (PAGE - 500))
    assert (stalled, seen + pipe.drain()) == ([False, False], LONG + b"\n")


def test_reader_that_hung_up_is_unavailable(pipe):
    pipe.hang_up()
    assert (pipe.emit(b"{}"), pipe.outcomes()) == (False, {"failed": 1})


def test_reader_that_hangs_up_in_the_middle_of_a_line_is_unavailable(pipe):
    pipe.emit(LONG)
    pipe.hang_up()
    assert [pipe.emit(b"{}"), pipe.emit(b"{}")] == [False, False]


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
    sink.emit(b"x" * (PAGE - 1))
    with pytest.raises(Unavailable):
        sink.emit(b"late")
    assert pipe.drain() == b"x" * (PAGE - 1) + b"\n"


def test_flags_of_the_descriptor_that_others_share_stay_as_they_are(pipe):
    pipe.emit(b"{}")
    assert os.get_blocking(pipe.writer) is True


def _refuse(*_: object) -> int:
    raise PermissionError


@pytest.mark.loopback
def test_stalled_socket_is_not_waited_for():
    near, far = socket.socketpair()
    with near, far:
        sink = StdoutSink(near.fileno(), CountingMetrics())
        with pytest.raises(Unavailable):
            for _ in range(10_000):
                sink.emit(LONG)


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
