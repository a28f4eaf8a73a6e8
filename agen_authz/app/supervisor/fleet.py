"""All workers: one that decides, those that inspect responses, and one for the console where calls need approval.

1. A configuration takes effect where calls are decided first. If it cannot there, the others never see it.
2. At the end the one that decides drains first: what it allowed has an answer that is still to be inspected. It ends
   last, since it writes the events of all.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry

from agen_authz.adapters.metrics import SupervisorMetrics, WorkerCount, list_zeros, render_families
from agen_authz.app import garbage
from agen_authz.app.control.message import Applied, Begin, End, Handed, Recall, Withdraw, Write, hand
from agen_authz.app.supervisor.link import Nursery
from agen_authz.app.supervisor.merge import merge, read_closed
from agen_authz.app.supervisor.place import Means, Place, WorkerGaveUp
from agen_authz.app.supervisor.relay import Relay
from agen_authz.app.supervisor.restart import PATIENCE, Patience
from agen_authz.app.supervisor.standing import Duty, judge, spell_name
from agen_authz.config import Loaded, has_console
from agen_authz.core.errors import ConfigError, Unavailable
from agen_authz.core.reason import Reason
from agen_authz.ports import Clock
from agen_authz.servers.ops import Readiness

_LOG = logging.getLogger(__name__)
# What is left at least for those that inspect, whatever the one that decides has taken.
_LEAST_GRACE_S = 0.5


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds.

    Args:
        period: how often workers are asked how they are.
        answer: how long `/metrics` and `/readyz` wait for an answer before they show the last one.
        closing: what ending takes besides the time for calls: NOT_SERVING is shown for a moment, stores are closed.
        hung: after how long without an answer a worker is taken for hung, and ended.
    """

    period: float = 1.0
    answer: float = 0.5
    closing: float = 5.0
    hung: float = 30.0


TIMES = Times()


