"""The official Python client, in both eras, through a real Envoy: who may do what, and how the others are told."""

import time

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.builders import ec_key
from tests.stage.process import BOUND_S
from tests.stage.world import World, call, modern, tool_call

pytestmark = pytest.mark.envoy

ERAS = ["2026-07-28", "legacy"]
READ = {"customer_id": "c-1001"}


@pytest.mark.parametrize("era", [*ERAS, "auto"])
async def test_allowed_call_reaches_the_server(world: World, era):
    assert await call(world.crm, world.one.mint(world.crm), "get_customer", READ, era) == "allowed"
    assert [entry["method"] for entry in world.received()].count("POST") >= 1


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("roles", "tool", "reason"),
    [
        (["analyst"], "no_such_tool", "unmapped"),
        (["analyst"], "update_deal", "not_granted"),
        ([], "get_deal", "not_granted"),
    ],
    ids=["unmapped", "wrong role", "no role"],
)
async def test_what_is_not_granted_looks_as_if_it_did_not_exist(world: World, era, roles, tool, reason):
    told = await call(world.crm, world.one.mint(world.crm, roles=roles), tool, {"deal_id": "d-2001"}, era)
    assert (told, world.events()[-1]["reason"] if era != "legacy" else reason) == ("unknown_target", reason)
    assert reason in {event["reason"] for event in world.events()}


@pytest.mark.parametrize("era", ERAS)
async def test_lists_show_what_the_caller_may_call_and_the_rest_passes(world: World, era):
    token = world.one.mint(world.crm)
    async with (
        httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=BOUND_S) as http,
        Client(streamable_http_client(world.crm, http_client=http), mode=era) as client,
    ):
        assert {tool.name for tool in (await client.list_tools()).tools} == READS
        assert (await client.list_prompts()).prompts
        assert (await client.list_resource_templates()).resource_templates
        assert (await client.read_resource("customer://c-1001")).contents
        assert (await client.get_prompt("summarize", {"customer_id": "c-1001"})).messages


READS = {"get_customer", "get_deal", "search_customers"}


@pytest.mark.parametrize("era", ERAS)
async def test_list_and_calls_of_each_role_agree(world: World, era):
    shown = {}
    for roles in (("analyst",), ("support",), ("analyst", "support"), ("guest",)):
        headers = {"authorization": f"Bearer {world.one.mint(world.crm, roles=list(roles))}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=BOUND_S) as http,
            Client(streamable_http_client(world.crm, http_client=http), mode=era) as client,
        ):
            shown[roles] = {tool.name for tool in (await client.list_tools()).tools}
    edits = {"update_deal"}
    assert list(shown.values()) == [READS, edits, READS | edits, set()]


TOKENS = {
    "none": (lambda world: None, "token_missing"),
    "expired": (lambda world: world.one.mint(world.crm, exp=int(time.time()) - 3600), "token_expired"),
    "wrong audience": (lambda world: world.one.mint("https://other.example.com/mcp"), "token_audience"),
    "for another resource": (lambda world: world.one.mint(world.billing), "token_audience"),
    "wrong key": (lambda world: world.one.mint(world.crm, private=ec_key("stranger")), "token_signature"),
    "unknown key": (lambda world: world.one.mint(world.crm, kid="nobody"), "token_key_unknown"),
    "unknown issuer": (lambda world: world.one.mint(world.crm, iss="https://evil.example.com"), "token_issuer"),
    "ID token": (lambda world: world.one.mint(world.crm, nonce="n", token_use="id"), "token_id_token"),
}


@pytest.mark.parametrize("name", TOKENS)
def test_token_that_is_not_good_is_challenged_and_nothing_is_forwarded(world: World, name):
    make, reason = TOKENS[name]
    world.received()
    answer = world.post(make(world), tool_call(), **modern())
    assert (answer.status_code, answer.json()["error"]["data"]["reason"]) == (401, reason)
    assert answer.headers["www-authenticate"].startswith("Bearer resource_metadata=")
    assert world.received() == []


def test_token_of_one_resource_is_good_there_and_nowhere_else(world: World):
    token = world.one.mint(world.billing)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    headers |= {"accept": "application/json, text/event-stream"}
    headers |= {key.replace("_", "-"): value for key, value in modern("get_invoice").items()}
    body = tool_call("get_invoice", {"invoice_id": "i-4001"})
    assert world.web.post(world.billing, json=body, headers=headers).status_code == 200
    assert world.web.post(world.crm, json=body, headers=headers).status_code == 401


def test_two_providers_with_the_same_subject_and_kid_are_never_mixed(world: World):
    tokens = [provider.mint(world.crm) for provider in (world.one, world.two)]
    assert world.one.issuer.ring.signing.kid == world.two.issuer.ring.signing.kid
    world.received()
    assert [world.post(token, tool_call(), **modern()).status_code for token in tokens] == [200, 200]
    seen = [dict(entry["headers"])["agen-issuer"] for entry in world.received()]
    assert seen == [f'"{world.one.issuer.url}"', f'"{world.two.issuer.url}"']
    forged = world.one.mint(world.crm, iss=world.two.issuer.url)
    assert world.post(forged, tool_call(), **modern()).json()["error"]["data"]["reason"] == "token_signature"


def test_session_of_one_provider_is_not_the_others(world: World):
    ours, theirs = (provider.mint(world.crm) for provider in (world.one, world.two))
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }
    session = world.post(ours, hello).headers["mcp-session-id"]
    ping = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    legacy = {"mcp_session_id": session, "mcp_protocol_version": "2025-11-25"}
    assert world.post(ours, ping, **legacy).status_code == 200
    stolen = world.post(theirs, ping, **legacy)
    assert (stolen.status_code, stolen.json()["error"]["data"]["reason"]) == (404, "session_unknown")


def wait_until(check) -> None:
    deadline = time.monotonic() + BOUND_S
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_rotated_key_is_accepted_at_once_and_a_dropped_one_is_refused(world: World):
    old, old_key = world.two.mint(world.crm), world.two.issuer.ring.signing
    ring = world.two.issuer.ring
    ring.rotate(type(old_key)("rotated", ec_key("rotated")), now=time.time(), drop=True)
    time.sleep(0.25)  # the cooldown of this world
    assert world.post(world.two.mint(world.crm), tool_call(), **modern()).status_code == 200
    refused = world.post(old, tool_call(), **modern())
    assert (refused.status_code, refused.json()["error"]["data"]["reason"]) == (401, "token_key_unknown")


def test_provider_that_is_down_is_not_the_callers_fault(world: World):
    known, unknown = world.two.mint(world.crm), world.two.mint(world.crm, kid="new-key")
    assert world.post(known, tool_call(), **modern()).status_code == 200
    world.two.is_down = True
    try:
        wait_until(lambda: world.post(unknown, tool_call(), **modern()).status_code == 503)
        late = world.post(unknown, tool_call(), **modern())
        assert (late.json()["error"]["code"], late.headers["retry-after"]) == (50300, "1")
        assert world.post(known, tool_call(), **modern()).status_code == 200
        assert world.post(world.one.mint(world.crm), tool_call(), **modern()).status_code == 200
    finally:
        world.two.is_down = False
    wait_until(lambda: world.post(unknown, tool_call(), **modern()).status_code == 401)
