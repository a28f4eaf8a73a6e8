"""Who is next, and who has to leave."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from agen_authz.adapters.audit.queue import FairQueue


@dataclass(frozen=True)
class Waits:
    owner: str
    number: int = 0


def serve(queue: FairQueue[Waits]) -> list[Waits]:
    served = []
    while queue:
        served.append(queue.first())
        queue.leave(served[-1])
    return served


def filled(places: int, *waiting: Waits) -> FairQueue[Waits]:
    queue: FairQueue[Waits] = FairQueue(places)
    assert [queue.join(each) for each in waiting] == [None] * len(waiting)
    return queue


def test_owners_take_turns_and_each_ones_events_keep_their_order():
    queue = filled(9, *(Waits("many", number) for number in range(4)), Waits("few", 0), Waits("few", 1), Waits("one"))
    assert [f"{each.owner}{each.number}" for each in serve(queue)] == [
        "many0", "few0", "one0", "many1", "few1", "many2", "many3",
    ]  # fmt: skip


def test_newest_event_of_the_caller_with_the_most_is_removed_if_there_is_no_place():
    queue = filled(3, *(Waits("many", number) for number in range(3)))
    assert queue.join(Waits("few")) == Waits("many", 2)
    assert serve(queue) == [Waits("many", 0), Waits("few"), Waits("many", 1)]


def test_who_would_have_the_most_has_no_place():
    queue = filled(3, Waits("a", 0), Waits("a", 1), Waits("b", 0))
    assert queue.join(Waits("b", 1)) == Waits("b", 1)
    assert queue.join(Waits("a", 2)) == Waits("a", 2)
    assert len(queue) == 3


def test_where_each_has_one_a_newcomer_has_none():
    queue = filled(2, Waits("a"), Waits("b"))
    assert (queue.join(Waits("c")), len(serve(queue))) == (Waits("c"), 2)


def test_one_that_left_already_leaves_nothing_behind():
    queue = filled(2, Waits("a"))
    for _ in range(2):
        queue.leave(Waits("a"))
    queue.leave(Waits("nobody"))
    assert (len(queue), serve(queue)) == (0, [])


STEPS = st.lists(st.tuples(st.sampled_from("abcd"), st.booleans()), max_size=60)


@given(STEPS)
def test_places_are_never_exceeded_and_a_caller_with_fewer_never_loses_one_for_a_caller_with_more(steps):
    queue: FairQueue[Waits] = FairQueue(5)
    inside: list[Waits] = []
    for number, (owner, joins) in enumerate(steps):
        if joins or not queue:
            waiting = Waits(owner, number)
            leaving = queue.join(waiting)
            inside.append(waiting)
            if leaving is not None:
                counts = {name: sum(each.owner == name for each in inside) for name in "abcd"}
                assert counts[leaving.owner] == max(counts.values())
                inside.remove(leaving)
        else:
            first = queue.first()
            assert first == next(each for each in inside if each.owner == first.owner)
            queue.leave(first)
            inside.remove(first)
        assert len(queue) == len(inside) <= 5