class Fleet:
    """Starts the workers, and speaks for them: `reload.Reloadable`, and what operators ask."""

    def __init__(
        self,
        loaded: Loaded,
        metadata_key: bytes,
        nursery: Nursery,
        clock: Clock,
        *,
        patience: Patience = PATIENCE,
        times: Times = TIMES,
    ) -> None:
        self._version = loaded.version
        self._handed = hand(loaded)
        self._metadata_key = metadata_key
        self._last_reload = "none yet"
        relay = Relay(self._send_check)
        means = Means(nursery, clock, self._begin, relay, patience, times.hung)
        self._clock = clock
        self._times = times
        self._check = Place(spell_name(Duty.CHECK, 0), means)
        count = loaded.config.server.filter_workers
        self._inspecting = tuple(Place(spell_name(Duty.PROCESS, index), means) for index in range(count))
        self._console = (Place(spell_name(Duty.CONSOLE, 0), means),) if has_console(loaded.config) else ()
        self._places = (self._check, *self._inspecting, *self._console)
        self._keeping: dict[str, asyncio.Task[None]] = {}
        # Never has a result: the first place that gives up is its exception.
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._refreshing: asyncio.Task[None] | None = None
        timeout_s = loaded.config.server.check_timeout
        self._metrics = SupervisorMetrics(CollectorRegistry(), clock.now(), timeout_s)
        self._zeros = list_zeros(read_closed(loaded.config))
        self._metrics.watch_workers(self._count_workers)

    def _send_check(self, message: Write | Withdraw | Recall) -> bool:
        return self._check.send(message)

    def _begin(self, is_again: bool) -> Begin:
        return Begin(self._handed, self._metadata_key, is_again)

    def _count_workers(self) -> list[WorkerCount]:
        standings = (place.describe() for place in self._places)
        return [WorkerCount(each.name, each.restarts, each.is_up, each.pid) for each in standings]

    # ---- their life ------------------------------------------------------------------------------------------

    async def run(self, started: asyncio.Event) -> None:
        """Keep every worker running; `started` is set once all have served.

        Raises:
            ConfigError: one cannot start with the configuration.
            WorkerGaveUp: one ended too often.
            NurseryLost: none can be started any more.
        """
        tasks = [asyncio.create_task(part) for part in (self._start(started), self._watch())]
        try:
            await asyncio.gather(*tasks, self._failed)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _start(self, started: asyncio.Event) -> None:
        for place in self._places:
            self._keep(place)
        for place in self._places:
            await place.served.wait()
        await self.refresh()
        started.set()

    def _keep(self, place: Place) -> None:
        keeping = self._keeping[place.name] = asyncio.create_task(place.keep())
        keeping.add_done_callback(self._note_end)

    def _note_end(self, keeping: "asyncio.Task[None]") -> None:
        fault = None if keeping.cancelled() else keeping.exception()
        is_console = any(self._keeping.get(place.name) is keeping for place in self._console)
        if isinstance(fault, WorkerGaveUp) and is_console:
            # Calls are decided without it; those that need an approval are answered as before, and no one decides.
            _LOG.error("the console is not started again; no call can be approved", extra={"problem": str(fault)})
            return
        if fault is not None and not self._failed.done():
            self._failed.set_exception(fault)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._times.period)
            for place in self._places:
                place.end_if_hung()
                place.ask()

    async def drain(self, grace_s: float) -> None:
        """Let all finish what is in flight, and end; who takes too long is ended."""
        ends = self._clock.elapsed() + grace_s
        for place in self._places:
            place.leave()
        # 2.
        await self._drain_all((self._check,), grace_s)
        others = (*self._inspecting, *self._console)
        await self._drain_all(others, max(_LEAST_GRACE_S, ends - self._clock.elapsed()))
        # The one that decides writes the events of the others, so it ends last.
        await self._end_all(others)
        await self._end_all((self._check,))

    async def _drain_all(self, places: tuple[Place, ...], grace_s: float) -> None:
        for place in places:
            place.drain(grace_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s + self._times.closing):
                for place in places:
                    if place.name in self._keeping:
                        await place.drained.wait()

    async def _end_all(self, places: tuple[Place, ...]) -> None:
        for place in places:
            place.send(End())
        kept = [self._keeping[place.name] for place in places if place.name in self._keeping]
        if not kept:
            return
        _, late = await asyncio.wait(kept, timeout=self._times.closing)
        if late:
            for place in places:
                place.kill()
            await asyncio.wait(late, timeout=self._times.closing)

    # ---- reload.Reloadable -----------------------------------------------------------------------------------

    async def apply(self, loaded: Loaded) -> None:
        """Hand a configuration to every worker; `reload.Reloadable.apply`."""
        handed = hand(loaded)
        # 1.
        applied = await self._check.apply(handed)
        if applied is None:
            raise Unavailable(Reason.INTERNAL_ERROR, "worker check")
        _raise_for(applied)
        self._handed, self._version = handed, loaded.version
        self._zeros = list_zeros(read_closed(loaded.config))
        self._metrics.set_check_timeout(loaded.config.server.check_timeout)
        others = (*self._inspecting, *self._console)
        results = await asyncio.gather(*map(_apply_to(handed), others))
        for place, problem in zip(others, results, strict=True):
            if problem:
                _LOG.error(
                    "a worker cannot use the new configuration; it keeps the last good one",
                    extra={"worker": place.name, "problem": problem},
                )

    def let_go(self) -> None:
        """Free what is left of the configuration before; `reload.Reloadable.let_go`."""
        garbage.sweep()

    def note_reload(self, outcome: str, kept: str = "configuration decides") -> None:
        """Count a reload, and remember how it went; `reload.Reloadable.note_reload`."""
        behind = [each.name for each in map(Place.describe, self._places) if each.version not in ("", self._version)]
        if outcome == "ok" and behind:
            outcome, kept = "failed", f"configuration stays in {', '.join(behind)}"
        self._metrics.count_policy_reload(outcome, self._clock.now())
        self._last_reload = outcome if outcome == "ok" else f"{outcome}: the last good {kept}, see the log"

    # ---- what operators ask ----------------------------------------------------------------------------------

    async def refresh(self) -> None:
        """Ask every worker how it is; who does not answer in time is shown as it was."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._ask_all())
        await asyncio.shield(self._refreshing)

    async def _ask_all(self) -> None:
        asked = [asking for place in self._places if (asking := place.ask()) is not None]
        if asked:
            await asyncio.wait(asked, timeout=self._times.answer)

    async def check_readiness(self) -> Readiness:
        """Say how the sidecar is; it waits for no worker longer than a moment."""
        await self.refresh()
        return judge([place.describe() for place in self._places], self._version, self._last_reload)

    async def render_metrics(self) -> tuple[bytes, str]:
        """Render the metrics of all processes as those of one; it waits for no worker longer than a moment."""
        await self.refresh()
        counted = (place.collect() for place in self._places)
        return render_families(merge((self._zeros, self._metrics.collect(), *counted)))


def _raise_for(applied: Applied) -> None:
    if applied.problems:
        raise ConfigError(applied.problems)
    if applied.unavailable is not None:
        raise Unavailable(*applied.unavailable)


def _apply_to(handed: Handed) -> Callable[[Place], Coroutine[Any, Any, str]]:
    async def apply(place: Place) -> str:
        """Return why it could not be applied; the last good one stays there."""
        try:
            applied = await place.apply(handed)
            if applied is not None:
                _raise_for(applied)
        except (ConfigError, Unavailable) as exc:
            return str(exc)
        return ""

    return apply
