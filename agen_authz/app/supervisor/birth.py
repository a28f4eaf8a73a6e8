"""Child processes without `exec`: what they have in common, and what is loaded before the first of them.

A fork copies one thread only, so the parent must have one, and no event loop.
"""

import ctypes
import importlib
import os
import signal
import sys
from collections.abc import Callable, Iterable

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15
# They come from a terminal or a service manager for the whole group; children end when the supervisor says so.
_FOR_THE_SUPERVISOR = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What libraries load when they are first used. Loaded before the fork, its memory is shared by all processes.
_LATE = (
    "anyio._backends._asyncio",
    "certifi",
    "httpcore",
)


def preload(more: Iterable[str]) -> None:
    """Load what every process needs sooner or later, and `more`."""
    for name in (*_LATE, *more):
        importlib.import_module(name)


def fork_child(name: str, run: Callable[[], int]) -> int:
    """Fork a child that does one thing and ends with the exit code that it returns; return its id.

    It ends with its parent, whatever it is doing. `ps` and `top` show it as `agen-NAME`, 15 characters of it.

    Raises:
        OSError: there is no room for another process.
    """
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        _run_child(parent, name, run)
    return pid


def _run_child(parent: int, name: str, run: Callable[[], int]) -> None:
    """Be a child process until the end; what the parent was doing is not gone on with."""
    code = 1
    try:
        for number in _FOR_THE_SUPERVISOR:
            signal.signal(number, signal.SIG_IGN)
        _introduce(name)
        _die_with(parent)
        code = run()
    except BaseException:  # noqa: BLE001 the top of a process: it is written down, and nothing runs after it
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _introduce(name: str) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, f"agen-{name}".encode(), 0, 0, 0)


def _die_with(parent: int) -> None:
    """Have the kernel end this process as soon as its parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        # It ended before the kernel was asked.
        os._exit(1)
