"""What the supervisor counts: reloads, workers, and what the kernel knows of each process."""

import os
import platform
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from msgspec import Struct
from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from agen_authz.adapters.metrics import table
from agen_authz.adapters.metrics.family import Family, collect_families
from agen_authz.adapters.metrics.tally import Tally, make_gauge

_SUPERVISOR = "supervisor"
_PACKAGE = "agen-authz"


class WorkerCount(Struct, frozen=True):
    """What operators may count on: one worker, how often it was started again, and whether it serves and answers.

    `pid` is 0 while no process is there.
    """

    name: str
    restarts: int
    is_up: bool
    pid: int = 0


class _Workers(Collector):
    """How the workers are, asked when metrics are read."""

    def __init__(self, list_workers: Callable[[], Iterable[WorkerCount]]) -> None:
        self._list_workers = list_workers

    def collect(self) -> Iterator[Metric]:
        workers = list(self._list_workers())
        up = GaugeMetricFamily(table.WORKER_UP.name, table.WORKER_UP.meaning, labels=table.WORKER_UP.labels)
        row = table.WORKER_RESTARTS
        restarts = CounterMetricFamily(row.name, row.meaning, labels=row.labels)
        for each in workers:
            up.add_metric((each.name,), each.is_up)
            restarts.add_metric((each.name,), each.restarts)
        yield up
        yield restarts
        yield from _read_processes({_SUPERVISOR: os.getpid(), **{each.name: each.pid for each in workers if each.pid}})


def _read_processes(pids: dict[str, int]) -> Iterator[Metric]:
    """Read what the kernel knows of each process; nothing of one that has ended."""
    families = {row.name: Metric(row.name, row.meaning, row.kind.value) for row in table.PROCESS}
    for name, pid in pids.items():
        for metric in ProcessCollector(pid=partial(int, pid), registry=None).collect():
            for sample in metric.samples:
                families[metric.name].add_sample(sample.name, {"process": name}, sample.value)
    yield from families.values()


def _read_version() -> str:
    try:
        return version(_PACKAGE)
    except PackageNotFoundError:
        # A copy of the sources that was not installed.
        return "unknown"


class SupervisorMetrics:
    """What the supervisor itself counts.

    Args:
        now: when the configuration that it starts with took effect, in seconds since the epoch.
        check_timeout_s: how long Envoy waits for Check.
    """

    def __init__(self, registry: CollectorRegistry, now: float, check_timeout_s: float) -> None:
        self._registry = registry
        self._reloads = Tally(table.RELOADS, registry)
        self._reload_ok = make_gauge(table.RELOAD_OK, registry)
        self._reload_time = make_gauge(table.RELOAD_TIME, registry)
        self._check_timeout = make_gauge(table.CHECK_TIMEOUT, registry)
        make_gauge(table.BUILD, registry).labels(_read_version(), platform.python_version()).set(1)
        self.set_check_timeout(check_timeout_s)
        self._reload_ok.set(1)
        self._reload_time.set(now)

    def count_policy_reload(self, outcome: str, now: float) -> None:
        """Count a reload: `ok` or `failed`."""
        self._reloads.count((outcome,))
        self._reload_ok.set(outcome == "ok")
        if outcome == "ok":
            self._reload_time.set(now)

    def set_check_timeout(self, seconds: float) -> None:
        """Show how long Envoy waits for Check."""
        self._check_timeout.set(seconds)

    def watch_workers(self, list_workers: Callable[[], Iterable[WorkerCount]]) -> None:
        """Show how the workers are, and what their processes take, whenever metrics are read."""
        self._registry.register(_Workers(list_workers))

    def collect(self) -> tuple[Family, ...]:
        """Read everything that was counted here."""
        return collect_families(self._registry)
