"""`core/response/sse.py`: clients see in what is written what they would have seen, however the stream was cut."""

from collections.abc import Callable

from agen_authz.core.response.sse import Event, Oversized, SseReader, write_event
from tests.fuzz.sse_reference import read_as_client
from tests.fuzz.targets.target import Target, expect

LIMIT = 256


def read(*pieces: bytes) -> list[Event | Oversized]:
    """Read a stream that comes in pieces."""
    reader = SseReader(LIMIT)
    return [found for piece in pieces for found in reader.read(piece)]


def check(raw: bytes, read: Callable[..., list[Event | Oversized]] = read) -> None:
    """Read a stream in one piece and in several, and compare it with the reference.

    The first byte says where the stream is cut once, and how long the other pieces are.
    """
    if not raw:
        return
    at, stream = raw[0], raw[1:]
    whole = read(stream)
    step = at % 7 + 1
    expect(read(stream[:at], stream[at:]) == whole, "a stream is read alike wherever it is cut")
    pieces = (stream[start : start + step] for start in range(0, len(stream), step))
    expect(read(*pieces) == whole, "a stream is read alike in small pieces")
    events = [each for each in whole if isinstance(each, Event)]
    # The longest data whose line ends may be taken out without a change of meaning: JSON has no other.
    written = b"".join(write_event(each, each.data and each.data.replace(b"\n", b" ")) for each in events)
    expect(all(line.isascii() or line.startswith(b"data: ") for line in written.split(b"\n")), "only data is not ASCII")
    seen = [text.replace("\n", " ") for _, text, _ in read_as_client(stream).seen]
    shown = [text for _, text, _ in read_as_client(written).seen]
    expect(shown == seen[: len(shown)], "events are in their order, and nothing is added")
    expect(len(shown) == len(seen) or len(events) < len(whole), "an event is lost only beyond the limit")


TARGET = Target("sse", check, "sse", max_bytes=1024)
