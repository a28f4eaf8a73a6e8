"""The table: what good callers got without an attack and next to it."""

from collections import Counter
from dataclasses import dataclass

from tests.stage.storm import Answered

GOAL = 3.0
_OK = 200


@dataclass(frozen=True, slots=True)
class Got:
    """What good callers got: answers by status, and how long the good ones took."""

    statuses: dict[int, int]
    p50_ms: float
    p99_ms: float

    @property
    def denied(self) -> int:
        """How many good calls were not answered 200."""
        return sum(count for status, count in self.statuses.items() if status != _OK)


@dataclass(frozen=True, slots=True)
class Row:
    """One attack."""

    letter: str
    what: str
    quiet: Got
    beside: Got
    attacker: dict[int, int]

    @property
    def ratio(self) -> float:
        """How many times as long the slowest hundredth took next to the attack."""
        return self.beside.p99_ms / self.quiet.p99_ms if self.quiet.p99_ms else float("inf")

    @property
    def is_held(self) -> bool:
        """True if no good call was denied, and the slowest took no longer than the goal allows."""
        return self.beside.denied == 0 and self.ratio <= GOAL


def sum_up(seen: list[Answered]) -> Got:
    """Count answers; times are those of all calls, denied ones too, since a denied caller has waited as well."""
    times = sorted(each.taken_ms for each in seen) or [0.0]
    statuses = dict(sorted(Counter(each.status for each in seen).items()))
    return Got(statuses, times[len(times) // 2], times[min(len(times) - 1, len(times) * 99 // 100)])


def render_heading() -> str:
    """Write the names of the columns."""
    return (
        "| | attack | good calls, quiet | p50, p99 ms | good calls, attacked | p50, p99 ms | p99 | attacker got | |\n"
        "|---|---|---|---|---|---|---|---|---|"
    )


def render(row: Row) -> str:
    """Write one row of a table in Markdown."""
    quiet, beside = row.quiet, row.beside
    verdict = "held" if row.is_held else "**not held**"
    return (
        f"| {row.letter} | {row.what} | {_counts(quiet.statuses)} | {quiet.p50_ms:.1f}, {quiet.p99_ms:.1f} "
        f"| {_counts(beside.statuses)} | {beside.p50_ms:.1f}, {beside.p99_ms:.1f} | {row.ratio:.1f} x "
        f"| {_counts(row.attacker)} | {verdict} |"
    )


def _counts(statuses: dict[int, int]) -> str:
    return ", ".join(f"{count} x {status}" for status, count in statuses.items()) or "nothing"
