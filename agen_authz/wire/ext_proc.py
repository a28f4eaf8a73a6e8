"""Envoy's ext_proc messages: a ProcessingRequest becomes an Event, an Action becomes a ProcessingResponse.

Headers are written as `raw_value`: for a `value` Envoy sends an empty header here, other than in ext_authz. Each has
`append: false`, which overwrites.
"""

from typing import assert_never

from google.protobuf.message import DecodeError
from msgspec import Struct

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2
from agen_authz._pb.agen.envoy.v1 import ext_proc_pb2 as pb
from agen_authz.core.errors import Malformed
from agen_authz.core.reason import Reason
from agen_authz.core.response.head import HeaderChanges
from agen_authz.core.response.step import (
    Abort,
    Action,
    AnswerHeaders,
    AnswerTrailers,
    Body,
    Echo,
    Emit,
    Headers,
    Replace,
    Trailers,
)
from agen_authz.wire.sealed import PROC_KEY
from agen_authz.wire.template import INSPECT_KEY

_NAMESPACE = "envoy.filters.http.ext_authz"
_STREAMED, _FULL_DUPLEX_STREAMED = 1, 4
_OUR_HEADERS = HeaderChanges((("content-type", "application/json"), ("cache-control", "no-store")))
_DETAILS = "agen_authz_response_replaced"


class Opening(Struct, frozen=True):
    """How a stream begins: the headers, and what Check told of the call, which is not verified yet.

    Args:
        word: what `agen.inspect` says; empty if it is missing.
        sealed: what `agen.proc` holds; empty if it is missing.
    """

    headers: Headers
    word: str = ""
    sealed: str = ""


def read_opening(raw: bytes) -> Opening | Malformed:
    """Read the first message of a stream. Total: any bytes give an Opening or a Malformed.

    Refused is what would let bytes pass that are not seen here: a mode in which the body is not sent piece by piece,
    and one in which Envoy does not wait for answers.
    """
    request = _parse(raw)
    if isinstance(request, Malformed):
        return request
    if request.WhichOneof("request") != "response_headers":
        return Malformed(Reason.RESPONSE_UNREADABLE, "a stream begins with the headers of a response")
    if request.observability_mode:
        return Malformed(Reason.RESPONSE_UNREADABLE, "`observability_mode` is on")
    headers, mode = request.response_headers, request.protocol_config.response_body_mode
    if mode not in (_STREAMED, _FULL_DUPLEX_STREAMED) and not headers.end_of_stream:
        return Malformed(Reason.RESPONSE_UNREADABLE, "`response_body_mode` is not STREAMED or FULL_DUPLEX_STREAMED")
    fields = tuple((each.key.lower(), _read_value(each)) for each in headers.headers.headers)
    told = request.metadata_context.filter_metadata[_NAMESPACE].fields
    return Opening(
        Headers(fields, headers.end_of_stream, mode == _FULL_DUPLEX_STREAMED),
        told[INSPECT_KEY].string_value,
        told[PROC_KEY].string_value,
    )


def read_event(raw: bytes) -> Body | Trailers | Malformed:
    """Read any later message of a stream. Total: any bytes give an event or a Malformed."""
    request = _parse(raw)
    if isinstance(request, Malformed):
        return request
    match request.WhichOneof("request"):
        case "response_body":
            return Body(request.response_body.body, request.response_body.end_of_stream)
        case "response_trailers":
            return Trailers(tuple(each.key for each in request.response_trailers.trailers.headers))
        case other:
            return Malformed(Reason.RESPONSE_UNREADABLE, f"`{other}` after the headers of a response")


def _parse(raw: bytes) -> pb.ProcessingRequest | Malformed:
    try:
        return pb.ProcessingRequest.FromString(raw)
    except DecodeError:
        return Malformed(Reason.RESPONSE_UNREADABLE, "not a ProcessingRequest")


def _read_value(header: ext_authz_pb2.HeaderValue) -> str:
    return header.raw_value.decode("latin-1") or header.value


def render_action(action: Action) -> bytes | None:
    """Render an answer for Envoy, as a serialised ProcessingResponse; None if nothing is sent.

    Raises:
        ValueError: for an Abort, which is not a message, and for a piece whose notes are not written.
    """
    response = pb.ProcessingResponse()
    match action:
        case Emit():
            raw = _join(action)
            if action.is_duplex and not raw and not action.ends:
                return None
            _write_body(response, raw, action)
        case Echo():
            _write_echo(response, action)
        case AnswerHeaders():
            response.response_headers.response.SetInParent()
            _write_changes(response.response_headers.response.header_mutation, action.changes)
        case AnswerTrailers():
            response.response_trailers.header_mutation.remove_headers.extend(action.remove)
        case Replace():
            replaced = response.immediate_response
            replaced.status.code, replaced.body, replaced.details = action.status, action.body, _DETAILS
            _write_changes(replaced.headers, _OUR_HEADERS)
        case Abort():
            raise ValueError("an Abort is a status of gRPC, not a message")
        case _:
            assert_never(action)
    return response.SerializeToString()


def _join(action: Emit) -> bytes:
    if any(piece.notes for piece in action.pieces):
        # INVARIANT: what an inspection asks to be written is written before its message leaves.
        raise ValueError("a piece leaves before its notes are written")
    return b"".join([piece.raw for piece in action.pieces])


def _write_body(response: pb.ProcessingResponse, raw: bytes, action: Emit | Echo) -> None:
    mutation = response.response_body.response.body_mutation
    if action.is_duplex:
        mutation.streamed_response.body, mutation.streamed_response.end_of_stream = raw, action.ends
    elif raw:
        mutation.body = raw
    else:
        mutation.clear_body = True


def _write_echo(response: pb.ProcessingResponse, action: Echo) -> None:
    if action.is_duplex:
        _write_body(response, action.raw, action)
    else:
        # Without a mutation a piece passes as it came.
        response.response_body.response.SetInParent()


def _write_changes(mutation: pb.HeaderMutation, changes: HeaderChanges) -> None:
    for name, text in changes.set:
        option = mutation.set_headers.add(
            header=ext_authz_pb2.HeaderValue(key=name, raw_value=text.encode("latin-1", "replace"))
        )
        option.append.value = False
    mutation.remove_headers.extend(changes.remove)
