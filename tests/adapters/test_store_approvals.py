"""What is kept of arguments is encrypted and bound to its request, and old messages are forgotten."""

import contextlib
import itertools
import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig

from agen_authz.adapters.store import KeptCipher, steps
from agen_authz.core.approval.request import KeptCall
from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason
from agen_authz.ports.approval import PageEnd, Query, StoredSession
from tests.adapters.approval_rig import KEPT, STORE_KEY, asked, message, request, sql_ports
from tests.adapters.database import SQL, SqliteDatabase, new_store
from tests.builders import NOW

CANARY = b"hunter2-canary"


def cipher(key=STORE_KEY):
    drawn = itertools.count(1)
    return KeptCipher(key, lambda size: next(drawn).to_bytes(size, "big"))


def refused(act):
    with pytest.raises(Unavailable) as told:
        act()
    return told.value.reason, told.value.name


UNREADABLE = (Reason.STORE_UNAVAILABLE, "store.encryption_key_file")


def test_what_was_sealed_is_opened_with_the_same_key_for_the_same_request_alone():
    sealed = cipher().seal("r1", KEPT)
    assert cipher().open("r1", sealed) == KEPT
    assert refused(lambda: cipher().open("r2", sealed)) == UNREADABLE
    assert refused(lambda: cipher(b"x" * 32).open("r1", sealed)) == UNREADABLE


def test_any_flipped_byte_is_found():
    sealed = cipher().seal("r1", KEPT)
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        assert refused(lambda changed=changed: cipher().open("r1", changed)) == UNREADABLE
    for short in (b"", sealed[:11], sealed[:12], sealed[:-1]):
        assert refused(lambda short=short: cipher().open("r1", short)) == UNREADABLE


def test_nothing_is_sealed_twice_alike():
    one = cipher()
    assert len({one.seal("r1", KEPT) for _ in range(9)}) == 9


def test_without_a_key_nothing_is_sealed_or_opened():
    sealed = cipher().seal("r1", KEPT)
    assert refused(lambda: cipher(None).seal("r1", KEPT)) == UNREADABLE
    assert refused(lambda: cipher(None).open("r1", sealed)) == UNREADABLE


async def test_file_does_not_hold_arguments_in_clear(asking, tmp_path):
    async with new_store("sqlite", asking, tmp_path) as (database, store):
        approvals, _, _ = sql_ports(store)
        made = request()
        await approvals.open([asked(made, kept=KeptCall(CANARY))], 1, NOW)
        assert await approvals.read_kept(made.id) == KeptCall(CANARY)
        with pytest.raises(Unavailable):
            await sql_ports(store, key=None)[0].open([asked(request("other"))], 1, NOW)
        await store.close()
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert (made.id.encode() in written, CANARY in written) == (True, False)
    assert isinstance(database, SqliteDatabase)


async def test_messages_that_are_over_are_forgotten_with_the_arguments(asking, tmp_path):
    async with new_store("sqlite", asking, tmp_path) as (_, store):
        approvals, outbox, _ = sql_ports(store)
        sent, given_up, sent_late, waiting, new = (message(request(), at=NOW + at) for at in (0, 0, 0, 0, 50))
        await approvals.open([asked(request(), sent, given_up, sent_late, waiting, new)], 1, NOW)
        await outbox.settle(sent.id, NOW + 1)
        await outbox.give_up(given_up.id, NOW + 1)
        await outbox.settle(sent_late.id, NOW + 99)
        await outbox.settle(new.id, NOW + 51)
        await approvals.erase(NOW + 50)
        await store.close()
    with contextlib.closing(sqlite3.connect(tmp_path / "agen.db")) as connection:
        left = connection.execute("SELECT id FROM approval_message ORDER BY number").fetchall()
    assert left == [(sent_late.id,), (waiting.id,), (new.id,)]


@pytest.mark.parametrize("column", ["document", "status"])
@pytest.mark.parametrize("kind", SQL)
async def test_row_that_cannot_be_read_is_left_out_of_lists_and_is_refused_where_it_is_needed(
    kind, column, asking, tmp_path, caplog
):
    async with new_store(kind, asking, tmp_path) as (_, store):
        approvals, _, _ = sql_ports(store)
        made = [request(str(at), at=NOW + at, ends_at=NOW + 9 - at) for at in range(4)]
        await approvals.open([asked(each) for each in made], 4, NOW)
        bad, good = (made[3], made[1]), (made[2], made[0])
        table = sa.table("approval_request", sa.column("id"), sa.column(column))
        spoil = sa.update(table).where(table.c.id.in_([each.id for each in bad])).values({column: "{}"})
        await store.write(lambda connection: connection.execute(spoil))
        listed = [await approvals.list(Query(limit=2)), await approvals.list_due(NOW + 9, 2)]
        assert listed == [good, good]
        for asks in (approvals.get(bad[0].id), approvals.find((bad[0].key, good[0].key))):
            with pytest.raises(Unavailable):
                await asks
        assert await approvals.get(good[0].id) == good[0]
    assert sorted(each.approval for each in caplog.records) == sorted(each.id for each in bad)


@pytest.mark.parametrize("kind", SQL)
async def test_requests_of_an_earlier_version_are_listed_by_their_end(kind, asking, tmp_path):
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(steps.__file__).parent / "migrations"))

    def go_back_and_forth(connection):
        config.attributes["connection"] = connection
        command.downgrade(config, "0004")
        return steps.take_steps(connection, "0004")

    async with new_store(kind, asking, tmp_path) as (_, store):
        approvals, _, _ = sql_ports(store)
        made = [request(str(at), ends_at=NOW + 9.25 - at) for at in range(3)]
        await approvals.open([asked(each) for each in made], 4, NOW)
        assert (await store.write(go_back_and_forth))[0] == "0005"
        later = Query(ends_first=True, after=PageEnd(made[2].ends_at, made[2].id))
        assert await approvals.list(later) == (made[1], made[0])


async def test_session_that_is_not_there_is_taken_and_removed_without_a_write(asking, tmp_path):
    async with new_store("sqlite", asking, tmp_path) as (_, store):
        _, _, sessions = sql_ports(store)
        await sessions.put("ended", StoredSession(b"x", NOW))
        with contextlib.closing(sqlite3.connect(tmp_path / "agen.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert [await sessions.take(name, NOW) for name in ("unknown", "ended")] == [None, None]
            await sessions.remove("unknown")
            other.execute("ROLLBACK")
        assert await sessions.take("ended", NOW - 1) == StoredSession(b"x", NOW)


@pytest.fixture
def asking(request):
    return request
