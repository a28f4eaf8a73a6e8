"""Whose turn it is: places and time are shared among callers, not among calls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.servers.turn import Turns


def run(turns: Turns[str], cost: dict[str, float] | None = None) -> list[str]:
    """Take all that waits; a call costs what its first letter says."""
    taken = []
    while turns:
        taken.append(turns.take())
        turns.charge((cost or {}).get(taken[-1][0], 0.001))
    return taken


def queue(turns: Turns[str], calls: str) -> list[str | None]:
    """Queue calls such as `a1 a2 b1`, whose callers are their first letters."""
    return [turns.offer(call[0], call) for call in calls.split()]


def test_calls_of_one_caller_are_decided_in_the_order_they_came():
    turns = Turns[str](10)
    assert queue(turns, "a1 a2 a3") == [None] * 3
    assert run(turns) == ["a1", "a2", "a3"]


def test_callers_take_turns():
    turns = Turns[str](10)
    queue(turns, "a1 a2 a3 a4 b1 b2 c1")
    assert run(turns) == ["a1", "b1", "c1", "a2", "b2", "a3", "a4"]


def test_more_calls_than_places_find_none():
    turns = Turns[str](2)
    assert queue(turns, "a1 a2 a3") == [None, None, "a3"]
    assert run(turns) == ["a1", "a2"]


def test_caller_who_has_taken_all_places_gives_some_to_newcomers_but_not_more_than_they_have():
    turns = Turns[str](4)
    assert queue(turns, "a1 a2 a3 a4 b1 b2 b3") == [None, None, None, None, "a4", "a3", "b3"]
    assert sorted(run(turns)) == ["a1", "a2", "b1", "b2"]


def test_last_place_of_a_caller_is_not_taken_away():
    turns = Turns[str](2)
    assert queue(turns, "a1 b1 c1") == [None, None, "c1"]


def test_caller_with_heavy_calls_waits_for_the_others():
    turns = Turns[str](10)
    queue(turns, "a1 a2 b1 b2 b3 c1")
    assert run(turns, {"a": 0.3}) == ["a1", "b1", "c1", "b2", "b3", "a2"]


def test_what_a_caller_has_used_is_not_forgotten_while_nothing_of_theirs_waits():
    turns = Turns[str](10)
    queue(turns, "a1 b1")
    assert turns.take() == "a1"
    turns.charge(0.3)
    queue(turns, "a2 b2")
    assert run(turns) == ["b1", "b2", "a2"]


def test_what_a_caller_has_used_is_forgotten_once_the_others_have_used_as_much():
    turns = Turns[str](100)
    queue(turns, "a1")
    run(turns, {"a": 0.3})
    queue(turns, " ".join(f"b{number}" for number in range(40)))
    for _ in range(31):
        turns.take()
        turns.charge(0.01)
    queue(turns, "a2")
    assert turns.take() == "a2"


def test_caller_is_never_more_than_a_second_behind():
    turns = Turns[str](200)
    queue(turns, "a1")
    run(turns, {"a": 60.0})
    queue(turns, "a2 " + " ".join(f"b{number}" for number in range(150)))
    assert run(turns, {"b": 0.01}).index("a2") in range(99, 103)


def test_newcomer_begins_where_the_others_are():
    turns = Turns[str](10)
    queue(turns, "a1 a2 a3")
    turns.take()
    turns.charge(0.5)
    queue(turns, "b1 b2")
    assert run(turns, {"a": 0.1, "b": 0.1})[:2] == ["b1", "b2"]


def test_call_that_comes_while_another_of_its_caller_is_decided_waits_its_turn():
    turns = Turns[str](10)
    queue(turns, "a1")
    turns.take()
    queue(turns, "a2 b1")
    turns.charge(0.1)
    assert run(turns) == ["b1", "a2"]


STEPS = st.lists(st.one_of(st.sampled_from("abcd"), st.floats(0, 2)), max_size=120)


@pytest.mark.parametrize("places", [1, 3, 8])
@given(STEPS)
def test_every_call_is_taken_once_or_refused_once_and_never_more_wait_than_there_are_places(places, steps):
    turns, came, left = Turns[str](places), [], []
    for number, step in enumerate(steps):
        if isinstance(step, str):
            came.append(f"{step}{number}")
            surplus = turns.offer(step, came[-1])
            left += [] if surplus is None else [surplus]
        elif turns:
            left.append(turns.take())
            turns.charge(step)
        assert len(turns) <= places and len(turns) == len(came) - len(left)
    assert sorted([*left, *run(turns)]) == sorted(came)
