"""Step-up through Envoy with the official client: refused, a stronger token from the issuer, the same call allowed."""

import re
import time
from typing import Any

import pytest

from agen_authz.demo.token import fetch_token
from tests.stage.process import BOUND_S
from tests.stage.world import World, call, modern, running_world, tool_call

pytestmark = pytest.mark.envoy

MAX_AGE_S, LEEWAY_S = 60, 30
POLICIES = f"""
policies:
  - name: customers need a second factor
    state: enforce
    tools: ["crm/get_customer"]
    then: step_up
    step_up: {{acr: ["urn:mfa"], max_age: {MAX_AGE_S}s}}
    message: Customers need a second factor.
  - name: searching needs its scope
    state: enforce
    tools: ["crm/search_customers"]
    then: step_up
    step_up: {{scope: "crm:write", acr: ["urn:mfa"]}}
"""
CUSTOMER: dict[str, Any] = {"customer_id": "c-1001"}
QUERY: dict[str, Any] = {"query": "", "limit": 1}
PARAMETER = re.compile(r'(\w+)="([^"]*)"')


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with running_world(tmp_path_factory.mktemp("step-up"), more=POLICIES) as running:
        yield running


def challenge(world: World, token: str, tool: str, arguments: dict[str, Any]) -> tuple[int, dict[str, str], str]:
    """Call without the client, and return status, challenge and what a person is told."""
    answer = world.post(token, tool_call(tool, arguments), **modern(tool))
    error = answer.json()["error"]
    assert (error["code"], error["data"]["reason"]) == (40300, "step_up_required")
    return answer.status_code, dict(PARAMETER.findall(answer.headers["www-authenticate"])), error["message"]


@pytest.mark.parametrize("mode", ["2026-07-28", "legacy"])
async def test_call_is_refused_until_the_issuer_grants_a_stronger_token(world, mode):
    issuer, url = world.one.issuer.url, world.crm
    weak = await fetch_token(issuer, "analyst", url)
    world.received()
    before = await call(url, weak, "get_customer", CUSTOMER, mode)
    reached = [each for each in world.received() if dict(each["headers"]).get("mcp-name") == "get_customer"]
    status, asked, told = challenge(world, weak, "get_customer", CUSTOMER)
    strong = await fetch_token(issuer, "analyst", url, acr=asked["acr_values"])
    after = await call(url, strong, "get_customer", CUSTOMER, mode)
    assert (before, reached, status, after) == ("step_up_required", [], 401, "allowed")
    assert (asked["error"], asked["max_age"]) == ("insufficient_user_authentication", str(MAX_AGE_S))
    assert asked["scope"] == "mcp:tools"
    assert "Customers need a second factor." in told and "urn:mfa" in told


async def test_scope_that_is_missing_is_challenged_with_all_that_the_call_needs(world):
    issuer, url = world.one.issuer.url, world.crm
    weak = world.one.mint(url, scope="mcp:tools other")
    status, asked, _ = challenge(world, weak, "search_customers", QUERY)
    wanted = {"error": "insufficient_scope", "acr_values": "urn:mfa"}
    assert (status, {name: asked[name] for name in wanted}) == (403, wanted)
    # The scopes of the resource, those that were granted, and the one that is missing.
    assert asked["scope"].split() == ["mcp:tools", "other", "crm:write"]
    half = world.one.mint(url, scope=asked["scope"])
    assert challenge(world, half, "search_customers", QUERY)[0] == 401
    whole = await fetch_token(issuer, "support", url, acr="urn:mfa", scope="mcp:tools crm:write")
    told = await call(url, whole, "search_customers", QUERY, "2026-07-28")
    # The scope lets through what asks for it; the role is another matter.
    assert told == "unknown_target"
    ann = world.one.mint(url, scope=asked["scope"], acr="urn:mfa")
    assert await call(url, ann, "search_customers", QUERY, "2026-07-28") == "allowed"


async def test_token_that_ages_past_max_age_is_refused_again(world):
    now = int(time.time())
    # Fresh for some seconds more; the token itself is good for minutes.
    token = world.one.mint(world.crm, acr="urn:mfa", auth_time=now - MAX_AGE_S - LEEWAY_S + 4)
    first = await call(world.crm, token, "get_customer", CUSTOMER, "2026-07-28")
    deadline = time.monotonic() + BOUND_S
    answer = world.post(token, tool_call(), **modern())
    while answer.status_code == 200 and time.monotonic() < deadline:
        time.sleep(0.2)
        answer = world.post(token, tool_call(), **modern())
    assert (first, answer.status_code) == ("allowed", 401)
    assert await call(world.crm, token, "get_customer", CUSTOMER, "2026-07-28") == "step_up_required"


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({}, id="neither"),
        pytest.param({"acr": "urn:mfa"}, id="no-auth-time"),
        pytest.param({"acr": "urn:pwd", "auth_time": True}, id="weaker-acr"),
        pytest.param({"acr": ["urn:mfa"], "auth_time": True}, id="acr-as-a-list"),
        pytest.param({"acr": "urn:mfa", "auth_time": 99_999_999_999}, id="from-the-future"),
    ],
)
def test_only_the_token_itself_says_how_strong_it_is(world, claims):
    given = {name: int(time.time()) if value is True else value for name, value in claims.items()}
    token = world.one.mint(world.crm, **given)
    world.received()
    answer = world.post(token, tool_call(), **modern(), acr="urn:mfa", x_acr_values="urn:mfa")
    assert (answer.status_code, world.received()) == (401, [])
