"""The supervisor's side of the nursery: orders go out, and each worker's end is a future."""

import asyncio
import socket
from typing import Protocol

import msgspec

from agen_authz.app.supervisor.nursery import Ended, Kill, Order, Start

_MAX_BYTES = 4096
_ENDED = msgspec.msgpack.Decoder(Ended)


class NurseryLost(Exception):
    """The nursery ended: no worker can be started any more."""

    def __str__(self) -> str:
        return "the process that starts workers has ended"


class Nursery(Protocol):
    """Starts and ends workers."""

    def start(self, name: str, control: socket.socket) -> tuple[int, "asyncio.Future[int]"]:
        """Start a worker; return its number, and its exit code once it has ended (NurseryLost if that cannot be known).

        Its end of the control channel is closed here.
        """

    def kill(self, number: int) -> None:
        """End a worker at once; nothing happens if it has ended."""


class NurseryLink:
    """`Nursery` at the other end of a socket; belongs to one event loop."""

    def __init__(self, link: socket.socket) -> None:
        link.setblocking(False)
        self._link = link
        self._ends: dict[int, asyncio.Future[int]] = {}
        self._count = 0
        self._is_lost = False
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(link.fileno(), self._read)

    def start(self, name: str, control: socket.socket) -> tuple[int, "asyncio.Future[int]"]:
        """Start a worker; `Nursery.start`."""
        self._count += 1
        ended = self._ends[self._count] = self._loop.create_future()
        with control:
            self._send(Start(self._count, name), control.fileno())
        return self._count, ended

    def kill(self, number: int) -> None:
        """End a worker; `Nursery.kill`."""
        if number in self._ends:
            self._send(Kill(number))

    def close(self) -> None:
        """Let the nursery end."""
        self._loop.remove_reader(self._link.fileno())
        self._link.close()

    def _send(self, order: Order, *passed: int) -> None:
        if self._is_lost:
            self._lose()
            return
        try:
            socket.send_fds(self._link, [msgspec.msgpack.encode(order)], passed)
        except OSError:
            # Gone, or it takes no orders any more, which is the same.
            self._lose()

    def _read(self) -> None:
        try:
            raw = self._link.recv(_MAX_BYTES)
        except BlockingIOError:
            return
        except OSError:
            raw = b""
        if not raw:
            self._lose()
            return
        ended = _ENDED.decode(raw)
        future = self._ends.pop(ended.number, None)
        if future is not None and not future.done():
            future.set_result(ended.code)

    def _lose(self) -> None:
        if not self._is_lost:
            self._loop.remove_reader(self._link.fileno())
            self._is_lost = True
        for future in self._ends.values():
            if not future.done():
                future.set_exception(NurseryLost())
        self._ends.clear()
