"""The official Python client signs in by itself: from a 401 through metadata, registration and a login to a call."""

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.demo.live import read_claims
from tests.demo.person import Memory, sign_in_as
from tests.e2e.world import START_S, World

pytestmark = pytest.mark.envoy

ERAS = ["2026-07-28", "legacy", "auto"]
METADATA = "/.well-known/oauth-protected-resource/crm/mcp"


@pytest.mark.parametrize("era", ERAS)
async def test_client_that_knows_only_the_url_signs_in_and_calls(world: World, era):
    memory = Memory()
    world.received()
    async with (
        httpx2.AsyncClient(auth=sign_in_as("analyst", world.crm, memory), timeout=START_S) as http,
        Client(streamable_http_client(world.crm, http_client=http), mode=era) as client,
    ):
        result = await client.call_tool("get_customer", {"customer_id": "c-1001"})
    assert memory.tokens is not None
    claims = read_claims(memory.tokens.access_token)
    assert (result.is_error, claims["aud"], claims["iss"]) == (False, world.crm, world.one.issuer.url)
    assert {dict(entry["headers"])["agen-subject"] for entry in world.received()} == {f'"{claims["sub"]}"'}


# What a client sends with its requests for metadata: the version of the protocol that it speaks, old or new.
@pytest.mark.parametrize("version", [None, "2026-07-28", "2025-11-25", "2024-11-05", "2099-01-01"])
def test_metadata_is_the_same_whatever_version_a_client_names(world: World, version):
    headers = {} if version is None else {"mcp-protocol-version": version}
    answer = world.web.get(world.crm.removesuffix("/crm/mcp") + METADATA, headers=headers)
    assert (answer.status_code, answer.json()["resource"]) == (200, world.crm)
