"""How often something was counted over time: what the sidecar's metrics say, noted again and again, for one day.

The console's worker reads the metrics in the text format of Prometheus and calls `note`. A counter that is lower than
before was begun again. What was counted before the first note is not known, so it is left out.
"""

import re
from collections import Counter
from collections.abc import Mapping

from msgspec import Struct

POLICY_MATCHES, MASKED, MASKED_SHADOW = (
    "agen_policy_matches_total",
    "agen_masked_total",
    "agen_masked_shadow_total",
)
STEP_S, STEPS = 1800.0, 48
_WANTED = frozenset({POLICY_MATCHES, MASKED, MASKED_SHADOW})
# What is counted has labels of closed sets, so there are never many of them.
_MAX_TRACKS = 20_000
_SAMPLE = re.compile(r"([a-z_]+)\{([^\n]*)\} ([0-9.eE+-]+)(?: [0-9.eE+-]+)?")
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}
_ESCAPE = re.compile(r'\\[\\"n]')

Labels = tuple[tuple[str, str], ...]


class Track(Struct, frozen=True):
    """One thing that was counted: the labels that were asked for, and its counts, the oldest step first."""

    labels: tuple[str, ...]
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        """How often, in all."""
        return sum(self.counts)


class History:
    """The counts of the last day, in steps of half an hour; in memory, of this sidecar alone."""

    def __init__(self) -> None:
        self.since: float | None = None
        self._seen: dict[tuple[str, Labels], float] = {}
        self._steps: dict[tuple[str, Labels], Counter[int]] = {}

    def note(self, text: str, now: float) -> None:
        """Note what the metrics say now."""
        step, is_first = int(now // STEP_S), self.since is None
        for each, value in _read_samples(text).items():
            before = self._seen.get(each, value if is_first else 0.0)
            if each not in self._seen and len(self._seen) >= _MAX_TRACKS:
                continue
            self._seen[each] = value
            grown = round(value - before if value >= before else value)
            if grown > 0:
                self._steps.setdefault(each, Counter())[step] += grown
        self.since = now if self.since is None else self.since
        self._forget(step - STEPS)

    def _forget(self, until: int) -> None:
        for steps in self._steps.values():
            for old in [step for step in steps if step <= until]:
                del steps[old]

    def read(self, metric: str, *names: str, now: float) -> tuple[Track, ...]:
        """Read the counts of a metric by some of its labels, which are added up over all others."""
        added: dict[tuple[str, ...], Counter[int]] = {}
        for (each, labels), steps in self._steps.items():
            if each == metric:
                known = dict(labels)
                added.setdefault(tuple(known.get(name, "") for name in names), Counter()).update(steps)
        last = int(now // STEP_S)
        window = range(last - STEPS + 1, last + 1)
        tracks = [Track(labels, tuple(steps[step] for step in window)) for labels, steps in sorted(added.items())]
        return tuple(each for each in tracks if each.total)


def _read_samples(text: str) -> Mapping[tuple[str, Labels], float]:
    """Read the samples of the metrics that are shown; what is not one is passed over."""
    found: dict[tuple[str, Labels], float] = {}
    for line in text.split("\n"):
        if line.partition("{")[0] not in _WANTED:
            continue
        sample = _SAMPLE.fullmatch(line)
        if sample is None:
            continue
        labels = tuple((name, _unescape(value)) for name, value in _LABEL.findall(sample[2]))
        try:
            found[sample[1], labels] = float(sample[3])
        except ValueError:
            continue
    return found


def _unescape(value: str) -> str:
    return _ESCAPE.sub(lambda found: _ESCAPES[found[0]], value)
