"""Prometheus metrics: names and labels are a contract, and every label comes from a closed set."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from threading import Lock
from typing import TypeAlias

from msgspec import Struct
from prometheus_client import CollectorRegistry, Counter, Gauge, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from agen_authz.core.model import Matched
from agen_authz.core.reason import Reason
from agen_authz.core.response.step import ResponseOutcome

# Seconds: a cached token is decided in a tenth of a millisecond, a fetched key in tens.
_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


Labels: TypeAlias = tuple[tuple[str, str], ...]


class Family(Struct, frozen=True):
    """One metric with all its series, as a value: it can be sent to another process and added to others.

    Args:
        kind: `counter`, `gauge` or `histogram`.
        samples: the value of each series, by its name and labels.
    """

    name: str
    meaning: str
    kind: str
    samples: dict[tuple[str, Labels], float]


def collect_families(registry: CollectorRegistry) -> tuple[Family, ...]:
    """Read every metric, less the `_created` series, which the library adds and our contract does not name."""
    return tuple(
        Family(
            metric.name,
            metric.documentation,
            metric.type,
            {
                (sample.name, tuple(sample.labels.items())): sample.value
                for sample in metric.samples
                if not sample.name.endswith("_created")
            },
        )
        for metric in registry.collect()
    )


class _Families(Collector):
    """Values in the library's form, to be written as it writes."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        for family in self._families:
            metric = Metric(family.name, family.meaning, family.kind)
            for (name, labels), value in family.samples.items():
                metric.add_sample(name, dict(labels), value)
            yield metric


def render_families(families: Iterable[Family]) -> tuple[bytes, str]:
    """Render the exposition and its content type."""
    return generate_latest(_Families(families)), CONTENT_TYPE_LATEST


class _Timing:
    """How long decisions of one kind took: how many fell into each bucket (the last has no bound), and their sum."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(_BUCKETS) + 1)
        self.seconds = 0.0


class _Decisions(Collector):
    """Both series of decisions, under one lock: the library's take four for every call."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._timings: dict[tuple[str, Reason, str], _Timing] = {}

    def count(self, key: tuple[str, Reason, str], seconds: float) -> None:
        with self._lock:
            timing = self._timings.get(key)
            if timing is None:
                timing = self._timings[key] = _Timing()
            timing.buckets[bisect_left(_BUCKETS, seconds)] += 1
            timing.seconds += seconds

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            timings = {key: (tuple(each.buckets), each.seconds) for key, each in self._timings.items()}
        labels = ("decision", "reason", "server")
        decisions = CounterMetricFamily("agen_decisions", "Decisions by kind, Reason and server.", labels=labels)
        for (decision, reason, server), (buckets, _) in timings.items():
            decisions.add_metric((decision, reason.value, server), sum(buckets))
        yield decisions
        durations = HistogramMetricFamily("agen_decision_seconds", "Time to a decision.", labels=("server",))
        for server in dict.fromkeys(server for _, _, server in timings):
            of_server = [timing for key, timing in timings.items() if key[2] == server]
            counts = accumulate(map(sum, zip(*(buckets for buckets, _ in of_server), strict=True)))
            bounds = (*map(floatToGoString, _BUCKETS), "+Inf")
            durations.add_metric(
                (server,),
                buckets=list(zip(bounds, counts, strict=True)),
                sum_value=sum(seconds for _, seconds in of_server),
            )
        yield durations


class _Tally(Collector):
    """A counter that every call uses: the library's looks up each child and takes a lock for it, which costs more."""

    def __init__(self, name: str, meaning: str, labels: tuple[str, ...]) -> None:
        self._name, self._meaning, self._labels = name, meaning, labels
        self._lock = Lock()
        self._counts: dict[tuple[str, ...], int] = {}

    def count(self, key: tuple[str, ...], count: int = 1) -> None:
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + count

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            counts = dict(self._counts)
        family = CounterMetricFamily(self._name, self._meaning, labels=self._labels)
        for key, count in counts.items():
            family.add_metric(key, count)
        yield family


