"""What an expression of PromQL is about: its metrics, and the labels that it asks for."""

import re
from collections.abc import Iterator

from agen_authz.adapters.metrics.table import METRICS, MetricKind

# What Prometheus adds to a series of ours, and what a histogram has.
TARGET = frozenset({"namespace", "job", "pod", "instance"})
SERIES = {
    **{row.exposed: frozenset(row.labels) for row in METRICS if row.kind is not MetricKind.HISTOGRAM},
    **{
        f"{row.name}_{part}": frozenset(row.labels) | ({"le"} if part == "bucket" else set())
        for row in METRICS
        if row.kind is MetricKind.HISTOGRAM
        for part in ("bucket", "count", "sum")
    },
}
_METRIC = re.compile(r"\b((?:agen|process)_\w+)(?:\{([^}]*)\})?")
_GROUPED = re.compile(r"\b(?:by|on) \(([^)]*)\)")


def find_mistakes(expr: str) -> Iterator[str]:
    """Find metrics that do not exist, and labels that none of the metrics has."""
    known: frozenset[str] = TARGET
    for name, selectors in _METRIC.findall(expr):
        if name not in SERIES:
            yield f"no metric is called {name}"
            continue
        labels = SERIES[name] | TARGET
        known |= labels
        yield from (
            f"{name} has no label {each}" for each in re.findall(r"(\w+)\s*[=!]", selectors) if each not in labels
        )
    for names in _GROUPED.findall(expr):
        yield from (f"no metric has the label {each}" for each in re.findall(r"\w+", names) if each not in known)
