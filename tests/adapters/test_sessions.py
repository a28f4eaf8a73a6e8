from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from agen_authz.adapters.sessions import MemorySessions
from agen_authz.core.errors import Unavailable
from agen_authz.core.model import Issuer, Owner, SessionId, Subject

THREADS = 8


def _owner(name):
    return Owner(Issuer("https://a"), Subject(name))


def _held(table, count):
    return [number for number in range(count) if table.find_owner("crm", SessionId(f"s-{number}")) is not None]


@pytest.mark.parametrize(
    ("limit", "share"),
    [(1, 1), (63, 63), (64, 64), (1_000, 64), (6_400, 64), (6_500, 65), (100_000, 1_000)],
)
def test_one_owner_holds_a_share_of_the_table_and_loses_the_oldest(limit, share):
    table = MemorySessions(limit)
    asked = share + 3
    bound = [table.bind("crm", SessionId(f"s-{number}"), _owner("ann")) for number in range(asked)]
    assert (bound, _held(table, asked)) == ([True] * asked, list(range(3, asked)))


def test_flood_of_one_owner_leaves_the_others_alone():
    table = MemorySessions(1_000)
    table.bind("crm", SessionId("bob's"), _owner("bob"))
    for number in range(5_000):
        table.bind("crm", SessionId(f"s-{number}"), _owner("ann"))
    assert table.find_owner("crm", SessionId("bob's")) == _owner("bob")
    assert table.bind("crm", SessionId("cem's"), _owner("cem")) is True


def test_refused_owner_leaves_no_trace():
    table = MemorySessions(1)
    table.bind("crm", SessionId("s-0"), _owner("ann"))
    for number in range(100):
        with pytest.raises(Unavailable):
            table.bind("crm", SessionId("other"), _owner(f"stranger-{number}"))
    assert table.bind("crm", SessionId("s-1"), _owner("ann")) is True


def test_session_that_made_room_may_be_bound_again():
    table = MemorySessions(1)
    for name in ("s-0", "s-1", "s-0"):
        assert table.bind("crm", SessionId(name), _owner("ann")) is True
    assert _held(table, 2) == [0]


def test_of_many_threads_that_ask_for_one_session_one_gets_it():
    table, barrier = MemorySessions(10_000), Barrier(THREADS)

    def claim(name):
        barrier.wait(10)
        return [table.bind("crm", SessionId(f"s-{number}"), _owner(name)) for number in range(60)]

    with ThreadPoolExecutor(THREADS) as pool:
        claims = list(pool.map(claim, [f"owner-{number}" for number in range(THREADS)]))
    assert [sum(column) for column in zip(*claims, strict=True)] == [1] * 60


def test_many_threads_never_hold_more_than_the_limit():
    limit, asked = 100, 500
    table, barrier = MemorySessions(limit), Barrier(THREADS)

    def fill(name):
        barrier.wait(10)
        for number in range(asked):
            try:
                table.bind("crm", SessionId(f"{name}-s-{number}"), _owner(name))
            except Unavailable:
                continue

    names = [f"owner-{number}" for number in range(THREADS)]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(fill, names))
    held = sum(
        table.find_owner("crm", SessionId(f"{name}-s-{number}")) is not None
        for name in names
        for number in range(asked)
    )
    assert held == limit
