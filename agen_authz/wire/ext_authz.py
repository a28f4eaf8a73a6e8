"""Envoy's ext_authz messages: a CheckRequest becomes a Request, a Decision becomes a CheckResponse.

Every response starts as a denial: in Envoy a CheckResponse without a status allows the request, whatever else
it says, so `status.code` is set first and only `render_allow` sets it to zero.
"""

from google.protobuf.message import DecodeError

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.core.admission import SINGLE_HEADERS, cors_headers
from agen_authz.core.errors import Malformed
from agen_authz.core.model import Allow, Answer, Call, Decision, Era, Request, Resource
from agen_authz.core.reason import Reason
from agen_authz.wire.identity import IDENTITY_HEADERS, render_text, set_header
from agen_authz.wire.refusal import Asked, HttpAnswer, render_refusal

_OK, _PERMISSION_DENIED = 0, 7
INSPECT_KEY = "agen.inspect"
# A URI may hold a comma; where Envoy hands over joined headers, `a,b` could then be one or two.
_WITHOUT_COMMA = tuple(sorted(SINGLE_HEADERS - {"mcp-name"}))
_FORWARDED = frozenset(
    {
        "accept",
        "accept-encoding",
        "content-encoding",
        "content-length",
        "content-type",
        "host",
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
        "mcp-session-id",
        "traceparent",
        "tracestate",
        "transfer-encoding",
    }
)


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
    if not http.method or not http.path or not http.host:
        return Malformed(Reason.REQUEST_UNREADABLE, "no method, path or host")
    if http.header_map.headers:
        headers, repeated = _read_header_map(http.header_map)
    else:
        headers, repeated = _read_joined_headers(http)
    if "" in headers:
        return Malformed(Reason.REQUEST_UNREADABLE, "a header without a name")
    if headers.get(":authority", http.host) != http.host or headers.get("host", http.host) != http.host:
        repeated.add("host")
    body = http.raw_body or http.body.encode("utf-8")
    return Request(
        method=http.method,
        authority=http.host,
        path=http.path,
        headers=headers,
        repeated=frozenset(repeated),
        raw_body=body,
        has_text_body=bool(http.body),
        is_partial=_is_partial(headers, body),
        peer=attributes.source.address.socket_address.address,
    )


def _read_header_map(header_map: pb.HeaderMap) -> tuple[dict[str, str], set[str]]:
    # Nearly every request has each name once, in lower case: that is read in one go.
    headers = {header.key: header.raw_value.decode("latin-1") or header.value for header in header_map.headers}
    names = "\n".join(headers)
    if len(headers) == len(header_map.headers) and names == names.lower():
        repeated: set[str] = set()
    else:
        headers, repeated = _read_repeated_headers(header_map)
    repeated.update(name for name in _WITHOUT_COMMA if "," in headers.get(name, ""))
    return headers, repeated


def _read_repeated_headers(header_map: pb.HeaderMap) -> tuple[dict[str, str], set[str]]:
    headers: dict[str, str] = {}
    repeated: set[str] = set()
    for header in header_map.headers:
        name = header.key.lower()
        if name in headers:
            repeated.add(name)
        headers[name] = header.raw_value.decode("latin-1") or header.value
    return headers, repeated


def _read_joined_headers(http: pb.AttributeContext.HttpRequest) -> tuple[dict[str, str], set[str]]:
    headers = {name.lower(): value for name, value in http.headers.items()}
    repeated = {name for name in SINGLE_HEADERS & headers.keys() if "," in headers[name]}
    if len(headers) != len(http.headers):
        repeated.add("host")
    return headers, repeated


def _is_partial(headers: dict[str, str], body: bytes) -> bool:
    if headers.get("x-envoy-auth-partial-body", "false") != "false":
        return True
    # An empty body has its own Reason; strangers' bodies are not handed over at all.
    length = headers.get("content-length")
    return bool(body) and length is not None and length != str(len(body))


def render_check(decision: Decision, asked: Asked, off_word: str) -> pb.CheckResponse:
    """Render a decision for Envoy.

    Args:
        asked: what the answer is bound to: the request, its resource, our id, the caller.
        off_word: what `agen.inspect` says so that Envoy skips the inspection of the response.
    """
    response = pb.CheckResponse(status=pb.Status(code=_PERMISSION_DENIED))
    response.dynamic_metadata[INSPECT_KEY] = off_word
    if isinstance(decision, Allow):
        _render_allow(response, asked)
    elif isinstance(decision, Answer):
        _render_denied(response, HttpAnswer(decision.status, decision.headers, decision.body.decode("utf-8")))
    else:
        _render_denied(response, _with_cors(render_refusal(decision, asked), asked))
    return response


def _with_cors(answer: HttpAnswer, asked: Asked) -> HttpAnswer:
    if asked.route is None or asked.request is None:
        return answer
    return HttpAnswer(answer.status, (*answer.headers, *cors_headers(asked.request, asked.route)), answer.body)


def _render_denied(response: pb.CheckResponse, answer: HttpAnswer) -> None:
    denied = response.denied_response
    denied.status.code = answer.status
    denied.body = answer.body
    for name, value in answer.headers:
        # Without `append`: Envoy drops a denied header that has it set (several of one name are kept).
        denied.headers.add(header=pb.HeaderValue(key=name, value=value))


def _render_allow(response: pb.CheckResponse, asked: Asked) -> None:
    request, route, call, caller = asked.request, asked.route, asked.call, asked.caller
    if request is None or route is None or call is None or caller is None:
        # INVARIANT: only a call that was read, of a caller who is known, is ever allowed.
        raise ValueError("an allowed call without request, resource, call or caller")
    allowed = response.ok_response
    allowed.MergeFromString(caller.headers)
    set_header(allowed, "agen-resource", render_text(route.resource.name))
    set_header(allowed, "agen-request-id", f'"{asked.request_id}"')
    allowed.headers_to_remove.extend(_headers_to_remove(request, route.resource, call))
    for name, value in cors_headers(request, route):
        option = allowed.response_headers_to_add.add(header=pb.HeaderValue(key=name, value=value))
        option.append.value = name == "vary"
    response.status.code = _OK


def _headers_to_remove(request: Request, resource: Resource, call: Call) -> list[str]:
    """List what the client sent and the backend does not get; a header that we set must not be among it."""
    kept = _FORWARDED | resource.forward_headers | IDENTITY_HEADERS
    if resource.forward_token:
        kept = kept | {"authorization"}
    if resource.resumable:
        kept = kept | {"last-event-id"}
    removed = [
        name for name in request.headers if name not in kept and name[0] != ":" and not name.startswith("mcp-param-")
    ]
    if call.envelope.era is Era.MODERN and "mcp-session-id" in request.headers:
        removed.append("mcp-session-id")
    return removed
