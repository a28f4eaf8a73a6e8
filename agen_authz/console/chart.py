"""Counts over time as bars: where each bar is, and what a person reads who does not see them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from agen_authz.console.history import STEP_S, STEPS

WIDTH, HEIGHT, _GAP = 480.0, 60.0, 2.0
_LEAST = 2.0


class Bar(Struct, frozen=True):
    """One bar; `kind` is its class in the style sheet."""

    kind: str
    x: float
    y: float
    width: float
    height: float


class Chart(Struct, frozen=True):
    """A chart.

    Args:
        label: says the same in words.
        most: the highest count of a step.
        begins: when the first step begins.
    """

    bars: tuple[Bar, ...]
    label: str
    totals: tuple[tuple[str, int], ...]
    most: int
    begins: float


def draw(what: str, counts: Mapping[str, Sequence[int]], now: float) -> Chart:
    """Draw counts as bars on top of each other.

    Args:
        what: is counted: `Matches`.
        counts: by kind, of each step, the oldest first; the first kind is at the bottom.
    """
    sums = [sum(steps) for steps in zip(*counts.values(), strict=True)] or [0] * STEPS
    most, each_width = max(sums), WIDTH / STEPS
    bars = []
    for step in range(STEPS):
        top = HEIGHT
        for kind, steps in counts.items():
            if steps[step]:
                # What is there is seen, however little it is.
                height = max(steps[step] / most * HEIGHT, _LEAST)
                top = max(top - height, 0.0)
                bars.append(Bar(kind, step * each_width, round(top, 2), each_width - _GAP, round(height, 2)))
    begins = (now // STEP_S - STEPS + 1) * STEP_S
    totals = tuple((kind, sum(steps)) for kind, steps in counts.items())
    return Chart(tuple(bars), _describe(what, totals, sums, begins), totals, most, begins)


def _describe(what: str, totals: Sequence[tuple[str, int]], sums: Sequence[int], begins: float) -> str:
    parts = ", ".join(f"{count} {kind}" for kind, count in totals)
    if not any(sums):
        return f"{what} in the last 24 hours: none."
    busiest = sums.index(max(sums))
    at = datetime.fromtimestamp(begins + busiest * STEP_S, UTC)
    return f"{what} in the last 24 hours: {parts}. Most in the half hour from {at:%H:%M} UTC: {max(sums)}."
