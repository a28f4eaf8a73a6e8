"""The image, built and run: `make image-test`. Not collected by name, because building takes minutes and needs root.

The base is made of Debian packages (tests/image/container.py) and not the one that the Dockerfile names: what is tried
is the Dockerfile, and what it makes, not that base.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.container import CONFINED, IMAGE, ROOT, build, podman, read_image
from tests.stage.process import START_S

BYTES_AT_MOST = 150_000_000
CONFIG = """\
version: 1
providers:
  - name: corp
    issuer: https://id.example.com/
resources:
  - name: crm
    url: https://mcp.example.com/crm/mcp
    providers: [corp]
    insecure_unsigned: true
access:
  mapping: roles
  rules:
    - name: analysts read
      tools: ["crm/get_*"]
      allow: [analyst]
"""
STATE = ("--mount", "type=tmpfs,destination=/var/lib/agen,chown=true")
PYTHON = "/opt/agen/bin/python3"
AWAIT = f"""
import time, urllib.request
end = time.monotonic() + {START_S}
while time.monotonic() < end:
    try:
        print(urllib.request.urlopen("http://127.0.0.1:9464/livez").status)
        break
    except OSError:
        time.sleep(0.1)
"""
INSIDE = """
import os
from pathlib import Path
print(os.getuid(), os.getgid(), sorted(os.listdir("/var/lib/agen"))[0])
for place in ("/", "/opt/agen", "/etc/agen", "/run/agen", "/tmp", "/usr/bin"):
    try:
        Path(place, "written").write_text("")
        print("written:", place)
    except OSError:
        pass
"""


@pytest.fixture(scope="module", autouse=True)
def built() -> Iterator[None]:
    build()
    yield
    podman("image", "rm", "--force", IMAGE)


@pytest.fixture
def config(tmp_path: Path) -> tuple[str, str]:
    file = tmp_path / "agen.yaml"
    file.write_text(CONFIG, "utf-8")
    # The user of the image is nobody here.
    file.chmod(0o644)
    return ("--volume", f"{file}:/etc/agen/agen.yaml:ro")


@pytest.fixture
def serving(config: tuple[str, str]) -> Iterator[str]:
    started = podman("run", "--detach", *CONFINED, *STATE, *config, IMAGE)
    assert started.code == 0, started.out
    name = started.out.strip()
    yield name
    podman("rm", "--force", name)


def test_image_is_small_and_runs_our_command_as_nobody_without_a_shell(tmp_path):
    run, layers = read_image(tmp_path)
    assert (run["User"], run["Entrypoint"]) == ("65532:65532", ["/opt/agen/bin/agen-authz"])
    assert run["Cmd"] == ["serve", "--config", "/etc/agen/agen.yaml"]
    assert sum(layers) <= BYTES_AT_MOST


def test_configuration_is_checked_without_a_network_and_with_no_directory_but_the_state(config):
    told = podman("run", "--rm", *CONFINED, *STATE, *config, IMAGE, "check-config", "/etc/agen/agen.yaml")
    assert (told.code, told.out.endswith("/etc/agen/agen.yaml: ok\n")) == (0, True), told.out


def test_it_serves_as_65532_and_writes_nothing_but_its_state_and_ends_when_it_is_told(serving):
    alive = podman("exec", serving, PYTHON, "-c", AWAIT)
    assert alive.out == "200\n", podman("logs", serving).out
    assert podman("exec", serving, PYTHON, "-c", INSIDE).out == "65532 65532 agen.db\n"
    assert podman("stop", "--time", "30", serving).code == 0
    assert podman("inspect", "--format", "{{.State.ExitCode}}", serving).out == "0\n"


def test_without_a_writable_directory_it_says_what_is_missing(config):
    told = podman("run", "--rm", *CONFINED, *config, IMAGE)
    assert (told.code, "/var/lib/agen/agen.db: store.url: cannot be" in told.out) == (1, True)


def test_policies_are_tested_in_it_with_every_library_that_a_decision_needs():
    mounted = ("--volume", f"{ROOT}/docs/examples/demo:/etc/agen:ro")
    command = ("policy", "test", "--config", "/etc/agen/agen.yaml", "/etc/agen/cases")
    told = podman("run", "--rm", *CONFINED, *mounted, IMAGE, *command)
    assert told.code == 0, told.out


def test_every_library_of_the_lock_that_the_sidecar_imports_is_whole():
    imports = "import agen_authz.app.run, agen_authz.app.worker, agen_authz.cli.main"
    people = "import apprise, asyncpg, jinja2, starlette, httpx, cryptography"
    masking = "import phonenumbers, re2, ahocorasick_rs, stdnum.iban, cel_expr_python, pygrpc_native, asyncio, uvloop"
    number = "print(phonenumbers.is_valid_number(phonenumbers.parse('+442083661177')))"
    run = ("run", "--rm", *CONFINED, "--entrypoint", PYTHON, IMAGE, "-c", f"{imports}; {people}; {masking}; {number}")
    assert podman(*run) == podman(*run[:-1], "print(True)")


def test_demo_envoys_side_and_what_only_builds_are_not_in_it():
    names = ("agen_authz.demo", "agen_authz.envoy.render", "envoy_data_plane", "h2", "mcp", "pip", "setuptools")
    look = f"import importlib.util as found; print([name for name in {names} if found.find_spec(name)])"
    assert podman("run", "--rm", *CONFINED, "--entrypoint", PYTHON, IMAGE, "-c", look).out == "[]\n"
    told = podman("run", "--rm", *CONFINED, IMAGE, "demo")
    assert (told.code, told.out.startswith("the demo needs more packages")) == (2, True)
    told = podman("run", "--rm", *CONFINED, IMAGE, "envoy-config", "--check", "/etc/agen/envoy.yaml")
    assert (told.code, told.out.startswith("`agen_authz.envoy.render` is not installed")) == (2, True)
