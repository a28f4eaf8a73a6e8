"""Grants under processes that are killed; `make chaos` does the same with 10,000 calls."""

from dataclasses import replace

import pytest
from msgspec import structs

from agen_authz.core.approval.request import Progress
from tests.adapters.approval_rig import approved
from tests.builders import NOW
from tests.chaos.race import Outcome, Racing, Size, Told, find_faults, run_race
from tests.services import running_postgresql

SMALL = Size(calls=240, grants=40, processes=4, batch=40)
ALONE = Size(calls=120, grants=40, processes=1, batch=60)


@pytest.mark.loopback
async def test_no_grant_in_a_file_is_used_twice_or_lost_while_its_process_is_killed(tmp_path):
    check(await run_race(f"sqlite:///{tmp_path}/agen.db", ALONE, tmp_path))


@pytest.mark.services
@pytest.mark.loopback
async def test_no_grant_in_postgresql_is_used_twice_or_lost_while_processes_are_killed(tmp_path):
    with running_postgresql() as url:
        check(await run_race(url, SMALL, tmp_path))


def check(outcome: Outcome) -> None:
    assert find_faults(outcome) == []
    assert 0 < len(outcome.told.allowed) <= outcome.used <= SMALL.grants
    assert outcome.told.killed > 0


# ---- what is found, if it were so ------------------------------------------------------------------------------------

ONE, TWO = (structs.replace(approved(name), status=Progress.USED, used_at=NOW + 1) for name in ("a", "b"))
GOOD = Outcome(
    calls=[Racing(1, (ONE.key, TWO.key)), Racing(2, (ONE.key,))],
    told=Told(begun={1, 2}, allowed={1}, denied={2}),
    kept=[ONE, TWO],
    messages=[ONE.id, TWO.id],
)
FREE = structs.replace(ONE, status=Progress.APPROVED, used_at=None)
FAULTS = {
    "used twice": replace(GOOD, told=Told(begun={1, 2}, allowed={1, 2})),
    "used for a denied call": replace(GOOD, told=Told(begun={1, 2}, denied={1, 2})),
    "used for a call that did not ask": replace(GOOD, calls=[Racing(1, (ONE.key,)), Racing(2, (TWO.key,))]),
    "half of a call": replace(GOOD, kept=[ONE, structs.replace(TWO, used_at=NOW + 2)]),
    "lost": replace(GOOD, told=Told(begun={1, 2}, denied={1, 2}), kept=[FREE, FREE], messages=[]),
    "told twice": replace(GOOD, messages=[ONE.id, ONE.id, TWO.id]),
    "not told": replace(GOOD, messages=[ONE.id]),
    "never heard of": replace(GOOD, told=Told(begun={1}, allowed={1})),
    "store that did not answer": replace(GOOD, told=Told(begun={1, 2}, allowed={1}, unavailable={2})),
}


def test_race_in_which_all_is_well_has_no_fault():
    assert find_faults(GOOD) == []
    killed = replace(GOOD, told=Told(begun={1, 2}, denied={2}))
    assert (find_faults(killed), killed.told.in_flight) == ([], {1})


@pytest.mark.parametrize("name", FAULTS)
def test_race_in_which_something_is_wrong_is_found_out(name):
    assert find_faults(FAULTS[name]) != []
