"""Clients that abort next to good calls, through a real Envoy: nobody else's call is lost, and nobody is let in.

docs/adr/0008-storms-of-resets.md says what the bound is and how it is kept; `python -m bench.storm` measures more.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.stage.storm import KINDS, Stage, measure, staged, unbounded

pytestmark = [pytest.mark.envoy, pytest.mark.loopback]
SECONDS = 1.0
# What may be lost. Without the bound a storm costs a tenth of the good calls and more.
LOST_SHARE = {"native": 0.005, "grpcio": 0.02}
MANY = 500
WORST = "HTTP/2 resets"


@dataclass(frozen=True)
class Storms:
    """A stage, and what may be lost on it."""

    stage: Stage
    lost_share: float


@pytest.fixture(scope="module", params=["native", pytest.param("grpcio", marks=pytest.mark.services)])
def storms(request: pytest.FixtureRequest) -> Iterator[Storms]:
    with staged(request.param) as stage:
        yield Storms(stage, LOST_SHARE[request.param])


# The kind that costs most, without the bound, is in every run; the others, and the proof that the bound is what helps,
# are in `make test-all`, where nothing else wants the processor.
KINDS_SEEN = [kind if kind == WORST else pytest.param(kind, marks=pytest.mark.services) for kind in KINDS]


@pytest.mark.parametrize("kind", KINDS_SEEN)
def test_a_storm_of_aborted_calls_denies_no_other_call_and_lets_no_caller_in(storms: Storms, kind: str) -> None:
    storm = measure(storms.stage, kind, SECONDS)
    if storm.lost_in_calm:
        # A machine that loses calls in calm says nothing of the storm: once more.
        storm = measure(storms.stage, kind, SECONDS)
    assert storm.counts["aborted"] >= MANY and storm.good > 0, "there was no storm"
    assert (storm.lost_share <= storms.lost_share, storm.lost_in_calm, storm.let_in) == (True, 0, 0), storm


@pytest.mark.services
def test_the_same_storm_denies_others_where_a_connection_carries_any_number_of_checks() -> None:
    with staged("native", unbounded) as stage:
        storm = measure(stage, WORST, SECONDS)
    bound = LOST_SHARE["native"]
    assert (storm.lost_share > bound, storm.counts["goaways"] > 0, storm.let_in) == (True, True, 0), storm
