"""Looking from outside: metrics, memory, open files and threads of a process, and waiting until something is so."""

import re
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from tests.stage.family import list_family

_POLL_S, _PATIENCE_S = 0.05, 30.0
# Growth of the last third over the second one; the first is warm-up.
MAX_GROWTH, MAX_GROWTH_MB, MAX_MORE = 0.03, 3.0, 5


class NotSeen(Exception):
    """What was waited for did not come."""


def await_true(condition: Callable[[], bool], what: str, patience_s: float = _PATIENCE_S) -> None:
    """Wait until a condition holds.

    Raises:
        NotSeen: it did not, within `patience_s`.
    """
    deadline = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() > deadline:
            raise NotSeen(f"waited {patience_s:g} s for {what}")
        time.sleep(_POLL_S)


Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Metrics:
    """One reading of `/metrics`."""

    samples: tuple[tuple[str, Labels, float], ...]

    def total(self, name: str, **labels: str) -> float:
        """Add up every sample with this name and these labels."""
        return sum(value for known, seen, value in self.samples if known == name and labels.items() <= seen.items())

    def labels_of(self, name: str, label: str) -> list[str]:
        """List the values that a label has where the sample is not zero."""
        return [seen[label] for known, seen, value in self.samples if known == name and value]


def read_metrics(text: str) -> Metrics:
    """Read the text format."""
    families = text_string_to_metric_families(text)
    return Metrics(tuple((each.name, each.labels, each.value) for family in families for each in family.samples))


@dataclass(frozen=True, slots=True)
class Sample:
    """The sidecar's processes together, and Envoy, at a moment; what processes share counts once."""

    rss_mb: float
    files: int
    threads: int
    envoy_mb: float


def sample(pid: int, envoy_pid: int) -> Sample:
    """Look at the sidecar and at Envoy."""
    family = list_family(pid)
    files = sum(1 for each in family for _ in Path(f"/proc/{each}/fd").iterdir())
    threads = sum(1 for each in family for _ in Path(f"/proc/{each}/task").iterdir())
    return Sample(sum(map(pss_mb, family)), files, threads, pss_mb(envoy_pid))


def pss_mb(pid: int) -> float:
    """Read the memory that a process holds, its share of what it shares with others."""
    found = re.search(r"\nPss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())
    assert found is not None, f"process {pid} is gone"
    return int(found[1]) / 1024


def find_growth(samples: Sequence[Sample]) -> list[str]:
    """List what grew: the median of the last third against that of the second one."""
    third = len(samples) // 3
    if third == 0:
        return ["there are too few samples to tell whether anything grew"]
    middle, last = samples[third : 2 * third], samples[-third:]
    found = []
    before, after = (statistics.median(each.rss_mb for each in part) for part in (middle, last))
    if after > before * (1 + MAX_GROWTH) or after > before + MAX_GROWTH_MB:
        found.append(f"memory grew from {before:.1f} to {after:.1f} MB")
    for name in ("files", "threads"):
        before, after = (statistics.median(getattr(each, name) for each in part) for part in (middle, last))
        if after > before + MAX_MORE:
            found.append(f"open {name} grew from {before:.0f} to {after:.0f}")
    return found
