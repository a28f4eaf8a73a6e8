"""One MCP message over plain HTTP, for commands to try and for what no well-behaved client would send."""

import httpx

VERSION = "2026-07-28"
_LEGACY = "2025-11-25"


def call_body(tool: str, arguments: dict[str, object]) -> dict[str, object]:
    """Write a modern tools/call."""
    return message_body("tools/call", {"name": tool, "arguments": arguments})


def message_body(method: str, params: dict[str, object]) -> dict[str, object]:
    """Write a modern request."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "agen-demo", "version": "1"},
    }
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params | {"_meta": meta}}


def call_headers(tool: str, token: str | None) -> dict[str, str]:
    """Write the headers that go with `call_body`."""
    return message_headers("tools/call", token) | {"mcp-name": tool}


def message_headers(method: str, token: str | None) -> dict[str, str]:
    """Write the headers that go with `message_body`."""
    headers = {
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-protocol-version": VERSION,
        "mcp-method": method,
    }
    return headers if token is None else headers | {"authorization": f"Bearer {token}"}


async def post_call(url: str, token: str | None, tool: str, arguments: dict[str, object]) -> httpx.Response:
    """Post one tools/call."""
    async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
        return await client.post(url, json=call_body(tool, arguments), headers=call_headers(tool, token))


async def post_message(url: str, token: str, method: str) -> httpx.Response:
    """Post one request that has no parameters."""
    async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
        return await client.post(url, json=message_body(method, {}), headers=message_headers(method, token))


async def start_session(url: str, token: str) -> str:
    """Initialize as a client of 2025-11-25 does, and return the id of the session."""
    client_name = {"name": "agen-demo", "version": "1"}
    params = {"protocolVersion": _LEGACY, "capabilities": {}, "clientInfo": client_name}
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
        return (await client.post(url, json=body, headers=_legacy_headers(token))).headers["mcp-session-id"]


async def post_in_session(url: str, token: str, session: str) -> httpx.Response:
    """List tools in a session of 2025-11-25."""
    headers = _legacy_headers(token) | {"mcp-session-id": session, "mcp-protocol-version": _LEGACY}
    async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
        return await client.post(url, json={"jsonrpc": "2.0", "id": 2, "method": "tools/list"}, headers=headers)


def _legacy_headers(token: str) -> dict[str, str]:
    return {"accept": "application/json, text/event-stream", "authorization": f"Bearer {token}"}


async def try_call(url: str, token: str) -> bool:
    """Make one harmless call; True if a tool answered it."""
    return "result" in (await post_call(url, token, "search_customers", {"query": "", "limit": 1})).json()
