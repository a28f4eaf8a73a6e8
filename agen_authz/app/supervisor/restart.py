"""When a worker that ended is started again: soon at first, ever later, and not without an end.

A worker that ends again and again cannot be mended by starting it. Then the supervisor ends as well, so that the
platform sees it.
"""

from dataclasses import dataclass
from typing import TypeAlias

# No pause is doubled more often; a larger number would not fit into a float.
_MOST_DOUBLINGS = 64


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the first and the longest pause is, in seconds, and how many failures in which time are too many."""

    first_s: float = 0.1
    longest_s: float = 10.0
    most: int = 10
    window_s: float = 300.0


PATIENCE = Patience()


@dataclass(frozen=True, slots=True)
class StartAgain:
    """Start it again after so many seconds; `failures` are those to remember."""

    after_s: float
    failures: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class GiveUp:
    """It has failed so often that starting it again makes no sense."""

    count: int


AfterFailure: TypeAlias = StartAgain | GiveUp


def judge_failure(failures: tuple[float, ...], now: float, patience: Patience) -> AfterFailure:
    """Judge one more failure.

    Args:
        failures: when it failed before, in seconds of a clock that never steps back.
        now: when it failed, by the same clock.
    """
    recent = (*(each for each in failures if now - each < patience.window_s), now)
    if len(recent) > patience.most:
        return GiveUp(len(recent))
    doublings = min(len(recent) - 1, _MOST_DOUBLINGS)
    return StartAgain(min(patience.first_s * 2.0**doublings, patience.longest_s), recent)
