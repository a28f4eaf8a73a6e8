"""Who is next, and who has to leave."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from agen_authz.adapters.audit.turns import WriteTurns


@dataclass(frozen=True)
class Waits:
    owner: str
    number: int = 0


def serve(turns: WriteTurns[Waits]) -> list[Waits]:
    served = []
    while turns:
        served.append(turns.first())
        turns.leave(served[-1])
    return served


def filled(places: int, *waiting: Waits) -> WriteTurns[Waits]:
    turns: WriteTurns[Waits] = WriteTurns(places)
    assert [turns.join(each) for each in waiting] == [None] * len(waiting)
    return turns


def test_owners_take_turns_and_each_ones_events_keep_their_order():
    turns = filled(9, *(Waits("many", number) for number in range(4)), Waits("few", 0), Waits("few", 1), Waits("one"))
    assert [f"{each.owner}{each.number}" for each in serve(turns)] == [
        "many0", "few0", "one0", "many1", "few1", "many2", "many3",
    ]  # fmt: skip


def test_newest_of_whoever_has_most_leaves_when_there_is_no_place():
    turns = filled(3, *(Waits("many", number) for number in range(3)))
    assert turns.join(Waits("few")) == Waits("many", 2)
    assert serve(turns) == [Waits("many", 0), Waits("few"), Waits("many", 1)]


def test_who_would_have_the_most_has_no_place():
    turns = filled(3, Waits("a", 0), Waits("a", 1), Waits("b", 0))
    assert turns.join(Waits("b", 1)) == Waits("b", 1)
    assert turns.join(Waits("a", 2)) == Waits("a", 2)
    assert len(turns) == 3


def test_where_each_has_one_a_newcomer_has_none():
    turns = filled(2, Waits("a"), Waits("b"))
    assert (turns.join(Waits("c")), len(serve(turns))) == (Waits("c"), 2)


def test_one_that_left_already_leaves_nothing_behind():
    turns = filled(2, Waits("a"))
    for _ in range(2):
        turns.leave(Waits("a"))
    turns.leave(Waits("nobody"))
    assert (len(turns), serve(turns)) == (0, [])


STEPS = st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=60)


@given(STEPS)
def test_places_are_never_exceeded_and_nobody_with_less_leaves_for_one_with_more(steps):
    turns: WriteTurns[Waits] = WriteTurns(5)
    inside: list[Waits] = []
    for number, (owner, joins) in enumerate(steps):
        if joins or not turns:
            waiting = Waits(owner, number)
            leaving = turns.join(waiting)
            inside.append(waiting)
            if leaving is not None:
                counts = {name: sum(each.owner == name for each in inside) for name in "abcd"}
                assert counts[leaving.owner] == max(counts.values())
                inside.remove(leaving)
        else:
            first = turns.first()
            assert first == next(each for each in inside if each.owner == first.owner)
            turns.leave(first)
            inside.remove(first)
        assert len(turns) == len(inside) <= 5
