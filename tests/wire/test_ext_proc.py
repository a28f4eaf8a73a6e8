"""Envoy's ext_proc messages: what is read of each, and what each answer looks like to Envoy's own definitions."""

from typing import Any

import pytest
from envoy_data_plane.envoy.config.core.v3 import HeaderMap, HeaderValue, Metadata
from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import ProcessingModeBodySendMode as Mode
from envoy_data_plane.envoy.service.ext_proc.v3 import (
    HttpBody,
    HttpHeaders,
    HttpTrailers,
    ProcessingRequest,
    ProtocolConfiguration,
)
from envoy_data_plane.google.protobuf import Struct, Value
from hypothesis import given
from hypothesis import strategies as st

from agen_authz._pb.agen.envoy.v1 import ext_proc_pb2 as pb
from agen_authz.core.errors import Malformed
from agen_authz.core.reason import Reason
from agen_authz.core.response.head import HeaderChanges
from agen_authz.core.response.message import MadeTask
from agen_authz.core.response.step import (
    Abort,
    Action,
    AnswerHeaders,
    AnswerTrailers,
    Body,
    Echo,
    Emit,
    Headers,
    Piece,
    Replace,
    Trailers,
)
from agen_authz.wire.ext_proc import Opening, read_event, read_opening, render_action

FIELDS = ((":status", "200"), ("content-type", "application/json"), ("x-a", "\xe9"))


def opening(
    mode: Mode = Mode.STREAMED, *, ends: bool = False, told: dict[str, Any] | None = None, **others: Any
) -> bytes:
    headers = [HeaderValue(key=name, raw_value=text.encode("latin-1")) for name, text in FIELDS]
    spaces = {} if told is None else {"envoy.filters.http.ext_authz": Struct(fields=told)}
    return bytes(
        ProcessingRequest(
            response_headers=HttpHeaders(headers=HeaderMap(headers=headers), end_of_stream=ends),
            protocol_config=ProtocolConfiguration(response_body_mode=mode),
            metadata_context=Metadata(filter_metadata=spaces),
            **others,
        )
    )


def text(value: str) -> Value:
    return Value(string_value=value)


OPENINGS = {
    "streamed": (opening(), Opening(Headers(FIELDS))),
    "duplex": (opening(Mode.FULL_DUPLEX_STREAMED), Opening(Headers(FIELDS, is_duplex=True))),
    "without a body": (opening(ends=True), Opening(Headers(FIELDS, ends=True))),
    "without a body, in any mode": (opening(Mode.NONE, ends=True), Opening(Headers(FIELDS, ends=True))),
    "told": (
        opening(told={"agen.inspect": text("on"), "agen.proc": text("sealed"), "other": text("x")}),
        Opening(Headers(FIELDS), "on", "sealed"),
    ),
    "told otherwise": (
        opening(told={"agen.inspect": Value(number_value=1.0), "agen.proc": Value(bool_value=True)}),
        Opening(Headers(FIELDS)),
    ),
    "told elsewhere": (
        bytes(
            ProcessingRequest(
                response_headers=HttpHeaders(end_of_stream=True),
                metadata_context=Metadata(filter_metadata={"other": Struct(fields={"agen.inspect": text("off")})}),
            )
        ),
        Opening(Headers((), ends=True)),
    ),
}


@pytest.mark.parametrize(("raw", "read"), OPENINGS.values(), ids=OPENINGS)
def test_opening_is_read(raw: bytes, read: Opening):
    assert read_opening(raw) == read


