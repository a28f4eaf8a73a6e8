"""Server-sent events, read as they arrive and written again (WHATWG HTML, "server-sent events").

 1. A line ends with LF, CR or CRLF, which may be cut anywhere. One byte order mark at the start is dropped.
 2. A blank line ends an event. Several `data` lines are one text, joined by LF. The last `event`, `id` and `retry` of
    an event count. Other fields have no meaning and are dropped.
 3. Clients discard an event that no blank line ended, so it is dropped.
 4. What clients never show, or only send back, is not inspected and is held to a narrow form: the text of a comment is
    dropped (the comment stays, it keeps the connection alive), `retry` is digits, `id` and `event` are short printable
    ASCII. An `id` or a `retry` of another form is dropped, as the standard drops an `id` with NUL.
 5. One event has at most `max_bytes` bytes. The first that has more ends the reading.

Each byte is looked at a fixed number of times, however the stream is cut. Data stays bytes here: the parser of its
JSON finds out if it is UTF-8.
"""

import re
from typing import Final

from msgspec import Struct

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_COLON = ord(":")
_ID = re.compile(rb"[\x20-\x7e]{0,1024}")
_NAME = re.compile(rb"[A-Za-z0-9._:/-]{1,64}")
_RETRY = re.compile(rb"[0-9]{1,9}")


class Event(Struct, frozen=True):
    """What one blank line ended, or one comment outside of an event.

    Args:
        data: None if there was no `data` line, in which case clients show nothing; an empty text is shown.
        name: None if the event has no name, or an empty one: clients call it `message`.
        id: what clients send as `last-event-id` from here on; an empty one ends that.
        is_named_badly: True if the name is not of the form that passes.
    """

    data: bytes | None = None
    name: bytes | None = None
    id: bytes | None = None
    retry: bytes | None = None
    has_comment: bool = False
    is_named_badly: bool = False


class Oversized(Struct, frozen=True):
    """An event has more bytes than may be held; nothing after it is read.

    Args:
        held: its beginning, written again; empty unless the reader keeps it.
    """

    held: bytes = b""


OVERSIZED: Final = Oversized()
COMMENT: Final = Event(has_comment=True)
WRITTEN_COMMENT: Final = b":\n\n"
# Another line means nothing: `data`, `event`, `id` and `retry` begin with these, and so does a comment.
_KNOWN_BEGINNINGS = b"deir:"


