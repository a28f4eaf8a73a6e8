"""docs/kubernetes.md, followed as it is written: its files and its commands, but for those that need a cluster."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chart.helm import ROOT, TIMEOUT_S, TOOLS

pytestmark = pytest.mark.services
PAGE = (ROOT / "docs" / "kubernetes.md").read_text("utf-8")
SECTIONS = {name: text for name, _, text in (part.partition("\n") for part in PAGE.split("\n## "))}
FIRST = "Before any mode: the configuration and the image"
MODES = {
    "sidecar": "`sidecar`: in the pod of an MCP server",
    "envoyGateway": "`envoyGateway`: Envoy Gateway",
    "istio": "`istio`: Istio",
    "deployment": "`deployment`: your own Envoy",
}
BLOCK = re.compile(r"^```(yaml|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# A command with the lines that it continues on, and what the page shows of its output.
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)
FILES = {
    "version": "agen.yaml",
    "mode": "values.yaml",
    "tests": "tests.yaml",
    "policies": "people.yaml",
    "secrets": "console.yaml",
}
# They need a cluster, a registry, an index, or what a cluster answered.
ELSEWHERE = re.compile(r"kubectl|egctl|istioctl|make|podman|python3|helm test|agen-authz envoy-config --check")
OFF_WORD = re.compile(r"off-[0-9a-f]{16}")
# It renders what would be installed: without a cluster there is nothing to wait for.
HELM = """\
#!/bin/bash
shift
exec {helm} template "${{@/--wait/--debug=false}}"
"""


class Reader:
    """Someone with a checkout and a folder, who does what a section says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.word = ""
        self.done: list[str] = []

    def follow(self, section: str) -> None:
        for kind, text in BLOCK.findall(SECTIONS[section]):
            if kind == "yaml":
                self._write(text)
            else:
                for command, shown in COMMAND.findall(text):
                    self._run(command, shown)

    def _write(self, text: str) -> None:
        if name := FILES.get(text.partition(":")[0]):
            (self.folder / name).write_text(OFF_WORD.sub(self.word, text), "utf-8")

    def _run(self, command: str, shown: str) -> None:
        if ELSEWHERE.match(command):
            return
        told = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            check=False,
            cwd=self.folder,
            env={"PATH": f"{self.folder / 'bin'}:{os.defpath}", "HOME": str(self.folder)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
        )
        assert told.returncode == 0, (command, told.stdout)
        if word := OFF_WORD.fullmatch(told.stdout.strip()):
            self.word = word.group()
        else:
            assert told.stdout.startswith(shown), (command, told.stdout)
        self.done.append(command.split()[0])


@pytest.fixture(scope="module")
def begun(tmp_path_factory) -> Reader:
    reader = Reader(tmp_path_factory.mktemp("page"))
    (reader.folder / "helm").symlink_to(ROOT / "helm")
    binaries = reader.folder / "bin"
    binaries.mkdir()
    (binaries / "agen-authz").symlink_to(Path(sys.executable).parent / "agen-authz")
    (binaries / "helm").write_text(HELM.format(helm=TOOLS / "bin" / "helm"), "utf-8")
    (binaries / "helm").chmod(0o755)
    reader.follow(FIRST)
    return reader


@pytest.fixture
def reader(begun, tmp_path) -> Iterator[Reader]:
    folder = tmp_path / "page"
    shutil.copytree(begun.folder, folder, symlinks=True)
    own = Reader(folder)
    own.word = begun.word
    yield own


def test_page_takes_every_reader_to_a_checked_configuration_and_a_word(begun):
    assert begun.done == ["agen-authz", "(echo", "openssl", "(cat", "agen-authz"]
    assert begun.word and begun.word not in PAGE


@pytest.mark.parametrize("mode", MODES)
def test_page_takes_a_reader_through_a_mode(reader, mode):
    reader.follow(MODES[mode])
    assert {"helm", "agen-authz"} <= set(reader.done)
    assert (reader.folder / "values.yaml").read_text("utf-8").startswith(f"mode: {mode}\n")


def test_page_takes_a_reader_to_the_values_of_helm_test(reader):
    reader.follow(MODES["sidecar"])
    reader.done.clear()
    reader.follow("`helm test`")
    assert reader.done == ["helm"]


def test_page_takes_a_reader_to_a_console_behind_an_ingress(reader):
    reader.follow(MODES["sidecar"])
    reader.done.clear()
    reader.follow("The console of the approvers")
    assert reader.done == ["cat", "(echo", "openssl", "helm"]
    command = [reader.folder / "bin" / "agen-authz", "check-config", "agen.yaml", "--no-secrets"]
    told = subprocess.run(command, cwd=reader.folder, capture_output=True, text=True, check=False)
    assert (told.returncode, "agen.yaml: ok" in told.stdout) == (0, True), told.stdout + told.stderr
