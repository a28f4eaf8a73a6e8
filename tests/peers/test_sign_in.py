"""The official clients of PyPI and npm sign in by themselves, through Envoy and the sidecar, and call a tool."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.test_sign_in import sign_in_and_call
from tests.peers.installed import INSTALLED, ROOT, node_command
from tests.stage.world import World, running_world

pytestmark = [pytest.mark.services, pytest.mark.slow]

_SCRIPT = ROOT / "tools" / "peers" / "sign-in.mjs"
_TIMEOUT_S = 60.0
CLIENT, SDK = "@modelcontextprotocol/client", "@modelcontextprotocol/sdk"


@pytest.fixture(scope="module")
def at_the_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("root"), crm_path="") as running:
        yield running


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("sign-in")) as running:
        yield running


def _sign_in(world: World, package: str, era: str) -> dict[str, Any]:
    given = json.dumps({"customer_id": "c-1001"})
    command = node_command(_SCRIPT, package, era, world.crm, "analyst", "get_customer", given)
    ended = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    assert ended.returncode == 0, ended.stderr[-2000:]
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


@pytest.mark.parametrize(
    ("package", "era"),
    [(CLIENT, "legacy"), (CLIENT, "auto"), (CLIENT, "2026-07-28"), (SDK, "legacy")],
    ids=["client legacy", "client auto", "client modern", "sdk"],
)
def test_client_of_npm_that_knows_only_the_url_signs_in_and_calls(world: World, package: str, era: str) -> None:
    world.received()
    told = _sign_in(world, package, era)
    assert (told["isError"], told["content"][0]["type"]) == (False, "text")
    metadata = [each for each in told["asked"] if each["path"].startswith("/.well-known/oauth-protected-resource")]
    assert {each["status"] for each in metadata} == {200}
    assert {dict(entry["headers"])["agen-subject"] for entry in world.received()} == {'"u-1001"'}


@pytest.mark.parametrize("package", [CLIENT, SDK])
def test_client_of_npm_signs_in_to_a_resource_at_the_root_of_its_host(at_the_root: World, package: str) -> None:
    told = _sign_in(at_the_root, package, "legacy")
    assert (told["isError"], told["audience"].removesuffix("/")) == (False, at_the_root.crm)


@pytest.mark.parametrize("era", ["2026-07-28", "legacy", "auto"])
async def test_client_of_pypi_that_knows_only_the_url_signs_in_and_calls(world: World, era: str) -> None:
    assert await sign_in_and_call(world, era) == world.crm