REFUSED = {
    "no body is sent": opening(Mode.NONE),
    "the body is buffered": opening(Mode.BUFFERED),
    "a part of the body is buffered": opening(Mode.BUFFERED_PARTIAL),
    "answers are not awaited": opening(observability_mode=True),
    "a request": bytes(ProcessingRequest(request_headers=HttpHeaders())),
    "a body": bytes(ProcessingRequest(response_body=HttpBody(body=b"x"))),
    "nothing": b"",
    "no message": b"\xff",
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
def test_stream_whose_body_would_pass_unseen_is_refused(raw: bytes):
    assert isinstance(read_opening(raw), Malformed)


EVENTS = {
    "a piece": (ProcessingRequest(response_body=HttpBody(body=b"x")), Body(b"x")),
    "the last piece": (ProcessingRequest(response_body=HttpBody(end_of_stream=True)), Body(b"", ends=True)),
    "trailers": (
        ProcessingRequest(response_trailers=HttpTrailers(trailers=HeaderMap(headers=[HeaderValue(key="x-a")]))),
        Trailers(("x-a",)),
    ),
}


@pytest.mark.parametrize(("message", "event"), EVENTS.values(), ids=EVENTS)
def test_event_is_read(message: ProcessingRequest, event: Body | Trailers):
    assert read_event(bytes(message)) == event


@pytest.mark.parametrize("raw", [b"", b"\xff", opening(), bytes(ProcessingRequest(request_body=HttpBody(body=b"x")))])
def test_what_does_not_follow_headers_is_refused(raw: bytes):
    assert isinstance(read_event(raw), Malformed)


@given(st.binary(max_size=200))
def test_any_bytes_are_read(raw: bytes):
    assert isinstance(read_opening(raw), Opening | Malformed)
    assert isinstance(read_event(raw), Body | Trailers | Malformed)


CHANGES = HeaderChanges((("content-type", "application/json"), ("mcp-session-id", "s")), ("x-a", "server"))
RENDERED: dict[str, tuple[Action, bytes]] = {
    "nothing yet": (Emit(), b'"\x06\n\x04\x1a\x02\x10\x01'),
    "bytes": (Emit((Piece(b"a"), Piece(b"b"))), b'"\x08\n\x06\x1a\x04\n\x02ab'),
    "bytes in duplex mode": (Emit((Piece(b"a"),), is_duplex=True), b'"\t\n\x07\x1a\x05\x1a\x03\n\x01a'),
    "the end in duplex mode": (Emit(ends=True, is_duplex=True), b'"\x08\n\x06\x1a\x04\x1a\x02\x10\x01'),
    "as it came": (Echo(b"a", ends=True, is_duplex=False), b'"\x02\n\x00'),
    "as it came, in duplex mode": (Echo(b"a", ends=True, is_duplex=True), b'"\x0b\n\t\x1a\x07\x1a\x05\n\x01a\x10\x01'),
    "headers as they are": (AnswerHeaders(), b"\x12\x04\n\x02\x12\x00"),
    "trailers less one": (AnswerTrailers(("x-a",)), b"2\x07\n\x05\x12\x03x-a"),
}


@pytest.mark.parametrize(("action", "written"), RENDERED.values(), ids=RENDERED)
def test_answer_is_rendered(action: Action, written: bytes):
    assert render_action(action) == written


def read_answer(action: Action) -> pb.ProcessingResponse:
    return pb.ProcessingResponse.FromString(render_action(action) or b"")


def read_headers(mutation: pb.HeaderMutation) -> list[tuple[str, str, bytes, bool, bool]]:
    return [
        (each.header.key, each.header.value, each.header.raw_value, each.HasField("append"), each.append.value)
        for each in mutation.set_headers
    ]


def test_headers_are_set_as_raw_values_that_overwrite():
    mutation = read_answer(AnswerHeaders(CHANGES)).response_headers.response.header_mutation
    # `append` is there and false: only this says that nothing is appended.
    assert read_headers(mutation) == [
        ("content-type", "", b"application/json", True, False),
        ("mcp-session-id", "", b"s", True, False),
    ]
    assert list(mutation.remove_headers) == ["x-a", "server"]


def test_replacement_has_status_type_and_body():
    replaced = read_answer(Replace(502, b"{}")).immediate_response
    assert (replaced.status.code, replaced.body, read_headers(replaced.headers)) == (
        502,
        b"{}",
        [
            ("content-type", "", b"application/json", True, False),
            ("cache-control", "", b"no-store", True, False),
        ],
    )


def test_in_duplex_mode_nothing_is_said_as_nothing():
    assert render_action(Emit(is_duplex=True)) is None


def test_what_must_not_become_a_message_does_not():
    with pytest.raises(ValueError, match="gRPC"):
        render_action(Abort(Reason.INTERNAL_ERROR))
    with pytest.raises(ValueError, match="notes"):
        render_action(Emit((Piece(b"x", (MadeTask("crm", "t", "x"),)),)))
