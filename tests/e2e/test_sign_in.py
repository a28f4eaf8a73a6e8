"""The official Python client signs in by itself: from a 401 through metadata, registration and a login to a call."""

from collections.abc import Iterator

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from tests.demo.live import read_claims
from tests.demo.person import Memory, sign_in_as
from tests.stage.process import START_S
from tests.stage.world import World, modern, running_world, tool_call

pytestmark = pytest.mark.envoy

ERAS = ["2026-07-28", "legacy", "auto"]
METADATA = "/.well-known/oauth-protected-resource/crm/mcp"


@pytest.fixture(scope="module")
def at_the_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("root"), crm_path="") as running:
        yield running


async def sign_in_and_call(world: World, era: str) -> str:
    """Sign in as the analyst and call a tool of `crm`; return the audience of the token."""
    memory = Memory()
    world.received()
    async with (
        httpx2.AsyncClient(auth=sign_in_as("analyst", world.crm, memory), timeout=START_S) as http,
        Client(streamable_http_client(world.crm, http_client=http), mode=era) as client,
    ):
        result = await client.call_tool("get_customer", {"customer_id": "c-1001"})
    assert memory.tokens is not None
    claims = read_claims(memory.tokens.access_token)
    assert (result.is_error, claims["iss"]) == (False, world.one.issuer.url)
    assert {dict(entry["headers"])["agen-subject"] for entry in world.received()} == {f'"{claims["sub"]}"'}
    return str(claims["aud"])


@pytest.mark.parametrize("era", ERAS)
async def test_client_that_knows_only_the_url_signs_in_and_calls(world: World, era):
    assert await sign_in_and_call(world, era) == world.crm


# With a slash or without: both are the root (RFC 3986 section 6.2.3).
@pytest.mark.parametrize("era", ERAS)
async def test_client_signs_in_to_a_resource_at_the_root_of_its_host(at_the_root: World, era):
    assert await sign_in_and_call(at_the_root, era) in (at_the_root.crm, f"{at_the_root.crm}/")


@pytest.mark.parametrize("slash", ["", "/"], ids=["without a slash", "with a slash"])
def test_token_for_the_root_is_good_in_both_spellings(at_the_root: World, slash):
    token = at_the_root.one.mint(at_the_root.crm + slash)
    assert at_the_root.post(token, tool_call(), **modern()).status_code == 200


def test_token_for_a_path_of_the_host_is_not_good_at_its_root(at_the_root: World):
    refused = at_the_root.post(at_the_root.one.mint(at_the_root.billing), tool_call(), **modern())
    assert (refused.status_code, refused.json()["error"]["data"]["reason"]) == (401, "token_audience")


# What a client sends with its requests for metadata: the version of the protocol that it speaks, old or new.
@pytest.mark.parametrize("version", [None, "2026-07-28", "2025-11-25", "2024-11-05", "2099-01-01"])
def test_metadata_is_the_same_whatever_version_a_client_names(world: World, version):
    headers = {} if version is None else {"mcp-protocol-version": version}
    answer = world.web.get(world.crm.removesuffix("/crm/mcp") + METADATA, headers=headers)
    assert (answer.status_code, answer.json()["resource"]) == (200, world.crm)
