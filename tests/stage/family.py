"""The processes of a sidecar: who they are, by the names that `ps` shows, and whether any is left."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path

# A process or a thread may end between two looks at it.
_GONE = (FileNotFoundError, ProcessLookupError)


def list_children(pid: int) -> list[int]:
    """List the children of a process, the oldest first; a process that has ended has none."""
    try:
        tasks = sorted(Path(f"/proc/{pid}/task").iterdir())
    except _GONE:
        return []
    return [int(child) for task in tasks for child in _read(task / "children").split()]


def list_family(pid: int) -> list[int]:
    """List a process and all below it."""
    return [pid, *(below for child in list_children(pid) for below in list_family(child))]


def find_worker(supervisor: int, name: str) -> int | None:
    """Find a worker by its name; None if it is not there just now."""
    for pid in list_family(supervisor)[1:]:
        if _read(Path(f"/proc/{pid}/comm")) == f"agen-{name}\n" and is_alive(pid):
            return pid
    return None


def is_alive(pid: int) -> bool:
    """True if a process runs; one that has ended and that nobody has waited for does not."""
    return _read(Path(f"/proc/{pid}/stat")).rpartition(") ")[2][:1] not in ("", "Z", "X")


def _read(file: Path) -> str:
    """Read a file of a process; empty if it has ended."""
    try:
        return file.read_text()
    except _GONE:
        return ""


def are_gone(family: Sequence[int]) -> bool:
    """True if none of these processes runs."""
    return not any(map(is_alive, family))


def kill_worker(supervisor: int, name: str, number: signal.Signals = signal.SIGKILL) -> int:
    """Send a signal to a worker that is there; return its id."""
    pid = find_worker(supervisor, name)
    assert pid is not None, f"there is no worker `{name}`"
    os.kill(pid, number)
    return pid
