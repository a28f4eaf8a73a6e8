"""The contract of `SessionTable`, kept by the adapter and by the fake."""

import pytest

from agen_authz.adapters.sessions import MemorySessions
from agen_authz.core.errors import Unavailable
from agen_authz.core.model import NOBODY, Issuer, Owner, SessionId, Subject
from agen_authz.core.reason import Reason
from tests.fakes import DictSessions

ANN, BOB = Owner(Issuer("https://a"), Subject("ann")), Owner(Issuer("https://a"), Subject("bob"))
NAMESAKE = Owner(Issuer("https://b"), Subject("ann"))
ONE, TWO, THREE = SessionId("s-1"), SessionId("s-2"), SessionId("s-3")
each_table = pytest.mark.parametrize("table_type", [MemorySessions, DictSessions], ids=["adapter", "fake"])


@each_table
def test_unknown_session_has_no_owner(table_type):
    assert table_type(10).find_owner("crm", ONE) is None


@each_table
def test_first_user_becomes_the_owner_and_stays_it(table_type):
    table = table_type(10)
    bound = [table.bind("crm", ONE, owner) for owner in (ANN, BOB, ANN)]
    assert (bound, table.find_owner("crm", ONE)) == ([True, False, True], ANN)


@each_table
def test_same_subject_of_another_issuer_is_somebody_else(table_type):
    table = table_type(10)
    table.bind("crm", ONE, ANN)
    assert table.bind("crm", ONE, NAMESAKE) is False


@each_table
def test_session_of_one_server_is_nobodys_at_another(table_type):
    table = table_type(10)
    bound = [table.bind(server, ONE, owner) for server, owner in (("crm", ANN), ("billing", BOB), ("billing", ANN))]
    owners = [table.find_owner(server, ONE) for server in ("crm", "billing")]
    assert (bound, owners) == ([True, False, False], [ANN, NOBODY])


@each_table
@pytest.mark.parametrize("twin", ["S-1", "s1", "{s-1}", "s-1-", '"s-1"', "s_1"])
def test_id_that_differs_in_case_or_punctuation_is_the_same_session(table_type, twin):
    table = table_type(10)
    table.bind("crm", ONE, ANN)
    assert (table.find_owner("crm", SessionId(twin)), table.bind("crm", SessionId(twin), BOB)) == (ANN, False)


@each_table
def test_owner_makes_room_with_the_session_that_was_not_used_for_longest(table_type):
    table = table_type(2)
    for each in (ONE, TWO):
        table.bind("crm", each, ANN)
    table.find_owner("crm", ONE)
    table.bind("crm", THREE, ANN)
    assert [table.find_owner("crm", each) for each in (ONE, TWO, THREE)] == [ANN, None, ANN]


@each_table
def test_in_a_full_table_an_owner_makes_room_with_the_own_oldest_session(table_type):
    table = table_type(2)
    table.bind("crm", ONE, ANN)
    table.bind("crm", TWO, BOB)
    assert table.bind("crm", THREE, ANN) is True
    assert [table.find_owner("crm", each) for each in (ONE, TWO, THREE)] == [None, BOB, ANN]


@each_table
def test_in_a_full_table_an_owner_without_sessions_is_refused(table_type):
    table = table_type(1)
    table.bind("crm", ONE, ANN)
    with pytest.raises(Unavailable) as refused:
        table.bind("crm", TWO, BOB)
    assert (refused.value.reason, table.find_owner("crm", ONE)) == (Reason.SESSIONS_FULL, ANN)


@each_table
def test_full_table_still_knows_what_it_holds(table_type):
    table = table_type(1)
    table.bind("crm", ONE, ANN)
    assert [table.bind("crm", ONE, owner) for owner in (ANN, BOB)] == [True, False]
