"""Workers on fakes: a store, an outbox and a notifier in memory, and a clock that stands still."""

from dataclasses import dataclass, field
from typing import Any

from agen_authz.core.approval.flow import Flow
from agen_authz.core.approval.request import KeptCall, Notice, Occasion
from agen_authz.core.approval.table import Terms
from agen_authz.wire.approval_event import EventTerms
from agen_authz.workers.approvals import TimePorts, TimeTerms, TimeWorker
from agen_authz.workers.message import Wording
from agen_authz.workers.outbox import OutboxPorts, OutboxTerms, OutboxWorker
from tests.approval_fakes import ListNotifier, MemoryApprovals, MemoryOutbox, MemorySessions
from tests.builders import NOW
from tests.core.approval.rig import FLOW, TERMS, asked
from tests.fakes import CountingMetrics, FakeClock, SeqEntropy

URL = "https://approvals.example.com"
KEPT = KeptCall(b'{"name":"refund","arguments":{"amount":120.5,"email":"cy@example.com"}}')
CHANNEL = "flow:finance"


@dataclass
class Rig:
    """What replicas share, and their clock."""

    flows: dict[str, Flow] = field(default_factory=lambda: {FLOW.name: FLOW})
    max_per_hour: int = 200
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    # Tests put what fails or waits in the place of a method, and a real one in the place of a fake.
    notifier: Any = field(default_factory=ListNotifier)
    sessions: Any = field(default_factory=MemorySessions)
    metrics: CountingMetrics = field(default_factory=CountingMetrics)
    entropy: SeqEntropy = field(default_factory=SeqEntropy)
    events: list[bytes] = field(default_factory=list)
    terms: Terms = TERMS

    def __post_init__(self) -> None:
        self.approvals: Any = MemoryApprovals(self.outbox)
        self.record: Any = self._record

    @property
    def outbox_ports(self) -> OutboxPorts:
        return OutboxPorts(self.outbox, self.approvals, self.notifier, self.clock, self.entropy, self.metrics)

    def sender(self) -> OutboxWorker:
        """Start a process that sends."""
        return OutboxWorker(self.outbox_ports, OutboxTerms(Wording(URL, self.flows), self.max_per_hour))

    @property
    def time_ports(self) -> TimePorts:
        return TimePorts(self.approvals, self.sessions, self.record, self.clock, self.entropy, self.metrics)

    def keeper(self) -> TimeWorker:
        """Start a process that lets time pass."""
        return TimeWorker(self.time_ports, TimeTerms(self.flows, self.terms, 30 * 86400.0, EventTerms("v1", b"k" * 32)))

    @property
    def messages(self) -> dict[tuple[str, ...], int]:
        """What was counted of messages, by occasion and outcome."""
        return self._list_counts("agen_notifications_total")

    @property
    def ended(self) -> dict[tuple[str, ...], int]:
        """What was counted of requests, by flow and event."""
        return self._list_counts("agen_approvals_total")

    @property
    def defects(self) -> dict[tuple[str, ...], int]:
        """What was counted of defects, by task."""
        return self._list_counts("agen_task_defects_total")

    def _list_counts(self, metric: str) -> dict[tuple[str, ...], int]:
        return {key[1:]: count for key, count in self.metrics.counts.items() if key[0] == metric}

    async def _record(self, line: bytes) -> None:
        self.events.append(line)

    def ask(self, **changes):
        """Keep a request."""
        made = asked(self.flows[FLOW.name], **changes)
        self.approvals.requests[made.id], self.approvals.kept[made.id] = made, KEPT
        return made

    def post(self, *ids: str, to: str = CHANNEL, occasion: Occasion = Occasion.OPENED) -> None:
        """Put messages about the request into the outbox."""
        self.outbox.put(*(Notice(id, "0" * 32, occasion, to, 0, self.clock.now()) for id in ids))

    async def pass_hours(self, worker: OutboxWorker, hours: float) -> None:
        """Let time pass, a step a minute."""
        for _ in range(int(hours * 60)):
            await worker.step(self.clock.now())
            self.clock.advance(60.0)
