"""HTTP/2 frame by frame, without TLS: streams that no well-behaved client would open, and the result of them."""

import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from hpack import Decoder, Encoder
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    RstStreamFrame,
    SettingsFrame,
)

from tests.e2e.wire import GOOD, MODERN, Answer, Line, Seen, reason_of, received_by_all
from tests.stage.process import BOUND_S
from tests.stage.world import World

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_FRAME_HEAD_BYTES, _FRAME_BYTES = 9, 16_384
PSEUDO: tuple[Line, ...] = (
    (":method", "POST"), (":scheme", "http"), (":authority", "{host}"), (":path", "/crm/mcp"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Streamed:
    """One request on a separate connection; names and values are sent as they stand here, as Latin-1.

    Args:
        pseudo: the pseudo-headers, instead of the good ones.
        replaced: headers that stand in the place of the good one of the same name.
        added: headers behind the good ones.
        without: names of good headers that are left out.
        trailers: headers behind the body; None for none.
        ends: whether the stream ends; else the client goes away in its middle.
    """

    pseudo: Sequence[Line] = PSEUDO
    replaced: Sequence[Line] = ()
    added: Sequence[Line] = ()
    without: Sequence[str] = ()
    body: bytes = GOOD
    trailers: Sequence[Line] | None = None
    ends: bool = True


def send_stream(world: World, streamed: Streamed) -> Seen:
    """Send one request, read its answer, and ask both backends what reached them."""
    answer = ask_stream(world, streamed)
    return Seen(answer.status, reason_of(answer.body), answer.body, received_by_all(world))


def ask_stream(world: World, streamed: Streamed) -> Answer:
    """Send one request and read its answer; status 0 is a stream, or a connection, that ended without one."""
    parts = urlsplit(world.crm)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=BOUND_S) as connection:
        connection.sendall(_render(world, streamed))
        if not streamed.ends:
            connection.shutdown(socket.SHUT_WR)
        return _read_answer(connection)


def _render(world: World, streamed: Streamed) -> bytes:
    filled = {
        "{token}": world.one.mint(world.crm),
        "{host}": urlsplit(world.crm).netloc,
        "{length}": str(len(streamed.body)),
    }
    encoder = Encoder()
    has_end = streamed.ends and streamed.trailers is None
    frames: list[Frame] = [SettingsFrame(0)]
    head = HeadersFrame(1, data=_encode(encoder, _lines(streamed), filled), flags=["END_HEADERS"])
    if has_end and not streamed.body:
        head.flags.add("END_STREAM")
    frames.append(head)
    frames.extend(_data_frames(streamed.body, has_end=has_end))
    if streamed.trailers is not None:
        trailing = _encode(encoder, streamed.trailers, filled)
        frames.append(HeadersFrame(1, data=trailing, flags=["END_HEADERS", "END_STREAM"]))
    return _PREFACE + b"".join(frame.serialize() for frame in frames)


def _data_frames(body: bytes, *, has_end: bool) -> Iterator[Frame]:
    for start in range(0, len(body), _FRAME_BYTES):
        is_last = start + _FRAME_BYTES >= len(body)
        piece = body[start : start + _FRAME_BYTES]
        yield DataFrame(1, data=piece, flags=["END_STREAM"] if is_last and has_end else [])


def _lines(streamed: Streamed) -> list[Line]:
    good: list[Line] = [
        ("authorization", "Bearer {token}"), ("content-type", "application/json"),
        ("accept", "application/json, text/event-stream"), ("content-length", "{length}"), *MODERN,
    ]  # fmt: skip
    instead = dict(streamed.replaced)
    kept = [(name, instead.pop(name, value)) for name, value in good if name not in streamed.without]
    return [*streamed.pseudo, *kept, *instead.items(), *streamed.added]


def _encode(encoder: Encoder, lines: Sequence[Line], filled: dict[str, str]) -> bytes:
    written = []
    for name, value in lines:
        for mark, text in filled.items():
            value = value.replace(mark, text)
        written.append((name.encode("latin-1"), value.encode("latin-1")))
    encoded: bytes = encoder.encode(written, huffman=False)
    return encoded


def _read_answer(connection: socket.socket) -> Answer:
    decoder, status, body = Decoder(), 0, b""
    headers: dict[str, str] = {}
    for frame in _read_frames(connection):
        if isinstance(frame, GoAwayFrame | RstStreamFrame):
            # An answer that had begun stands: the rest of the request was not wanted.
            return Answer(status, headers, body)
        if isinstance(frame, HeadersFrame):
            headers |= {str(name): str(value) for name, value in decoder.decode(frame.data)}
            status = int(headers[":status"])
        if isinstance(frame, DataFrame):
            body += frame.data
        if frame.stream_id == 1 and "END_STREAM" in frame.flags:
            return Answer(status, headers, body)
    return Answer(status, headers, body)


def _read_frames(connection: socket.socket) -> Iterator[Frame]:
    raw = b""
    while True:
        while len(raw) >= _FRAME_HEAD_BYTES:
            frame, size = Frame.parse_frame_header(memoryview(raw[:_FRAME_HEAD_BYTES]))
            end = _FRAME_HEAD_BYTES + size
            if len(raw) < end:
                break
            frame.parse_body(memoryview(raw[_FRAME_HEAD_BYTES:end]))
            raw = raw[end:]
            yield frame
        try:
            piece = connection.recv(65536)
        except ConnectionError:
            return
        if not piece:
            return
        raw += piece
