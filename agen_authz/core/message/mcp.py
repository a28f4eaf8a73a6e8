"""One MCP message from one HTTP request: parsed once, strictly; refused if two readers could differ.

The steps, the first that fails answers (MCP 2026-07-28 and 2025-11-25, Streamable HTTP; JSON-RPC 2.0):
 1. media type and encoding
 2. the body as bytes: there, whole, within the limit, not turned into text
 3. strict JSON, one object, no key that differs from a known one in form only
 4. one JSON-RPC message: request, notification or response, with an id of the right type
 5. the protocol version, and one era only: header and `_meta` must agree
 6. routing headers repeat what the body says
 7. parameters of the method's shape, and targets in canonical spelling (parameters.py)

Nothing here walks over arguments: what could refuse them is asked in `core.decide`, of callers who may make the call.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from agen_authz.core.errors import Malformed
from agen_authz.core.message.jsonrpc import Message, envelope_of, read_message
from agen_authz.core.message.method import Method, Names, find_method
from agen_authz.core.message.mirror import decode_value
from agen_authz.core.message.parameters import CAPABILITIES_KEY, may_make_task, read_parameters
from agen_authz.core.message.version import ASSUMED_VERSION, LEGACY_VERSIONS, MODERN_VERSIONS
from agen_authz.core.model import (
    Call,
    Envelope,
    Era,
    Json,
    Mirrored,
    Misread,
    Request,
    SessionId,
    Shape,
    Target,
)
from agen_authz.core.reason import Reason
from agen_authz.core.strict_json import parse_json

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
_STATE_KEY = "requestState"
_JSON = re.compile(r'application/json *(?:; *charset=(?:utf-8|"utf-8") *)?', re.IGNORECASE)
_ESCAPED_NUL = b"\\u0000"
_MAX_ECHO_CHARS = 64


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """Bounds of a request body."""

    request_bytes: int
    json_depth: int
    admits_text: bool = False
    json_values: int = 50_000


def parse(request: Request, server: str, limits: BodyLimits) -> Call | Misread:
    """Read what one admitted request asks of `server`; total: any request gives a Call or a Misread."""
    if request.method != "POST":
        return _read_bodiless(request, server)
    # 1. and 2.
    refused = _check_media(request.headers) or _check_bytes(request, limits)
    if refused is not None:
        return Misread(refused)
    # 3. and 4.
    document = parse_json(request.raw_body, limits.json_depth, limits.json_values)
    if isinstance(document, Malformed):
        return Misread(document.reason)
    message = read_message(document)
    if isinstance(message, Malformed):
        envelope = envelope_of(document, message, _guess_era(request.headers))
        return Misread(message.reason, envelope, message.detail)
    # 5.
    version = _read_version(request.headers, message)
    if isinstance(version, Misread):
        return version
    return _read_call(request, message, version, server)


def _guess_era(headers: Mapping[str, str]) -> Era:
    return Era.MODERN if headers.get("mcp-protocol-version") in MODERN_VERSIONS else Era.LEGACY


def _read_call(request: Request, message: Message, version: str, server: str) -> Call | Misread:
    era = Era.MODERN if version in MODERN_VERSIONS else Era.LEGACY
    envelope = Envelope(era, message.shape, message.id)
    method = find_method(message.method, era)
    # 6. and 7.
    wrong = _check_shape(message, method) or _check_headers(request.headers, message, method, era)
    if wrong is not None:
        return Misread(wrong, envelope)
    parameters = read_parameters(message, method, era, server)
    if isinstance(parameters, Malformed):
        return Misread(parameters.reason, envelope, parameters.detail)
    if request.has_text_body and _may_hide_bytes(message, parameters.targets):
        return Misread(Reason.BODY_AS_TEXT, envelope)
    return Call(
        server=server,
        envelope=envelope,
        version=version,
        method=message.method,
        targets=parameters.targets,
        uses_task=parameters.uses_task,
        arguments=parameters.arguments,
        inputs=parameters.inputs,
        session_id=_session_of(request.headers, era),
        # No string holds one as it is: JSON spells it so, and in no other way (RFC 8259 section 7).
        may_hold_nul=_ESCAPED_NUL in request.raw_body,
        mirrored=_find_mirrored(request, message),
        task_ids=parameters.task_ids,
        makes_task=may_make_task(message, era),
        declares_url=_declares_url(message, era),
        has_state=_STATE_KEY in message.params,
    )


def _declares_url(message: Message, era: Era) -> bool:
    # The legacy era says it once for a session, the modern one with every request.
    if era is Era.MODERN:
        capabilities = message.meta.get(CAPABILITIES_KEY)
    else:
        capabilities = message.params.get("capabilities") if message.method == "initialize" else None
    elicitation = capabilities.get("elicitation") if isinstance(capabilities, dict) else None
    return isinstance(elicitation, dict) and isinstance(elicitation.get("url"), dict)


def _find_mirrored(request: Request, message: Message) -> Mirrored | None:
    names = request.names.mirrored
    if not names:
        return None
    return Mirrored({name: request.headers[name] for name in names}, message.params.get("arguments"))


def _read_bodiless(request: Request, server: str) -> Call | Misread:
    version = request.headers.get("mcp-protocol-version", ASSUMED_VERSION)
    if version not in LEGACY_VERSIONS:
        return Misread(Reason.VERSION_UNSUPPORTED, requested_version=version[:_MAX_ECHO_CHARS])
    shape = Shape.STREAM if request.method == "GET" else Shape.END
    return Call(
        server=server,
        envelope=Envelope(Era.LEGACY, shape),
        version=version,
        method=request.method,
        session_id=_session_of(request.headers, Era.LEGACY),
    )


def _session_of(headers: Mapping[str, str], era: Era) -> SessionId | None:
    value = headers.get("mcp-session-id")
    return SessionId(value) if value is not None and era is Era.LEGACY else None


def _check_media(headers: Mapping[str, str]) -> Reason | None:
    media = headers.get("content-type", "")
    if media != "application/json" and not _JSON.fullmatch(media):
        return Reason.MEDIA_TYPE
    if "content-encoding" in headers and headers["content-encoding"].lower() != "identity":
        return Reason.CONTENT_ENCODING
    return None


def _check_bytes(request: Request, limits: BodyLimits) -> Reason | None:
    if request.is_partial:
        return Reason.BODY_PARTIAL
    if request.has_text_body and not limits.admits_text:
        return Reason.BODY_AS_TEXT
    if not request.raw_body:
        return Reason.BODY_EMPTY
    if len(request.raw_body) > limits.request_bytes:
        return Reason.BODY_TOO_LARGE
    return None


def _read_version(headers: Mapping[str, str], message: Message) -> str | Misread:
    # 5. A server may choose the era by header or by `_meta`: both must say the same.
    header = headers.get("mcp-protocol-version")
    stated = message.meta.get(VERSION_KEY)
    claims_modern = VERSION_KEY in message.meta
    era = Era.MODERN if claims_modern or header in MODERN_VERSIONS else Era.LEGACY
    refused = _check_stated_version(header, stated) if claims_modern else _check_legacy_version(header, message)
    if refused is None and era is Era.MODERN:
        refused = _check_modern_message(message, claims_modern=claims_modern)
    if refused is None:
        return header or ASSUMED_VERSION
    requested = header if header is not None else ""
    envelope = Envelope(era, message.shape, message.id)
    return Misread(refused, envelope, requested_version=requested[:_MAX_ECHO_CHARS])


def _check_stated_version(header: str | None, stated: Json) -> Reason | None:
    if not isinstance(stated, str):
        return Reason.META_MISSING
    if header is None:
        return Reason.HEADER_MISSING
    if header != stated:
        eras = {version in MODERN_VERSIONS for version in (header, stated)}
        return Reason.ERA_CONFUSION if len(eras) > 1 else Reason.HEADER_MISMATCH
    if stated in MODERN_VERSIONS:
        return None
    return Reason.ERA_CONFUSION if stated in LEGACY_VERSIONS else Reason.VERSION_UNSUPPORTED


def _check_legacy_version(header: str | None, message: Message) -> Reason | None:
    if header in MODERN_VERSIONS:
        return None
    if header is not None and header not in LEGACY_VERSIONS:
        return Reason.VERSION_UNSUPPORTED
    return Reason.ERA_CONFUSION if CAPABILITIES_KEY in message.meta else None


def _check_modern_message(message: Message, *, claims_modern: bool) -> Reason | None:
    if message.shape is Shape.RESPONSE:
        return Reason.POSTED_RESPONSE
    if message.method == "initialize":
        # Modern throughout, it is a removed method like any other (404, -32601); no `methods` may bring it back,
        # because a server that goes by the body would begin a legacy session.
        return Reason.UNKNOWN_METHOD if claims_modern else Reason.ERA_CONFUSION
    # Modern notifications need no `_meta`; requests do (basic, "Per-request protocol fields").
    if message.shape is Shape.NOTIFICATION and not claims_modern:
        return None
    if not claims_modern or not isinstance(message.meta.get(CAPABILITIES_KEY), dict):
        return Reason.META_MISSING
    return None


def _check_shape(message: Message, method: Method | None) -> Reason | None:
    if message.shape is Shape.REQUEST and message.method.startswith("notifications/"):
        return Reason.ID_UNEXPECTED
    if message.shape is Shape.NOTIFICATION and method is not None:
        return Reason.ID_MISSING
    return None


def _check_headers(headers: Mapping[str, str], message: Message, method: Method | None, era: Era) -> Reason | None:
    # 6. Headers are never decided on; they must only not say something else than the body (SEP-2243).
    stated_method, stated_name = headers.get("mcp-method"), headers.get("mcp-name")
    must_state = era is Era.MODERN and message.shape is Shape.REQUEST
    if must_state and stated_method is None:
        return Reason.HEADER_MISSING
    if stated_method is not None and stated_method != message.method:
        return Reason.HEADER_MISMATCH
    if stated_name is None:
        return Reason.HEADER_MISSING if must_state and method and method.needs_name_header else None
    named = _named_in(message, method)
    if named == stated_name and not stated_name.startswith("=?"):
        return None
    return None if named is not None and decode_value(stated_name) == named else Reason.HEADER_MISMATCH


def _named_in(message: Message, method: Method | None) -> str | None:
    if method is None:
        return None
    key = _NAME_KEYS.get(method.names)
    value = message.params.get(key) if key else None
    return value if isinstance(value, str) else None


_NAME_KEYS = {Names.TOOL: "name", Names.PROMPT: "name", Names.RESOURCE: "uri", Names.TASK: "taskId"}


def _may_hide_bytes(message: Message, targets: tuple[Target, ...]) -> bool:
    # Envoy writes `!` for every byte that it cannot show as text: such a name may be another one.
    names = (message.method, *message.list_keys(), *(target.name for target in targets))
    return any("!" in name for name in names)
