"""Signatures through Envoy: the backend verifies each request with the middleware, and refuses what went otherwise."""

import json
import re
import signal
import threading
import time
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest

from agen_authz.core.signature import compute_signature, render_signed_text
from agen_authz.verify import BackendVerifier, KeyDirectory
from tests.stage.world import World, call, modern, running_world, tool_call

pytestmark = pytest.mark.envoy

KEYS = {"crm": b"c" * 32, "billing": b"b" * 32}
LEGACY = "2025-11-25"
CUSTOMER = {"customer_id": "c-1001"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("signed")
    for name, secret in KEYS.items():
        (folder / "keys" / name).mkdir(parents=True)
        (folder / "keys" / name / f"{name}-1").write_bytes(secret)
    return folder


@pytest.fixture(scope="module")
def world(folder):
    def protect(name: str) -> BackendVerifier:
        return BackendVerifier(KeyDirectory(folder / "keys" / name), resource=name)

    with running_world(folder, protect=protect) as running:
        yield running


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_every_request_of_the_official_client_is_verified(world, mode):
    world.received()
    assert await call(world.crm, world.one.mint(world.crm), "get_customer", CUSTOMER, mode) == "allowed"
    seen = world.received()
    # A session has its GET stream and its DELETE besides the posts.
    methods = {each["method"] for each in seen}
    assert methods == ({"POST"} if mode == "2026-07-28" else {"POST", "GET", "DELETE"})
    assert [each for each in seen if "signature" not in dict(each["headers"])] == []


def test_callers_own_signature_headers_are_replaced(world):
    token = world.one.mint(world.crm)
    forged = {"signature": "agen=:AAAA:", "signature_input": 'agen=("@method")', "content_digest": "sha-256=:AAAA:"}
    answer = world.post(token, tool_call(), **modern(), **forged, agen_subject='"eve"')
    assert answer.status_code == 200
    (seen,) = world.received()
    names = [name for name, _ in seen["headers"]]
    assert all(names.count(name) == 1 for name in ("signature", "signature-input", "content-digest", "agen-subject"))


# ---- past Envoy --------------------------------------------------------------------------------------------

KEEP = ("agen-", "mcp-", "signature", "content-digest", "content-type", "content-encoding", "accept")
PARAMETER = {"mcp_param_customer_id": "c-1001"}


def _capture(world: World, **more: str) -> tuple[dict[str, str], bytes]:
    """Let one request be signed and accepted: return it as the backend got it."""
    body = json.dumps(tool_call()).encode()
    world.received()
    assert world.post(world.one.mint(world.crm), body, **modern(), **more).status_code == 200
    return _last(world), body


def _last(world: World) -> dict[str, str]:
    """Take what the backend got last, but for what every hop writes again."""
    headers = dict(world.received()[-1]["headers"])
    kept = {name: value for name, value in headers.items() if name.startswith(KEEP)}
    kept.pop("accept-encoding", None)
    return kept


def _capture_in_session(world: World) -> tuple[dict[str, str], bytes]:
    """Let a request in a session of the legacy era be signed and accepted."""
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }
    token = world.one.mint(world.crm)
    session = {"mcp_session_id": world.post(token, hello).headers["mcp-session-id"], "mcp_protocol_version": LEGACY}
    body = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "ping"}).encode()
    world.received()
    assert world.post(token, body, **session).status_code == 200
    return _last(world), body


def _post(world: World, backend: str, headers: dict[str, str], body: bytes, path: str = "/mcp") -> tuple[int, bytes]:
    answer = world.web.post(f"{world.backends[backend]}{path}", content=body, headers=headers)
    return answer.status_code, answer.content


REFUSED = (403, b"")


def _checks(caplog: pytest.LogCaptureFixture) -> list[str]:
    """List the checks that refused, as the backends' logs have them; they run in this process."""
    told = [record.getMessage() for record in caplog.records if record.name == "agen_authz.verify"]
    return [text.split(": ")[1] for text in told]


def test_request_that_bypasses_envoy_is_refused(world, caplog):
    headers = {"content-type": "application/json", "agen-subject": '"eve"', "agen-roles": '"admin"'}
    assert _post(world, "crm", headers, json.dumps(tool_call()).encode()) == REFUSED
    assert _checks(caplog) == ["headers"]


