"""The nursery: a process that does nothing but fork workers, and reports how they ended (ADR 0025).

It is forked from the supervisor before the first thread, event loop or gRPC server exists, with everything imported:
so its children are sound, start at once, and share the memory of the libraries. A fork of the supervisor itself could
inherit a lock that another thread held.

No process outlives its parent: the kernel kills the nursery with the supervisor, and the workers with the nursery
(PR_SET_PDEATHSIG in prctl(2)), even one that hangs.
"""

import os
import selectors
import signal
import socket
from collections.abc import Callable
from typing import TypeAlias

import msgspec
from msgspec import Struct

from agen_authz.app.supervisor.birth import fork_child

_MAX_BYTES = 4096


class Start(Struct, frozen=True, tag=True):
    """Fork a worker; its end of the control channel comes with the message."""

    number: int
    name: str


class Kill(Struct, frozen=True, tag=True):
    """End a worker at once."""

    number: int


class Ended(Struct, frozen=True, tag=True):
    """How a worker ended: its exit code, or the signal as a negative number."""

    number: int
    code: int


Order: TypeAlias = Start | Kill
Work: TypeAlias = Callable[[str, socket.socket], int]
"""What a worker does, given its name and its end of the control channel; returns its exit code."""

_ORDERS = msgspec.msgpack.Decoder(Order)
# Reported as the exit code of a worker that could not be forked (EX_OSERR in sysexits.h).
_NOT_FORKED = 71


def fork_nursery(work: Work) -> socket.socket:
    """Fork the nursery, and return the supervisor's end of the socket to it.

    The caller must have one thread and no event loop.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def run() -> int:
        ours.close()
        return _Nursery(theirs, work).run()

    fork_child("nursery", run)
    theirs.close()
    return ours


class _Nursery:
    def __init__(self, link: socket.socket, work: Work) -> None:
        self._link = link
        self._work = work
        self._children: dict[int, int] = {}
        self._woken, self._waker = os.pipe()
        self._selector = selectors.DefaultSelector()

    def run(self) -> int:
        """Fork, kill and report until the supervisor is gone."""
        for end in (self._woken, self._waker):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for watched in (self._link.fileno(), self._woken):
            self._selector.register(watched, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in self._selector.select()}
            if self._woken in ready:
                os.read(self._woken, _MAX_BYTES)
                self._reap()
            if self._link.fileno() in ready and not self._obey():
                return 0

    def _obey(self) -> bool:
        """Carry out one order; False once the supervisor is gone."""
        raw, passed, _, _ = socket.recv_fds(self._link, _MAX_BYTES, 1)
        if not raw:
            return False
        order: Order = _ORDERS.decode(raw)
        match order:
            case Start(number, name):
                self._fork(number, name, socket.socket(fileno=passed[0]))
            case Kill(number):
                for pid in (pid for pid, born in self._children.items() if born == number):
                    # INVARIANT: it was not waited for yet, so no other process has its id.
                    os.kill(pid, signal.SIGKILL)
        return True

    def _fork(self, number: int, name: str, control: socket.socket) -> None:
        def run() -> int:
            self._let_go()
            return self._work(name, control)

        with control:
            try:
                self._children[fork_child(name, run)] = number
            except OSError:
                self._report(Ended(number, _NOT_FORKED))

    def _let_go(self) -> None:
        """In a worker: nothing of the nursery is left."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        self._link.close()
        for end in (self._woken, self._waker):
            os.close(end)

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._report(Ended(self._children.pop(pid), os.waitstatus_to_exitcode(status)))

    def _report(self, ended: Ended) -> None:
        try:
            self._link.send(msgspec.msgpack.encode(ended))
        except OSError:
            # The supervisor is gone, which the next look at the link shows.
            return
