"""Server-sent events: read as clients read them, cut anywhere, written so that clients see the same."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.response.sse import OVERSIZED, Event, Oversized, SseReader, write_event
from tests.fuzz.sse_reference import read_as_client

LIMIT = 1 << 16
PIECES = (
    *(
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b":",
        b": ping",
        b" ",
        b"data:",
        b"data: {}",
        b"data",
        b"data: a\ndata: b",
        b"\t",
    ),
    *(b"id: 7", b"id", b"event: message", b"event:", b"retry: 10", b"retry: x", b"foo: bar", b"\xef\xbb\xbf", b"\xef"),
    *("data: é😀".encode(), b"\xff", b"data: \xc3", b"x" * 9, b"idx: 1", b"dat", b"a: "),
)
STREAMS = st.lists(st.sampled_from(PIECES), max_size=24).map(b"".join)


def read(*pieces: bytes, limit: int = LIMIT) -> list[Event | Oversized]:
    reader = SseReader(limit)
    return [found for piece in pieces for found in reader.read(piece)]


def write(events: list[Event | Oversized]) -> bytes:
    return b"".join(
        write_event(each, None if each.data is None else each.data.replace(b"\n", b" "))
        for each in events
        if isinstance(each, Event)
    )


CASES = {
    "LF": (b"data: 1\n\n", [Event(b"1")]),
    "CR": (b"data: 1\r\r", [Event(b"1")]),
    "CRLF": (b"data: 1\r\n\r\n", [Event(b"1")]),
    "mixed line ends": (b"data: 1\r\n\ndata: 2\r\r\ndata: 3\n\r", [Event(b"1"), Event(b"2"), Event(b"3")]),
    "a byte order mark at the start": (b"\xef\xbb\xbfdata: 1\n\n", [Event(b"1")]),
    "a byte order mark later on": (b"data: 1\n\n\xef\xbb\xbfdata: 2\n\n", [Event(b"1"), Event()]),
    "no space, two spaces": (b"data:1\ndata:  2\n\n", [Event(b"1\n 2")]),
    "several lines": (b"data: {\ndata: }\n\n", [Event(b"{\n}")]),
    "a field without a colon": (b"data\n\n", [Event(b"")]),
    "a priming event": (b"id: 1\ndata: \n\n", [Event(b"", id=b"1")]),
    "every field": (b"event: message\nid: 1\nretry: 5\ndata: 2\n\n", [Event(b"2", b"message", b"1", b"5")]),
    "an unknown field": (b"foo: bar\ndata: 1\n\n", [Event(b"1")]),
    "an empty name is no name": (b"event: x\nevent:\ndata: 1\n\n", [Event(b"1")]),
    "a name that does not pass": (b"event: a b\ndata: 1\n\n", [Event(b"1", is_named_badly=True)]),
    "an id that does not pass": (b"id: 1\nid: \xc3\xa9\ndata: 1\n\n", [Event(b"1", id=b"1")]),
    "a time that is none": (b"retry: 1s\ndata: 1\n\n", [Event(b"1")]),
    "a comment": (b": ping\n\n", [Event(has_comment=True)]),
    "a comment within an event": (b"data: 1\n: ping\n\n", [Event(b"1", has_comment=True)]),
    "blank lines": (b"\n\r\n\rdata: 1\n\n\n\n", [Event(b"1")]),
    "an event without an end": (b"data: 1\n\ndata: 2\n", [Event(b"1")]),
    "a line without an end": (b"data: 1\n\ndata: 2", [Event(b"1")]),
    "nothing": (b"", []),
}


@pytest.mark.parametrize(("raw", "events"), CASES.values(), ids=CASES)
def test_stream_is_read_as_the_standard_says_wherever_it_is_cut(raw: bytes, events: list[Event]):
    cuts = [read(raw[:at], raw[at:]) for at in range(len(raw) + 1)]
    assert cuts == [events] * (len(raw) + 1)
    assert read(*(raw[at : at + 1] for at in range(len(raw)))) == events


WRITTEN = {
    "every field, in one order": (
        Event(b"1", b"message", b"1", b"5", True),
        b":\nevent: message\nid: 1\nretry: 5\ndata: 1\n\n",
    ),
    "an empty text": (Event(b"", id=b"1"), b"id: 1\ndata: \n\n"),
    "no data": (Event(None, b"message", b"1"), b"id: 1\n\n"),
    "a comment, less its text": (Event(has_comment=True), b":\n\n"),
    "nothing": (Event(), b""),
}  # fmt: skip


@pytest.mark.parametrize(("event", "written"), WRITTEN.values(), ids=WRITTEN)
def test_event_is_written(event: Event, written: bytes):
    assert write_event(event, event.data) == written


@given(STREAMS)
def test_client_sees_the_same_in_what_is_written(raw: bytes):
    seen = read_as_client(re.sub(rb"id: ?[^\r\n]*[^\x20-\x7e\r\n][^\r\n]*", b"", raw)), read_as_client(write(read(raw)))
    for client in seen:
        client.seen = [(name, text.replace("\n", " "), last) for name, text, last in client.seen]
    # A name that does not pass is not compared: its event is withheld.
    assert not any(each.is_named_badly for each in read(raw) if isinstance(each, Event))
    assert seen[0] == seen[1]


@given(st.binary(max_size=64) | STREAMS, st.lists(st.integers(0, 80), max_size=6), st.integers(3, 40))
def test_any_bytes_cut_anywhere_are_read_alike(raw: bytes, at: list[int], limit: int):
    cuts = [0, *sorted(min(each, len(raw)) for each in at), len(raw)]
    pieces = [raw[start:end] for start, end in pairwise(cuts)]
    assert read(*pieces, limit=limit) == read(raw, limit=limit)


SIZES = {
    "one line": (b"data: 1234\n\n", 10),
    "several lines": (b"data: 1\ndata: 2\n\n", 15),
    "a line that means nothing": (b"foo: 12345\n\n", 10),
    "a comment": (b": 12345678\n\n", 10),
}


@pytest.mark.parametrize(("raw", "size"), SIZES.values(), ids=SIZES)
def test_event_beyond_the_limit_ends_the_reading_wherever_it_is_cut(raw: bytes, size: int):
    before, after = b"data: 0\n\n", b"data: 9\n\n"
    for limit, is_over in ((size, False), (size - 1, True)):
        whole = read(before + raw + after, limit=limit)
        assert (whole[0], OVERSIZED in whole, whole[-1] is OVERSIZED) == (Event(b"0"), is_over, is_over)
        for at in range(len(before + raw)):
            assert read((before + raw + after)[:at], (before + raw + after)[at:], limit=limit) == whole


def test_what_is_dropped_does_not_add_up():
    assert read(*[b": 1234567\n", b"data: 1\n\n", b"\n"] * 50, limit=12) == [Event(has_comment=True), Event(b"1")] * 50