def _sign_oneself(headers: dict[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
    """Put a signature of another key in the place of the gateway's."""
    names = re.findall(r'"([^"]+)"(?=[ )])', headers["signature-input"].partition(";")[0])
    values = {**headers, "@method": "POST", "@path": "/mcp", "@query": "?"}
    text = render_signed_text(
        [(name, values[name]) for name in names], headers["signature-input"].removeprefix("agen=")
    )
    signed = b64encode(compute_signature(text, b"e" * 32)).decode()
    return headers | {"signature": f"agen=:{signed}:"}, body


# What is changed, and the check that sees it: the nonce is used up, but each is refused before that is looked at.
@pytest.mark.parametrize(
    ("change", "check"),
    [
        pytest.param(lambda headers, body: (headers, body), "nonce", id="replay"),
        pytest.param(
            lambda headers, body: (headers, body.replace(b"c-1001", b"c-1002")), "content-digest", id="altered-body"
        ),
        pytest.param(
            lambda headers, body: (headers | {"agen-subject": '"eve"'}, body), "signature", id="altered-subject"
        ),
        pytest.param(
            lambda headers, body: (headers | {"agen-roles": '"admin"'}, body), "signature", id="altered-roles"
        ),
        pytest.param(
            lambda headers, body: (headers | {"agen-future": '"x"'}, body), "components", id="header-of-ours-added"
        ),
        pytest.param(_sign_oneself, "signature", id="signature-of-ones-own"),
    ],
)
def test_request_that_was_seen_on_the_wire_is_refused(world, caplog, change, check):
    assert _post(world, "crm", *change(*_capture(world))) == REFUSED
    assert _checks(caplog) == [check]


# What chooses how the body is read, as Envoy hands it on; what a neighbour would make of it, and what sees it.
ALTERED = {
    "content-type": "text/plain",
    "mcp-protocol-version": "2025-11-25",
    "mcp-method": "tools/list",
    "mcp-name": "delete_customer",
    "mcp-param-customer-id": "c-1002",
}


@pytest.mark.parametrize("name", ALTERED)
def test_how_the_body_is_read_cannot_be_altered_behind_envoy(world, caplog, name):
    headers, body = _capture(world, **PARAMETER)
    assert set(ALTERED) <= set(headers)
    changes = [
        headers | {name: ALTERED[name]},
        {each: value for each, value in headers.items() if each != name},
        headers | {name.replace("-", "_"): ALTERED[name]},
    ]
    assert [_post(world, "crm", changed, body) for changed in changes] == [REFUSED] * 3
    assert _checks(caplog) == ["signature", "headers", "headers"]


@pytest.mark.parametrize("name", ["content-encoding", "mcp-session-id", "mcp-param-other", "mcp-later"])
def test_what_chooses_cannot_be_added_behind_envoy(world, caplog, name):
    headers, body = _capture(world)
    assert name not in headers
    assert _post(world, "crm", headers | {name: "x"}, body) == REFUSED
    assert _checks(caplog) == ["components"]


def test_session_cannot_be_exchanged_behind_envoy(world, caplog):
    (headers, body), (others, _) = _capture_in_session(world), _capture_in_session(world)
    assert headers["mcp-session-id"] != others["mcp-session-id"]
    without = {name: value for name, value in headers.items() if name != "mcp-session-id"}
    stolen = headers | {"mcp-session-id": others["mcp-session-id"]}
    assert [_post(world, "crm", changed, body) for changed in (stolen, without, headers)] == [REFUSED] * 3
    # The last is the request as it was: only its nonce was used up.
    assert _checks(caplog) == ["signature", "headers", "nonce"]


def test_session_of_the_modern_era_is_neither_forwarded_nor_signed(world):
    headers, _ = _capture(world, mcp_session_id="s-1")
    assert "mcp-session-id" not in headers and "mcp-session-id" not in headers["signature-input"]


# Envoy writes names in lower case and leaves values as they are.
@pytest.mark.parametrize(
    "media", ["application/json; charset=utf-8", 'application/json;charset="UTF-8"', "Application/JSON"]
)
def test_type_that_the_client_wrote_in_its_own_way_is_verified(world, media):
    headers = {"Content-Type": media, "MCP-Protocol-Version": "2026-07-28", "MCP-Method": "tools/call"}
    headers |= {"Mcp-Name": "get_customer", "accept": "application/json, text/event-stream"}
    headers |= {"authorization": f"Bearer {world.one.mint(world.crm)}"}
    assert world.web.post(world.crm, content=json.dumps(tool_call()), headers=headers).status_code == 200


def test_request_signed_for_one_backend_is_refused_by_the_other(world, caplog):
    assert _post(world, "billing", *_capture(world)) == REFUSED
    assert _checks(caplog) == ["key"]


# ---- rotation ----------------------------------------------------------------------------------------------


def _load(world: World, stop: threading.Event, statuses: list[int]) -> None:
    token = world.one.mint(world.crm)
    with httpx.Client(trust_env=False, timeout=10) as web:
        headers = {name.replace("_", "-"): value for name, value in modern().items()}
        headers |= {"authorization": f"Bearer {token}", "accept": "application/json, text/event-stream"}
        while not stop.is_set():
            statuses.append(web.post(world.crm, json=tool_call(), headers=headers).status_code)


def _keyids(world: World) -> set[str]:
    signed = [dict(each["headers"])["signature-input"] for each in world.received()]
    return {text.partition('keyid="')[2].partition('"')[0] for text in signed}


def _is_signed_with(world: World, key_id: str) -> bool:
    return _keyids(world) == {key_id}


def _has(statuses: list[int], enough: int) -> bool:
    return len(statuses) >= enough


def _await(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "the load does not go on"


def test_rotation_under_load_refuses_nothing(world, folder):
    stop, statuses = threading.Event(), list[int]()
    threads = [threading.Thread(target=_load, args=(world, stop, statuses)) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        config = folder / "agen.yaml"
        first = config.read_text("utf-8")
        for key in ("2", "3"):
            # The backend's copy first, then the gateway's; the old one is taken away last.
            (folder / "keys" / "crm" / f"crm-{key}").write_bytes(key.encode() * 32)
            (folder / "keys" / "billing" / f"billing-{key}").write_bytes(key.encode() * 33)
            config.write_text(first.replace("crm-1", f"crm-{key}").replace("billing-1", f"billing-{key}"), "utf-8")
            world.sidecar.send_signal(signal.SIGHUP)
            _await(partial(_is_signed_with, world, f"crm-{key}"))
            _await(partial(_has, statuses, len(statuses) + 20))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert set(statuses) == {200}
