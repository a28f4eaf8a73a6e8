"""Envoy's ext_authz messages: a CheckRequest becomes a Request, a Decision becomes a CheckResponse.

In Envoy a CheckResponse without a status, or with code zero, allows the request, whatever else it says: there is
one place that writes that code, and it serves an Allow of a known caller only.
"""

from typing import assert_never

from google.protobuf.message import DecodeError

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.core.errors import Malformed
from agen_authz.core.header import HeaderNames, look_at
from agen_authz.core.http.admission import cors_headers
from agen_authz.core.http.route import Route
from agen_authz.core.memory import remember
from agen_authz.core.model import Allow, Answer, AwaitApproval, Deny, Request, Session, StepUp
from agen_authz.core.reason import Reason
from agen_authz.core.signature import Signed
from agen_authz.core.stage import Ended, Judged, Refused, Stage, find_routed
from agen_authz.wire.approval import render_approval
from agen_authz.wire.field import write_field
from agen_authz.wire.identity import set_header
from agen_authz.wire.refusal import HttpAnswer, render_refusal, render_step_up
from agen_authz.wire.template import Templates, render_inspection

_PERMISSION_DENIED = 7
# Fields of CheckResponse, OkHttpResponse and HeaderValueOption.
_STATUS, _OK_RESPONSE = 1, 3
_HEADERS = 2
_HEADER, _APPEND, _KEY, _VALUE = 1, 2, 1, 2
# A BoolValue that is there and false: `append: false` overwrites the client's copies.
_OVERWRITES = write_field(_APPEND, b"")
# The one place that says yes: a status whose code is zero.
_STATUS_OK = write_field(_STATUS, b"")
# A URI may hold a comma; where Envoy hands over joined headers, `a,b` could then be one or two.
_MAY_HOLD_COMMA = "mcp-name"
_SESSION_ID = "mcp-session-id"
# Honoured for headers of the response; `append` is not looked at if this is set.
_OVERWRITE_IF_EXISTS = pb.HeaderValueOption.OVERWRITE_IF_EXISTS
_NONE: frozenset[str] = frozenset()


def read_check(raw: bytes) -> Request | Malformed:
    """Read a CheckRequest; no body is parsed. Total: any bytes give a Request or a Malformed.

    Both forms of Envoy's headers are read: `header_map` keeps repeats apart, `headers` has joined them with
    commas, so there a comma in a header that may be sent once counts as a repeat.
    """
    try:
        attributes = pb.CheckRequest.FromString(raw).attributes
    except DecodeError:
        return Malformed(Reason.REQUEST_UNREADABLE)
    http = attributes.request.http
    method, path, host = http.method, http.path, http.host
    if not method or not path or not host:
        return Malformed(Reason.REQUEST_UNREADABLE, "no method, path or host")
    headers, names, repeated = _read_headers(http)
    if names.has_empty:
        return Malformed(Reason.REQUEST_UNREADABLE, "a header without a name")
    if headers.get(":authority", host) != host or headers.get("host", host) != host:
        repeated = repeated | {"host"}
    body, text = http.raw_body, http.body
    if not body:
        body = text.encode("utf-8")
    return Request(
        method=method,
        authority=host,
        path=path,
        headers=headers,
        names=names,
        repeated=repeated,
        raw_body=body,
        has_text_body=text != "",
        is_partial=_is_partial(headers, body),
        peer=attributes.source.address.socket_address.address,
    )


def _read_headers(http: pb.AttributeContext.HttpRequest) -> tuple[dict[str, str], HeaderNames, frozenset[str]]:
    pairs = http.header_map.headers
    if not pairs:
        return _read_joined_headers(http)
    headers = {pair.key: pair.raw_value.decode("latin-1") for pair in pairs}
    names = look_at(tuple(headers))
    repeated: frozenset[str] = _NONE
    # Nearly every request has each name once, in lower case, as bytes: those are read at once.
    if len(headers) != len(pairs) or not names.is_lower or "" in headers.values():
        headers, repeated = _read_repeated_headers(http.header_map)
        names = look_at(tuple(headers))
    if "," in names.join_single(headers):
        joined = {name for name in names.single if "," in headers[name] and name != _MAY_HOLD_COMMA}
        repeated = repeated | joined
    return headers, names, repeated


def _read_repeated_headers(header_map: pb.HeaderMap) -> tuple[dict[str, str], frozenset[str]]:
    headers: dict[str, str] = {}
    repeated: set[str] = set()
    for header in header_map.headers:
        name = header.key.lower()
        if name in headers:
            repeated.add(name)
        headers[name] = header.raw_value.decode("latin-1") or header.value
    return headers, frozenset(repeated)


def _read_joined_headers(http: pb.AttributeContext.HttpRequest) -> tuple[dict[str, str], HeaderNames, frozenset[str]]:
    headers = {name.lower(): value for name, value in http.headers.items()}
    names = look_at(tuple(headers))
    repeated = {name for name in names.single if "," in headers[name]}
    if len(headers) != len(http.headers):
        repeated.add("host")
    return headers, names, frozenset(repeated)