class PrometheusMetrics:
    """Implements the metrics of `ports`, and what only `app` sets; safe for threads."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._decisions = _Decisions()
        self._matches = _Tally(
            "agen_policy_matches", "Policies that applied or could not be evaluated.", ("policy", "effect", "state")
        )
        self._audit = _Tally("agen_audit_events", "Audit events by sink.", ("sink", "outcome"))
        self._responses = _Tally("agen_responses", "Responses that Process read.", ("server", "outcome"))
        self._masked = _Tally("agen_masked", "Values that were masked.", ("detector", "style", "server"))
        self._shadow = _Tally(
            "agen_masked_shadow", "Values that a rule in shadow would have masked.", ("detector", "style", "server")
        )
        self._incomplete = _Tally(
            "agen_masking_incomplete", "Messages in which something was left after masking: a defect.", ("server",)
        )
        self._unruled = _Tally("agen_unruled", "Values that no rule covers, in samples.", ("detector", "server"))
        self._copies = _Tally(
            "agen_response_copies", "Copies of responses that pass as they are.", ("server", "outcome")
        )
        for collector in (self._decisions, self._matches, self._audit, self._responses, *self._list_masking()):
            registry.register(collector)
        self._jwks = Counter("agen_jwks_refresh", "Fetches of keys.", ("provider", "outcome"), registry=registry)
        self._policy_set = Gauge("agen_policy_set_info", "Which policy set decides.", ("version",), registry=registry)
        self._drift = Counter(
            "agen_tool_drift",
            "Tool definitions seen for the first time, by kind.",
            ("server", "kind"),
            registry=registry,
        )
        self._tools_unmapped = Gauge(
            "agen_tools_unmapped", "Listed tools that no access rule names.", ("server",), registry=registry
        )
        self._weakened = Gauge("agen_weakened", "Settings that weaken this sidecar.", ("setting",), registry=registry)

    def _list_masking(self) -> tuple[_Tally, ...]:
        return (self._masked, self._shadow, self._incomplete, self._unruled, self._copies)

    def count_decision(self, decision: str, reason: Reason, server: str, seconds: float) -> None:
        """Count a decision; `ports.DecisionMetrics.count_decision`."""
        self._decisions.count((decision, reason, server), seconds)

    def count_matches(self, matched: tuple[Matched, ...]) -> None:
        """Count policies; `ports.DecisionMetrics.count_matches`."""
        for each in matched:
            self._matches.count((each.policy, str(each.effect), str(each.state)))

    def count_audit_event(self, sink: str, outcome: str) -> None:
        """Count an audit event; `ports.AuditMetrics.count_audit_event`."""
        self._audit.count((sink, outcome))

    def count_response(self, server: str, outcome: ResponseOutcome) -> None:
        """Count a response; `ports.ResponseMetrics.count_response`."""
        self._responses.count((server, outcome.value))

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
        self._jwks.labels(provider, outcome).inc()

    def count_tool_drift(self, server: str, kind: str, count: int = 1) -> None:
        """Count definitions that were seen for the first time; `ports.DriftMetrics.count_tool_drift`."""
        self._drift.labels(server, kind).inc(count)

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

    def collect(self) -> tuple[Family, ...]:
        """Read everything that was counted here."""
        return collect_families(self._registry)


class WorkerCount(Struct, frozen=True):
    """What operators may count on: one worker, how often it was started again, and whether it serves and answers."""

    name: str
    restarts: int
    is_up: bool


class _Workers(Collector):
    """How the workers are, asked when metrics are read."""

    def __init__(self, list_workers: Callable[[], Iterable[WorkerCount]]) -> None:
        self._list_workers = list_workers

    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("agen_worker_up", "Workers that serve and answer the supervisor.", labels=("worker",))
        meaning = "How often workers were started again."
        restarts = CounterMetricFamily("agen_worker_restarts", meaning, labels=("worker",))
        for each in self._list_workers():
            up.add_metric((each.name,), each.is_up)
            restarts.add_metric((each.name,), each.restarts)
        yield up
        yield restarts


class SupervisorMetrics:
    """What the supervisor itself counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._reloads = Counter("agen_policy_reload", "Reloads by outcome.", ("outcome",), registry=registry)

    def count_policy_reload(self, outcome: str) -> None:
        """Count a reload: `ok` or `failed`."""
        self._reloads.labels(outcome).inc()

    def watch_workers(self, list_workers: Callable[[], Iterable[WorkerCount]]) -> None:
        """Show how the workers are whenever metrics are read."""
        self._registry.register(_Workers(list_workers))

    def collect(self) -> tuple[Family, ...]:
        """Read everything that was counted here."""
        return collect_families(self._registry)
