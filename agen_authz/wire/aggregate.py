"""One event for many: decisions on requests without a verified caller that have no event each (ADR 0015).

Its lines are as short as a single stranger's event: many rows of counts become several events.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from agen_authz.core.http.context import read_context
from agen_authz.core.model import Decision
from agen_authz.core.stage import Stage, find_received, get_arrived, name_server
from agen_authz.wire.line import render_line
from agen_authz.wire.shorten import TIGHT, Shortener

WORD = "aggregated"
_MAX_EXAMPLES = 3
_MAX_ROWS = 10


@dataclass(frozen=True, slots=True)
class Example:
    """One of the decisions that are counted, in a few words."""

    time: float
    request_id: str
    decision: str
    reason: str
    server: str
    ip: str
    path: str
    user_agent: str


@dataclass(slots=True)
class Aggregate:
    """Decisions by kind, Reason and server; times are seconds since the epoch, infinite if there are none."""

    policy_set: str = ""
    first: float = float("inf")
    last: float = float("-inf")
    counts: dict[tuple[str, str, str], int] = field(default_factory=dict)
    examples: list[Example] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Count the decisions."""
        return sum(self.counts.values())

    def count(self, decision: Decision, stage: Stage, now: float) -> None:
        """Count one decision; the first of each row is an example, as long as there is room."""
        self.policy_set = get_arrived(stage).rules.version
        row = (decision.word, str(decision.reason), name_server(stage))
        if row not in self.counts and len(self.examples) < _MAX_EXAMPLES:
            self.examples.append(_describe(row, stage, now))
        self.counts[row] = self.counts.get(row, 0) + 1
        # The clock may have been set back in between.
        self.first, self.last = min(self.first, now), max(self.last, now)

    def add(self, other: "Aggregate") -> None:
        """Count what another one has counted."""
        for row, count in other.counts.items():
            self.counts[row] = self.counts.get(row, 0) + count
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)
        self.examples = [*other.examples, *self.examples][:_MAX_EXAMPLES]
        self.policy_set = self.policy_set or other.policy_set

    def split(self) -> "list[Aggregate]":
        """Cut it into parts that fit into one event each; the examples go with the first."""
        rows = list(self.counts.items())
        return [
            Aggregate(
                self.policy_set,
                self.first,
                self.last,
                dict(rows[at : at + _MAX_ROWS]),
                self.examples if at == 0 else [],
            )
            for at in range(0, len(rows), _MAX_ROWS)
        ]


def _describe(row: tuple[str, str, str], stage: Stage, now: float) -> Example:
    brief = Shortener(TIGHT)
    ip, path, user_agent = "", "", ""
    received = find_received(stage)
    if received is not None:
        context = read_context(received.request, received.arrived.rules.perimeter)
        ip = context.ip or ""
        # The query stays out, as in every event.
        path = brief.text("path", received.request.path.partition("?")[0])
        user_agent = brief.text("user_agent", context.user_agent)
    return Example(now, get_arrived(stage).request_id, *row, ip, path, user_agent)


def render_aggregate(part: Aggregate, now: float) -> bytes:
    """Render one part as an event without its line end."""
    return render_line(
        {
            "time": _spell(now),
            "request_id": "",
            "decision": WORD,
            "reason": "",
            "server": "",
            "policy_set": part.policy_set,
            "duration_us": 0,
            "aggregated": {
                "first": _spell(part.first),
                "last": _spell(part.last),
                "total": part.total,
                "counts": [
                    {"decision": decision, "reason": reason, "server": server, "count": count}
                    for (decision, reason, server), count in part.counts.items()
                ],
                "examples": [
                    {
                        "time": _spell(example.time),
                        "request_id": example.request_id,
                        "decision": example.decision,
                        "reason": example.reason,
                        "server": example.server,
                        "ip": example.ip,
                        "path": example.path,
                        "user_agent": example.user_agent,
                    }
                    for example in part.examples
                ],
            },
        }
    )


def _spell(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
