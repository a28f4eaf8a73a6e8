"""Hostile responses against the whole sidecar, through a real Envoy: no byte that was not inspected leaves.

Every answer of the backend holds `SECRET`, in a tool that the caller may not see or in what is no answer at all. What
is inspected arrives whole and in order.
"""

import gzip
from typing import Any

import pytest

from tests.e2e.told import (
    ALL,
    CALL,
    EVENTS,
    HIDDEN,
    LIST,
    SECRET,
    SHOWN,
    Told,
    by_method,
    chunk,
    chunked,
    dump,
    event,
    head,
    listing,
    rpc,
    tool,
    whole,
)
from tests.stage.scripted import Cut

pytestmark = pytest.mark.envoy

PROGRESS = [rpc(method="notifications/progress", params={"progressToken": 7, "progress": n}) for n in range(3)]
ROOTS = rpc(id="s1", method="roots/list")
SAMPLING = rpc(id="s2", method="sampling/createMessage", params={"messages": [], "maxTokens": 1})
ERROR = rpc(id=7, error={"code": -32602, "message": "no such cursor"})
ODD = event(PROGRESS[0], "e1") + event(ROOTS) + event(ALL, "e2")
PAGE = f"<html><body>{SECRET}</body></html>".encode()
SPLIT = b"data: " + dump(ALL).replace(b", ", b",\ndata:  ") + b"\n\n"


def cut(raw: bytes, size: int) -> list[bytes]:
    """Cut bytes into pieces, each sent by itself."""
    return [raw[at : at + size] for at in range(0, len(raw), size)]


def in_odd_chunks(raw: bytes, size: int) -> list[bytes]:
    """Cut a body into chunks of an odd size."""
    rows = "transfer-encoding: chunked"
    return [head(rows, media=EVENTS), *map(chunk, cut(raw, size)), b"0\r\n\r\n"]


# name: (what the backend sends, what messages the client gets)
INSPECTED: dict[str, tuple[list[Any], list[Any]]] = {
    "JSON": ([whole(dump(ALL))], [SHOWN]),
    "JSON in chunks": ([chunked(*cut(dump(ALL), 11))], [SHOWN]),
    "JSON until the connection ends": ([head() + dump(ALL)], [SHOWN]),
    "JSON byte by byte": (cut(whole(dump(ALL)), 1), [SHOWN]),
    "error": ([whole(dump(ERROR))], [ERROR]),
    "answer to another id": ([whole(dump(listing("get_a", HIDDEN, message_id=8)))], [listing("get_a", message_id=8)]),
    "list in an unknown result": (
        [whole(dump(rpc(id=7, result={"new": 1, "tools": [tool("get_a", x=1), tool(HIDDEN)]})))],
        [rpc(id=7, result={"new": 1, "tools": [tool("get_a", x=1)]})],
    ),
    "events": ([chunked(event(PROGRESS[0]), event(ALL), media=EVENTS)], [PROGRESS[0], SHOWN]),
    "progress and requests before the answer": (
        [head(media=EVENTS), *map(event, [*PROGRESS, ROOTS, SAMPLING, ALL])],
        [*PROGRESS, ROOTS, SAMPLING, SHOWN],
    ),
    "events cut at each byte": (in_odd_chunks(ODD, 1), [PROGRESS[0], ROOTS, SHOWN]),
    "events cut at odd bytes": (in_odd_chunks(ODD, 7), [PROGRESS[0], ROOTS, SHOWN]),
    "events with CR": (in_odd_chunks(ODD.replace(b"\n", b"\r"), 13), [PROGRESS[0], ROOTS, SHOWN]),
    "events with CRLF": (in_odd_chunks(ODD.replace(b"\n", b"\r\n"), 13), [PROGRESS[0], ROOTS, SHOWN]),
    "event of many lines": ([head(media=EVENTS) + SPLIT], [SHOWN]),
    "byte order mark": ([head(media=EVENTS) + b"\xef\xbb\xbf" + event(ALL)], [SHOWN]),
    "comment with a secret": ([head(media=EVENTS) + f": {SECRET}\n\n".encode() + event(ALL)], [SHOWN]),
    "unknown field": ([head(media=EVENTS) + f"x-{SECRET}: {SECRET}\n".encode() + event(ALL)], [SHOWN]),
    "event that no blank line ends": ([head(media=EVENTS) + event(ALL) + event(ALL)[:-1]], [SHOWN]),
    "list twice": ([head(media=EVENTS) + event(ALL) * 2], [SHOWN, SHOWN]),
    "JSON where events were announced": ([whole(dump(ALL), media=EVENTS)], [SHOWN]),
    "one event where JSON was announced": ([whole(event(ALL))], [SHOWN]),
    "early hints": ([f"HTTP/1.1 103 Early Hints\r\nlink: <{SECRET}>\r\n\r\n".encode(), whole(dump(ALL))], [SHOWN]),
    "second answer that nobody asked for": ([whole(dump(ALL)), whole(PAGE)], [SHOWN]),
    "phrase and headers": (
        [whole(dump(ALL), f"set-cookie: {SECRET}", f"x-new: {SECRET}", "x-envoy-upstream: a", status=f"200 {SECRET}")],
        [SHOWN],
    ),
    "trailers": ([chunked(dump(ALL)).removesuffix(b"\r\n"), f"x-{SECRET}: {SECRET}\r\n\r\n".encode()], [SHOWN]),
    "many events": ([head(media=EVENTS), *[event(PROGRESS[n % 3]) for n in range(300)], event(ALL)],
        [*[PROGRESS[n % 3] for n in range(300)], SHOWN]),
}  # fmt: skip


