"""The attacks: each is what an attacker sends, and what configuration and bodies it needs.

Every kind is a list of raw HTTP/1.1 requests, sent again and again on connections that are kept, and bounded in
number and time. None of them is a secret: they are the findings that `docs/threat-model.md` has rows for.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.stage.port import HOST
from tests.stage.setting import VERSION, Setting

MIB = 1 << 20
TOKEN_BYTES = 15_700
# Within what a body may hold (`limits.json_values`), or beyond it where that is the attack.
FILTERED, ALLOWED, WIDE, TOO_WIDE, LISTENED = 9_900, 30_000, 40_000, 80_000, 1_000
IDS, CALLERS = 640, 10
# Tools that only the attacker calls, and what conditions read of them.
HEAVY = (
    ("filter", "size(args.items.filter(i, i > 0)) > 5"),
    ("map", "size(args.items.map(i, i + 1)) > 5"),
    ("nested", "args.items.exists(i, i in args.allowed)"),
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One attack.

    Args:
        letter: of the issue's list, or what is named besides.
        build: makes the requests; each connection sends them in turn.
        connections: at once.
    """

    letter: str
    what: str
    build: Callable[[Setting], list[bytes]]
    connections: int


def forge(setting: Setting) -> list[bytes]:
    """Forged tokens: a header that looks right, claims that are deep, and no signature."""
    header = {"alg": "ES256", "typ": "at+jwt", "kid": "bench"}
    deep = "[" * 55 + "]" * 55
    lists = ",".join([deep] * (TOKEN_BYTES * 3 // 4 // (len(deep) + 1)))
    # One escape, so that no parser may take the bytes for the text.
    claims = f'{{"iss":"\\u0061","x":[{lists}]}}'
    parts = (json.dumps(header).encode(), claims.encode(), b"s" * 64)
    token = ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
    return [write(setting, token, call("get_customer", {}))]


def nest(setting: Setting) -> list[bytes]:
    """One MiB of nested lists with one pair of escaped surrogates, from a caller without any role."""
    token = setting.mint("mallory", roles=[])
    deep = "[" * 55 + "]" * 55
    filler = ",".join([deep] * ((MIB - 4_000) // (len(deep) + 1)))
    meta = json.dumps(_meta())
    body = f'{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"get_customer","_meta":{meta},'
    body += f'"arguments":{{"s":"\\ud83d\\ude00","x":[{filler}]}}}}}}'
    return [write(setting, token, body.encode())]


def reason(setting: Setting) -> list[bytes]:
    """Lists and objects that conditions walk; a caller with the role."""
    token, ones = setting.mint("mallory"), [1] * FILTERED
    calls: list[tuple[str, dict[str, object]]] = [
        ("get_filter", {"items": ones}),
        ("get_map", {"items": ones}),
        ("get_nested", {"items": ones, "allowed": [2] * ALLOWED}),
        ("get_wide", _wide(WIDE)),
        ("get_wide", _wide(TOO_WIDE)),
    ]
    return [write(setting, token, call(tool, arguments), name=tool) for tool, arguments in calls]


def _wide(members: int) -> dict[str, object]:
    found: dict[str, object] = {f"k{number}": 0 for number in range(members)}
    return {**found, "amount": 1.5}


def listen(setting: Setting) -> list[bytes]:
    """Subscriptions to as many URIs of a kilobyte as are taken, and to ten times as many; no role."""
    token, requests = setting.mint("mallory", roles=[]), []
    for count in (LISTENED // 10, LISTENED):
        uris = [f"crm://{number}/{'x' * 950}" for number in range(count)]
        params = {"_meta": _meta(), "notifications": {"resourceSubscriptions": uris}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": params}
        requests.append(write(setting, token, json.dumps(body).encode(), method="subscriptions/listen", name=None))
    return requests


def knock(setting: Setting) -> list[bytes]:
    """Strangers' ordinary requests: what the load alone does to good callers on this machine."""
    return [write(setting, None, call("get_customer", {}))]


def shout(setting: Setting) -> list[bytes]:
    """Strangers' requests, with long lines for the evidence."""
    return [write(setting, None, call("get_customer", {}), agent="a" * 500)]


def invent(setting: Setting) -> list[bytes]:
    """Ids of sessions that were never given out, in the form of those that are, from several callers: each is 404."""
    tokens = [setting.mint(f"inventor-{caller}") for caller in range(CALLERS)]
    return [write_legacy(setting, tokens[number % CALLERS], f"{number:022}-s-{number}") for number in range(IDS)]


def crowd(setting: Setting) -> list[bytes]:
    """One caller's ordinary calls, a hundred at once."""
    return [write(setting, setting.mint("mallory"), call("get_customer", {"note": "x" * 200_000}))]


KINDS: dict[str, Kind] = {
    "load": Kind("-", "no attack: 64 strangers' ordinary requests", knock, 64),
    "tokens": Kind("0a", "forged tokens of 15.7 kB", forge, 64),
    "bodies": Kind("0b", "1 MiB of nested lists, no role", nest, 2),
    "conditions": Kind("0c", "lists and objects that conditions walk", reason, 2),
    "evidence": Kind("0d", "a thousand URIs, no role", listen, 2),
    "strangers": Kind("15", "strangers' requests with long lines", shout, 32),
    "sessions": Kind("0e", "invented ids of sessions", invent, 32),
    "share": Kind("0", "one caller's calls, 100 at once", crowd, 100),
}


def call(tool: str, arguments: dict[str, object]) -> bytes:
    """Write a call of a tool."""
    params = {"name": tool, "arguments": arguments, "_meta": _meta()}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()


def _meta() -> dict[str, object]:
    return {"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {}}


def write(
    setting: Setting,
    token: str | None,
    body: bytes,
    *,
    method: str = "tools/call",
    name: str | None = "get_customer",
    agent: str = "bench/1",
) -> bytes:
    """Write a request of the modern era as bytes on the wire."""
    rows = [f"mcp-protocol-version: {VERSION}", f"mcp-method: {method}", f"user-agent: {agent}"]
    if name is not None:
        rows.append(f"mcp-name: {name}")
    return _join(setting, token, rows, body)


def write_legacy(setting: Setting, token: str, session: str) -> bytes:
    """Write a call of the legacy era in a session."""
    params = {"name": "get_customer", "arguments": {"customer_id": "c-1001", "amount": 1.5}}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    return _join(setting, token, ["mcp-protocol-version: 2025-11-25", f"mcp-session-id: {session}"], body)


def _join(setting: Setting, token: str | None, rows: list[str], body: bytes) -> bytes:
    first = [
        "POST /crm/mcp HTTP/1.1", f"host: {HOST}:{setting.envoy_port}", "content-type: application/json",
        "accept: application/json, text/event-stream", f"content-length: {len(body)}",
    ]  # fmt: skip
    if token is not None:
        first.append(f"authorization: Bearer {token}")
    return "\r\n".join([*first, *rows, "", ""]).encode("ascii") + body
