"""A worker's life: it builds what it is for, serves, does what the supervisor says, and ends with the supervisor."""

import asyncio
import logging
import os
import socket
from collections.abc import Coroutine
from typing import Any, Protocol, assert_never

import uvloop
from prometheus_client import CollectorRegistry

from agen_authz.adapters.audit import HandedSink
from agen_authz.adapters.metrics import Family, PrometheusMetrics
from agen_authz.app import garbage
from agen_authz.app.control.channel import Channel, open_to_supervisor
from agen_authz.app.control.message import (
    Applied,
    Apply,
    Ask,
    Begin,
    Drain,
    Drained,
    End,
    Recall,
    Recalled,
    Serving,
    Status,
    ToSupervisor,
    ToWorker,
    Unstartable,
    Withdraw,
    Write,
    Written,
)
from agen_authz.app.logs import name_process
from agen_authz.app.supervisor.standing import Duty, read_name
from agen_authz.app.worker.check import assemble_check
from agen_authz.app.worker.console import assemble_console
from agen_authz.app.worker.process import assemble_process
from agen_authz.app.worker.recall import LastEvents
from agen_authz.app.worker.scribe import Scribe
from agen_authz.config import Loaded
from agen_authz.core.errors import ConfigError, Problem, Unavailable
from agen_authz.ports import AuditSink
from agen_authz.servers.ops import Readiness

_LOG = logging.getLogger(__name__)
_DONE, _FAILED = 0, 1
# How long a worker without a supervisor takes to let go of what it holds.
_ORPHANED_S = 5.0


class Worker(Protocol):
    """What runs in a worker."""

    @property
    def version(self) -> str:
        """Return the version of the configuration that is in effect."""

    @property
    def sink(self) -> AuditSink:
        """Return where its events go."""

    async def start(self) -> None:
        """Listen and serve.

        Raises:
            ConfigError: the address cannot be listened on.
        """

    async def apply(self, loaded: Loaded) -> None:
        """Let another configuration take effect.

        Raises:
            ConfigError: it cannot take effect.
            Unavailable: not now, and nothing has changed.
        """

    def check_readiness(self) -> Readiness:
        """Say how it is."""

    def collect(self) -> tuple[Family, ...]:
        """Read what it has counted."""

    async def drain(self, grace_s: float) -> None:
        """Take nothing new, and finish what is in flight in so many seconds."""

    async def close(self) -> None:
        """Let go of everything."""


def run_worker(name: str, control: socket.socket) -> int:
    """Be a worker until the supervisor says that it is over, or is gone; return the exit code."""
    name_process(name)
    return uvloop.run(live(name, control))


async def live(name: str, control: socket.socket) -> int:
    """Do what `run_worker` does, on the running event loop."""
    channel = await open_to_supervisor(control)
    first = await channel.receive()
    if not isinstance(first, Begin):
        return _FAILED
    shift = _Shift(name, channel)
    parts = [asyncio.create_task(part) for part in (shift.begin(first), shift.obey())]
    try:
        return await shift.over
    finally:
        for part in parts:
            part.cancel()
        await asyncio.gather(*parts, return_exceptions=True)
        await shift.close()


