"""Reads one HTTP/1.1 request from a file, as a person writes it down or a proxy logs it."""

import re
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP/[0-9.]+")
_MAX_BYTES = 16 << 20


class NoRequest(ValueError):
    """A text that is not a request; the message names the line and the cure."""


@dataclass(frozen=True, slots=True)
class WrittenRequest:
    """What the file contains; `path` and `query` are as they were written."""

    method: str
    path: str
    query: str | None
    lines: tuple[tuple[bytes, bytes], ...]
    body: bytes


def read_request(file: Path) -> WrittenRequest:
    """Read a request: its first line, header lines, an empty line, and the body to the end of the file.

    Line ends may be LF or CRLF. The body is taken byte by byte: an editor that ends it with a newline changed it.

    Raises:
        NoRequest: it is none.
        OSError: the file cannot be read.
    """
    with file.open("rb") as stream:
        raw = stream.read(_MAX_BYTES + 1)
    if len(raw) > _MAX_BYTES:
        raise NoRequest(f"{file}: larger than {_MAX_BYTES >> 20} MiB; keep one request")
    head, body = _split(raw)
    first, *rest = head.split(b"\n")
    match = _LINE.fullmatch(first.rstrip(b"\r"))
    if match is None:
        raise NoRequest(f"{file}:1: no request line; write `POST /mcp HTTP/1.1`")
    method, target = (part.decode("latin-1") for part in match.groups())
    path, mark, query = target.partition("?")
    lines = tuple(_read_line(file, number, line.rstrip(b"\r")) for number, line in enumerate(rest, 2))
    return WrittenRequest(method, path, query if mark else None, lines, body)


def _split(raw: bytes) -> tuple[bytes, bytes]:
    found = re.search(rb"\r?\n\r?\n", raw)
    if found is None:
        return raw.rstrip(b"\r\n"), b""
    return raw[: found.start()], raw[found.end() :]


def _read_line(file: Path, number: int, line: bytes) -> tuple[bytes, bytes]:
    name, mark, value = line.partition(b":")
    if not mark or not name or name != name.strip():
        raise NoRequest(f"{file}:{number}: no header line; write `name: value`, and an empty line before the body")
    return name.lower(), value.strip()
