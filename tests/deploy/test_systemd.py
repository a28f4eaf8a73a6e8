"""deploy/systemd: the unit says what it should, and systemd agrees on how little it exposes."""

import re
import shutil
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
UNIT = ROOT / "deploy" / "systemd" / "agen-authz.service"
EXPOSURE_AT_MOST = 2.0
ANALYZE = "systemd-analyze"


def read_unit() -> dict[str, list[str]]:
    settings: dict[str, list[str]] = defaultdict(list)
    for line in UNIT.read_text("utf-8").splitlines():
        name, mark, value = line.partition("=")
        if mark and not line.startswith("#"):
            settings[name].append(value)
    return settings


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    assert shutil.which(ANALYZE), "systemd-analyze is needed: apt-get install systemd, or tools/install-test-services"
    return subprocess.run([ANALYZE, *words], check=False, capture_output=True, text=True)


def test_unit_has_a_user_of_its_own_and_keeps_its_state_where_the_store_is_by_default():
    unit = read_unit()
    assert (unit["DynamicUser"], unit["StateDirectory"], unit["StateDirectoryMode"]) == (["yes"], ["agen"], ["0700"])


def test_configuration_is_checked_before_the_start_and_read_again_on_reload():
    unit = read_unit()
    command = "/opt/agen/bin/agen-authz"
    assert unit["ExecStartPre"] == [f"{command} check-config /etc/agen/agen.yaml"]
    assert unit["ExecStart"] == [f"{command} serve --config /etc/agen/agen.yaml"]
    assert unit["ExecReload"] == ["/bin/sh -c 'kill -HUP $MAINPID'"]


@pytest.mark.services
def test_exposure_is_low_as_systemd_counts_it():
    told = analyze("security", "--offline=yes", "--no-pager", str(UNIT))
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told.stdout)
    assert found is not None, told.stderr
    assert float(found[1]) <= EXPOSURE_AT_MOST, told.stdout


@pytest.mark.services
def test_systemd_knows_every_setting_of_the_unit(tmp_path):
    # It also looks for the commands: here they are ones that every machine has.
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text("utf-8").replace("/opt/agen/bin/agen-authz", "/bin/true"), "utf-8")
    told = analyze("verify", "--man=no", str(unit))
    assert (told.returncode, told.stderr) == (0, "")
