from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.adapters.sessions import Entry, MemorySessions, Shelf
from agen_authz.core.model import Issuer, Owner, SessionId, Subject
from tests.fakes import FakeClock

THREADS = 8
HOUR = 3600


def _owner(name):
    return Owner(Issuer("https://a"), Subject(name))


def _fill(table, holdings):
    for name, count in holdings.items():
        for number in range(count):
            assert table.bind("crm", SessionId(f"{name}n{number}"), _owner(name)) is True


def _left(table, holdings):
    """Who is left in the table once nothing is marked any longer: an id that anyone may bind has left it."""
    stranger = _owner("stranger")
    return {
        name: [n for n in range(count) if table.find_owner("crm", SessionId(f"{name}n{n}")) not in (None, stranger)]
        for name, count in holdings.items()
    }


@pytest.mark.parametrize(
    ("limit", "share"),
    [(1, 1), (63, 63), (64, 64), (1_000, 64), (6_400, 64), (6_500, 65), (100_000, 1_000)],
)
def test_one_owner_holds_a_share_of_the_table(limit, share):
    table = MemorySessions(limit, FakeClock())
    _fill(table, {"ann": share + 3})
    assert table.count() == {"open": share, "marked": min(3, share), "pushed_out": 3}


def test_table_that_a_hundred_callers_have_filled_lets_newcomers_in():
    callers = {f"c{number}": 64 for number in range(100)}
    table = MemorySessions(6_400, FakeClock())
    _fill(table, callers)
    _fill(table, {f"new{number}": 1 for number in range(50)})
    assert table.count() == {"open": 6_400, "marked": 50, "pushed_out": 50}
    # Fifty of a hundred gave one each: nobody lost two.
    table.bind("crm", SessionId("one-more"), _owner("c99"))
    left = Counter(len(numbers) for numbers in _left(table, callers).values())
    assert set(left) == {64}


def test_caller_with_the_most_loses_one_and_the_others_lose_nothing():
    clock, holdings = FakeClock(), {"ann": 1, "bob": 3, "cem": 60}
    table = MemorySessions(64, clock)
    _fill(table, holdings)
    _fill(table, {"dan": 10})
    clock.advance(2 * HOUR)
    # An hour has passed for what was marked, and no day for what is held.
    assert _left(table, holdings) == {"ann": [0], "bob": [0, 1, 2], "cem": list(range(10, 60))}


def test_flood_of_one_owner_leaves_the_others_alone():
    clock = FakeClock()
    table = MemorySessions(100, clock)
    _fill(table, {"bob": 10})
    _fill(table, {"ann": 5_000})
    clock.advance(2 * HOUR)
    assert _left(table, {"bob": 10}) == {"bob": list(range(10))}


def test_marks_of_one_owner_push_out_no_others():
    table = MemorySessions(100, FakeClock())
    _fill(table, {"bob": 1})
    table.end("crm", SessionId("bobn0"), _owner("bob"))
    for number in range(5_000):
        table.bind("crm", SessionId(f"ann{number}"), _owner("ann"))
        table.end("crm", SessionId(f"ann{number}"), _owner("ann"))
    assert table.bind("crm", SessionId("bobn0"), _owner("ann")) is False
    assert table.count() == {"open": 0, "marked": 65, "pushed_out": 0}


def test_how_full_the_table_is_is_said_in_words():
    table = MemorySessions(2, FakeClock())
    _fill(table, {"ann": 3})
    assert table.describe() == "2 of 2 held, 1 pushed out since the start"


def test_of_many_threads_that_ask_for_one_session_one_gets_it():
    table, barrier = MemorySessions(10_000, FakeClock()), Barrier(THREADS)

    def claim(name):
        barrier.wait(10)
        return [table.bind("crm", SessionId(f"s-{number}"), _owner(name)) for number in range(60)]

    with ThreadPoolExecutor(THREADS) as pool:
        claims = list(pool.map(claim, [f"owner-{number}" for number in range(THREADS)]))
    assert [sum(column) for column in zip(*claims, strict=True)] == [1] * 60


def test_many_threads_never_hold_more_than_the_limit():
    limit, asked = 100, 500
    table, barrier = MemorySessions(limit, FakeClock()), Barrier(THREADS)

    def fill(name):
        barrier.wait(10)
        return sum(table.bind("crm", SessionId(f"{name}-s-{number}"), _owner(name)) for number in range(asked))

    with ThreadPoolExecutor(THREADS) as pool:
        bound = list(pool.map(fill, [f"owner-{number}" for number in range(THREADS)]))
    assert bound == [asked] * THREADS
    assert table.count() == {"open": limit, "marked": limit, "pushed_out": asked * THREADS - limit}


STEPS = st.lists(st.tuples(st.sampled_from(["put", "take", "use"]), st.integers(0, 4), st.integers(0, 9)), max_size=80)


@given(st.integers(1, 6), STEPS)
def test_caller_with_the_most_always_loses_the_least_recently_used(limit, steps):
    shelf = Shelf(limit, 10.0)
    held: dict[str, Entry] = {}
    for now, (what, name, number) in enumerate(steps):
        key = f"s{number}"
        held = {each: entry for each, entry in held.items() if now - entry.used < 10.0}
        if what == "use":
            assert (shelf.use(key, now) is None) == (key not in held)
            if key in held:
                held[key] = held.pop(key)._replace(used=now)
        elif what == "take" and shelf.use(key, now) is not None:
            assert shelf.take(key).owner == held.pop(key).owner
        elif what == "put" and key not in held:
            counts = Counter(entry.owner for entry in held.values())
            owner = _owner(name)
            gone = shelf.put(key, Entry("crm", owner, now))
            assert (gone is None) == (len(held) < limit)
            if gone is not None:
                giver = gone[1].owner
                own = [each for each, entry in held.items() if entry.owner == giver]
                assert counts[giver] == max(counts.values()) and (giver == owner or counts[owner] < counts[giver])
                assert gone[0] == own[0]
                del held[gone[0]]
            held[key] = Entry("crm", owner, now)
        assert len(shelf) <= limit
