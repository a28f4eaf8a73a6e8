"""The pod of `helm test`: its script against the sidecar, an Envoy and an MCP server, in a process as in the pod."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from agen_authz.demo.issuer.client import DEMO_SECRET
from tests.chart.helm import CHART
from tests.stage.world import World, running_world

pytestmark = [pytest.mark.services, pytest.mark.envoy]

SCRIPT = CHART / "scripts" / "guarded_calls.py"
RULES = """\
data_protection:
  - {name: mails, state: enforce, tools: ["crm/get_customer"], detectors: {add: [email]}, style: {email: redact}}
"""
CUSTOMER = {"customer_id": "c-1001"}
GOOD: dict[str, Any] = {
    "allowed": {"tool": "get_customer", "arguments": CUSTOMER},
    "denied": {"tool": "update_deal", "arguments": {}},
    "masked": {"tool": "get_customer", "arguments": CUSTOMER, "absent": "@"},
    "token_key": "token",
    "token_url": "",
    "scope": "",
    "resource": "",
}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("guarded"), more=RULES) as running:
        yield running


@pytest.fixture
def make_calls(guarded: World, tmp_path: Path) -> Callable[..., tuple[int, list[str]]]:
    def run(**changed: Any) -> tuple[int, list[str]]:
        calls = GOOD | {"url": guarded.crm, "host": urlsplit(guarded.crm).netloc, "legacy": False} | changed
        (tmp_path / "calls.json").write_text(json.dumps(calls), "utf-8")
        (tmp_path / "token").write_text(guarded.one.mint(guarded.crm) + "\n", "utf-8")
        command = [sys.executable, "-I", str(SCRIPT), str(tmp_path / "calls.json"), str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.stderr == ""
        return done.returncode, done.stdout.splitlines()

    return run


@pytest.mark.parametrize("legacy", [False, True], ids=["modern", "legacy"])
def test_guarded_server_passes(make_calls, legacy):
    names = {"allowed": "get_customer", "denied": "update_deal", "masked": "get_customer"}
    wanted = [f"{name} call of {tool}: as it must be" for name, tool in names.items()]
    assert make_calls(legacy=legacy) == (0, wanted)


def test_token_is_fetched_with_the_credentials_of_a_client(make_calls, guarded, tmp_path):
    (tmp_path / "client_id").write_text("demo-analyst\n", "utf-8")
    (tmp_path / "client_secret").write_text(f"{DEMO_SECRET}\n", "utf-8")
    login = {"token_key": "none", "token_url": f"{guarded.one.issuer.url}/token", "scope": "mcp:tools"}
    code, lines = make_calls(**login, resource=guarded.crm)
    assert (code, len(lines)) == (0, 3), lines


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"allowed": GOOD["denied"]}, "was not allowed"),
        ({"denied": GOOD["allowed"]}, "was not denied"),
        ({"masked": GOOD["masked"] | {"absent": "c-1001"}}, "has the value that must be masked"),
        ({"masked": GOOD["masked"] | {"present": "no such text"}}, "does not have `no such text`"),
    ],
    ids=["nothing is allowed", "everything is allowed", "nothing is masked", "no mark"],
)
def test_server_that_is_not_guarded_fails(make_calls, changed, said):
    code, lines = make_calls(**changed)
    assert (code, next(line for line in lines if said in line).split(" ")[0]) == (1, next(iter(changed)))
