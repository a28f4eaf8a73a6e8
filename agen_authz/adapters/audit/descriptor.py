"""A file descriptor that is written to without ever waiting for its reader.

A flag set on standard output would be set for every process that shares it. So a pipe and a terminal are opened once
more, as
our own open files that never block; a socket is asked with each write not to; a file needs neither, for a disk that is
full says so. Only a pipe that may not be opened again is asked first whether it takes bytes, and then given no more
than that is a promise for.
"""

import errno
import fcntl
import os
import select
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

# What a pipe takes at once or not at all (POSIX, `write`).
ATOMIC_BYTES = select.PIPE_BUF
_PIPE_BYTES = 1024 * 1024
_NULL = os.makedev(1, 3)
_REOPENED = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def _leave_open() -> None:
    """Leave what others opened as it is."""


@dataclass(frozen=True, slots=True)
class Outlet:
    """Where bytes go.

    Args:
        descriptor: what becomes writable when there is room again.
        may_fill: its reader can be slow; else it takes everything, or fails.
        write: writes what there is room for, and returns how much that was; BlockingIOError if there is no room,
            another OSError if there never will be.
        close: lets go of what was opened for it.
    """

    descriptor: int
    may_fill: bool
    write: Callable[[bytes], int]
    close: Callable[[], None] = _leave_open


def open_outlet(descriptor: int) -> Outlet:
    """Find the way to write to a descriptor that never waits; a descriptor that has none fails with each write."""
    try:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) or status.st_rdev == _NULL:
            return _plain(descriptor, may_fill=False)
        if stat.S_ISSOCK(status.st_mode):
            return _open_socket(descriptor)
    except OSError:
        return _plain(descriptor, may_fill=False)
    is_pipe = stat.S_ISFIFO(status.st_mode)
    if is_pipe:
        # More than a moment's events: needs no privilege up to `pipe-max-size`, and is not vital.
        with suppress(OSError):
            if fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ) < _PIPE_BYTES:
                fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    try:
        opened = os.open(f"/proc/self/fd/{descriptor}", _REOPENED)
    except OSError:
        # Another user's, or no /proc.
        return _ask_first(descriptor) if is_pipe else _refuse(descriptor)
    return _plain(opened, may_fill=True, close=partial(os.close, opened))


def _plain(descriptor: int, *, may_fill: bool, close: Callable[[], None] = _leave_open) -> Outlet:
    def write(pending: bytes) -> int:
        return os.write(descriptor, pending)

    return Outlet(descriptor, may_fill, write, close)


def _open_socket(descriptor: int) -> Outlet:
    opened = socket.socket(fileno=os.dup(descriptor))

    def write(pending: bytes) -> int:
        return opened.send(pending, socket.MSG_DONTWAIT)

    return Outlet(opened.fileno(), True, write, opened.close)


def _ask_first(descriptor: int) -> Outlet:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)

    def write(pending: bytes) -> int:
        ready = poll.poll(0)
        if not ready or not ready[0][1] & select.POLLOUT:
            raise BlockingIOError("the reader does not keep up")
        # "Ready" is a promise for this many bytes only: the pipe blocks, and more would wait for the reader.
        return os.write(descriptor, pending[:ATOMIC_BYTES])

    return Outlet(descriptor, True, write)


def _refuse(descriptor: int) -> Outlet:
    # A terminal of another user, say: "ready" does not promise room for a single byte there.
    def write(_pending: bytes) -> int:
        raise OSError(errno.EACCES, "cannot be opened for writes that do not wait")

    return Outlet(descriptor, False, write)
