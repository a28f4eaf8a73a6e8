"""The lines of a log as a container runtime keeps them, taken apart into what the sidecar wrote.

An audit file has one event a line. A container's log has each line in a wrapping: the CRI's
(`2026-11-30T02:29:38.5Z stdout F {...}`, where `P` marks a line that continues in the next one), Docker's json-file
(`{"log":"{...}\\n","stream":"stdout"}`, where a `log` without a line end continues), or a time before the line, as
`kubectl logs --timestamps` prints it. Both of the sidecar's streams may be in it: events are on standard output only.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import orjson

_TIMED = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d) (?:(stdout|stderr) ([FP])(?::\S*)? )?")
_DOCKER = b'{"log":'
_ERRORS = "stderr"
# An event has at most some kilobytes; runtimes cut lines at 16. More than this is not a line that continues.
_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class LogLine:
    """What was written as one line, and the line of the file in which it begins.

    Args:
        is_error: it came from standard error, where no event is written.
    """

    number: int
    text: bytes
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class _Part:
    stream: str
    text: bytes
    goes_on: bool


def read_log(lines: Iterable[bytes]) -> Iterator[LogLine]:
    """Yield what was written, line by line; a line in an unknown wrapping is yielded as it is, and empty ones are not.

    A line whose end is missing is yielded when the file ends.
    """
    begun: dict[str, LogLine] = {}
    for number, line in enumerate(lines, 1):
        part = _unwrap(line)
        first = begun.pop(part.stream, None)
        whole = LogLine(
            first.number if first is not None else number,
            (first.text if first is not None else b"") + part.text,
            part.stream == _ERRORS,
        )
        if part.goes_on and len(whole.text) <= _MAX_BYTES:
            begun[part.stream] = whole
        elif whole.text.strip():
            yield whole
    yield from sorted((line for line in begun.values() if line.text.strip()), key=lambda line: line.number)


def _unwrap(line: bytes) -> _Part:
    timed = _TIMED.match(line)
    if timed is not None:
        stream, mark = timed[1], timed[2]
        text = line[timed.end() :].rstrip(b"\r\n")
        return _Part(stream.decode() if stream else "", text, mark == b"P")
    if line.startswith(_DOCKER):
        return _unwrap_docker(line)
    return _Part("", line, goes_on=False)


def _unwrap_docker(line: bytes) -> _Part:
    try:
        wrapped = orjson.loads(line)
        text, stream = wrapped["log"], wrapped.get("stream", "")
        return _Part(str(stream), text.encode(), not text.endswith("\n"))
    except (orjson.JSONDecodeError, AttributeError, UnicodeEncodeError):
        return _Part("", line, goes_on=False)
