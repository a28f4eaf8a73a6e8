"""What passes as it is: byte for byte, whether a copy is kept or not; and what is read of the copy."""

import gzip
import json
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.reason import Reason
from agen_authz.core.response.body import ResponseLimits
from agen_authz.core.response.copied import read_copy
from agen_authz.core.response.passage import Copy, Passage
from agen_authz.core.response.step import Body, Event, Expired, Headers, ResponseOutcome, Trailers
from tests.core.response.wireless import head

LIMITS = ResponseLimits(bytes=512, depth=16)
ANSWER: Any = {"jsonrpc": "2.0", "id": 7, "result": {"a": "b"}}
RAW = json.dumps(ANSWER).encode()
EVENTS = st.one_of(
    st.builds(Headers, st.just(head()), st.booleans(), st.booleans()),
    st.builds(Body, st.binary(max_size=9), st.booleans()),
    st.builds(Trailers, st.just(("a",))),
    st.just(Expired()),
)


@given(st.lists(EVENTS, max_size=6))
def test_response_of_which_a_copy_is_kept_is_answered_as_any_other(events: list[Event]):
    plain, watched = Passage(), Passage(16)
    for event in events:
        assert plain.receive(event) == watched.receive(event)
        assert (plain.has_ended, plain.outcome, plain.is_stream) == (watched.has_ended, watched.outcome, False)
    assert plain.copy is None


def receive(passage: Passage, *raw: bytes, ends: bool = True) -> Copy | None:
    passage.receive(Headers(head()))
    for at, each in enumerate(raw):
        passage.receive(Body(each, ends and at == len(raw) - 1))
    return passage.copy


def test_copy_is_whole_and_there_once_the_response_has_ended():
    assert receive(Passage(8), b"1234", b"5678") == Copy(head(), b"12345678")
    assert receive(Passage(8), b"1234", ends=False) is None
    passage = Passage(8)
    receive(passage, b"1234", ends=False)
    passage.receive(Trailers())
    assert passage.copy == Copy(head(), b"1234")


def test_response_that_is_too_large_or_cut_leaves_no_copy():
    assert receive(Passage(7), b"1234", b"5678", b"") is None
    passage = Passage(8)
    receive(passage, b"1234", ends=False)
    passage.abort(Reason.INTERNAL_ERROR)
    assert (passage.copy, passage.outcome) == (None, ResponseOutcome.ABORTED)


def raw_deflate(raw: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(raw) + packer.flush()


def event(raw: bytes) -> bytes:
    return b"event: message\ndata: " + raw + b"\n\n"


READ = {
    "JSON": ("", RAW, 1),
    "said to be plain": ("identity", RAW, 1),
    "gzip": ("gzip", gzip.compress(RAW), 1),
    "x-gzip": (" X-GZIP", gzip.compress(RAW), 1),
    "deflate": ("deflate", zlib.compress(RAW), 1),
    "deflate without its header": ("deflate", raw_deflate(RAW), 1),
    "events": ("", event(RAW) + b": hi\n\n" + event(b"{") + event(RAW), 2),
    "events in gzip": ("gzip", gzip.compress(event(RAW)), 1),
    "nothing": ("", b" ", 0),
    "a page": ("", b"<html>", 0),
    "brotli": ("br", RAW, 0),
    "two encodings": ("gzip", gzip.compress(RAW)[:-9], 0),
    "no gzip": ("gzip", RAW, 0),
    "no deflate": ("deflate", b"\xff" + RAW, 0),
    "a bomb": ("gzip", gzip.compress(b" " * 100_000 + RAW), 0),
}


@pytest.mark.parametrize(("encoding", "raw", "count"), READ.values(), ids=READ)
def test_messages_of_a_copy_are_read_and_nothing_else(encoding: str, raw: bytes, count: int):
    fields = head("x", 200, *([("content-encoding", encoding)] if encoding else []))
    assert list(read_copy(Copy(fields, raw), LIMITS)) == [ANSWER] * count


def test_copy_with_two_encodings_is_not_read():
    fields = head("x", 200, ("content-encoding", "gzip"), ("content-encoding", "deflate"))
    assert list(read_copy(Copy(fields, gzip.compress(RAW)), LIMITS)) == []


@given(st.binary(), st.sampled_from(["", "gzip", "deflate", "br"]))
def test_any_copy_can_be_read(raw: bytes, encoding: str):
    list(read_copy(Copy(head("x", 200, ("content-encoding", encoding)), raw), LIMITS))
