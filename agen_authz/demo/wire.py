"""One MCP message over plain HTTP, for commands to try and for what no well-behaved client would send."""

import httpx

VERSION = "2026-07-28"


def call_body(tool: str, arguments: dict[str, object]) -> dict[str, object]:
    """Write a modern tools/call."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "agen-demo", "version": "1"},
    }
    params = {"name": tool, "arguments": arguments, "_meta": meta}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


def call_headers(tool: str, token: str | None) -> dict[str, str]:
    """Write the headers that go with `call_body`."""
    headers = {
        "accept": "application/json, text/event-stream",
        "content-type": "application/json",
        "mcp-protocol-version": VERSION,
        "mcp-method": "tools/call",
        "mcp-name": tool,
    }
    return headers if token is None else headers | {"authorization": f"Bearer {token}"}


async def post_call(url: str, token: str | None, tool: str, arguments: dict[str, object]) -> httpx.Response:
    """Post one tools/call."""
    async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
        return await client.post(url, json=call_body(tool, arguments), headers=call_headers(tool, token))


async def try_call(url: str, token: str) -> int:
    """Make one harmless call and return its HTTP status."""
    return (await post_call(url, token, "search_customers", {"query": "", "limit": 1})).status_code
