"""The contract of `SessionTable`, kept by the adapter and by the fake."""

import pytest

from agen_authz.adapters.sessions import MemorySessions
from agen_authz.core.model import NOBODY, Issuer, Owner, SessionId, Subject
from tests.fakes import DictSessions, FakeClock

ANN, BOB = Owner(Issuer("https://a"), Subject("ann")), Owner(Issuer("https://a"), Subject("bob"))
NAMESAKE = Owner(Issuer("https://b"), Subject("ann"))
ONE, TWO, THREE, FOUR = (SessionId(f"s-{number}") for number in range(1, 5))
HOUR, DAY = 3600, 86400
each_table = pytest.mark.parametrize("table_type", [MemorySessions, DictSessions], ids=["adapter", "fake"])


@each_table
def test_unknown_session_has_no_owner(table_type):
    assert table_type(10, FakeClock()).find_owner("crm", ONE) is None


@each_table
def test_first_user_becomes_the_owner_and_stays_it(table_type):
    table = table_type(10, FakeClock())
    bound = [table.bind("crm", ONE, owner) for owner in (ANN, BOB, ANN)]
    assert (bound, table.find_owner("crm", ONE)) == ([True, False, True], ANN)


@each_table
def test_same_subject_of_another_issuer_is_another_caller(table_type):
    table = table_type(10, FakeClock())
    table.bind("crm", ONE, ANN)
    assert table.bind("crm", ONE, NAMESAKE) is False


@each_table
def test_session_of_one_server_is_unknown_at_another(table_type):
    table = table_type(10, FakeClock())
    bound = [table.bind(server, ONE, owner) for server, owner in (("crm", ANN), ("billing", BOB), ("billing", ANN))]
    owners = [table.find_owner(server, ONE) for server in ("crm", "billing")]
    assert (bound, owners) == ([True, False, False], [ANN, NOBODY])


@each_table
@pytest.mark.parametrize("twin", ["S-1", "s1", "{s-1}", "s-1-", '"s-1"', "s_1"])
def test_id_that_differs_in_case_or_punctuation_is_the_same_session(table_type, twin):
    table = table_type(10, FakeClock())
    table.bind("crm", ONE, ANN)
    assert (table.find_owner("crm", SessionId(twin)), table.bind("crm", SessionId(twin), BOB)) == (ANN, False)


@each_table
def test_owner_makes_room_with_the_session_that_was_not_used_for_longest(table_type):
    clock = FakeClock()
    table = table_type(2, clock)
    for each in (ONE, TWO):
        table.bind("crm", each, ANN)
    table.find_owner("crm", ONE)
    table.bind("crm", THREE, ANN)
    clock.advance(HOUR)
    assert [table.find_owner("crm", each) for each in (ONE, TWO, THREE)] == [ANN, None, ANN]


@each_table
def test_in_a_full_table_an_owner_of_as_many_as_anybody_makes_room_with_the_own_oldest(table_type):
    clock = FakeClock()
    table = table_type(2, clock)
    table.bind("crm", ONE, ANN)
    table.bind("crm", TWO, BOB)
    assert table.bind("crm", THREE, ANN) is True
    clock.advance(HOUR)
    assert [table.find_owner("crm", each) for each in (ONE, TWO, THREE)] == [None, BOB, ANN]


@each_table
def test_in_a_full_table_a_newcomer_gets_in_and_the_caller_with_the_most_loses_one(table_type):
    clock = FakeClock()
    table = table_type(3, clock)
    for each, owner in ((ONE, BOB), (TWO, ANN), (THREE, ANN)):
        table.bind("crm", each, owner)
    assert table.bind("crm", FOUR, NAMESAKE) is True
    clock.advance(HOUR)
    assert [table.find_owner("crm", each) for each in (ONE, TWO, THREE, FOUR)] == [BOB, None, ANN, NAMESAKE]


@each_table
def test_session_that_was_pushed_out_stays_reserved_for_an_hour_after_its_last_use(table_type):
    clock = FakeClock()
    table = table_type(1, clock)
    table.bind("crm", ONE, ANN)
    table.bind("crm", TWO, BOB)
    for _ in range(3):
        clock.advance(HOUR - 1)
        assert (table.bind("crm", ONE, BOB), table.find_owner("crm", ONE)) == (False, ANN)
    clock.advance(HOUR)
    assert table.bind("crm", ONE, BOB) is True


@each_table
def test_ended_session_takes_no_place_and_stays_reserved_for_an_hour(table_type):
    clock = FakeClock()
    table = table_type(2, clock)
    for each in (ONE, TWO):
        table.bind("crm", each, ANN)
    table.end("crm", ONE, ANN)
    table.bind("crm", THREE, ANN)
    clock.advance(HOUR - 1)
    assert (table.bind("crm", ONE, BOB), table.find_owner("crm", ONE)) == (False, ANN)
    clock.advance(HOUR)
    # Neither of the others had to make room.
    owners = [table.find_owner("crm", each) for each in (ONE, TWO, THREE)]
    assert (owners, table.bind("crm", ONE, BOB)) == ([None, ANN, ANN], True)


@each_table
@pytest.mark.parametrize(("server", "owner"), [("crm", BOB), ("billing", ANN)], ids=["other caller", "other server"])
def test_session_is_ended_by_its_owner_at_its_server_only(table_type, server, owner):
    clock = FakeClock()
    table = table_type(2, clock)
    table.bind("crm", ONE, ANN)
    table.end(server, ONE, owner)
    clock.advance(2 * HOUR)
    assert table.find_owner("crm", ONE) == ANN


@each_table
def test_ending_what_is_not_there_is_nothing(table_type):
    table = table_type(2, FakeClock())
    table.end("crm", ONE, ANN)
    assert table.bind("crm", ONE, BOB) is True


@each_table
def test_session_that_was_not_used_for_a_day_is_removed(table_type):
    clock = FakeClock()
    table = table_type(2, clock)
    for each in (ONE, TWO):
        table.bind("crm", each, ANN)
    clock.advance(DAY - 1)
    table.find_owner("crm", TWO)
    clock.advance(1)
    assert [table.find_owner("crm", each) for each in (ONE, TWO)] == [None, ANN]


@each_table
def test_full_table_still_knows_what_it_holds(table_type):
    table = table_type(1, FakeClock())
    table.bind("crm", ONE, ANN)
    assert [table.bind("crm", ONE, owner) for owner in (ANN, BOB)] == [True, False]
