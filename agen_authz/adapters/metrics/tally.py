"""What every call counts: cheaper than the library's counters, which take a lock for each child."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from threading import Lock

from prometheus_client import CollectorRegistry, Gauge, Metric
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from agen_authz.adapters.metrics.table import DECISION_SECONDS, DECISIONS, MetricRow
from agen_authz.core.reason import Reason

# Seconds: a cached token is decided in a tenth of a millisecond, a fetched key in tens.
BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
BOUNDS = (*map(floatToGoString, BUCKETS), "+Inf")
# Seconds: people take from half a minute to a week.
LONG_BUCKETS = (30.0, 60.0, 300.0, 900.0, 3600.0, 4 * 3600.0, 24 * 3600.0, 7 * 24 * 3600.0)
LONG_BOUNDS = (*map(floatToGoString, LONG_BUCKETS), "+Inf")


class _Timing:
    """How long decisions of one kind took: how many fell into each bucket (the last has no bound), and their sum."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0


class Decisions(Collector):
    """Both series of decisions, under one lock: the library's take four for every call."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._timings: dict[tuple[str, Reason, str], _Timing] = {}

    def count(self, key: tuple[str, Reason, str], seconds: float) -> None:
        """Count a decision: its kind, Reason and server."""
        with self._lock:
            timing = self._timings.get(key)
            if timing is None:
                timing = self._timings[key] = _Timing()
            timing.buckets[bisect_left(BUCKETS, seconds)] += 1
            timing.seconds += seconds

    def collect(self) -> Iterator[Metric]:
        """Read both metrics."""
        with self._lock:
            timings = {key: (tuple(each.buckets), each.seconds) for key, each in self._timings.items()}
        decisions = CounterMetricFamily(DECISIONS.name, DECISIONS.meaning, labels=DECISIONS.labels)
        for (decision, reason, server), (buckets, _) in timings.items():
            decisions.add_metric((decision, reason.value, server), sum(buckets))
        yield decisions
        row = DECISION_SECONDS
        durations = HistogramMetricFamily(row.name, row.meaning, labels=row.labels)
        for server in dict.fromkeys(server for _, _, server in timings):
            of_server = [timing for key, timing in timings.items() if key[2] == server]
            counts = accumulate(map(sum, zip(*(buckets for buckets, _ in of_server), strict=True)))
            durations.add_metric(
                (server,),
                buckets=list(zip(BOUNDS, counts, strict=True)),
                sum_value=sum(seconds for _, seconds in of_server),
            )
        yield durations


class Tally(Collector):
    """A counter that every call uses: the library's looks up each child and takes a lock for it, which costs more."""

    def __init__(self, row: MetricRow, registry: CollectorRegistry) -> None:
        self._row = row
        self._lock = Lock()
        self._counts: dict[tuple[str, ...], int] = {}
        registry.register(self)

    def count(self, key: tuple[str, ...], count: int = 1) -> None:
        """Count up the series of these labels."""
        with self._lock:
            self._counts[key] = self._counts.get(key, 0) + count

    def collect(self) -> Iterator[Metric]:
        """Read the metric."""
        with self._lock:
            counts = dict(self._counts)
        family = CounterMetricFamily(self._row.name, self._row.meaning, labels=self._row.labels)
        for key, count in counts.items():
            family.add_metric(key, count)
        yield family


class Waits(Collector):
    """How long people took, by one label; nothing that every call counts."""

    def __init__(self, row: MetricRow, registry: CollectorRegistry) -> None:
        self._row = row
        self._lock = Lock()
        self._seconds: dict[str, tuple[list[int], float]] = {}
        registry.register(self)

    def count(self, key: str, seconds: float) -> None:
        """Count one wait."""
        with self._lock:
            buckets, total = self._seconds.get(key) or ([0] * len(LONG_BOUNDS), 0.0)
            buckets[bisect_left(LONG_BUCKETS, seconds)] += 1
            self._seconds[key] = buckets, total + seconds

    def collect(self) -> Iterator[Metric]:
        """Read the metric."""
        with self._lock:
            held = {key: (list(accumulate(buckets)), total) for key, (buckets, total) in self._seconds.items()}
        family = HistogramMetricFamily(self._row.name, self._row.meaning, labels=self._row.labels)
        for key, (counts, total) in held.items():
            family.add_metric((key,), buckets=list(zip(LONG_BOUNDS, counts, strict=True)), sum_value=total)
        yield family


def make_gauge(row: MetricRow, registry: CollectorRegistry) -> Gauge:
    """Make the gauge of a row."""
    return Gauge(row.name, row.meaning, row.labels, registry=registry)
