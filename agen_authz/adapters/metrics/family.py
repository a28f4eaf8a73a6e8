"""Metrics as values: they can be sent to another process, added to others, and written as Prometheus reads them."""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from msgspec import Struct
from prometheus_client import CollectorRegistry, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

Labels: TypeAlias = tuple[tuple[str, str], ...]


class Family(Struct, frozen=True):
    """One metric with all its series, as a value.

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
