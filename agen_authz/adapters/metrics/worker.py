"""What the workers count."""

from msgspec import Struct
from prometheus_client import CollectorRegistry

from agen_authz.adapters.metrics import table
from agen_authz.adapters.metrics.family import Family, collect_families
from agen_authz.adapters.metrics.tally import Decisions, Tally, Waits, make_gauge
from agen_authz.core.model import Matched
from agen_authz.core.reason import Reason
from agen_authz.core.response.step import ResponseOutcome


class KeyAge(Struct, frozen=True):
    """How one provider's keys are: their age (None before the first), the age at which they are too old, and how many
    are believed now.
    """

    provider: str
    age_s: float | None
    max_age_s: float
    keys: int


class PrometheusMetrics:
    """Implements the metrics of `ports`, and what only `app` sets; safe for threads."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._decisions = Decisions()
        registry.register(self._decisions)
        self._matches = Tally(table.POLICY_MATCHES, registry)
        self._approvals = Tally(table.APPROVALS, registry)
        self._approval_wait = Waits(table.APPROVAL_WAIT, registry)
        self._notifications = Tally(table.NOTIFICATIONS, registry)
        self._defects = Tally(table.TASK_DEFECTS, registry)
        self._audit = Tally(table.AUDIT_EVENTS, registry)
        self._responses = Tally(table.RESPONSES, registry)
        self._unread = Tally(table.UNREAD, registry)
        self._masked = Tally(table.MASKED, registry)
        self._shadow = Tally(table.MASKED_SHADOW, registry)
        self._incomplete = Tally(table.MASKING_INCOMPLETE, registry)
        self._unruled = Tally(table.UNRULED, registry)
        self._copies = Tally(table.COPIES, registry)
        self._jwks = Tally(table.JWKS_REFRESH, registry)
        self._drift = Tally(table.DRIFT, registry)
        self._key_age = make_gauge(table.JWKS_AGE, registry)
        self._key_max_age = make_gauge(table.JWKS_MAX_AGE, registry)
        self._key_count = make_gauge(table.JWKS_KEYS, registry)
        self._in_flight = make_gauge(table.CALLS_IN_FLIGHT, registry)
        self._queue_depth = make_gauge(table.AUDIT_QUEUE_DEPTH, registry)
        self._queue_limit = make_gauge(table.AUDIT_QUEUE_LIMIT, registry)
        self._policy_set = make_gauge(table.POLICY_SET, registry)
        self._tools_unmapped = make_gauge(table.TOOLS_UNMAPPED, registry)
        self._weakened = make_gauge(table.WEAKENED, registry)

    def count_decision(self, decision: str, reason: Reason, server: str, seconds: float) -> None:
        """Count a decision; `ports.DecisionMetrics.count_decision`."""
        self._decisions.count((decision, reason, server), seconds)

    def count_matches(self, matched: tuple[Matched, ...]) -> None:
        """Count policies; `ports.DecisionMetrics.count_matches`."""
        for each in matched:
            self._matches.count((each.policy, str(each.effect), str(each.state)))

    def count_approval(self, flow: str, event: str) -> None:
        """Count an event of an approval; `ports.approval.ApprovalMetrics.count_approval`."""
        self._approvals.count((flow, event))

    def time_approval(self, flow: str, seconds: float) -> None:
        """Count how long approvers took; `outside.CheckMetrics.time_approval`."""
        self._approval_wait.count(flow, seconds)

    def count_notification(self, occasion: str, outcome: str) -> None:
        """Count a message to people; `ports.approval.NotificationMetrics.count_notification`."""
        self._notifications.count((occasion, outcome))

    def count_defect(self, task: str) -> None:
        """Count a defect of a background task; `ports.approval.TaskMetrics.count_defect`."""
        self._defects.count((task,))

    def count_audit_event(self, sink: str, outcome: str) -> None:
        """Count an audit event; `ports.AuditMetrics.count_audit_event`."""
        self._audit.count((sink, outcome))

    def count_response(self, server: str, outcome: ResponseOutcome) -> None:
        """Count a response; `ports.ResponseMetrics.count_response`."""
        self._responses.count((server, outcome.value))

    def count_unread(self, server: str) -> None:
        """Count a response that passed without being inspected; `ports.ResponseMetrics.count_unread`."""
        self._unread.count((server,))

    def count_masked(self, detector: str, style: str, server: str, count: int) -> None:
        """Count masked values; `ports.MaskingMetrics.count_masked`."""
        self._masked.count((detector, style, server), count)

    def count_masked_shadow(self, detector: str, style: str, server: str, count: int) -> None:
        """Count values that would have been masked; `ports.MaskingMetrics.count_masked_shadow`."""
        self._shadow.count((detector, style, server), count)

    def count_masking_incomplete(self, server: str, count: int) -> None:
        """Count messages that were not masked whole; `ports.ResponseMetrics.count_masking_incomplete`."""
        self._incomplete.count((server,), count)

    def count_unruled(self, detector: str, server: str, count: int) -> None:
        """Count values of samples; `ports.MaskingMetrics.count_unruled`."""
        self._unruled.count((detector, server), count)

    def count_copy(self, server: str, outcome: str) -> None:
        """Count a copy; `ports.MaskingMetrics.count_copy`."""
        self._copies.count((server, outcome))

    def count_jwks_refresh(self, provider: str, outcome: str) -> None:
        """Count a fetch of keys; `ports.KeyMetrics.count_jwks_refresh`."""
        self._jwks.count((provider, outcome))

    def count_tool_drift(self, server: str, kind: str, count: int = 1) -> None:
        """Count definitions that were seen for the first time; `ports.DriftMetrics.count_tool_drift`."""
        self._drift.count((server, kind), count)

    def set_tools_unmapped(self, server: str, count: int) -> None:
        """Show how many tools no access rule names; `ports.DriftMetrics.set_tools_unmapped`."""
        self._tools_unmapped.labels(server).set(count)

    def set_policy_version(self, version: str) -> None:
        """Name the policy set that decides."""
        self._policy_set.clear()
        self._policy_set.labels(version).set(1)

    def set_weakened(self, settings: tuple[str, ...]) -> None:
        """Name the settings that weaken this sidecar."""
        self._weakened.clear()
        for setting in settings:
            self._weakened.labels(setting).set(1)

    def set_in_flight(self, rpc: str, count: int) -> None:
        """Show how many calls wait, or how many streams are open."""
        self._in_flight.labels(rpc).set(count)

    def set_audit_queue(self, sink: str, depth: int, limit: int) -> None:
        """Show how many events wait for a sink, and how many may."""
        self._queue_depth.labels(sink).set(depth)
        self._queue_limit.labels(sink).set(limit)

    def set_keys(self, ages: tuple[KeyAge, ...]) -> None:
        """Show how the keys of every provider are."""
        for gauge in (self._key_age, self._key_max_age, self._key_count):
            gauge.clear()
        for each in ages:
            self._key_max_age.labels(each.provider).set(each.max_age_s)
            self._key_count.labels(each.provider).set(each.keys)
            if each.age_s is not None:
                self._key_age.labels(each.provider).set(each.age_s)

    def collect(self) -> tuple[Family, ...]:
        """Read everything that was counted here."""
        return collect_families(self._registry)
