"""Lets time pass for requests for approval: time-outs, approvals that were not used, reminders; and erases what is old.

Replicas run this at the same time. Each change is written only if the request is still as it was read, together with
the messages that tell of it: of two that note the same time-out, one writes it and tells of it. A defect with one
request is logged, and stops no other's time; that one is tried again after a while.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from agen_authz.approval_change import write_change
from agen_authz.core.approval.flow import Flow
from agen_authz.core.approval.request import ApprovalRequest, Progress
from agen_authz.core.approval.table import Terms, pass_time
from agen_authz.core.errors import Unavailable
from agen_authz.ports import Clock, Entropy
from agen_authz.ports.approval import ApprovalMetrics, ApprovalStore, SessionStore, TaskMetrics
from agen_authz.wire.approval_event import ApprovalWord, EventTerms, render_approval
from agen_authz.workers.repeat import repeat

_LOG = logging.getLogger(__name__)
TASK = "approvals"
_BATCH = 100
_SWEEP_EVERY_S = 600.0
_WORDS: Mapping[Progress, ApprovalWord] = {
    Progress.APPROVED: ApprovalWord.APPROVED,
    Progress.TIMED_OUT: ApprovalWord.TIMED_OUT,
    Progress.LAPSED: ApprovalWord.LAPSED,
}


class TimeMetrics(ApprovalMetrics, TaskMetrics, Protocol):
    """What is counted here."""


@dataclass(frozen=True, slots=True)
class TimePorts:
    """What requests are kept with.

    Args:
        record: writes one audit event; raises Unavailable if it cannot be written.
    """

    approvals: ApprovalStore
    sessions: SessionStore
    record: Callable[[bytes], Awaitable[None]]
    clock: Clock
    entropy: Entropy
    metrics: TimeMetrics


class TimeTerms(Struct, frozen=True):
    """What holds for requests as they are configured now.

    Args:
        flows: by name.
        retention_s: how long arguments are kept (`approvals.retention`).
        event: what is the same in every event.
    """

    flows: Mapping[str, Flow]
    terms: Terms
    retention_s: float
    event: EventTerms


class TimeWorker:
    """Lets time pass; `terms` may be replaced between two steps."""

    def __init__(self, ports: TimePorts, terms: TimeTerms) -> None:
        self._ports, self.terms = ports, terms
        self._swept_at: float | None = None
        # The ids of requests that a defect has stopped since the last sweep.
        self._stopped: set[str] = set()

    async def step(self, now: float) -> int:
        """Note what is due now; return how many requests were changed, at most a batch.

        Raises:
            Unavailable: the store did not answer.
        """
        changed = 0
        due = await self._ports.approvals.list_due(now, _BATCH + len(self._stopped))
        for request in [each for each in due if each.id not in self._stopped][:_BATCH]:
            changed += await self._try(request, now)
        await self._sweep(now)
        return changed

    async def _try(self, request: ApprovalRequest, now: float) -> bool:
        try:
            return await self._pass(request, now)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 as at the top: it is logged, counted, and the others' time passes
            extra = {"approval": request.id}
            _LOG.exception("a defect kept a request for approval from ending in time; others continue", extra=extra)
            self._ports.metrics.count_defect(TASK)
            self._stopped.add(request.id)
            return False

    async def _pass(self, request: ApprovalRequest, now: float) -> bool:
        ports, flow = self._ports, self.terms.flows.get(request.flow)
        after = pass_time(request, flow, self.terms.terms, now)
        if after is request:
            return False
        if not await write_change(ports.approvals, (request, after), flow, ports.entropy, now):
            # Another replica, or an approver, was faster.
            return False
        word = _WORDS.get(after.status)
        if word is not None:
            ports.metrics.count_approval(after.flow, word.value)
            await self._record(render_approval(word, after, self.terms.event, now=now))
        return True

    async def _record(self, line: bytes) -> None:
        try:
            await self._ports.record(line)
        except Unavailable:
            # The sink counts it; the change is made, and no call waits for it that could be refused.
            pass

    async def _sweep(self, now: float) -> None:
        elapsed = self._ports.clock.elapsed()
        if self._swept_at is not None and elapsed - self._swept_at < _SWEEP_EVERY_S:
            return
        if self._swept_at is not None:
            self._stopped.clear()
        self._swept_at = elapsed
        await self._ports.approvals.erase(now - self.terms.retention_s)
        await self._ports.sessions.sweep(now)


async def run_approvals(worker: TimeWorker, ports: TimePorts, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Let time pass until cancelled; a defect is logged and counted, and does not end this."""

    def note_defect() -> None:
        _LOG.exception("a defect kept requests for approval from ending in time; it continues in ten seconds")
        ports.metrics.count_defect(TASK)

    await repeat(lambda: worker.step(ports.clock.now()), note_defect, sleep)
