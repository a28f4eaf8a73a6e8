"""One worker's place: whatever ends there is started again, until that makes no sense any more."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from agen_authz.app.control.channel import Channel, open_to_worker
from agen_authz.app.control.message import (
    Applied,
    Apply,
    Ask,
    Begin,
    Drain,
    Drained,
    End,
    Handed,
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
from agen_authz.app.supervisor.link import Nursery
from agen_authz.app.supervisor.merge import Families, keep_counts, merge
from agen_authz.app.supervisor.relay import Relay
from agen_authz.app.supervisor.restart import GiveUp, Patience, StartAgain, judge_failure
from agen_authz.app.supervisor.standing import Duty, Standing, WorkerState, read_name
from agen_authz.core.errors import ConfigError, Problem, Unavailable
from agen_authz.core.reason import Reason
from agen_authz.ports import Clock

_LOG = logging.getLogger(__name__)
# Thousands of rules take seconds, and so does a provider whose keys are new.
_APPLY_S = 60.0
_LAST_WORDS_S = 1.0
# How many times as long a worker that starts may take to say something.
_LONGER_TO_START = 4


class WorkerGaveUp(Exception):
    """A worker has ended too often; the message is one line for a person."""


@dataclass(frozen=True, slots=True)
class Means:
    """What a place works with.

    Args:
        begin: makes the first message for a worker that starts now; told whether another was there before.
        relay: takes events from those that inspect to the one that decides.
        hung_s: after how long without an answer a worker is taken for hung, and ended.
    """

    nursery: Nursery
    clock: Clock
    begin: Callable[[bool], Begin]
    relay: Relay
    patience: Patience
    hung_s: float


class Place:
    """Belongs to one event loop."""

    def __init__(self, name: str, means: Means) -> None:
        self.name = name
        self.duty: Duty = read_name(name)[0]
        # Set once a worker has served here.
        self.served = asyncio.Event()
        # Set once the worker here has nothing in flight any more, or has ended.
        self.drained = asyncio.Event()
        self.problems: tuple[Problem, ...] = ()
        self._means = means
        self._state = WorkerState.STARTING
        self._restarts = 0
        self._leaving = asyncio.Event()
        self._count = 0
        self._counted: Families = ()
        self._forget()

    def _forget(self) -> None:
        """Know nothing of a worker."""
        self._channel: Channel[ToWorker, ToSupervisor] | None = None
        self._number = 0
        self._pid = 0
        self._version = ""
        self._report: Status | None = None
        self._heard = self._means.clock.elapsed()
        self._asked: asyncio.Future[None] | None = None
        self._applying: asyncio.Future[Applied | None] | None = None

    # ---- its life --------------------------------------------------------------------------------------------

    async def keep(self) -> None:
        """Keep a worker here until it has drained.

        Raises:
            ConfigError: the first one cannot start with its configuration.
            WorkerGaveUp: it has ended too often.
            NurseryLost: no worker can be started any more.
        """
        failures: tuple[float, ...] = ()
        while True:
            code = await self._live()
            if self._leaving.is_set():
                return
            if self.problems and not self.served.is_set():
                raise ConfigError(self.problems)
            match judge_failure(failures, self._means.clock.elapsed(), self._means.patience):
                case GiveUp(count):
                    raise WorkerGaveUp(f"the worker `{self.name}` ended {count} times; the log says why")
                case StartAgain(after_s, failures):
                    self._tell_of_end(code, after_s)
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(after_s):
                            await self._leaving.wait()
                            return
            self._restarts += 1

    async def _live(self) -> int:
        """Start a worker and return its exit code."""
        ours, theirs = socket.socketpair()
        self._forget()
        self.drained.clear()
        self.problems = ()
        self._state = WorkerState.STARTING
        channel = self._channel = await open_to_worker(ours)
        self._number, ended = self._means.nursery.start(self.name, theirs)
        channel.send(self._means.begin(self._restarts > 0))
        listening = asyncio.create_task(self._listen(channel))
        try:
            code = await ended
            # What it said last is still to be read.
            await asyncio.wait((listening,), timeout=_LAST_WORDS_S)
            return code
        finally:
            listening.cancel()
            self._end()
            await channel.close()

    def _end(self) -> None:
        for waiting in (self._asked, self._applying):
            if waiting is not None and not waiting.done():
                waiting.set_result(None)
        if self._report is not None:
            self._counted = keep_counts(merge((self._counted, self._report.families)))
        if self.duty is Duty.CHECK:
            self._means.relay.fail_all()
        self._means.relay.drop(self.name)
        self._forget()
        self._state = WorkerState.ENDED
        self.drained.set()

    def _tell_of_end(self, code: int, after_s: float) -> None:
        for problem in self.problems:
            _LOG.error(
                "a worker cannot start with the configuration", extra={"worker": self.name, "problem": str(problem)}
            )
        _LOG.error("a worker ended; it is started again", extra={"worker": self.name, "code": code, "after_s": after_s})

    async def _listen(self, channel: "Channel[ToWorker, ToSupervisor]") -> None:
        while (message := await channel.receive()) is not None:
            self._heard = self._means.clock.elapsed()
            match message:
                case Write():
                    self._means.relay.take(self.name, message, channel.send)
                case Withdraw():
                    self._means.relay.withdraw(self.name, message)
                case Written():
                    self._means.relay.settle(message)
                case Recall():
                    self._means.relay.recall(self.name, message, channel.send)
                case Recalled():
                    self._means.relay.settle_recall(message)
                case _:
                    self._note(message)

    def _note(self, message: Serving | Unstartable | Applied | Status | Drained) -> None:
        match message:
            case Serving(version, pid):
                self._version, self._pid = version, pid
                self._state = WorkerState.DRAINING if self._leaving.is_set() else WorkerState.SERVING
                self.served.set()
                _LOG.info("a worker has started", extra={"worker": self.name, "policy_set": version})
            case Unstartable(problems):
                self.problems = problems
            case Applied():
                self._version = message.version
                if self._applying is not None and not self._applying.done():
                    self._applying.set_result(message)
            case Status():
                self._report = message
                if self._asked is not None and not self._asked.done():
                    self._asked.set_result(None)
            case Drained():
                self.drained.set()
            case _:
                assert_never(message)

    # ---- what it is asked and told -----------------------------------------------------------------------------

    def ask(self) -> "asyncio.Future[None] | None":
        """Ask how it is; done once it has answered or ended. None if no worker is here.

        One question waits at a time, so that nothing piles up for a worker that hangs.
        """
        if self._channel is None:
            return None
        if self._asked is None or self._asked.done():
            self._count += 1
            self._asked = asyncio.get_running_loop().create_future()
            self._channel.send(Ask(self._count))
        return self._asked

    def end_if_hung(self) -> None:
        """End a worker that has not answered for too long; it is started again as one that failed."""
        bound_s = self._means.hung_s
        if self._state is WorkerState.STARTING:
            # It loads its rules without answering meanwhile.
            bound_s *= _LONGER_TO_START
        if self._channel is not None and self._means.clock.elapsed() - self._heard > bound_s:
            _LOG.error("a worker does not answer any more; it is killed", extra={"worker": self.name})
            self._heard = self._means.clock.elapsed()
            self.kill()

    def kill(self) -> None:
        """End its worker at once, if there is one."""
        if self._channel is not None:
            self._means.nursery.kill(self._number)

    async def apply(self, config: Handed) -> Applied | None:
        """Let a configuration take effect; None if no worker is here, and the next one begins with what is current.

        Raises:
            Unavailable: it does not answer, or has ended meanwhile.
        """
        if self._channel is None:
            return None
        if self._applying is not None and not self._applying.done():
            raise Unavailable(Reason.INTERNAL_ERROR, f"worker {self.name}")
        self._count += 1
        applying = self._applying = asyncio.get_running_loop().create_future()
        self._channel.send(Apply(self._count, config))
        await asyncio.wait((applying,), timeout=_APPLY_S)
        applied: Applied | None = applying.result() if applying.done() else None
        if applied is None:
            raise Unavailable(Reason.INTERNAL_ERROR, f"worker {self.name}")
        return applied

    def leave(self) -> None:
        """Start no worker here any more."""
        self._leaving.set()
        if self._state is WorkerState.SERVING:
            self._state = WorkerState.DRAINING

    def drain(self, grace_s: float) -> None:
        """Let its worker finish what is in flight; `drained` is set then."""
        self.leave()
        self.send(Drain(grace_s))

    def send(self, message: Drain | End | Write | Withdraw | Recall) -> bool:
        """Send a message to its worker; False if there is none."""
        if self._channel is None:
            return False
        self._channel.send(message)
        return True

    # ---- what is known of it -----------------------------------------------------------------------------------

    def describe(self) -> Standing:
        """Tell how its worker is, as far as that is known."""
        told = self._report
        return Standing(
            self.name,
            self.duty,
            self._state,
            version=self._version,
            silent_s=0.0 if self._channel is None else self._means.clock.elapsed() - self._heard,
            restarts=self._restarts,
            is_ready=told is not None and told.is_ready,
            parts={} if told is None else told.parts,
            pid=self._pid,
        )

    def collect(self) -> Families:
        """Read all that was counted here, by workers that have ended as well."""
        return merge((self._counted, () if self._report is None else self._report.families))
