"""What clients get and what backends see, request by request, through a real Envoy."""

import gzip
import json
import signal
import socket
from urllib.parse import urlsplit

import pytest
from google.protobuf import json_format

from agen_authz._pb.agen.authz.v1 import event_pb2
from tests.stage.world import World, modern, running_world, tool_call

pytestmark = pytest.mark.envoy

ORIGIN = "https://app.example.com"
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
CANARY = "canary-4f1c"


def reason_of(answer) -> str:
    return str(answer.json()["error"]["data"]["reason"])


# name: (body, headers, status, code, reason)
REFUSED = {
    "media type": (tool_call(), {"content_type": "text/plain"}, 415, 41500, "media_type"),
    "compressed": (gzip.compress(json.dumps(tool_call()).encode()), {"content_encoding": "gzip"}, 415, 41500, "content_encoding"),
    "not JSON": (b"{", {}, 400, -32700, "json_syntax"),
    "byte order mark": (b"\xef\xbb\xbf" + json.dumps(PING).encode(), {}, 400, -32700, "json_encoding"),
    "UTF-16": (json.dumps(PING).encode("utf-16"), {}, 400, -32700, "json_encoding"),
    "duplicate key": (b'{"jsonrpc":"2.0","id":1,"method":"ping","m\\u0065thod":"tools/call"}', {}, 400, -32700, "json_duplicate_key"),
    "NaN": (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":NaN}}', {}, 400, -32700, "json_number"),
    "batch": ([PING], {}, 400, -32600, "batch"),
    "empty": (b"", {}, 400, -32600, "body_empty"),
    "era confusion": (PING, {"mcp_protocol_version": "2026-07-28"}, 400, -32602, "meta_missing"),
    "header mismatch": (tool_call("update_deal"), modern("get_customer"), 400, -32020, "header_mismatch"),
    "header missing": (tool_call(), {"mcp_protocol_version": "2026-07-28"}, 400, -32020, "header_missing"),
    "unknown version": (PING, {"mcp_protocol_version": "2024-11-05"}, 400, -32022, "version_unsupported"),
    "unknown method": (PING | {"method": "x/y"}, {}, 200, -32601, "unknown_method"),
    "malformed target": (tool_call("../x"), modern("../x"), 400, -32602, "malformed_target"),
    "foreign origin": (tool_call(), modern() | {"origin": "https://evil.example.com"}, 403, 40300, "origin_refused"),
    "unknown session": (
        {"jsonrpc": "2.0", "id": 1, "result": {}}, {"mcp_session_id": "nobody-s"}, 404, 40400, "session_unknown",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused_request_reaches_no_backend(world: World, name):
    body, headers, status, code, reason = REFUSED[name]
    world.received()
    answer = world.post(world.one.mint(world.crm), body, **headers)
    assert (answer.status_code, answer.json()["error"]["code"], reason_of(answer)) == (status, code, reason)
    assert world.received() == []


def test_denied_notification_is_taken_and_not_forwarded(world: World):
    world.received()
    body = {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": "get_customer"}}
    answer = world.post(world.one.mint(world.crm), body)
    assert (answer.status_code, answer.content, world.received()) == (202, b"", [])


@pytest.mark.parametrize(
    ("path", "status"),
    [("/", 404), ("/crm", 404), ("/crm/mcp/", 404), ("/CRM/mcp", 404), ("/crm/mcp?x=1", 400), ("/crm/%2e%2e/mcp", 404)],
)
def test_only_the_resources_own_url_is_routed(world: World, path, status):
    parts = urlsplit(world.crm)
    headers = {"authorization": f"Bearer {world.one.mint(world.crm)}", "content-type": "application/json"}
    world.received()
    answer = world.web.post(f"http://{parts.netloc}{path}", json=PING, headers=headers)
    assert (answer.status_code, world.received()) == (status, [])


def test_metadata_is_for_everybody(world: World):
    parts = urlsplit(world.crm)
    well_known = f"http://{parts.netloc}/.well-known/oauth-protected-resource"
    answer = world.web.get(f"{well_known}/crm/mcp")
    assert answer.json() == {
        "resource": world.crm,
        "authorization_servers": [world.one.issuer.url, world.two.issuer.url],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["mcp:tools"],
    }
    # The host has two resources: the plain form would speak for one of them.
    assert world.web.get(well_known).status_code == 404


def test_preflight_and_every_answer_carry_the_origin(world: World):
    asked = {
        "origin": ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization",
    }
    preflight = world.web.options(world.crm, headers=asked)
    allowed = world.post(world.one.mint(world.crm), tool_call(), **modern(), origin=ORIGIN)
    denied = world.post(None, tool_call(), **modern(), origin=ORIGIN)
    assert [answer.status_code for answer in (preflight, allowed, denied)] == [204, 200, 401]
    for answer in (preflight, allowed, denied):
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "origin" in answer.headers["vary"].lower()
        assert answer.headers["access-control-expose-headers"] == "mcp-session-id, www-authenticate"


def test_backend_sees_who_called_and_nothing_that_the_client_made_up(world: World):
    world.received()
    token = world.one.mint(world.crm, sub="zoë", roles=["analyst"], tenantId="acme")
    sent = {
        "agen_issuer": "forged", "agen_roles": '"admin"', "cookie": "a=b", "range": "bytes=0-1", "x_request_id": "mine",
        "x_http_method_override": "DELETE", "x_original_url": "/admin", "x_forwarded_for": "6.6.6.6", "x_kept": "yes",
        "x_dropped": "no", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "mcp_session_id": "stale", "last_event_id": "5",
    }  # fmt: skip
    assert world.post(token, tool_call(), **modern(), **sent).status_code == 200
    (entry,) = world.received()
    seen = dict(entry["headers"])
    request_id = seen.pop("agen-request-id")
    assert {name: value for name, value in seen.items() if name.startswith("agen")} == {
        "agen-issuer": f'"{world.one.issuer.url}"',
        "agen-subject": '%"zo%c3%ab"',
        "agen-tenant": '""',
        "agen-client": '"agent"',
        "agen-roles": '"analyst"',
        "agen-permissions": "",
        "agen-resource": '"crm"',
    }
    assert len(request_id) == 34 and request_id != '"mine"'
    assert seen["x-kept"] == "yes" and "traceparent" in seen
    gone = {"authorization", "cookie", "range", "x-request-id", "x-http-method-override", "x-original-url"}
    assert gone.union({"x-forwarded-for", "x-dropped", "mcp-session-id", "last-event-id"}).isdisjoint(seen)


def raw_exchange(world: World, head: str, body: bytes) -> bytes:
    """Send bytes that no HTTP client would."""
    parts = urlsplit(world.crm)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(head.encode("latin-1") + body)
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
            if b"\r\n\r\n" in answer and b"connection: close" in answer.lower():
                continue
    return answer


def head_of(world: World, *lines: str) -> str:
    host = urlsplit(world.crm).netloc
    token = world.one.mint(world.crm)
    fixed = [f"host: {host}", f"authorization: Bearer {token}", "content-type: application/json", "connection: close"]
    return "\r\n".join(
        ["POST /crm/mcp HTTP/1.1", *fixed, "accept: application/json, text/event-stream", *lines, "", ""]
    )


def test_chunked_and_counted_bodies_get_the_same_answer(world: World):
    body = json.dumps(tool_call()).encode()
    mcp = [f"{key.replace('_', '-')}: {value}" for key, value in modern().items()]
    counted = raw_exchange(world, head_of(world, *mcp, f"content-length: {len(body)}"), body)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:40], body[40:])) + b"0\r\n\r\n"
    chunked = raw_exchange(world, head_of(world, *mcp, "transfer-encoding: chunked"), chunks)
    assert [answer.split(b" ", 2)[1] for answer in (counted, chunked)] == [b"200", b"200"]


@pytest.mark.parametrize(
    "lines",
    [
        ["authorization: Bearer other"],
        ["mcp-method: ping", "mcp-method: tools/call"],
        ["mcp-session-id: a", "mcp-session-id: b"],
    ],
    ids=["authorization", "mcp-method", "mcp-session-id"],
)
def test_header_that_is_sent_twice_is_refused(world: World, lines):
    body = json.dumps(PING).encode()
    world.received()
    answer = raw_exchange(world, head_of(world, *lines, f"content-length: {len(body)}"), body)
    assert (answer.split(b" ", 2)[1], b"header_repeated" in answer, world.received()) == (b"400", True, [])


def test_connection_header_cannot_take_our_headers_away(world: World):
    body = json.dumps(tool_call()).encode()
    mcp = [f"{key.replace('_', '-')}: {value}" for key, value in modern().items()]
    world.received()
    head = head_of(world, *mcp, f"content-length: {len(body)}").replace(
        "connection: close", "connection: close, agen-subject"
    )
    raw_exchange(world, head, body)
    (entry,) = world.received()
    assert dict(entry["headers"])["agen-subject"] == '"u-1"'


def test_every_request_leaves_one_event_that_its_schema_knows_and_no_secret(world: World):
    before = len(world.events())
    token = world.one.mint(world.crm, jti="j-1")
    answers = [
        world.post(token, tool_call(arguments={"customer_id": CANARY}), **modern()),
        world.post(token, tool_call("nothing"), **modern("nothing")),
        world.post(f"{token}{CANARY}", tool_call(), **modern()),
    ]
    events = world.events()[before:]
    assert [event["reason"] for event in events] == ["allowed", "unmapped", "token_malformed"] or len(events) == len(
        answers
    )
    for event in events:
        json_format.Parse(json.dumps(event), event_pb2.Event())
    written = world.audit_file.read_text("utf-8") + (world.audit_file.parent / "sidecar.log").read_text("utf-8")
    metrics = world.web.get(f"{world.ops}/metrics").text
    assert CANARY not in written + metrics
    assert token not in written + metrics


def test_killed_sidecar_lets_nothing_through_and_comes_back(tmp_path):
    with running_world(tmp_path) as world:
        token = world.one.mint(world.crm)
        assert world.post(token, tool_call(), **modern()).status_code == 200
        world.received()
        world.sidecar.send_signal(signal.SIGKILL)
        world.sidecar.wait(10)
        denied = world.post(token, tool_call(), **modern())
        assert (denied.status_code, denied.json()["error"]["code"], world.received()) == (503, 50300, [])
        world.sidecar = world.start()
        for _ in range(50):
            if world.post(token, tool_call(), **modern()).status_code == 200:
                break
        assert world.post(token, tool_call(), **modern()).status_code == 200
        world.sidecar.send_signal(signal.SIGTERM)
        assert world.sidecar.wait(15) == 0


def test_grpcio_engine_decides_the_same(tmp_path):
    with running_world(tmp_path, engine="grpcio") as world:
        token = world.one.mint(world.crm)
        answers = [world.post(token, tool_call(name), **modern(name)) for name in ("get_customer", "update_deal")]
        assert "result" in answers[0].json()
        assert reason_of(answers[1]) == "unknown_target"
