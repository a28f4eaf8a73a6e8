"""Processes that tests and benchmarks start: ready on entry, ended on exit, and their last lines if they fail."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# Bounds, not goals: a machine that is busy makes a test slow, and no test red.
START_S = 120.0
STOP_S = 30.0
# Of anything else that a test waits for, and that comes at once if all is well.
BOUND_S = 120.0
_POLL_S = 0.02
_TAIL_LINES = 30

Process = subprocess.Popen[bytes]


def tail(log: Path) -> str:
    """Read the last lines of a log."""
    lines = log.read_text("utf-8", "replace").splitlines() if log.is_file() else []
    return "\n".join(lines[-_TAIL_LINES:]) or "(its log is empty)"


def await_true(process: Process, name: str, is_so: Callable[[], bool], log: Path) -> None:
    """Wait for something that a process brings about.

    Raises:
        AssertionError: the process ended, or it took too long; with the last lines of its log.
    """
    deadline = time.monotonic() + START_S
    while not is_so():
        assert process.poll() is None, f"{name} ended with code {process.returncode}:\n{tail(log)}"
        assert time.monotonic() < deadline, f"{name} is not ready after {START_S:g} s:\n{tail(log)}"
        time.sleep(_POLL_S)


def end(process: Process) -> None:
    """End a process: politely, then at once; safe to repeat."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def running(
    command: list[str], log: Path, is_ready: Callable[[], bool], out: Path | None = None, **options: Any
) -> Iterator[Process]:
    """Run a command with all its output in a file, or its standard output in `out`; `options` are those of Popen."""
    with log.open("ab") as errors, (out or log).open("ab") as printed:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=printed, stderr=errors, **options)
    try:
        await_true(process, f"{Path(command[0]).name} ({log.name})", is_ready, log)
        yield process
    finally:
        end(process)


def is_answering(url: str) -> bool:
    """True if a GET is answered with 200; no client is made, which takes longer than the answer."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=1.0)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
