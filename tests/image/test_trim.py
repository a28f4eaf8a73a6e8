"""What tools/trim-image takes out of an environment, and that the sidecar does not miss it."""

import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.stage.process import START_S

ROOT = Path(__file__).resolve().parent.parent.parent
LOCK = (ROOT / "requirements" / "server.txt").read_text("utf-8")
RUNS = "agen_authz.app.run, agen_authz.app.worker.run, agen_authz.app.supervisor.fleet, agen_authz.cli.main"


def _needed_by() -> dict[str, set[str]]:
    """Read who needs each package of the lock."""
    found: dict[str, set[str]] = {}
    for block in re.split(r"\n(?=[a-z])", LOCK):
        name, _, rest = block.partition("==")
        _, via, who = rest.partition("# via")
        if via:
            found[name] = set(re.findall(r"[a-z][\w-]+(?: \(pyproject\.toml\))?", who))
    return found


def _only_for(root: str) -> set[str]:
    """List a package and all that are in the lock for its sake alone."""
    needed_by, only = _needed_by(), {root}
    while more := {name for name, who in needed_by.items() if who <= only} - only:
        only |= more
    return only


def _folders(package: str) -> set[str]:
    """List what a package puts into site-packages."""
    files = distribution(package).files or []
    return {file.parts[0] for file in files if len(file.parts) > 1 and file.parts[0] not in ("..", "__pycache__")}


ENVOYS = sorted(_only_for("envoy-data-plane"))


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    environment: Path = tmp_path_factory.mktemp("trim")
    site = environment / "lib" / "python3.13" / "site-packages"
    (environment / "bin").mkdir()
    shutil.copytree(ROOT / "agen_authz", site / "agen_authz", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in {folder for name in (*ENVOYS, "grpcio", "pydantic") for folder in _folders(name)}:
        (site / folder).mkdir()
    subprocess.run([str(ROOT / "tools" / "trim-image"), str(environment)], check=True, capture_output=True)
    return site


def test_what_is_there_for_envoys_messages_alone_is_taken_out_and_nothing_more(site):
    assert {"envoy-data-plane", "betterproto2", "h2"} <= set(ENVOYS) and "grpcio" not in ENVOYS
    assert {each.name for each in site.iterdir()} == {"agen_authz", *_folders("grpcio"), *_folders("pydantic")}


def _run(site: Path, code: str, *words: str) -> tuple[int, str]:
    # `-S`: with what is installed, but not with this tree, which is installed by reference. No variables of this
    # process: what runs here is not in the tree, and is not measured.
    gone = [folder for name in ENVOYS for folder in _folders(name)]
    path = [str(site), sysconfig.get_path("purelib")]
    begin = f"import sys; sys.path += {path}; sys.modules |= dict.fromkeys({gone}); {code}"
    command = [sys.executable, "-S", "-c", begin, *words]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, env={}, cwd=site, timeout=START_S)
    return ran.returncode, ran.stdout + ran.stderr


def test_the_sidecar_does_not_miss_it(site):
    assert _run(site, f"import {RUNS}; print(agen_authz.__file__)") == (0, f"{site}/agen_authz/__init__.py\n")
    code, told = _run(site, "from agen_authz.cli import main; main()", "config-schema")
    assert (code, told.startswith("{")) == (0, True), told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("demo",), "the demo needs more packages (agen_authz.demo)"),
        (("envoy-config", "--check", "x"), "`agen_authz.envoy.render` is not installed"),
    ],
    ids=str,
)
def test_commands_without_their_part_say_so(site, words, told):
    code, said = _run(site, "from agen_authz.cli import main; main()", *words)
    assert (code, said.startswith(told)) == (2, True), said
