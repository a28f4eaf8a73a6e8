"""Tokens of an OpenID provider that we did not write, through Envoy and the sidecar as they run in production."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from agen_authz.demo.wire import call_body, call_headers
from tests.demo.live import read_header
from tests.peers.conformance import running_server
from tests.peers.gate import Gate, Plan, plan_gate, running_gate
from tests.peers.provider import Provider, running_provider

pytestmark = [pytest.mark.services, pytest.mark.slow]

_TOOL = "test_simple_text"
_DEADLINE_S = 10.0


@dataclass
class Stage:
    """The provider, and the gate that trusts it."""

    provider: Provider
    gate: Gate
    plan: Plan
    web: httpx.Client

    def issue(self) -> str:
        return self.provider.issue(self.plan.url)

    def ask(self, token: str) -> httpx.Response:
        """Make one call with a token."""
        headers = call_headers(_TOOL, token) | {"host": self.gate.authority}
        return self.web.post(self.gate.gate, json=call_body(_TOOL, {}), headers=headers)

    def answer(self, token: str) -> tuple[int, str]:
        """Make one call; what counts of the answer is its status and the Reason, if it is a refusal."""
        response = self.ask(token)
        return response.status_code, response.json().get("error", {}).get("data", {}).get("reason", "")

    def await_allowed(self, token: str) -> None:
        """Ask until it is allowed: between two fetches of keys lies the cooldown."""
        deadline = time.monotonic() + _DEADLINE_S
        while (answer := self.answer(token)) != (200, ""):
            assert time.monotonic() < deadline, answer
            time.sleep(0.1)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with running_server(tmp_path) as backend, running_provider(tmp_path) as provider:
        plan = plan_gate(provider.issuer, backend)
        with running_gate(tmp_path, plan, provider.issue(plan.url)) as gate, httpx.Client(trust_env=False) as web:
            yield Stage(provider, gate, plan, web)


def test_its_tokens_are_accepted_for_their_resource_only(stage: Stage) -> None:
    token = stage.issue()
    foreign = stage.provider.issue("https://elsewhere.example/mcp")
    assert stage.answer(token) == (200, "")
    assert stage.ask(token).json()["result"]["content"][0]["type"] == "text"
    assert stage.answer(foreign) == (401, "token_audience")
    assert stage.answer(token[:-8] + "AAAAAAAA") == (401, "token_signature")


def test_a_token_of_a_rotated_key_is_accepted_without_a_restart(stage: Stage) -> None:
    old = stage.issue()
    assert stage.answer(old) == (200, "")
    stage.provider.rotate()
    new = stage.issue()
    assert read_header(new)["kid"] != read_header(old)["kid"]
    stage.await_allowed(new)
    assert stage.answer(old) == (200, "")
    assert stage.gate.process.poll() is None


def test_while_it_is_down_known_keys_are_kept_and_unknown_ones_are_503(stage: Stage) -> None:
    known = stage.issue()
    assert stage.answer(known) == (200, "")
    stage.provider.rotate()
    unseen = stage.issue()
    stage.provider.go_down()
    assert stage.answer(known) == (200, "")
    refused = stage.ask(unseen)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert refused.json()["error"]["data"]["reason"] == "provider_unavailable"
    # Being asked for an unknown key must not cost the known ones.
    assert stage.answer(known) == (200, "")
    stage.provider.go_up()
    stage.await_allowed(unseen)
    assert stage.answer(known) == (200, "")
    assert stage.gate.process.poll() is None
