"""What both control planes are asked: did it come true, did Envoy take it, and what does `envoy-config --check` say."""

import json
import sys
import time
from collections.abc import Callable, Collection
from pathlib import Path

import httpx

from tools.kube.command import run
from tools.kube.dump import Json
from tools.kube.guarded import write_config
from tools.kube.server import Api

_MOST_S, _POLL_S = 60.0, 0.3


def await_none(list_problems: Callable[[], list[str]]) -> list[str]:
    """Wait until there is no problem; return what is left."""
    deadline = time.monotonic() + _MOST_S
    while (problems := list_problems()) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    return problems


def list_rejected(admin: str) -> list[str]:
    """List the kinds of configuration that Envoy refused to take from its control plane."""
    text = httpx.get(f"http://{admin}/stats?filter=update_rejected", trust_env=False).raise_for_status().text
    return [f"Envoy refused what it was sent: {line}" for line in text.splitlines() if not line.endswith(": 0")]


def list_findings(api: Api, folder: Path, dump: Json, known: Collection[str] = ()) -> list[str]:
    """List what `envoy-config --check` finds; `known` are the findings that docs/kubernetes.md says are left."""
    file = folder / "dump.json"
    file.write_text(json.dumps(dump), "utf-8")
    config = write_config(api, folder)
    words = [
        sys.executable,
        "-m",
        "agen_authz",
        "envoy-config",
        "--check",
        str(file),
        "--config",
        str(config),
        "--json",
    ]
    done = run(words)
    if not done.stdout:
        return [f"--check: {done.stderr}"]
    findings = json.loads(done.stdout)["findings"]
    problems = [f"--check: {each['id']}: {each['place']}" for each in findings if each["id"] not in known]
    gone = set(known) - {each["id"] for each in findings}
    return problems + [f"--check no longer finds `{each}`: docs/kubernetes.md says that it does" for each in gone]
