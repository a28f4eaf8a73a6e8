"""Series that exist from the start: a rate misses the first count of a series that appears with it.

1. Labels are closed sets: those of the code, and names of the configuration. Their products are made here, at 0.
2. They are added where metrics are read, in the supervisor, so they cost the workers nothing.
3. A Reason has one decision, and is only there for the servers where it can occur: some 100 series a server, for the
   first `MOST_SERVERS` servers of the configuration. Those after them get series as they are counted.
4. Detectors by style by server would be thousands that mean nothing: what was masked appears with its first value.
"""

from collections.abc import Iterable, Iterator
from itertools import product

from msgspec import Struct

from agen_authz.adapters.metrics import table
from agen_authz.adapters.metrics.family import Family, Labels
from agen_authz.adapters.metrics.table import MetricKind, MetricRow
from agen_authz.adapters.metrics.tally import BOUNDS, LONG_BOUNDS
from agen_authz.core.model import Allow, Answer, AwaitApproval, Deny, StepUp
from agen_authz.core.pinning.change import Kind as Drift
from agen_authz.core.reason import Reason
from agen_authz.core.response.step import ResponseOutcome

MOST_SERVERS = 100
_NO_SERVER = ""
# Of what comes back, or what clients get in place of another one: no decision has these.
NEVER = frozenset(
    {
        Reason.UNKNOWN_TARGET, Reason.TASK_UNBOUND, Reason.LIST_TOO_LONG, Reason.LISTED_TWICE, Reason.RESPONSE_NOT_MCP,
        Reason.RESPONSE_ENCODED, Reason.RESPONSE_TOO_LARGE, Reason.RESPONSE_UNREADABLE, Reason.UNMASKABLE,
        Reason.MASKING_INCOMPLETE,
    }
)  # fmt: skip
# Before it is known which server is asked, and only then.
_BEFORE_ROUTE = frozenset(
    {
        Reason.REQUEST_UNREADABLE, Reason.UNKNOWN_HOST, Reason.UNKNOWN_PATH, Reason.FOREIGN_QUERY, Reason.DRAINING,
    }
)  # fmt: skip
_ANYWHERE = frozenset({Reason.AUDIT_UNAVAILABLE, Reason.DEADLINE, Reason.OVERLOADED, Reason.INTERNAL_ERROR})
_WORDS = {
    Reason.ALLOWED: Allow.word,
    Reason.STEP_UP_REQUIRED: StepUp.word,
    Reason.APPROVAL_REQUIRED: AwaitApproval.word,
    Reason.METADATA: Answer.word,
    Reason.APPROVAL_TASK: Answer.word,
    Reason.PREFLIGHT: Answer.word,
}
_WITHOUT_SERVER = _BEFORE_ROUTE | _ANYWHERE
_WITH_SERVER = frozenset(Reason) - NEVER - _BEFORE_ROUTE
_SINK = "stdout"
_PUSHED_OUT = "pushed_out"
# Those of `wire.approval_event.ApprovalWord` (tests/adapters/test_metrics_closed.py).
APPROVAL_EVENTS = ("asked", "approved", "rejected", "timed_out", "used", "lapsed", "cancelled", "unmasked", "refused")


class Closed(Struct, frozen=True):
    """The names of a configuration that are labels.

    Args:
        policies: name, effect and state of each.
        flows: of approvals.
    """

    servers: tuple[str, ...]
    providers: tuple[str, ...]
    policies: tuple[tuple[str, str, str], ...]
    flows: tuple[str, ...] = ()


def list_zeros(closed: Closed) -> tuple[Family, ...]:
    """List every series that exists from the start, at 0."""
    servers, outcomes = closed.servers, tuple(each.value for each in ResponseOutcome)
    drifts = (*(each.value for each in Drift), _PUSHED_OUT)
    products: tuple[tuple[MetricRow, Iterable[tuple[str, ...]]], ...] = (
        (table.DECISIONS, _list_decisions(servers)),
        (table.POLICY_MATCHES, closed.policies),
        (table.APPROVALS, product(closed.flows, APPROVAL_EVENTS)),
        (table.RESPONSES, product((_NO_SERVER, *servers), outcomes)),
        (table.UNREAD, product(servers)),
        (table.MASKING_INCOMPLETE, product(servers)),
        (table.COPIES, product(servers, ("found", "clean", "unread", "dropped"))),
        (table.DRIFT, product(servers, drifts)),
        (table.AUDIT_EVENTS, product((_SINK,), ("written", "failed"))),
        (table.JWKS_REFRESH, product(closed.providers, ("ok", "failed", "malformed"))),
        (table.RELOADS, product(("ok", "failed"))),
    )
    counters = (_make(row, ((f"{row.name}_total", _label(row, values)) for values in keys)) for row, keys in products)
    durations = _make(table.DECISION_SECONDS, _list_buckets(table.DECISION_SECONDS, (_NO_SERVER, *servers), BOUNDS))
    waits = _make(table.APPROVAL_WAIT, _list_buckets(table.APPROVAL_WAIT, closed.flows, LONG_BOUNDS))
    return (*counters, durations, waits)


def _make(row: MetricRow, series: Iterable[tuple[str, Labels]]) -> Family:
    return Family(row.name, row.meaning, row.kind.value, dict.fromkeys(series, 0.0))


def _label(row: MetricRow, values: Iterable[str]) -> Labels:
    return tuple(zip(row.labels, values, strict=True))


def _list_decisions(servers: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    of_servers = product(servers[:MOST_SERVERS], _WITH_SERVER)
    for server, reason in (*product((_NO_SERVER,), _WITHOUT_SERVER), *of_servers):
        yield _WORDS.get(reason, Deny.word), reason.value, server


def _list_buckets(row: MetricRow, keys: Iterable[str], bounds: Iterable[str]) -> Iterator[tuple[str, Labels]]:
    for key in keys:
        of_key = _label(row, (key,))
        yield from ((f"{row.name}_bucket", (*of_key, ("le", bound))) for bound in bounds)
        yield from ((f"{row.name}_{part}", of_key) for part in ("count", "sum"))


def is_added(name: str) -> bool:
    """True if the workers' values of a metric are added up; False if the largest one is shown."""
    row = table.ROWS.get(name)
    return row is None or row.kind is not MetricKind.GAUGE or row.is_added
