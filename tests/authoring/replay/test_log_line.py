"""A container's log is taken apart into the lines that the sidecar wrote."""

import json

import pytest

from agen_authz.authoring.replay.log_line import LogLine, read_log
from agen_authz.authoring.replay.replay import replay
from agen_authz.authoring.replay.replayed import Replayed
from tests.authoring.rig import draft, event, lines
from tests.config.test_mistakes import GOOD

EVENT = json.dumps(event()).encode()
LOGGED = b'{"time": "t", "level": "info", "logger": "agen_authz", "message": "ready"}'
TIME = b"2026-11-30T02:29:38.123456789Z"


def docker(text: str, stream: str = "stdout") -> bytes:
    return json.dumps({"log": text, "stream": stream, "time": TIME.decode()}, separators=(",", ":")).encode() + b"\n"


def cri(text: bytes, mark: bytes = b"F", stream: bytes = b"stdout") -> bytes:
    return b" ".join((TIME, stream, mark, text)) + b"\n"


ONE = [LogLine(1, EVENT)]
# name: (lines of the file, what the sidecar wrote)
LOGS = {
    "an audit file": ([EVENT + b"\n", b"\n"], [LogLine(1, EVENT + b"\n")]),
    "the CRI's": ([cri(EVENT)], ONE),
    "the CRI's, with a zone": ([cri(EVENT).replace(b"Z ", b"+02:00 ")], ONE),
    "the CRI's, with more tags": ([cri(EVENT, b"F:x")], ONE),
    "the CRI's, in parts": ([cri(EVENT[:20], b"P"), cri(EVENT[20:40], b"P"), cri(EVENT[40:])], ONE),
    "the CRI's, in parts with another stream between": (
        [cri(EVENT[:20], b"P"), cri(LOGGED, stream=b"stderr"), cri(EVENT[20:])],
        [LogLine(2, LOGGED, is_error=True), LogLine(1, EVENT)],
    ),
    "the CRI's, without its end": ([cri(EVENT[:20], b"P")], [LogLine(1, EVENT[:20])]),
    "the CRI's, an empty line": ([cri(b"")], []),
    "Docker's": ([docker(EVENT.decode() + "\n")], [LogLine(1, EVENT + b"\n")]),
    "Docker's, in parts": (
        [docker(EVENT.decode()[:20]), docker(EVENT.decode()[20:] + "\n")], [LogLine(1, EVENT + b"\n")],
    ),
    "Docker's, standard error": ([docker("x\n", "stderr")], [LogLine(1, b"x\n", is_error=True)]),
    "Docker's, cut off": ([b'{"log":"x'], [LogLine(1, b'{"log":"x')]),
    "Docker's, of another kind": ([b'{"log":1}'], [LogLine(1, b'{"log":1}')]),
    "a time before each line": ([TIME + b" " + EVENT + b"\n"], ONE),
    "no wrapping that is known": ([b"pod/a " + EVENT], [LogLine(1, b"pod/a " + EVENT)]),
}  # fmt: skip


@pytest.mark.parametrize(("written", "expected"), LOGS.values(), ids=LOGS)
def test_what_was_written_is_read(written, expected):
    assert list(read_log(written)) == expected


def test_line_that_never_ends_does_not_grow_without_bound():
    parts = [cri(b"x" * 1000, b"P")] * 3000
    assert [len(line.text) > 1 << 20 for line in read_log(parts)] == [True, True, False]


@pytest.mark.parametrize("wrap", [cri, lambda text: docker(text.decode() + "\n")], ids=["CRI", "Docker"])
def test_events_within_a_container_log_are_decided_again(tmp_path, wrap):
    found = replay(draft(tmp_path, GOOD), [wrap(EVENT), wrap(LOGGED), wrap(EVENT)])
    assert found == Replayed(events=2, same=2, logged=1)


def test_line_of_standard_error_is_never_an_event(tmp_path):
    found = replay(draft(tmp_path, GOOD), [cri(b"Traceback", stream=b"stderr"), *lines(event())])
    assert found == Replayed(events=1, same=1, logged=1)


def test_event_that_says_it_is_a_log_is_an_event(tmp_path):
    told = {**event(), "level": "a", "logger": "b", "message": "c"}
    assert replay(draft(tmp_path, GOOD), lines(told)) == Replayed(events=1, same=1)


GAPS = {
    "nothing": (Replayed(), "holds no events"),
    "log lines only": (Replayed(logged=3), "holds no events"),
    "no line is an event": (Replayed(events=2, unreadable=2, first_unreadable=1), "2 of 2 lines are not audit events"),
    "some lines are not": (Replayed(events=3, same=2, unreadable=1, first_unreadable=2), "1 of 3 lines"),
    "refused before any policy": (Replayed(events=2, skipped=2), "none of its 2 events could be decided again"),
    "none that can be decided": (Replayed(events=1, undecided=1), "none of its 1 events could be decided again"),
    "all were read, some decided": (Replayed(events=3, same=1, skipped=1, undecided=1), ""),
}


@pytest.mark.parametrize(("result", "expected"), GAPS.values(), ids=GAPS)
def test_gap_is_named(result, expected):
    assert result.gap.startswith(expected) if expected else result.gap == ""