def _is_partial(headers: dict[str, str], body: bytes) -> bool:
    if headers.get("x-envoy-auth-partial-body", "false") != "false":
        return True
    # An empty body has its own Reason; strangers' bodies are not handed over at all.
    length = headers.get("content-length")
    return bool(body) and length is not None and length != str(len(body))


def render_check(ended: Ended, templates: Templates) -> bytes:
    """Render for Envoy how a request ended, as a serialised CheckResponse.

    Args:
        templates: parts of answers that were rendered before.
    """
    if isinstance(ended, Refused):
        return _render_denied(_render_refused(ended)) + templates.skips_inspection
    read, decision = ended.stage, ended.decision
    match decision:
        case Allow():
            # INVARIANT: only a call that was read, of a caller who is known, is ever allowed.
            return _render_allow(ended, decision, templates)
        case StepUp():
            answer = render_step_up(decision, read)
        case AwaitApproval():
            answer = render_approval(decision, ended)
        case Deny():
            answer = render_refusal(decision, read)
        case _:
            assert_never(decision)
    return _render_denied(_with_cors(answer, read)) + templates.skips_inspection


def _render_refused(refused: Refused) -> HttpAnswer:
    decision = refused.decision
    if isinstance(decision, Answer):
        return HttpAnswer(decision.status, decision.headers, decision.body.decode("utf-8"))
    return _with_cors(render_refusal(decision, refused.stage), refused.stage)


def _with_cors(answer: HttpAnswer, stage: Stage) -> HttpAnswer:
    routed = find_routed(stage)
    if routed is None:
        return answer
    added = cors_headers(routed.received.request, routed.route)
    return HttpAnswer(answer.status, (*answer.headers, *added), answer.body)


def _render_denied(answer: HttpAnswer) -> bytes:
    response = pb.CheckResponse(status=pb.Status(code=_PERMISSION_DENIED))
    denied = response.denied_response
    denied.status.code = answer.status
    denied.body = answer.body
    for name, value in answer.headers:
        # Without `append`: Envoy drops a denied header that has it set (several of one name are kept).
        denied.headers.add(header=pb.HeaderValue(key=name, value=value))
    return response.SerializeToString()


def _render_allow(judged: Judged, allow: Allow, templates: Templates) -> bytes:
    read, sealed = judged.stage, judged.sealed
    routed = read.known.routed
    request, route, request_id = routed.received.request, routed.route, routed.received.arrived.request_id
    allowed = (
        read.known.rendered.headers
        + templates.render_resource(route.resource, read.call.envelope, request.names, is_inspected=judged.is_inspected)
        + _write_header("agen-request-id", f'"{request_id}"')
    )
    if route.resource.is_signed:
        allowed += _write_signature(judged.signed)
    if "origin" in request.headers:
        allowed += _render_cors(request, route)
    if allow.session is not None:
        allowed += _render_session(request, allow.session, is_inspected=judged.is_inspected)
    told = templates.skips_inspection if sealed is None else render_inspection(sealed)
    return _STATUS_OK + write_field(_OK_RESPONSE, allowed) + told


def _render_session(request: Request, session: Session, *, is_inspected: bool) -> bytes:
    """Give the backend its own id; if it repeats that in its answer, the client sees the one that it sent.

    Process decides what the client sees of an answer that is inspected: another `initialize` gives out another id.
    """
    allowed = pb.OkHttpResponse()
    set_header(allowed, _SESSION_ID, session.backend_id)
    if is_inspected:
        return allowed.SerializeToString()
    header = pb.HeaderValue(key=_SESSION_ID, value=request.headers[_SESSION_ID])
    allowed.response_headers_to_add.add(header=header, append_action=_OVERWRITE_IF_EXISTS)
    return allowed.SerializeToString()


def _write_signature(signed: Signed | None) -> bytes:
    if signed is None:
        # INVARIANT: a backend that expects signatures gets no request without one.
        raise ValueError("an allowed call of a signed resource without a signature")
    return (
        _write_header("content-digest", signed.content_digest)
        + _write_header("signature-input", signed.signature_input)
        + _write_header("signature", signed.signature)
    )


def _write_header(name: str, content: str) -> bytes:
    before, after = _frame_header(name, len(content))
    return before + content.encode("ascii") + after


@remember(256)
def _frame_header(name: str, size: int) -> tuple[bytes, bytes]:
    """Write what stands around the value of a header that overwrites the client's copies."""
    stand_in = b"\x00" * size
    header = write_field(_KEY, name.encode("ascii")) + write_field(_VALUE, stand_in)
    framed = write_field(_HEADERS, write_field(_HEADER, header) + _OVERWRITES)
    return framed[: -size - len(_OVERWRITES)], _OVERWRITES


def _render_cors(request: Request, route: Route) -> bytes:
    allowed = pb.OkHttpResponse()
    for name, value in cors_headers(request, route):
        option = allowed.response_headers_to_add.add(header=pb.HeaderValue(key=name, value=value))
        option.append.value = name == "vary"
    return allowed.SerializeToString()
