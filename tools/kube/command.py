"""Runs helm, kubectl and other commands against the API server of the test."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tools.kube.server import Api

ROOT = Path(__file__).resolve().parent.parent.parent
CHART = ROOT / "helm" / "agen-authz"
_TOOLS = ROOT / "build" / "helm" / "bin"
_MOST_S = 180

Done = subprocess.CompletedProcess[str]


def run(
    words: Sequence[str], api: Api | None = None, given: str | None = None, more: Mapping[str, str] | None = None
) -> Done:
    """Run a command to its end, with nothing of our environment.

    Args:
        given: its standard input.
        more: environment variables.
    """
    known = {} if api is None else {"KUBECONFIG": str(api.kubeconfig), "HOME": str(api.kubeconfig.parent)}
    environment = {"PATH": os.defpath, **known, **(more or {})}
    return subprocess.run(
        words, input=given, capture_output=True, text=True, check=False, timeout=_MOST_S, env=environment, cwd=ROOT
    )


def run_helm(api: Api, *words: str) -> Done:
    """Run helm; how it ended is the caller's to judge."""
    return run([str(_TOOLS / "helm"), *words], api)


def kubectl(api: Api, *words: str, given: str | None = None) -> str:
    """Run kubectl, and end the test if it fails."""
    done = run([str(_TOOLS / "kubectl"), *words], api, given)
    if done.returncode:
        raise SystemExit(f"kube-test: kubectl {words[0]}: {done.stderr}")
    return done.stdout


def apply(api: Api, *manifests: Mapping[str, Any]) -> None:
    """Apply manifests."""
    text = yaml.safe_dump_all(manifests, sort_keys=False)
    kubectl(api, "apply", "--server-side", "--force-conflicts", "-f", "-", given=text)


def make_namespace(api: Api, name: str) -> None:
    """Make a namespace whose pods must fit Pod Security `restricted`, with its ServiceAccount."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    api.create("/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    account = {"kind": "ServiceAccount", "metadata": {"name": "default"}}
    api.create(f"/api/v1/namespaces/{name}/serviceaccounts", account)