class _Shift:
    """From the first message to the end; `over` has the exit code."""

    def __init__(self, name: str, channel: "Channel[ToSupervisor, ToWorker]") -> None:
        self._name = name
        self._channel = channel
        self._worker: Worker | None = None
        self._scribe: Scribe | None = None
        self._handed: HandedSink | None = None
        self._last: LastEvents | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._ready = asyncio.Event()
        self.over: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def begin(self, begin: Begin) -> None:
        """Build, listen and serve."""
        try:
            # Not in a thread, which has its own memory: what was used to load it before the fork is free again.
            loaded = begin.config.load()
            self._worker = worker = await self._assemble(loaded, begin)
            await worker.start()
        except ConfigError as exc:
            self._channel.send(Unstartable(exc.problems))
            self._end(_FAILED)
            return
        except Exception:  # noqa: BLE001 the top of a background task: it is logged, and the worker starts again
            _LOG.exception("a defect kept a worker from starting")
            self._end(_FAILED)
            return
        garbage.settle()
        self._ready.set()
        self._channel.send(Serving(worker.version, os.getpid()))

    async def _assemble(self, loaded: Loaded, begin: Begin) -> Worker:
        duty, index = read_name(self._name)
        match duty:
            case Duty.CHECK:
                worker = await assemble_check(loaded, begin.metadata_key, is_again=begin.is_again)
                self._scribe = Scribe(worker.sink, self._channel.send, worker.sink.list_last)
                return worker
            case Duty.PROCESS:
                metrics = PrometheusMetrics(CollectorRegistry())
                self._handed = HandedSink(self._hand, self._withdraw, metrics)
                return await assemble_process(loaded, index, begin.metadata_key, metrics, self._handed)
            case Duty.CONSOLE:
                metrics = PrometheusMetrics(CollectorRegistry())
                self._handed = HandedSink(self._hand, self._withdraw, metrics)
                self._last = LastEvents(self._channel.send)
                return await assemble_console(loaded, begin.metadata_key, metrics, self._handed, self._last.read)
            case _:
                assert_never(duty)

    def _hand(self, number: int, line: bytes, owner: str) -> None:
        self._channel.send(Write(number, line, owner))

    def _withdraw(self, number: int) -> None:
        self._channel.send(Withdraw(number))

    async def obey(self) -> None:
        """Do what the supervisor says, until it is gone."""
        while (message := await self._channel.receive()) is not None:
            if isinstance(message, Write | Withdraw | Written):
                self._pass_on(message)
            elif isinstance(message, Recall | Recalled):
                self._show_last(message)
            else:
                self._obey_one(message)
        self._end(_FAILED)

    def _obey_one(self, message: Begin | Apply | Ask | Drain | End) -> None:
        match message:
            case Begin():
                # It has begun already.
                self._end(_FAILED)
            case Ask(number):
                self._channel.send(self._report(number))
            case Apply():
                self._spawn(self._apply(message))
            case Drain(grace_s):
                self._spawn(self._drain(grace_s))
            case End():
                self._end(_DONE)
            case _:
                assert_never(message)

    def _show_last(self, message: Recall | Recalled) -> None:
        match message:
            case Recall(number):
                self._channel.send(Recalled(number, None if self._scribe is None else self._scribe.list_last()))
            case Recalled():
                if self._last is not None:
                    self._last.settle(message)
            case _:
                assert_never(message)

    def _pass_on(self, message: Write | Withdraw | Written) -> None:
        match message:
            case Write():
                if self._scribe is None:
                    self._channel.send(Written(message.number, False, False))
                else:
                    self._scribe.take(message)
            case Withdraw(number):
                if self._scribe is not None:
                    self._scribe.withdraw(number)
            case Written(number, is_written, is_counted):
                if self._handed is not None:
                    self._handed.settle(number, is_written=is_written, is_counted=is_counted)
            case _:
                assert_never(message)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _report(self, number: int) -> Status:
        if self._worker is None:
            return Status(number, False, {}, ())
        readiness = self._worker.check_readiness()
        return Status(number, readiness.is_ready, dict(readiness.parts), self._worker.collect())

    async def _apply(self, message: Apply) -> None:
        await self._ready.wait()
        worker = self._worker
        if worker is None:
            return
        problems: tuple[Problem, ...] = ()
        unavailable = None
        try:
            loaded = await asyncio.to_thread(message.config.load)
            await worker.apply(loaded)
            garbage.sweep()
        except ConfigError as exc:
            problems = exc.problems
        except Unavailable as exc:
            unavailable = exc.reason, exc.name
        except Exception:  # noqa: BLE001 the top of a background task: it is logged, and the last good set stays
            _LOG.exception("a defect kept a configuration from taking effect; the last good one stays in use")
            problems = (Problem(message.config.file, None, "", "a defect kept it from taking effect", "see the log"),)
        self._channel.send(Applied(message.number, worker.version, problems, unavailable))

    async def _drain(self, grace_s: float) -> None:
        if self._worker is not None and self._ready.is_set():
            _LOG.info("a worker finishes what has begun, and ends")
            await self._worker.drain(grace_s)
        self._channel.send(Drained())

    def _end(self, code: int) -> None:
        if not self.over.done():
            self.over.set_result(code)

    async def close(self) -> None:
        """Let go of everything, within bounds."""
        for task in self._tasks:
            task.cancel()
        if self._scribe is not None:
            await self._scribe.close()
        if self._worker is not None:
            try:
                async with asyncio.timeout(_ORPHANED_S):
                    await self._worker.close()
            except TimeoutError:
                _LOG.error("a worker ended before it had closed everything")
        await self._channel.close()
