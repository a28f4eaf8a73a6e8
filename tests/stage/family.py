"""The processes of a sidecar: who they are, by the names that `ps` shows, and whether any is left."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path


def list_children(pid: int) -> list[int]:
    """List the children of a process, the oldest first."""
    tasks = Path(f"/proc/{pid}/task")
    return [int(child) for task in sorted(tasks.iterdir()) for child in (task / "children").read_text().split()]


def list_family(pid: int) -> list[int]:
    """List a process and all below it."""
    return [pid, *(below for child in list_children(pid) for below in list_family(child))]


def find_worker(supervisor: int, name: str) -> int | None:
    """Find a worker by its name; None if it is not there just now."""
    for pid in list_family(supervisor)[1:]:
        try:
            if Path(f"/proc/{pid}/comm").read_text() == f"agen-{name}\n" and is_alive(pid):
                return pid
        except (FileNotFoundError, ProcessLookupError):
            continue
    return None


def is_alive(pid: int) -> bool:
    """True if a process runs; one that has ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def are_gone(family: Sequence[int]) -> bool:
    """True if none of these processes runs."""
    return not any(map(is_alive, family))


def kill_worker(supervisor: int, name: str, number: signal.Signals = signal.SIGKILL) -> int:
    """Send a signal to a worker that is there; return its id."""
    pid = find_worker(supervisor, name)
    assert pid is not None, f"there is no worker `{name}`"
    os.kill(pid, number)
    return pid
