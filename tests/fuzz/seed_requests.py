"""Seeds that are requests as text: good ones of both eras, and one for each way in which two readers could differ."""

from collections.abc import Mapping
from typing import Any

from tests import builders as build

_LEGACY = {"mcp-protocol-version": build.LEGACY}
_SESSION = {**_LEGACY, "mcp-session-id": build.session("s-1")}


def write(
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    *,
    line: str = "POST /crm/mcp mcp.example.com header_map",
) -> bytes:
    """Write a request as text, of a caller with a good token."""
    raw = body if isinstance(body, bytes) else b"" if body is None else build.encode(body)
    written = {"authorization": "Bearer {token}", "content-type": "application/json", **(headers or _LEGACY)}
    head = "\n".join((line, *(f"{name}: {value}" for name, value in written.items())))
    return head.encode("latin-1") + b"\n\n" + raw


def _modern(method: str, params: Any = None) -> bytes:
    document = build.modern(method, params or {})
    headers = {"mcp-protocol-version": build.MODERN, "mcp-method": method}
    named = build.headers_for(None, document).get("mcp-name")
    return write(document, headers | ({"mcp-name": named} if named is not None else {}))


def _called(text: str) -> bytes:
    return write(text.encode())


_CALL = {"name": "get_customer", "arguments": {"id": 1}}
_LEGACY_METHODS: Mapping[str, Any] = {
    "initialize": {"protocolVersion": build.LEGACY, "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}},
    "ping": {},
    "tools/list": {"cursor": "x"},
    "prompts/get": {"name": "summarize", "arguments": {"style": "short"}},
    "resources/read": {"uri": "customer://1/notes"},
    "resources/subscribe": {"uri": "customer://1"},
    "resources/templates/list": {},
    "completion/complete": {"ref": {"type": "ref/prompt", "name": "summarize"}, "argument": {"name": "a", "value": ""}},
    "tasks/get": {"taskId": "t"},
    "logging/setLevel": {"level": "debug"},
}
_MODERN_METHODS: Mapping[str, Any] = {
    "server/discover": {},
    "prompts/get": {"name": "summarize", "inputResponses": {"a": {"action": "accept"}}},
    "resources/read": {"uri": "customer://{id}"},
    "completion/complete": {"ref": {"type": "ref/resource", "uri": "customer://1"}, "argument": {}},
    "subscriptions/listen": {"notifications": {"resourceSubscriptions": ["customer://1"], "toolsListChanged": True}},
}
_DOUBLES: Mapping[str, bytes] = {
    "batch": write([build.message(), build.message("ping")]),
    "body-absent": write(),
    "body-as-text": write(build.message(), line="POST /crm/mcp mcp.example.com header_map text"),
    "body-compressed": write(b"\x1f\x8b", {**_LEGACY, "content-encoding": "gzip"}),
    "body-partial": write(build.message(), {**_LEGACY, "x-envoy-auth-partial-body": "true"}),
    "case-of-a-key": _called('{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/call"}'),
    "comma-in-a-header": write(build.message(), {"mcp-protocol-version": "2025-11-25,2026-07-28"}),
    "duplicate-method": _called(
        '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"delete_customer"}}'
    ),
    "duplicate-name": _called(
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_x","n\\u0061me":"delete_customer"}}'
    ),
    "dot-segments": _called(
        '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_x/../delete_customer"}}'
    ),
    "era-confusion": write(build.modern(params=_CALL), _LEGACY),
    "header-map": write(build.message(), {**_LEGACY, "x-tenant": "t", "x-forwarded-for": "10.0.0.1, 192.0.2.1"}),
    "header-of-another-name": write(
        build.modern(params=_CALL),
        {"mcp-protocol-version": build.MODERN, "mcp-method": "tools/call", "mcp-name": "delete_customer"},
    ),
    "header-name-in-base64": write(
        build.modern(params=_CALL),
        {"mcp-protocol-version": build.MODERN, "mcp-method": "tools/call", "mcp-name": "=?base64?Z2V0X2N1c3RvbWVy?="},
    ),
    "header-twice": write(build.message(), {**_LEGACY, "Authorization": "Bearer x"}),
    "header-underscore": write(build.message(), {**_LEGACY, "agen_subject": "root", "mcp_session_id": "s"}),
    "header-values-as-text": write(build.message(), line="POST /crm/mcp mcp.example.com header_map value"),
    "id-of-another-type": write(build.message(id=1.5)),
    "initialize-in-modern": _modern("initialize"),
    "large-integer": _called(
        '{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"get_x","arguments":{"n":1e2}}}'
    ),
    "nul-after-a-key": _called('{"jsonrpc":"2.0","id":1,"method":"ping","method\\u0000":"x"}'),
    "origin": write(build.message(), {**_LEGACY, "origin": build.ORIGIN}),
    "overrides": write(build.message(), {**_LEGACY, "x-http-method-override": "DELETE", "x-original-url": "/admin"}),
    "percent-escape": _called(
        '{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"customer://%2e%2e"}}'
    ),
    "response": write({"jsonrpc": "2.0", "id": 3, "result": {}}, _SESSION),
    "signature-forged": write(build.message(), {**_LEGACY, "signature": "agen=:x:", "content-digest": "x"}),
    "subscription-unknown": _modern("subscriptions/listen", {"notifications": {"else": []}}),
    "task": write(build.message(params={**_CALL, "task": {"ttl": 1}})),
    "token-absent": write(build.message(), {"authorization": "Basic x"}),
}
_LINES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "stream": ("GET /crm/mcp mcp.example.com header_map", {**_SESSION, "last-event-id": "9"}),
    "session-ends": ("DELETE /crm/mcp mcp.example.com", _SESSION),
    "preflight": (
        "OPTIONS /crm/mcp mcp.example.com",
        {
            "origin": build.ORIGIN,
            "access-control-request-method": "POST",
            "access-control-request-headers": "mcp-param-x",
        },
    ),
    "metadata": ("GET /.well-known/oauth-protected-resource/crm/mcp mcp.example.com", {"accept": "*/*"}),
    "another-host": ("GET /crm/mcp evil.example.com", _SESSION),
    "another-path": ("GET /crm/mcp/../billing/mcp mcp.example.com", _SESSION),
    "query": ("GET /crm/mcp?x=1 mcp.example.com", _SESSION),
    "upgrade": ("GET /crm/mcp mcp.example.com header_map", {**_SESSION, "upgrade": "websocket"}),
    "bare": ("GET /crm/mcp mcp.example.com header_map bare", {**_SESSION, "host": "evil.example.com"}),
}


def _label(method: str) -> str:
    return method.replace("/", "-")


REQUESTS: Mapping[str, bytes] = {
    "legacy-call": write(build.message(), line="POST /crm/mcp mcp.example.com"),
    "legacy-call-in-a-session": write(build.message(id="x-1"), _SESSION),
    "modern-call": _modern("tools/call", _CALL),
    "notification": write(build.message("notifications/progress", {"progressToken": 1}, id=None), _SESSION),
    **{
        f"method-legacy-{_label(method)}": write(build.message(method, params), _SESSION)
        for method, params in _LEGACY_METHODS.items()
    },
    **{f"method-modern-{_label(method)}": _modern(method, params) for method, params in _MODERN_METHODS.items()},
    **_DOUBLES,
    **{name: write(None, headers, line=line) for name, (line, headers) in _LINES.items()},
}
