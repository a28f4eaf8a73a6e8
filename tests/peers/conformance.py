"""`make conformance`: the official suite against a server directly and through Envoy with agen-authz in front.

No check may have a worse result through us, also in the scenarios that are not scored (Tasks), and no request may
be denied by a defect of ours.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
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
_DEFECT = "internal_error"


class Verdict(StrEnum):
    """What one scenario came to."""

    PASSED = "passed"
    FAILED = "failed"
    EMPTY = "no check"


# What the suite said of each check; a check that runs more than once has its worst.
Checks: TypeAlias = Mapping[str, str]
Outcome: TypeAlias = Mapping[str, Checks]
Server: TypeAlias = Callable[[Path], AbstractContextManager[TcpAddress]]
_WORST_FIRST = ("FAILURE", "WARNING", "SKIPPED", "INFO", "SUCCESS")


@dataclass(frozen=True, slots=True)
class Run:
    """One revision, both ways."""

    revision: str
    direct: Outcome
    through: Outcome


@dataclass(frozen=True, slots=True)
class Ways:
    """The URLs that lead to the server, and the file with the events of those who came through us."""

    direct: str
    through: str
    audit_file: Path


def verdict(checks: Checks) -> Verdict:
    """Judge a scenario as the suite does: one failure fails it."""
    if "FAILURE" in checks.values():
        return Verdict.FAILED
    return Verdict.PASSED if "SUCCESS" in checks.values() else Verdict.EMPTY


def differences(run: Run) -> list[str]:
    """List the checks that have a worse result through us; those that are not scored count too."""
    # What only we pass is that an unknown task is answered as one, by a server without tasks too.
    return [
        f"{run.revision} {name}: `{check}` is {found} through us, {status} directly"
        for name, checks in run.direct.items()
        for check, status in checks.items()
        if (found := run.through.get(name, {}).get(check, "missing")) not in {status, "SUCCESS"}
    ]


def defects(audit_file: Path) -> list[str]:
    """List the requests that a defect of ours denied: a suite that expects an error may take that for it."""
    events = (json.loads(line) for line in audit_file.read_text("utf-8").splitlines())
    return [f"a defect denied request {each['request_id']}" for each in events if each["reason"] == _DEFECT]


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
def running_both(folder: Path, server: Server = running_server) -> Iterator[Ways]:
    """Run the server, the provider, the sidecar and Envoy; yield what leads there directly and through us."""
    with ExitStack() as stack:
        backend = stack.enter_context(server(folder))
        provider = stack.enter_context(running_provider(folder))
        plan = plan_gate(provider.issuer, backend)
        gate = stack.enter_context(running_gate(folder, plan, provider.issue(plan.url)))
        yield Ways(f"http://localhost:{backend.port}/mcp", gate.url, gate.audit_file)


def run_both(folder: Path, revision: str, ways: Ways) -> Run:
    """Run one revision both ways."""
    return Run(
        revision,
        run_suite(ways.direct, revision, folder / f"direct-{revision}"),
        run_suite(ways.through, revision, folder / f"through-{revision}"),
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
    with running_both(folder) as ways:
        runs = [run_both(folder, revision, ways) for revision in REVISIONS]
    for run in runs:
        sys.stdout.write(f"{show(run)}\n\n")
    found = [line for run in runs for line in differences(run)] + defects(ways.audit_file)
    sys.stdout.write("\n".join(found or ["no check has a worse result through agen-authz than directly"]) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
