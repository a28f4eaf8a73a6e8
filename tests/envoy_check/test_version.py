"""Versions of Envoy with known holes, as Envoy, a dump and an operator say them."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agen_authz.cli.main import app
from agen_authz.envoy.binary import ask_version, find_binary
from agen_authz.envoy.check import check_file
from agen_authz.envoy.check.version import Version, parse_version
from agen_authz.envoy.model import Unusable

HERE = Path(__file__).parent
SOUND = (HERE / "sound.yaml").read_text()
AUTHZ, PROC = "version-authz", "version-proc"
HOLES: dict[tuple[int, int, int], tuple[str, ...]] = {
    (1, 40, 0): (), (1, 41, 2): (), (2, 0, 0): (),
    (1, 39, 1): (), (1, 39, 0): (AUTHZ,),
    (1, 38, 4): (PROC,), (1, 38, 3): (AUTHZ, PROC),
    (1, 37, 6): (PROC,), (1, 37, 5): (AUTHZ, PROC),
    (1, 36, 10): (PROC,), (1, 36, 9): (AUTHZ, PROC),
    (1, 35, 99): (AUTHZ, PROC), (0, 38, 4): (AUTHZ, PROC),
}  # fmt: skip


@pytest.mark.parametrize(("numbers", "expected"), HOLES.items(), ids=str)
def test_holes_of_a_version(numbers: tuple[int, int, int], expected: tuple[str, ...]):
    report = check_file(SOUND, version=Version(*numbers))
    assert {finding.id for finding in report.findings} == set(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("envoy  version: f1dd2/1.40.0/Clean/RELEASE/BoringSSL", Version(1, 40, 0)),
        ("envoy  version: f1dd2/1.34.12-dev/Modified/DEBUG/BoringSSL", Version(1, 34, 12)),
        ("v1.38.4", Version(1, 38, 4)),
        ("1.38", None),
        ("1.38.4.5", None),
        ("envoy", None),
        ("", None),
    ],
)
def test_version_is_read_or_not(text: str, expected: Version | None):
    assert parse_version(text) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param({"major_number": 1, "minor_number": 38, "patch": 4}, (PROC,), id="numbers"),
        pytest.param({"majorNumber": 1, "minorNumber": 40}, (), id="a patch of 0 is not written"),
        pytest.param({"major_number": "1", "minor_number": "38", "patch": "4"}, (PROC,), id="texts"),
        pytest.param({"major_number": 1.5}, (), id="not a number of a release"),
    ],
)
def test_version_of_a_bootstrap(written: dict[str, object], expected: set[str]):
    node = json.dumps({"user_agent_build_version": {"version": written}})
    report = check_file(f"node: {node}\n{SOUND}")
    assert {finding.id for finding in report.findings} == set(expected)


def test_program_that_is_no_envoy_is_misuse(tmp_path: Path):
    silent = tmp_path / "silent"
    silent.write_text("#!/bin/sh\n")
    silent.chmod(0o755)
    assert isinstance(ask_version(silent), Unusable)
    told = CliRunner().invoke(app, ["envoy-config", "--check", str(HERE / "sound.yaml"), "--envoy", str(tmp_path)])
    assert (told.exit_code, told.stdout, told.stderr.count("\n")) == (2, "", 1)


def test_version_of_the_binary_is_checked(tmp_path: Path):
    old = tmp_path / "envoy"
    old.write_text("#!/bin/sh\necho 'envoy  version: 0/1.38.4/Clean/RELEASE/BoringSSL'\n")
    old.chmod(0o755)
    told = CliRunner().invoke(app, ["envoy-config", "--check", str(HERE / "sound.yaml"), "--envoy", str(old)])
    assert (told.exit_code, "version-proc" in told.stdout, "version-authz" in told.stdout) == (1, True, False)


@pytest.mark.envoy
def test_envoy_that_the_tests_run_says_its_version():
    binary = find_binary()
    assert isinstance(binary, Path)
    assert ask_version(binary) == Version(1, 40, 0)
