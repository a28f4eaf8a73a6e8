"""The contract of `AuditSink`, kept by the adapter and by the fake."""

import os
from pathlib import Path

import pytest

from agen_authz.adapters.audit import StdoutSink
from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from tests.fakes import CountingMetrics, ListSink


class FileRig:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.sink = StdoutSink(self._descriptor, CountingMetrics())

    def lines(self) -> list[bytes]:
        return self._path.read_bytes().splitlines()

    def break_it(self) -> None:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, self._descriptor)
        os.close(full)

    def close(self) -> None:
        os.close(self._descriptor)


class ListRig:
    def __init__(self) -> None:
        self.sink = ListSink()

    def lines(self) -> list[bytes]:
        return self.sink.lines

    def break_it(self) -> None:
        self.sink.is_broken = True

    def close(self) -> None:
        pass


@pytest.fixture(params=["file", "list"])
def rig(request, tmp_path):
    built = FileRig(tmp_path / "audit.jsonl") if request.param == "file" else ListRig()
    yield built
    built.close()


def test_events_are_lines_in_their_order(rig):
    for number in range(3):
        rig.sink.emit(b'{"number":%d}' % number)
    assert rig.lines() == [b'{"number":0}', b'{"number":1}', b'{"number":2}']


def test_event_that_cannot_be_written_is_unavailable(rig):
    rig.sink.emit(b"{}")
    rig.break_it()
    with pytest.raises(Unavailable) as refused:
        rig.sink.emit(b'{"lost":true}')
    assert (refused.value.reason, rig.lines()) == (Reason.AUDIT_UNAVAILABLE, [b"{}"])
