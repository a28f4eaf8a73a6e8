"""A store in a real PostgreSQL: replicas that start at once, servers that fail and come back, what operators read."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from agen_authz.adapters.store import migrate, open_store, peek
from agen_authz.core.errors import ConfigError, Unavailable
from agen_authz.core.reason import Reason
from tests.adapters.database import STEPS, PostgresqlDatabase, new_database
from tests.certificates import issue
from tests.services import new_postgresql
from tests.stage.port import HOST, reserve_port
from tests.stage.talk import talking

pytestmark = [pytest.mark.services, pytest.mark.loopback]

ROOT = Path(__file__).parents[2]
# Real seconds: what does not answer is given up after the first, anything else never takes the second.
SHORT_S, LONG_S = 0.5, 20.0
RACERS = 4
AGAIN = "and start again"


@pytest.fixture
def database(request, tmp_path):
    with new_database("postgresql", request, tmp_path) as made:
        yield made


async def refused(url, **options):
    with pytest.raises(ConfigError) as told:
        await migrate(url, **options)
    (problem,) = told.value.problems
    return problem.message, problem.cure


async def test_new_database_takes_all_steps_and_the_next_start_none(database):
    assert (await peek(database.url, ""), await migrate(database.url)) == ({}, STEPS)
    assert await migrate(database.url) == []


async def test_values_survive_a_restart_of_the_program(database):
    await migrate(database.url)
    kept = []
    for value in ("first", "second"):
        store = open_store(database.url, LONG_S)
        kept.append(await store.remember({"digest_key": value}))
        await store.close()
    assert kept == [{"digest_key": "first"}] * 2
    assert await peek(database.url, "digest") == {"digest_key": "first"}


async def test_database_of_a_newer_version_refuses_and_is_left_as_it_is(database):
    await migrate(database.url)
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        expected = ("the store was made by a newer version", "run that version, or name a new database")
        assert await refused(database.url) == expected
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


_RACER = """
import asyncio, sys
from agen_authz.adapters.store import migrate, open_store
from agen_authz.adapters.store.steps import newest

async def race(url, value):
    steps = await migrate(url)
    store = open_store(url, 20.0)
    print(len(steps), (await store.remember({"key": value}))["key"])
    await store.close()