class SseReader:
    """Reads one stream of events; total on any bytes, cut anywhere."""

    __slots__ = (
        *("_data", "_has_comment", "_has_field", "_id", "_is_over", "_keeps_oversized", "_max_bytes", "_name"),
        *("_retry", "_saw_cr", "_size", "_start", "_tail"),
    )

    def __init__(self, max_bytes: int, *, keeps_oversized: bool = False) -> None:
        """Read nothing yet.

        Args:
            keeps_oversized: True if the beginning of an event that is too large is returned with it.
        """
        self._max_bytes = max_bytes
        self._keeps_oversized = keeps_oversized
        # What may be the beginning of a byte order mark; None once that is known.
        self._start: bytes | None = b""
        self._tail = bytearray()
        self._saw_cr, self._is_over = False, False
        # None until there is a `data` line: many events of a hostile stream have none.
        self._data: bytearray | None = None
        self._clear()

    def _clear(self) -> None:
        self._data = None
        self._name: bytes | None = None
        self._id: bytes | None = None
        self._retry: bytes | None = None
        self._has_comment, self._has_field = False, False
        self._size = 0

    def read(self, raw: bytes) -> list[Event | Oversized]:
        """Take in the next bytes, and return what they completed, in order."""
        if self._start is not None:
            raw = self._begin(self._start + raw)
        if self._is_over or not raw:
            return []
        found: list[Event | Oversized] = []
        *lines, rest = self._cut(raw)
        if lines:
            lines[0] = bytes(self._tail) + lines[0]
            self._tail.clear()
            self._read_lines(lines, rest, found)
        if not self._is_over:
            self._tail += rest
            if self._tail and self._size + len(self._tail) > self._max_bytes:
                self._end(found, [bytes(self._tail)])
        return found

    def _read_lines(self, lines: list[bytes], rest: bytes, found: list[Event | Oversized]) -> None:
        max_bytes = self._max_bytes
        for at, line in enumerate(lines):
            if not line:
                if self._has_field:
                    found.append(self._complete())
            elif self._size + len(line) > max_bytes:
                self._end(found, [*lines[at:], rest])
                return
            elif self._has_field or line[0] != _COLON:
                self._size += len(line) + 1
                self._has_field = True
                if line[0] in _KNOWN_BEGINNINGS:
                    self._read_field(line)
            else:
                found.append(COMMENT)

    def _begin(self, raw: bytes) -> bytes:
        if len(raw) < len(_BYTE_ORDER_MARK) and _BYTE_ORDER_MARK.startswith(raw):
            self._start = raw
            return b""
        self._start = None
        return raw.removeprefix(_BYTE_ORDER_MARK)

    def _cut(self, raw: bytes) -> list[bytes]:
        if self._saw_cr and raw[:1] == b"\n":
            raw = raw[1:]
        self._saw_cr = raw[-1:] == b"\r"
        if b"\r" in raw:
            raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return raw.split(b"\n")

    def _end(self, found: list[Event | Oversized], lines: list[bytes]) -> None:
        self._is_over = True
        found.append(Oversized(self._write_again(lines)) if self._keeps_oversized else OVERSIZED)
        self._tail.clear()
        self._clear()

    def _write_again(self, lines: list[bytes]) -> bytes:
        """Write the beginning of an event, whose data may still go on, and the lines that are not read yet."""
        read = Event(None, self._name, self._id, self._retry, self._has_comment)
        begun = _write_fields(read, is_shown=True)
        if self._data is not None:
            begun += b"".join(b"data: %b\n" % line for line in bytes(self._data).split(b"\n"))
        unread = b"\n".join(lines)
        # The line end that was cut in two: what comes next begins with the other half.
        return begun + (unread[:-1] + b"\r" if self._saw_cr and not lines[-1] else unread)

    def _read_field(self, line: bytes) -> None:
        field, _, content = line.partition(b":")
        if content[:1] == b" ":
            content = content[1:]
        match field:
            case b"data":
                if self._data is None:
                    self._data = bytearray(content)
                else:
                    self._data += b"\n"
                    self._data += content
            case b"id":
                self._id = content if _ID.fullmatch(content) else self._id
            case b"event":
                self._name = content
            case b"retry":
                self._retry = content if _RETRY.fullmatch(content) else self._retry
            case b"":
                self._has_comment = True
            case _:
                pass

    def _complete(self) -> Event:
        name, data = self._name or None, self._data
        is_named_badly = name is not None and _NAME.fullmatch(name) is None
        event = Event(
            None if data is None else bytes(data),
            None if is_named_badly else name,
            self._id,
            self._retry,
            self._has_comment,
            is_named_badly,
        )
        self._clear()
        return event


def write_event(event: Event, data: bytes | None) -> bytes:
    """Write one event with other data, which has no line end; None leaves the data out.

    An event of which nothing is left is written as nothing.
    """
    written = _write_fields(event, is_shown=data is not None)
    if data is not None:
        return b"%bdata: %b\n\n" % (written, data)
    return written + b"\n" if written else b""


def write_unread(event: Event) -> bytes:
    """Write an event as it came, whose data may have several lines."""
    lines = b"" if event.data is None else b"".join(b"data: %b\n" % line for line in event.data.split(b"\n"))
    return _write_fields(event, is_shown=True) + lines + b"\n"


def _write_fields(event: Event, *, is_shown: bool) -> bytes:
    # Few parts, most of them absent: joining a list of them takes twice the time.
    written = b":\n" if event.has_comment else b""
    if event.name is not None and is_shown:
        written += b"event: %b\n" % event.name
    if event.id is not None:
        written += b"id: %b\n" % event.id
    if event.retry is not None:
        written += b"retry: %b\n" % event.retry
    return written
