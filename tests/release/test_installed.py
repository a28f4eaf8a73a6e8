"""What `make release` makes of the last commit: the wheel in two empty environments, and the SBOM of one of them."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.markers import Marker
from packaging.utils import canonicalize_name

from tests.peers.installed import ROOT
from tools.package import Built, build, export
from tools.release import check_backend, check_sidecar, find_pins, modules_of, needs_of, write_sbom

pytestmark = pytest.mark.services
EPOCH = 1_700_000_000
READER = ROOT / "build" / "release-tools" / "bin" / "python"
VALIDATE = """
import json, sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
def is_valid(text):
    return JsonStrictValidator(SchemaVersion.from_version(json.loads(text)["specVersion"])).validate_str(text) is None
print([is_valid(text) for text in json.load(sys.stdin)])
"""
PIN = re.compile(r"^([\w.-]+)==([^\s;]+)(?: *; *([^\\\n]+))?", re.MULTILINE)


@dataclass(frozen=True)
class Release:
    """The files of the last commit, and what was built from them."""

    tree: Path
    built: Built


@pytest.fixture(scope="module")
def release(tmp_path_factory) -> Release:
    folder: Path = tmp_path_factory.mktemp("release")
    export(ROOT, "HEAD", folder / "tree")
    # It compares the wheel with one that it builds from the sdist: other times, another folder, the same bytes.
    return Release(folder / "tree", build(folder / "tree", EPOCH, folder / "built"))


@pytest.fixture(scope="module")
def sbom(release, tmp_path_factory) -> str:
    # With every package of the lock, from the index: most of the time of this file.
    python = check_sidecar(release.built.wheel, release.tree, tmp_path_factory.mktemp("sidecar"))
    return write_sbom(release.built, python, release.tree).read_text("utf-8")


def test_wheel_of_the_last_commit_is_the_package_and_is_imported_without_extras(release, tmp_path):
    wheel = release.built.wheel
    assert {name.split("/")[0] for name in ZipFile(wheel).namelist()} == {
        "agen_authz",
        wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info",
    }
    check_backend(wheel, release.tree, tmp_path / "backend")


def test_modules_that_a_sidecar_must_import_are_all_but_the_demos(release):
    modules = set(modules_of(release.built.wheel))
    assert {"agen_authz", "agen_authz.app.worker.run", "agen_authz.cli.main", "agen_authz.envoy.render"} <= modules
    assert not {name for name in modules if name.startswith("agen_authz.demo")}


def test_sidecar_is_refused_if_the_lock_does_not_pin_all_that_the_server_extra_needs(release, tmp_path):
    lock = tmp_path / "requirements" / "server.txt"
    lock.parent.mkdir()
    # What a backend needs is there, and nothing else. pip must not take the rest from anywhere.
    whole = (release.tree / "requirements" / "server.txt").read_text("utf-8")
    lock.write_text(find_pins(whole, needs_of(release.built.wheel)), "utf-8")
    with pytest.raises(subprocess.CalledProcessError, match=r"--no-index.*\[server,postgres\]"):
        check_sidecar(release.built.wheel, tmp_path, tmp_path / "sidecar")


def test_sbom_lists_every_package_of_the_sidecars_lock_with_its_version_and_no_other(release, sbom):
    told = json.loads(sbom)
    pins = PIN.findall((release.tree / "requirements" / "server.txt").read_text("utf-8"))
    pinned = sorted(
        (canonicalize_name(name), is_at) for name, is_at, rule in pins if not rule or Marker(rule).evaluate()
    )
    assert sorted((canonicalize_name(each["name"]), each["version"]) for each in told["components"]) == pinned
    root = told["metadata"]["component"]
    assert (root["name"], root["version"]) == ("agen-authz", release.built.wheel.name.split("-")[1])


def test_sbom_is_valid_cyclonedx_which_it_would_not_be_with_a_component_without_a_name(sbom):
    told = json.loads(sbom)
    assert told["bomFormat"] == "CycloneDX"
    del told["components"][0]["name"]
    assert validate(sbom, json.dumps(told)) == "[True, False]"


def test_sbom_names_no_folder_of_the_machine_that_made_it(release, sbom):
    assert str(release.tree.parent.parent) not in sbom


def validate(*texts: str) -> str:
    command = [str(READER), "-c", VALIDATE]
    told = subprocess.run(command, input=json.dumps(texts), check=True, capture_output=True, text=True)
    return told.stdout.strip()