newest()
print("ready", flush=True)
sys.stdin.readline()
asyncio.run(race(*sys.argv[1:]))
"""


def test_of_replicas_that_start_at_once_one_migrates_and_all_agree(database, tmp_path):
    with ExitStack() as stack:
        racers = []
        for number in range(RACERS):
            command = [sys.executable, "-c", _RACER, database.url, f"value-{number}"]
            racers.append(stack.enter_context(talking(command, tmp_path / f"{number}.log", cwd=ROOT)))
        assert [racer.read_line() for racer in racers] == ["ready"] * RACERS
        for racer in racers:
            racer.say(b"go\n")
        ended = [racer.read_rest() for racer in racers]
    assert [(code, log) for code, _, log in ended] == [(0, "")] * RACERS
    taken, values = zip(*(said.split() for _, said, _ in ended), strict=True)
    assert (sorted(map(int, taken)), len(set(values))) == ([0] * (RACERS - 1) + [len(STEPS)], 1)


async def test_migration_that_another_process_holds_is_given_up_in_time(database):
    with psycopg.connect(database.url) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (0x6167656E,))
        cure = f"wait until its migration has ended, {AGAIN}"
        assert await refused(database.url, wait_s=SHORT_S) == ("the store is locked by another process", cure)
    assert await migrate(database.url) == STEPS


async def test_server_that_is_not_there_is_reported():
    cure = f"start the server, or correct host and port, {AGAIN}"
    assert await refused(f"postgresql://agen@{HOST}:{reserve_port()}/x") == ("cannot connect: Connection refused", cure)
    message, _ = await refused("postgresql://agen@no-such-host.invalid/x?sslmode=disable", wait_s=LONG_S)
    assert message.startswith("cannot connect: ")


async def test_database_that_is_missing_is_reported(postgresql):
    missing = PostgresqlDatabase(postgresql, "missing").url
    cure = f"make it: CREATE DATABASE, owned by this user; {AGAIN}"
    assert await refused(missing) == ("the database does not exist", cure)
    with pytest.raises(ConfigError):
        await peek(missing, "")


async def test_user_without_rights_is_reported(database):
    await migrate(database.url)
    database.run("DROP ROLE IF EXISTS poor")
    database.run("CREATE ROLE poor LOGIN")
    poor = database.url.replace("agen@", "poor@")
    assert await migrate_refused_or_done(poor) == "the user may not do that"
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO poor")
    assert await migrate_refused_or_done(poor) == []


async def migrate_refused_or_done(url):
    try:
        return await migrate(url)
    except ConfigError as exc:
        return exc.problems[0].message


async def test_wrong_password_is_reported_and_not_shown():
    with new_postgresql() as server:
        hba = (server.data / "pg_hba.conf").read_text().replace("trust", "scram-sha-256")
        with server.running(), psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("ALTER ROLE agen PASSWORD 'right'")
        (server.data / "pg_hba.conf").write_text(hba)
        with server.running():
            message = "the password is wrong, or the user does not exist"
            for wrong in (":hush", ""):
                url = server.url.replace("agen@", f"agen{wrong}@")
                assert await refused(url) == (message, f"correct the URL, {AGAIN}")
                store = open_store(url, LONG_S)
                with pytest.raises(Unavailable) as told:
                    await store.recall(("x",))
                assert "hush" not in repr((told.value, told.value.__cause__))
                await store.close()
            assert await migrate(server.url.replace("agen@", "agen:right@")) == STEPS


# What PgBouncer 1.18 answers to a connection that asks for `statement_timeout` (protocol, "ErrorResponse").
POOLER = b"SFATAL\0VFATAL\0C08P01\0Munsupported startup parameter: statement_timeout\0\0"


async def test_pooler_that_takes_no_bounds_of_time_is_named_with_the_cure():
    async def refuse_all(reader, writer):
        await reader.read(1)
        writer.write(b"E" + (len(POOLER) + 4).to_bytes(4, "big") + POOLER)
        writer.close()

    async with await asyncio.start_server(refuse_all, HOST, 0) as pooler:
        port = pooler.sockets[0].getsockname()[1]
        message, cure = await refused(f"postgresql://agen@{HOST}:{port}/agen")
    assert ("is a pooler" in message, "ignore_startup_parameters" in cure) == (True, True)


async def test_connections_are_encrypted_and_the_server_is_verified(tmp_path):
    authority, other = issue("ca"), issue("other")
    with new_postgresql() as server:
        certificate, key = issue("db", authority).write(server.data, "server")
        for file in (certificate, key):
            file.chmod(0o600)
            subprocess.run(["chown", "--reference", str(server.data), str(file)], check=True)
        ca, stranger = tmp_path / "ca.pem", tmp_path / "other.pem"
        ca.write_bytes(authority.pem)
        stranger.write_bytes(other.pem)
        with server.running():
            message = "the server does not speak TLS"
            assert (await refused(f"{server.url}?sslmode=require"))[0] == message
        with (server.data / "postgresql.conf").open("a") as settings:
            settings.write("ssl = on\n")
        with server.running():
            await migrate(f"{server.url}?sslmode=verify-full&sslrootcert={ca}")
            assert await peek(f"{server.url}?sslmode=require", "") == {}
            message, _ = await refused(f"{server.url}?sslmode=verify-full&sslrootcert={stranger}")
            assert message.startswith("the server's certificate cannot be verified: ")
            named = server.url.replace(HOST, "localhost")
            assert await peek(f"{named}?sslmode=verify-ca&sslrootcert={ca}", "") == {}
            message, _ = await refused(f"{named}?sslmode=verify-full&sslrootcert={ca}")
            assert "localhost" in message


async def test_server_that_stops_is_unavailable_and_one_that_starts_again_is_used_again():
    with new_postgresql() as server:
        with server.running():
            await migrate(server.url)
            store = open_store(server.url, LONG_S)
            await asyncio.gather(*(store.remember({"one": "1"}) for _ in range(3)))
        for _ in range(2):
            with pytest.raises(Unavailable) as told:
                await store.recall(("one",))
            assert told.value.reason is Reason.STORE_UNAVAILABLE
        with server.running():
            for _ in range(4):
                assert await store.recall(("one",)) == {"one": "1"}
            await store.close()


async def test_connections_that_the_server_ends_are_replaced_without_a_failure(database):
    await migrate(database.url)
    store = open_store(database.url, LONG_S)
    for _ in range(3):
        await store.remember({"one": "1"})
        database.end_connections()
        assert await store.recall(("one",)) == {"one": "1"}
    await store.close()


async def test_server_that_hangs_is_unavailable_in_time_and_answers_again_later():
    with new_postgresql() as server, server.running() as process:
        await migrate(server.url)
        store = open_store(server.url, SHORT_S)
        await store.remember({"one": "1"})
        children = await asyncio.to_thread(list_children, process.pid)
        for pid in children:
            pid.send_signal(signal.SIGSTOP)
        try:
            async with asyncio.timeout(LONG_S):
                for _ in range(20):
                    with pytest.raises(Unavailable):
                        await store.recall(("one",))
        finally:
            for pid in reversed(children):
                pid.send_signal(signal.SIGCONT)
        async with asyncio.timeout(LONG_S):
            while not await answers(store):
                pass
        await store.close()


class Pid:
    def __init__(self, number):
        self._number = number

    def send_signal(self, which):
        try:
            os.kill(self._number, which)
        except ProcessLookupError:
            pass


def list_children(parent):
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, text=True, check=False)
    return [Pid(parent), *(Pid(int(line)) for line in found.stdout.split())]


async def answers(store):
    try:
        return await store.recall(("one",)) == {"one": "1"}
    except Unavailable:
        return False


WAITING = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'agen-authz' AND wait_event_type = 'Lock'"


async def test_statement_that_waits_for_a_lock_is_given_up_here_and_at_the_server(database):
    await migrate(database.url)
    store = open_store(database.url, SHORT_S)
    with psycopg.connect(database.url) as connection:
        connection.execute("LOCK TABLE kept_value")
        async with asyncio.timeout(LONG_S):
            with pytest.raises(Unavailable):
                await store.remember({"one": "1"})
            while connection.execute(WAITING).fetchone() != (0,):
                await asyncio.sleep(0.05)
    assert await store.remember({"one": "2"}) == {"one": "2"}
    await store.close()


async def test_connections_of_a_process_are_bounded(database):
    await migrate(database.url)
    store = open_store(database.url, LONG_S)
    await asyncio.gather(*(store.recall(("one",)) for _ in range(100)))
    with psycopg.connect(database.url) as connection:
        count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'agen-authz' AND datname = %s"
        found = connection.execute(count, (database.name,)).fetchone()
    assert found is not None and 1 <= found[0] <= 8
    await store.close()
