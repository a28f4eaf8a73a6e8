"""deploy/compose: its file is one that compose reads, its configurations fit each other, and together they work."""

import subprocess
from collections.abc import Iterator

import pytest
import yaml
from typer.testing import CliRunner

from agen_authz.cli.main import app
from tests.deploy.composed import COMPOSE, EVERYWHERE, Composed, running_compose
from tests.peers.installed import ROOT

FILE = COMPOSE / "compose.yaml"
READER = ROOT / "build" / "release-tools" / "bin" / "python"
READ = """
import sys
from compose_spec import PyOptions
PyOptions(apply_merge=True).from_yaml(sys.stdin.read()).validate()
"""
MISSPELT = FILE.read_text("utf-8").replace("network_mode:", "netwrok_mode:", 1)


def read_services():
    return yaml.safe_load(FILE.read_text("utf-8"))["services"]


def test_configuration_of_compose_is_one_that_serve_takes():
    told = CliRunner().invoke(app, ["check-config", "--no-secrets", str(COMPOSE / "agen.yaml")])
    assert (told.exit_code, told.output.endswith("agen.yaml: ok\n")) == (0, True)


def test_envoy_of_compose_is_rendered_from_the_configuration_of_compose(golden):
    config = [
        "--config",
        str(COMPOSE / "agen.yaml"),
        "--listen",
        f"{EVERYWHERE}:10000",
        "--upstream",
        "crm=127.0.0.1:10002",
    ]
    told = CliRunner().invoke(app, ["envoy-config", *config])
    assert told.exit_code == 0, told.output
    golden("deploy/compose/envoy.yaml", told.stdout)


def test_every_container_of_compose_is_confined_and_none_but_envoy_is_published():
    services = read_services()
    confined = {
        "user": "65532:65532",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
    }
    assert {name: confined.items() <= each.items() for name, each in services.items()} == dict.fromkeys(services, True)
    assert {name: each["ports"] for name, each in services.items() if "ports" in each} == {
        "envoy": ["127.0.0.1:10000:10000", "127.0.0.1:10001:10001"]
    }
    assert {each.get("network_mode") for name, each in services.items() if name != "envoy"} == {"service:envoy", "none"}


def test_what_compose_mounts_and_builds_exists():
    volumes = set(yaml.safe_load(FILE.read_text("utf-8"))["volumes"])
    mounted = {mount.split(":")[0] for each in read_services().values() for mount in each.get("volumes", [])}
    builds = [each["build"] for each in read_services().values() if "build" in each]
    folders = [build if isinstance(build, str) else build["context"] for build in builds]
    files = [build["dockerfile"] for build in builds if not isinstance(build, str)]
    assert {name for name in mounted if name[0] != "."} == volumes
    assert [name for name in mounted - volumes if not (COMPOSE / name).is_file()] == []
    assert [name for name in folders if not (COMPOSE / name).is_dir()] == []
    assert [name for name in files if not (ROOT / name).is_file()] == []


@pytest.mark.services
@pytest.mark.parametrize(
    ("text", "code"), [pytest.param(FILE.read_text("utf-8"), 0, id="ours"), pytest.param(MISSPELT, 1, id="misspelt")]
)
def test_compose_file_is_what_the_compose_specification_allows(text, code):
    assert READER.exists(), "it is not installed: run tools/install-release"
    told = subprocess.run([str(READER), "-c", READ], input=text, text=True, check=False, capture_output=True)
    assert told.returncode == code, told.stderr


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    with running_compose(tmp_path_factory.mktemp("compose")) as running:
        yield running


@pytest.mark.services
def test_tokens_of_its_provider_are_accepted_and_rules_and_masking_decide(composed: Composed) -> None:
    analyst, admin = composed.issue("analyst"), composed.issue("admin")
    wanted: dict[str, object] = {"customer_id": "c-1001"}
    masked = composed.call(analyst, "get_customer", wanted)
    whole = composed.call(admin, "get_customer", wanted)
    assert (masked.status_code, whole.status_code) == (200, 200)
    assert ("Greta Hallmann" in masked.text, "Greta Hallmann" in whole.text) == (False, True)
    denied = composed.call(analyst, "delete_customer", wanted).json()["error"]
    assert (denied["code"], denied["data"]["reason"]) == (-32602, "unknown_target")
    assert composed.call(None, "get_customer", wanted).status_code == 401
