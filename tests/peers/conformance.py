"""`make conformance`: the official suite against a server directly and through Envoy with agen-authz in front.

No scenario that passes directly may fail through us, and no check of it may be missing.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from agen_authz.envoy.model import TcpAddress
from tests.peers.gate import plan_gate, running_gate
from tests.peers.installed import INSTALLED, ROOT, SUITE, node_command, running_peer
from tests.peers.provider import running_provider

REVISIONS = ("2026-07-28", "2025-11-25")
_SUITE_S = 80.0
_FOLDER_PREFIX = "server-"


class Verdict(StrEnum):
    """What one scenario came to."""

    PASSED = "passed"
    FAILED = "failed"
    EMPTY = "no check"


# What the suite said of each check; a check that runs more than once has its worst.
Checks: TypeAlias = Mapping[str, str]
Outcome: TypeAlias = Mapping[str, Checks]
_WORST_FIRST = ("FAILURE", "WARNING", "SKIPPED", "INFO", "SUCCESS")


@dataclass(frozen=True, slots=True)
class Run:
    """One revision, both ways."""

    revision: str
    direct: Outcome
    through: Outcome


def verdict(checks: Checks) -> Verdict:
    """Judge a scenario as the suite does: one failure fails it."""
    if "FAILURE" in checks.values():
        return Verdict.FAILED
    return Verdict.PASSED if "SUCCESS" in checks.values() else Verdict.EMPTY


def differences(run: Run) -> list[str]:
    """List what passes directly and not through us."""
    passing = {name: checks for name, checks in run.direct.items() if verdict(checks) is Verdict.PASSED}
    return [
        f"{run.revision} {name}: `{check}` is {run.through.get(name, {}).get(check, 'missing')} through us"
        for name, checks in passing.items()
        for check, status in checks.items()
        if status == "SUCCESS" and run.through.get(name, {}).get(check) != "SUCCESS"
    ]


def read_outcome(folder: Path) -> Outcome:
    """Read what the suite wrote: a folder for each scenario, named after it and the time."""
    outcome: dict[str, Checks] = {}
    for file in sorted(folder.glob("*/checks.json")):
        # server-NAME-2026-11-23T17-18-57-602Z
        name = file.parent.name.removeprefix(_FOLDER_PREFIX).rsplit("-", 6)[0]
        outcome[name] = _read_checks(file)
    assert outcome, f"the suite wrote no checks into `{folder}`"
    return outcome


def _read_checks(file: Path) -> Checks:
    checks: dict[str, str] = {}
    for check in json.loads(file.read_text("utf-8")):
        known = checks.get(check["id"], _WORST_FIRST[-1])
        checks[check["id"]] = min(known, check["status"], key=_WORST_FIRST.index)
    return checks


def run_suite(url: str, revision: str, folder: Path) -> Outcome:
    """Run the suite against one URL."""
    command = node_command(SUITE, "server", "--url", url, "--requirements", revision, "-o", str(folder))
    # It exits 1 when a scenario fails; what failed stands in its files.
    done = subprocess.run(command, cwd=INSTALLED, capture_output=True, timeout=_SUITE_S, check=False)
    folder.mkdir(exist_ok=True)
    (folder / "suite.log").write_bytes(done.stdout + done.stderr)
    return read_outcome(folder)


@contextmanager
def running_server(folder: Path) -> Iterator[TcpAddress]:
    """Run the everything server as a process; yield where it listens."""
    out = folder / "everything.out"
    with running_peer([sys.executable, "-m", "tests.peers.everything"], out):
        yield TcpAddress("127.0.0.1", int(out.read_text("utf-8").rpartition(":")[2]))


@contextmanager
def running_both(folder: Path) -> Iterator[tuple[str, str]]:
    """Run the server, the provider, the sidecar and Envoy; yield the URLs that lead there directly and through us."""
    with ExitStack() as stack:
        backend = stack.enter_context(running_server(folder))
        provider = stack.enter_context(running_provider(folder))
        plan = plan_gate(provider.issuer, backend)
        gate = stack.enter_context(running_gate(folder, plan, provider.issue(plan.url)))
        yield f"http://localhost:{backend.port}/mcp", gate.url


def run_both(folder: Path, revision: str, urls: tuple[str, str]) -> Run:
    """Run one revision both ways."""
    direct, through = urls
    return Run(
        revision,
        run_suite(direct, revision, folder / f"direct-{revision}"),
        run_suite(through, revision, folder / f"through-{revision}"),
    )


def show(run: Run) -> str:
    """Write both results down, side by side."""
    width = max(map(len, run.direct))
    rows = [f"{run.revision:<{width}}  directly      through agen-authz"]
    for name, checks in run.direct.items():
        through = run.through.get(name, {})
        rows.append(f"{name:<{width}}  {_count(checks):<12}  {_count(through)}")
    return "\n".join(rows)


def _count(checks: Checks) -> str:
    passed = sum(status == "SUCCESS" for status in checks.values())
    failed = sum(status == "FAILURE" for status in checks.values())
    return f"{verdict(checks)} {passed}/{passed + failed}"


def main() -> int:
    """Run everything, print it, and say whether anything differs; results stay in build/conformance."""
    folder = ROOT / "build" / "conformance"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with running_both(folder) as urls:
        runs = [run_both(folder, revision, urls) for revision in REVISIONS]
    for run in runs:
        sys.stdout.write(f"{show(run)}\n\n")
    found = [line for run in runs for line in differences(run)]
    sys.stdout.write("\n".join(found or ["nothing that passes directly fails through agen-authz"]) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
