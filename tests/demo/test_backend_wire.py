"""What the demo's MCP servers do on the wire: sessions for one era only, any host name, and a record for tests."""

import hashlib
import json
from collections.abc import Iterator

import httpx
import pytest

from agen_authz.demo.backend import Recorder, build_app, build_crm
from tests.builders import modern
from tests.stage.listen import serving_app

pytestmark = pytest.mark.loopback

JSON_HEADERS = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
MODERN_HEADERS = {**JSON_HEADERS, "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list"}
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


@pytest.fixture
def web() -> Iterator[httpx.Client]:
    """Run a CRM that records, and speak to it."""
    with (
        serving_app(build_app(build_crm(), is_recording=True)) as url,
        httpx.Client(base_url=url, trust_env=False, timeout=10) as client,
    ):
        yield client


def test_only_the_legacy_era_gets_sessions(web):
    legacy = web.post("/mcp", json=INITIALIZE, headers=JSON_HEADERS)
    newer = web.post("/mcp", json=modern("tools/list", {}), headers=MODERN_HEADERS)
    assert [answer.status_code for answer in (legacy, newer)] == [200, 200]
    assert [bool(answer.headers.get("mcp-session-id")) for answer in (legacy, newer)] == [True, False]


@pytest.mark.parametrize("host", ["127.0.0.1:10000", "mcp.example.com", "crm.internal:8801"])
def test_any_host_and_origin_are_served(web, host):
    headers = {**MODERN_HEADERS, "host": host, "origin": "https://app.example.com"}
    assert web.post("/mcp", json=modern("tools/list", {}), headers=headers).status_code == 200


def test_record_holds_method_headers_and_digest(web):
    body = json.dumps(modern("tools/list", {})).encode()
    sent = {**MODERN_HEADERS, "agen-subject": '"u-1001"', "host": "crm"}
    web.post("/mcp?a=b", content=body, headers=sent)
    (received,) = web.get("/demo/received").json()["received"]
    headers = {name: value for name, value in received.pop("headers") if name in sent}
    assert headers == sent
    assert received == {
        "number": 1,
        "method": "POST",
        "path": "/mcp",
        "query": "a=b",
        "body_bytes": len(body),
        "body_sha256": hashlib.sha256(body).hexdigest(),
    }


def test_record_can_be_emptied_and_goes_on_counting(web):
    web.get("/nowhere")
    emptied = web.delete("/demo/received").status_code
    web.get("/elsewhere")
    left = [(entry["number"], entry["path"]) for entry in web.get("/demo/received").json()["received"]]
    assert (emptied, left, web.put("/demo/received").status_code) == (204, [(2, "/elsewhere")], 405)


def test_record_is_bounded():
    async def nothing(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    with serving_app(Recorder(nothing, capacity=2)) as url, httpx.Client(base_url=url, trust_env=False) as client:
        for number in range(3):
            client.get(f"/{number}")
        kept = [entry["path"] for entry in client.get("/demo/received").json()["received"]]
    assert kept == ["/1", "/2"]


def test_nothing_is_recorded_unless_asked_for():
    with serving_app(build_app(build_crm())) as url, httpx.Client(base_url=url, trust_env=False) as client:
        assert client.get("/demo/received").status_code == 404