@pytest.mark.parametrize("name", INSPECTED)
def test_what_is_inspected_arrives_in_order_and_nothing_else(told: Told, name):
    steps, messages = INSPECTED[name]
    got = told.get(*steps)
    assert (got.status, got.is_whole, got.messages) == (200, True, messages)
    assert SECRET.encode() not in got.raw


def big(size: int, *names: str) -> dict[str, Any]:
    """Write a list that takes so many bytes and more."""
    return rpc(id=7, result={"tools": [tool("get_a", description="a" * size), *map(tool, names)]})


TWINS = dump(listing("get_a", "get_a", HIDDEN))
REPEATED = b'{"jsonrpc":"2.0","id":7,"result":%s,"result":{"tools":[]}}' % dump(ALL["result"])
BATCH, WIDE = dump([ALL]), dump(ALL).decode().encode("utf-16")
ENCODED = "content-encoding: gzip"
# name: (what the backend sends, status, what the client gets)
BLOCKED: dict[str, tuple[list[Any], int, list[Any]]] = {
    "gzip": ([whole(gzip.compress(dump(ALL)), ENCODED)], 502, ["7: response_encoded"]),
    "gzip that is none": ([whole(dump(ALL), ENCODED)], 502, ["7: response_encoded"]),
    "gzip that is not announced": ([whole(gzip.compress(dump(ALL)))], 200, ["7: response_unreadable"]),
    "events in gzip": ([whole(gzip.compress(ODD), ENCODED, media=EVENTS)], 502, ["7: response_encoded"]),
    "error page": ([whole(PAGE, status="500 No", media="text/html")], 502, ["7: response_not_mcp"]),
    "error page without a type": ([whole(PAGE, status="500 No", media=None)], 502, ["7: response_not_mcp"]),
    "error page as JSON": ([whole(PAGE, status="500 No")], 500, ["7: response_unreadable"]),
    "page of a missing session": ([whole(PAGE, status="404 No", media="text/html")], 404, ["7: response_not_mcp"]),
    "error with its status": ([whole(dump(ERROR), status="400 No")], 400, [ERROR]),
    "list with a status of an error": ([whole(dump(ALL), status="500 No")], 500, [SHOWN]),
    "page with success": ([whole(PAGE, media="text/html")], 502, ["7: response_not_mcp"]),
    "redirect": ([whole(PAGE, f"location: https://x/{SECRET}", status="307 Go")], 502, ["7: response_not_mcp"]),
    "redirect without a body": ([whole(b"", f"location: /{SECRET}", status="302 Go")], 502, ["7: response_not_mcp"]),
    "challenge": ([whole(PAGE, f'www-authenticate: x="{SECRET}"', status="401 No")], 502, ["7: response_not_mcp"]),
    "part": ([whole(dump(ALL), "content-range: bytes 0-9/99", status="206 Part")], 502, ["7: response_not_mcp"]),
    "duplicate names": ([whole(TWINS)], 200, ["7: listed_twice"]),
    "duplicate key": ([whole(REPEATED)], 200, ["7: response_unreadable"]),
    "batch": ([whole(BATCH)], 200, ["7: response_unreadable"]),
    "UTF-16": ([whole(WIDE)], 200, ["7: response_unreadable"]),
    "half": ([whole(dump(ALL)[:-1])], 200, ["7: response_unreadable"]),
    "two messages": ([whole(dump(ALL) * 2)], 200, ["7: response_unreadable"]),
    "event that cannot be read": ([head(media=EVENTS) + event(PROGRESS[0]) + b"data: " + PAGE + b"\n\n"], 200,
        [PROGRESS[0], "7: response_unreadable"]),
    "name of an event": ([head(media=EVENTS) + f"event: {SECRET} x\n".encode() + event(ALL)], 200,
        ["7: response_unreadable"]),
    "JSON of 5 MB": ([whole(dump(big(5_000_000, HIDDEN)))], 200, ["7: response_too_large"]),
    "event of 5 MB": ([head(media=EVENTS), event(PROGRESS[0]), event(big(5_000_000, HIDDEN)), event(ALL)], 200,
        [PROGRESS[0], "7: response_too_large"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BLOCKED)
def test_what_cannot_be_inspected_is_an_error_with_the_id_of_the_call(told: Told, name):
    steps, status, outcomes = BLOCKED[name]
    got = told.get(*steps)
    assert (got.status, got.is_whole, got.outcomes) == (status, True, outcomes)
    assert SECRET.encode() not in got.raw
    assert not {"location", "www-authenticate", "set-cookie", "content-range"} & set(got.headers)


HELD = dump(ALL)
# name: (what the backend sends, what the client gets before its connection ends)
CUT: dict[str, tuple[list[Any], list[Any]]] = {
    "JSON without an end": ([chunked(HELD, ends=False)], []),
    "JSON shorter than announced": ([head(f"content-length: {len(HELD) + 9}") + HELD], []),
    "JSON that is aborted": ([head(f"content-length: {len(HELD)}") + HELD[:-1], Cut.RESET], []),
    "events without an end": ([chunked(event(PROGRESS[0]), event(ALL)[:-1], media=EVENTS, ends=False)], [PROGRESS[0]]),
    "broken chunk": ([chunked(event(PROGRESS[0]), media=EVENTS, ends=False), PAGE], [PROGRESS[0]]),
}  # fmt: skip


@pytest.mark.parametrize("name", CUT)
def test_response_that_breaks_off_shows_nothing_that_was_held(told: Told, name):
    steps, messages = CUT[name]
    got = told.get(*steps)
    shown = got.messages if got.status == 200 else []
    # An answer that breaks off early enough is replaced as a whole.
    assert (got.is_whole and got.status == 200, shown in ([], messages)) == (False, True), got.raw
    assert SECRET.encode() not in got.raw


def test_large_list_is_filtered_and_large_result_that_nothing_inspects_is_the_same_byte_for_byte(told: Told):
    listed = told.get(whole(dump(big(3_500_000, HIDDEN))))
    result = dump(rpc(id=7, result={"content": [{"type": "text", "text": "é" * 900_000}]}))
    called = told.get(whole(result), body=CALL)
    assert (listed.messages == [big(3_500_000)], called.body == result) == (True, True)
    assert SECRET.encode() not in listed.raw


def test_answer_that_is_left_over_is_nobodys_answer(told: Told):
    # As a server that keeps its connection: what is left on it must not answer the next call.
    kept = whole(HELD).replace(b"connection: close\r\n", b"")
    for _ in range(5):
        got = told.get(kept + whole(PAGE))
        assert (got.messages, SECRET.encode() in got.raw) == ([SHOWN], False)


def test_client_cannot_say_what_is_inspected(told: Told):
    forged = {"agen_inspect": "off", "agen_proc": "x", "x_envoy_original_path": "/", "te": "trailers"}
    got, dotted = (told.get(whole(HELD), **rows) for rows in (forged, {"agen.inspect": "off", "agen.proc": "x"}))
    assert [each.messages for each in (got, dotted)] == [[SHOWN]] * 2


def test_session_stays_the_clients_own_if_the_backend_repeats_its_id(told: Told):
    session = told.begin("s-1")
    row = "mcp-session-id: s-1"
    called = told.get(whole(dump(rpc(id=7, result={"content": []})), row), body=CALL, mcp_session_id=session)
    listed = told.get(whole(HELD, row), mcp_session_id=session)
    seen = [each.headers.get("mcp-session-id") for each in (called, listed)]
    sent = [asked.headers["mcp-session-id"] for asked in told.backend.asked[-2:]]
    assert (seen[0], seen[1] in (None, session), listed.messages, sent) == (session, True, [SHOWN], ["s-1", "s-1"])
    assert session.endswith("s-1") and session != "s-1"


def test_resumed_stream_that_replays_a_list_shows_what_the_caller_may_see(told: Told):
    session = told.begin()
    replayed = [event(PROGRESS[0], "e5"), event(ALL, "e6"), event(ROOTS, "e7")]
    got = told.get(head(media=EVENTS), *replayed, body=None, method="GET", mcp_session_id=session, last_event_id="e4")
    ids = [row for row in got.body.split(b"\n") if row.startswith(b"id")]
    assert (got.messages, ids) == ([PROGRESS[0], SHOWN, ROOTS], [b"id: e5", b"id: e6", b"id: e7"])
    assert told.backend.asked[-1].headers["last-event-id"] == "e4"
    assert SECRET.encode() not in got.raw


def test_each_caller_sees_the_list_that_is_hers(told: Told):
    told.backend.script = by_method({"tools/list": [whole(dump(listing("get_a", "update_deal", HIDDEN)))]})
    tokens = {role: told.world.one.mint(told.world.crm, roles=[role]) for role in ("analyst", "support", "guest")}
    seen = {role: told.ask(LIST, token=token).messages for role, token in tokens.items()}
    assert seen == {"analyst": [listing("get_a")], "support": [listing("update_deal")], "guest": [listing()]}
