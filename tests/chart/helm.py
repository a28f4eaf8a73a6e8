"""Runs helm (tools/install-helm) on the chart."""

import os
import subprocess
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
CHART = ROOT / "helm" / "agen-authz"
VALUES = ROOT / "tests" / "chart" / "values"
TOOLS = ROOT / "build" / "helm"
MODES = ("deployment", "sidecar", "envoy-gateway", "istio")
RELEASE, NAMESPACE = "agen-authz", "mcp"
TIMEOUT_S = 60


class Ran:
    """What one run of helm ended with."""

    def __init__(self, done: "subprocess.CompletedProcess[str]") -> None:
        self.code = done.returncode
        self.output = done.stdout
        self.said = done.stderr

    @cached_property
    def manifests(self) -> list[dict[str, Any]]:
        """What was rendered; a run that failed has nothing."""
        assert self.code == 0, self.said
        return [each for each in yaml.safe_load_all(self.output) if each]

    def find(self, kind: str, name: str = RELEASE) -> dict[str, Any]:
        """Find the manifest of a kind."""
        (found,) = (each for each in self.manifests if (each["kind"], each["metadata"]["name"]) == (kind, name))
        return found

    def kinds(self) -> set[str]:
        """Give the kinds that were rendered."""
        return {each["kind"] for each in self.manifests}

    def config(self) -> str:
        """Give the configuration that agen-authz reads."""
        text = self.find("ConfigMap")["data"]["agen.yaml"]
        assert isinstance(text, str)
        return text


def run_helm(words: Sequence[str], state: Path, kubeconfig: Path | None = None) -> Ran:
    """Run helm with everything that it writes below `state`."""
    binary = TOOLS / "bin" / "helm"
    assert binary.exists(), "helm is not installed: run tools/install-helm"
    folders = {f"HELM_{each}_HOME": str(state / each.lower()) for each in ("CACHE", "CONFIG", "DATA")}
    environment = {
        "PATH": os.defpath,
        "HOME": str(state),
        "KUBECONFIG": str(kubeconfig or os.devnull),
    } | folders
    done = subprocess.run(
        [str(binary), *words], capture_output=True, text=True, timeout=TIMEOUT_S, check=False, env=environment
    )
    return Ran(done)


def list_values(mode: str, more: Sequence[str] = (), bootstrap: Path | None = None) -> list[str]:
    """List the options of one mode; `more` are further files, which the mode's own file comes after."""
    files = [VALUES / "config.yaml", *(VALUES / f"{name}.yaml" for name in more), VALUES / f"{mode}.yaml"]
    words = [word for file in files for word in ("-f", str(file))]
    return [*words, *(["--set-file", f"sidecar.envoy.bootstrap={bootstrap}"] if mode == "sidecar" else [])]
