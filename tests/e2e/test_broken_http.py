"""A backend that breaks HTTP, MCP or both, through a real Envoy: whatever comes of it, nothing uninspected leaves."""

import gzip
from typing import Any

import pytest

from tests.e2e.told import (
    ALL,
    EVENTS,
    HIDDEN,
    SECRET,
    SHOWN,
    Told,
    chunk,
    dump,
    event,
    head,
    listing,
    rpc,
    tool,
    whole,
)
from tests.stage.scripted import Cut
from tests.stage.world import VERSION

pytestmark = pytest.mark.envoy

HELD = dump(ALL)
SWITCHED = f"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n{SECRET}".encode()
UPDATED = rpc(method="notifications/resources/updated", params={"uri": f"docs://{SECRET}"})
EVERY = {
    "nextCursor": "c",
    "tools": [tool(HIDDEN)],
    "resources": [{"uri": "customer://1", "name": "a"}, {"uri": f"docs://{SECRET}", "name": "b"}],
    "resourceTemplates": [{"uriTemplate": f"docs://{SECRET}/{{x}}", "name": "b"}],
    "prompts": [{"name": "p"}, {"name": f"../{SECRET}"}],
}
SEEN = {
    "nextCursor": "c",
    "tools": [],
    "resources": [{"uri": "customer://1", "name": "a"}],
    "resourceTemplates": [],
    "prompts": [{"name": "p"}],
}
# Clients in Go have read keys in any case.
LOOSE = {"tools": [], "Tools": ALL["result"]["tools"]}
NAMED = {"tools": [tool("get_a", Name=HIDDEN), tool("get_b")]}
DEEP = b'{"jsonrpc":"2.0","id":7,"result":{"tools":[],"a":%s"%s"%s}}' % (b"[" * 200, SECRET.encode(), b"]" * 200)
TWIN = b'{"jsonrpc":"2.0","id":7,"result":{"tools":[]},"Result":%s}' % dump(ALL["result"])
PROTO = b'{"jsonrpc":"2.0","id":7,"result":{"tools":[],"__proto__":%s}}' % dump(ALL["result"])
UNREADABLE = f"data: {SECRET}\n\n".encode() * 1500
ENDS = b"0\r\n\r\n"
# Answers of Envoy's own: it could not read what the backend sent, or nobody could inspect it.
BROKEN, UNSEEN = ["Unavailable, try again."], ["The response was not inspected."]
NOT_MCP, UNREAD = ["7: response_not_mcp"], ["7: response_unreadable"]
# name: (what the backend sends, status, what the client gets)
CASES: dict[str, tuple[list[Any], int, list[Any]]] = {
    "another protocol": ([SWITCHED], 502, NOT_MCP),
    "no head": ([SECRET.encode()], 502, BROKEN),
    "half a head": ([head(f"x-a: {SECRET}")[:-2]], 502, BROKEN),
    "old HTTP": ([b"HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n" + HELD], 200, [SHOWN]),
    "two lengths": ([head("content-length: 5", f"content-length: {len(HELD)}") + HELD], 502, BROKEN),
    "length and chunks": (
        [head(f"content-length: {len(HELD)}", "transfer-encoding: chunked") + chunk(HELD) + ENDS], 502, BROKEN,
    ),
    "compressed chunks": ([head("transfer-encoding: gzip, chunked") + chunk(gzip.compress(HELD)) + ENDS], 502, BROKEN),
    "unknown encoding": ([whole(HELD, "content-encoding: identity, x")], 502, ["7: response_encoded"]),
    "two types": ([whole(HELD, f"content-type: text/{SECRET}")], 502, NOT_MCP),
    "odd charset": ([whole(HELD, media="application/json; charset=utf-7")], 200, [SHOWN]),
    "body that may not be": ([whole(HELD, status="204 No")], 502, BROKEN),
    "not modified": ([head(f"etag: {SECRET}", status="304 No", media=None)], 502, NOT_MCP),
    "empty failure": ([whole(b"", f"x-a: {SECRET}", status="500 No")], 502, NOT_MCP),
    "empty success": ([whole(b"", f"x-a: {SECRET}")], 200, []),
    "unknown status": ([whole(HELD, status=f"999 {SECRET}")], 502, UNSEEN),
    "folded header": ([head(f"x-a: b\r\n {SECRET}") + HELD], 200, [SHOWN]),
    "NUL in a header": ([head(f"x-a: b\0{SECRET}") + HELD], 502, BROKEN),
    "long header": ([head(f"x-a: {SECRET * 10_000}") + HELD], 502, BROKEN),
    "many headers": ([whole(HELD, *[f"x-{n}: {SECRET}" for n in range(300)])], 502, BROKEN),
    "session id with a list": ([whole(HELD, f"mcp-session-id: {SECRET}")], 200, [SHOWN]),
    "headers of another form": ([whole(HELD, f"mcp-protocol-version: {SECRET}", f"vary: {SECRET}!")], 200, [SHOWN]),
    "nothing": ([], 503, BROKEN),
    "reset": ([Cut.RESET], 503, BROKEN),
    "every list at once": ([whole(dump(rpc(id=7, result=EVERY)))], 200, [rpc(id=7, result=SEEN)]),
    "update of a resource of others": ([head(media=EVENTS) + event(UPDATED) + event(ALL)], 200, [SHOWN]),
    "ids and waits of another form": (
        [head(media=EVENTS) + f"id: é{SECRET}\nretry: 1{SECRET}\n".encode() + event(ALL)], 200, [SHOWN],
    ),
    "nested too deeply": ([whole(DEEP)], 200, UNREAD),
    "second result in another case": ([whole(TWIN)], 200, UNREAD),
    "second list in another case": ([whole(dump(rpc(id=7, result=LOOSE)))], 200, UNREAD),
    "name in another case": ([whole(dump(rpc(id=7, result=NAMED)))], 200, [listing("get_b")]),
    "prototype": ([whole(PROTO)], 200, UNREAD),
    "more that cannot be read than may be": ([head(media=EVENTS) + UNREADABLE + event(ALL)], 200, UNREAD),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_nothing_that_was_not_inspected_leaves(told: Told, name: str):
    steps, status, outcomes = CASES[name]
    got = told.get(*steps)
    # An error of Envoy's own has no id and no Reason.
    seen = [each["error"]["message"] if _is_envoys(each) else each for each in got.outcomes]
    assert (got.status, got.is_whole, seen) == (status, True, outcomes)
    assert SECRET.encode() not in got.raw


def _is_envoys(outcome: Any) -> bool:
    return isinstance(outcome, dict) and outcome.get("id", 7) is None


MODERN = {"mcp_protocol_version": VERSION, "mcp_method": "tools/list"}
META = {"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {}}


@pytest.mark.parametrize("scope", [{"cacheScope": "public"}, {"cacheScope": "private"}, {}], ids=str)
def test_list_of_one_caller_is_kept_in_no_cache_for_another(told: Told, scope: dict[str, str]):
    cached = {"resultType": "complete", "ttlMs": 1000}
    answer = rpc(id=7, result={**ALL["result"], **cached, **scope})
    asked = rpc(id=7, method="tools/list", params={"_meta": META})
    got = told.get(whole(dump(answer)), body=asked, **MODERN)
    shown = {**SHOWN["result"], **cached, "cacheScope": "private"}
    assert got.messages == [rpc(id=7, result=shown)]
