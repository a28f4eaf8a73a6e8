"""What an HTTP request must satisfy before its caller is identified.

In this order, the first that fails answers (MCP 2026-07-28 and 2025-11-25, Streamable HTTP):
 1. method; upgrade; no body on a method that takes none
 2. header names and values; headers that may be sent once
 3. Origin

What MCP says of its headers is asked at a resource's own path. Its metadata is another resource of HTTP (RFC 9728
section 3.1), answered whatever version a client names there: clients send the same headers to both.
"""

import re

from agen_authz.core.errors import Malformed
from agen_authz.core.header import PARAMETER_PREFIX, SINGLE_HEADERS, is_field_name
from agen_authz.core.http.route import Route
from agen_authz.core.message.version import MODERN_VERSIONS
from agen_authz.core.model import Answer, Request
from agen_authz.core.reason import Reason

_ONCE_ONLY = frozenset(name for name in SINGLE_HEADERS | {"host"} if not name.startswith("mcp-"))
# Visible ASCII (MCP 2025-11-25, "Session management").
_SESSION_ID = re.compile(r"[\x21-\x7e]{1,1024}")
_MAX_NAME_CHARS = 128
_RESOURCE_METHODS = frozenset({"POST", "GET", "DELETE", "OPTIONS"})
_METADATA_METHODS = frozenset({"GET", "OPTIONS"})
_EXPOSED = "mcp-session-id, www-authenticate"
_PREFLIGHT_METHODS = "POST, GET, DELETE"
_PREFLIGHT_HEADERS = frozenset(
    {
        "accept",
        "authorization",
        "content-type",
        "last-event-id",
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
        "mcp-session-id",
        "traceparent",
        "tracestate",
    }
)
_PREFLIGHT_MAX_AGE_S = 600


def admit(request: Request, route: Route) -> Malformed | Answer | None:
    """Check what comes before identity; None lets the request pass, an Answer ends a CORS preflight."""
    headers = request.headers
    # 1. 2.
    refusal = _check_method(request, is_metadata=route.is_metadata) or _check_names(request)
    if refusal is None and not route.is_metadata:
        refusal = _check_mcp(request)
    if refusal is not None:
        return refusal
    # 3.
    origin = headers.get("origin")
    if origin is not None and origin not in route.resource.origins:
        return Malformed(Reason.ORIGIN_REFUSED)
    if request.method == "OPTIONS":
        return _answer_preflight(request, route)
    return None


def _check_method(request: Request, *, is_metadata: bool) -> Malformed | None:
    headers, method = request.headers, request.method
    if method not in (_METADATA_METHODS if is_metadata else _RESOURCE_METHODS):
        return Malformed(Reason.METHOD_NOT_ALLOWED)
    if method == "OPTIONS" and ("origin" not in headers or "access-control-request-method" not in headers):
        return Malformed(Reason.METHOD_NOT_ALLOWED)
    if not is_metadata and method in ("GET", "DELETE") and headers.get("mcp-protocol-version") in MODERN_VERSIONS:
        return Malformed(Reason.METHOD_NOT_ALLOWED)
    if "upgrade" in headers:
        return Malformed(Reason.UPGRADE_REFUSED)
    if method != "POST" and _has_body(request):
        return Malformed(Reason.UNEXPECTED_BODY)
    return None


def _has_body(request: Request) -> bool:
    if request.raw_body or request.has_text_body or "transfer-encoding" in request.headers:
        return True
    return request.headers.get("content-length", "0") != "0"


def _check_names(request: Request) -> Malformed | None:
    if request.names.has_underscore:
        return Malformed(Reason.HEADER_UNDERSCORE)
    if request.repeated and not request.repeated.isdisjoint(_ONCE_ONLY):
        return Malformed(Reason.HEADER_REPEATED)
    return None


def _check_mcp(request: Request) -> Malformed | None:
    headers = request.headers
    for name in request.repeated:
        if name.startswith("mcp-"):
            return Malformed(Reason.HEADER_REPEATED)
    # Visible ASCII and spaces, all values at once.
    values = request.names.join_single(headers)
    if not (values.isascii() and values.isprintable()):
        return Malformed(Reason.HEADER_MALFORMED)
    # Two lengths, or a coding that is not decoded here, would be another body to the backend (RFC 9112 section 6.3).
    coding = headers.get("transfer-encoding")
    if coding is not None and (coding.lower() != "chunked" or "content-length" in headers):
        return Malformed(Reason.HEADER_MALFORMED)
    # A backend that trims it would read the id of another session.
    if "mcp-session-id" in headers and not _SESSION_ID.fullmatch(headers["mcp-session-id"]):
        return Malformed(Reason.HEADER_MALFORMED)
    return None


def cors_headers(request: Request, route: Route) -> tuple[tuple[str, str], ...]:
    """List what every answer to an accepted Origin carries (Fetch standard, section 3.2); else nothing."""
    origin = request.headers.get("origin")
    if origin is None or origin not in route.resource.origins:
        return ()
    return (
        ("access-control-allow-origin", origin),
        ("vary", "origin"),
        ("access-control-expose-headers", _EXPOSED),
    )


def _is_parameter(name: str) -> bool:
    return name.startswith(PARAMETER_PREFIX) and len(name) <= _MAX_NAME_CHARS and is_field_name(name)


def _answer_preflight(request: Request, route: Route) -> Answer:
    asked = request.headers.get("access-control-request-headers", "")
    names = [name.strip().lower() for name in asked.split(",")]
    allowed = _PREFLIGHT_HEADERS | route.resource.forward_headers
    extra = {name for name in names if name in allowed or _is_parameter(name)}
    headers = (
        *cors_headers(request, route),
        ("access-control-allow-methods", "GET" if route.is_metadata else _PREFLIGHT_METHODS),
        ("access-control-allow-headers", ", ".join(sorted(_PREFLIGHT_HEADERS | extra))),
        ("access-control-max-age", str(_PREFLIGHT_MAX_AGE_S)),
    )
    return Answer(Reason.PREFLIGHT, 204, headers)
