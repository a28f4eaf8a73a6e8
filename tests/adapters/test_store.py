import asyncio
import sqlite3
import stat
import subprocess
import sys
from contextlib import AbstractContextManager, ExitStack, closing
from pathlib import Path

import pytest

from agen_authz.adapters.store import migrate, open_store
from agen_authz.adapters.store.revision import NEWEST
from agen_authz.adapters.store.steps import newest
from agen_authz.core.errors import ConfigError, Problem, Unavailable
from tests.adapters.database import STEPS
from tests.stage.talk import Talk, talking

# Real seconds: a locked file is given up after the first, anything else never takes the second.
SHORT_S, LONG_S = 0.05, 5.0
RACERS = 4


@pytest.fixture
def path(tmp_path):
    return tmp_path / "agen.db"


def _url(path):
    return f"sqlite:///{path}"


def _problem(path, message, cure):
    return (Problem(str(path), None, "store.url", message, cure),)


def _connect(path):
    return closing(sqlite3.connect(path, isolation_level=None))


async def _refused(url):
    with pytest.raises(ConfigError) as refused:
        await migrate(url)
    return refused.value.problems


async def test_new_store_is_made_for_its_owner_alone(path):
    steps = await migrate(_url(path))
    assert (steps, stat.S_IMODE(path.stat().st_mode)) == (STEPS, 0o600)


async def test_store_of_this_version_is_left_as_it_is(path):
    await migrate(_url(path))
    assert await migrate(_url(path)) == []


async def test_values_survive_a_restart(path):
    await migrate(_url(path))
    kept = []
    for value in ("first", "second"):
        store = open_store(_url(path), LONG_S)
        kept.append(await store.remember({"digest_key": value}))
        await store.close()
    assert kept == [{"digest_key": "first"}] * 2


async def test_readers_and_the_writer_do_not_wait_for_each_other(path):
    await migrate(_url(path))
    with _connect(path) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_store_of_a_newer_version_refuses_and_is_left_as_it_is(path):
    await migrate(_url(path))
    with _connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    expected = _problem(path, "the store was made by a newer version", "run that version, or name a new file")
    assert await _refused(_url(path)) == expected
    with _connect(path) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


async def test_file_that_is_not_a_database_is_refused_and_left_unchanged(path):
    path.write_bytes(b"precious" * 1000)
    cure = "name another file, or restore this one"
    assert await _refused(_url(path)) == _problem(path, "the store cannot be used as a database", cure)
    assert path.read_bytes() == b"precious" * 1000


NO_FOLDER = "make it, writable for this user only, or name another file under `store.url`"


async def test_folder_that_does_not_exist_refuses(tmp_path):
    path = tmp_path / "missing" / "agen.db"
    expected = _problem(path, f"`{path.parent}` is not a folder", NO_FOLDER)
    assert await _refused(_url(path)) == expected
    assert not path.parent.exists()


async def test_file_in_place_of_the_folder_refuses(tmp_path):
    (tmp_path / "file").touch()
    path = tmp_path / "file" / "agen.db"
    expected = _problem(path, f"`{path.parent}` is not a folder", NO_FOLDER)
    assert await _refused(_url(path)) == expected


async def test_folder_in_place_of_the_file_refuses(tmp_path):
    expected = _problem(tmp_path, "cannot be opened: Is a directory", "name a file that this user may write")
    assert await _refused(_url(tmp_path)) == expected


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:////a.db?mode=ro",
    ],
)
async def test_url_that_names_no_file_refuses_and_is_not_shown(url):
    expected = (Problem("store", None, "store.url", "names no SQLite file", "use sqlite:////path"),)
    assert await _refused(url) == expected
    with pytest.raises(ConfigError):
        open_store(url, LONG_S)


@pytest.mark.parametrize("url", ["", "agen.db", "mysql://u:hush@h/d"])
async def test_url_of_another_kind_refuses_and_is_not_shown(url):
    cure = "use sqlite:////path or postgresql://user@host/database"
    assert await _refused(url) == (Problem("store", None, "store.url", "not the URL of a store", cure),)


async def test_locked_store_is_unavailable_in_time_and_answers_again_later(path):
    await migrate(_url(path))
    store = open_store(_url(path), SHORT_S)
    with _connect(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(LONG_S / 2):
            with pytest.raises(Unavailable):
                await store.remember({"one": "1"})
        connection.execute("ROLLBACK")
    await store.close()
    patient = open_store(_url(path), LONG_S)
    assert await patient.remember({"one": "2"}) in ({"one": "1"}, {"one": "2"})
    await patient.close()


async def test_store_that_is_locked_refuses_to_be_migrated(path):
    await migrate(_url(path))
    with _connect(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(LONG_S / 2):
            with pytest.raises(ConfigError) as refused:
                await migrate(_url(path), wait_s=SHORT_S)
    cure = "end what holds it, and start again"
    assert refused.value.problems == _problem(path, "the store is locked by another process", cure)


async def test_caller_who_gives_up_leaves_the_store_usable(path):
    await migrate(_url(path))
    store = open_store(_url(path), LONG_S)
    asked = asyncio.create_task(store.remember({"one": "1"}))
    await asyncio.sleep(0)
    asked.cancel()
    await asyncio.wait({asked})
    assert (asked.cancelled(), await store.remember({"two": "2"})) == (True, {"two": "2"})
    await store.close()


async def test_of_many_values_at_once_all_callers_see_the_same(path):
    await migrate(_url(path))
    stores = [open_store(_url(path), LONG_S) for _ in range(RACERS)]
    kept = await asyncio.gather(*(store.remember({"key": str(n)}) for n, store in enumerate(stores)))
    assert len({values["key"] for values in kept}) == 1
    for store in stores:
        await store.close()


_RACER = """
import asyncio, sys
from agen_authz.adapters.store import migrate, open_store
from agen_authz.adapters.store.revision import NEWEST
from agen_authz.adapters.store.steps import newest

async def race(url, value):
    await migrate(url)
    store = open_store(url, 10.0)
    print((await store.remember({"key": value}))["key"])
    await store.close()

print("ready", flush=True)
sys.stdin.readline()
asyncio.run(race(*sys.argv[1:]))
"""


@pytest.mark.loopback
def test_processes_that_start_at_once_on_one_file_agree(path):
    with ExitStack() as stack:
        racers = [stack.enter_context(_racing(path, f"value-{number}")) for number in range(RACERS)]
        assert [racer.read_line() for racer in racers] == ["ready"] * RACERS
        for racer in racers:
            racer.say(b"go\n")
        ended = {racer.read_rest() for racer in racers}
    ((code, kept, log),) = ended
    assert (code, kept.startswith("value-"), log) == (0, True, "")


def _racing(path: Path, value: str) -> AbstractContextManager[Talk]:
    command = [sys.executable, "-c", _RACER, _url(path), value]
    return talking(command, path.parent / f"{value}.log", cwd=Path(__file__).parents[2])


def test_newest_revision_is_the_one_that_alembic_knows():
    assert newest() == NEWEST


async def test_store_of_this_version_is_opened_without_alembic(path):
    await migrate(_url(path))
    code = (
        "import asyncio, sys; from agen_authz.adapters.store import migrate;"
        "print(asyncio.run(migrate(sys.argv[1])), 'alembic' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code, _url(path)], check=True, capture_output=True, text=True)
    assert ran.stdout == "[] False\n"
