"""Files that are complete: closed by the process that wrote them, and not changed since the last look.

A file that is written in place is readable all the while: what is there so far may be valid and say less than the
whole file. Every file that the sidecar reads again while it runs is looked at here first.
"""

import fcntl
import os
import signal
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

# Looks in a row that must find a file unchanged if the kernel does not say whether it is open for writing.
_UNSURE_LOOKS = 5


@dataclass(frozen=True, slots=True)
class Stamp:
    """What changes when a file is written or replaced; times are nanoseconds since 1970."""

    inode: int
    size: int
    modified_ns: int
    changed_ns: int


def stamp(path: Path) -> Stamp | None:
    """Look at a file; None if it cannot be found."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return Stamp(found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def is_open_for_writing(path: Path) -> bool | None:
    """Ask the kernel whether any process has the file open for writing; None if it does not say.

    A read lease is granted only while no process has the file open for writing (fcntl(2), F_SETLEASE), and only to
    the file's owner or to
    a process with CAP_LEASE. It is given back at once: a process that opens the file meanwhile waits that long.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError):
        return None
    try:
        # The kernel signals a broken lease with SIGIO, which would end this process; SIGURG is ignored by default.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return False


class Settling:
    """Files that have changed, looked at again and again until they are whole.

    Args:
        ask: `is_open_for_writing`.
    """

    def __init__(self, ask: Callable[[Path], bool | None]) -> None:
        self._ask = ask
        self._last: Mapping[str, Stamp | None] | None = None
        self._same = 0
        self.busy: tuple[str, ...] = ()

    def is_whole(self, look: Mapping[str, Stamp | None], changed: Iterable[str]) -> bool:
        """Take one more look; True if the files are whole. `busy` then names those that are still being written.

        Args:
            look: the stamp of every file now.
            changed: the files that are not as they were when they were read.
        """
        self._same = self._same + 1 if look == self._last else 0
        self._last = look
        asked = {name: self._ask(Path(name)) for name in changed if look[name] is not None}
        self.busy = tuple(name for name, is_open in asked.items() if is_open)
        if self.busy:
            return False
        needed = _UNSURE_LOOKS if None in asked.values() else 1
        return self._same >= needed
