"""Nonces are good once: in memory, in SQLite among processes, for clocks that are set back, when the store is gone."""

import sqlite3
import subprocess
import sys
import threading

import pytest

from agen_authz.verify import MemoryNonces, RedisNonces, SqliteNonces
from tests.verify.signed import NOW

LATER = NOW + 65


def _stores(folder):
    return {"memory": MemoryNonces(), "sqlite": SqliteNonces(folder / "nonces.db")}


@pytest.mark.parametrize("name", ["memory", "sqlite"])
def test_nonce_is_good_once(name, tmp_path):
    store = _stores(tmp_path)[name]
    said = [store.spend(nonce, until=LATER, now=NOW) for nonce in ("a", "b", "a", "b", "c")]
    assert said == [True, True, False, False, True]


@pytest.mark.parametrize("name", ["memory", "sqlite"])
def test_of_many_who_try_at_once_one_succeeds(name, tmp_path):
    store, said, start = _stores(tmp_path)[name], [], threading.Barrier(8)

    def spend():
        start.wait()
        said.append(store.spend("a", until=LATER, now=NOW))

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == [*[False] * 7, True]


class Interrupted(str):
    """A nonce during whose writing another caller spends the same one."""

    looked = 0

    def meanwhile(self):
        """Do nothing; a test lets something happen here."""

    def __hash__(self):
        # The first time it is looked up, the second time it is written.
        self.looked += 1
        if self.looked == 2:
            self.meanwhile()
        return super().__hash__()


def test_memory_is_asked_by_one_at_a_time():
    store, said = MemoryNonces(), []
    other = threading.Thread(target=lambda: said.append(store.spend("a", until=LATER, now=NOW)))

    class Both(Interrupted):
        def meanwhile(self):
            other.start()
            other.join(0.2)  # it waits for the one who is writing

    said.append(store.spend(Both("a"), until=LATER, now=NOW))
    other.join()
    assert sorted(said) == [False, True]


def test_memory_forgets_what_has_expired():
    store = MemoryNonces(capacity=2)
    said = [store.spend(nonce, until=NOW + 10, now=NOW) for nonce in ("a", "b", "c")]
    said += [store.spend("d", until=NOW + 80, now=NOW + 11)]
    assert said == [True, True, False, True]


def test_memory_finds_out_a_clock_that_was_set_back():
    store = MemoryNonces()
    store.spend("a", until=NOW + 10, now=NOW)
    store.spend("b", until=NOW + 80, now=NOW + 20)
    # `a` is forgotten; at the time it was good it might be tried again.
    assert store.spend("a", until=NOW + 10, now=NOW) is False
    assert store.spend("c", until=NOW + 60, now=NOW) is True


def test_sqlite_is_shared_by_processes(tmp_path):
    file = tmp_path / "nonces.db"
    code = (
        "import sys; from agen_authz.verify import SqliteNonces;"
        f"print(SqliteNonces(sys.argv[1]).spend('a', until={LATER}, now={NOW}))"
    )
    said = [
        subprocess.run([sys.executable, "-c", code, str(file)], check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    ]
    assert said == ["True\n", "False\n"]


def test_sqlite_forgets_what_has_long_expired(tmp_path):
    store = SqliteNonces(tmp_path / "nonces.db")
    store.spend("a", until=LATER, now=NOW)
    store.spend("b", until=LATER + 4000, now=NOW + 4000)
    store.close()
    with sqlite3.connect(tmp_path / "nonces.db") as connection:
        assert connection.execute("SELECT nonce FROM agen_nonces").fetchall() == [("b",)]


def test_sqlite_keeps_a_nonce_for_a_clock_that_is_set_back(tmp_path):
    store = SqliteNonces(tmp_path / "nonces.db")
    store.spend("a", until=NOW + 10, now=NOW)
    store.spend("b", until=NOW + 180, now=NOW + 120)
    assert store.spend("a", until=NOW + 10, now=NOW) is False


def test_sqlite_that_is_gone_lets_nothing_through(tmp_path):
    store = SqliteNonces(tmp_path / "nonces.db")
    store.close()
    (tmp_path / "nonces.db").unlink()
    (tmp_path / "nonces.db").mkdir()
    with pytest.raises(sqlite3.OperationalError):
        store.spend("a", until=LATER, now=NOW)


class FakeRedis:
    """What `SET NX EX` does (https://redis.io/commands/set), for one key."""

    def __init__(self):
        self.kept = {}

    def set(self, key, value, *, nx, ex):
        assert nx is True
        if key in self.kept:
            return None
        self.kept[key] = (value, ex)
        return True


def test_redis_keeps_a_nonce_for_longer_than_its_signature_is_good():
    client = FakeRedis()
    store = RedisNonces(client)
    said = [store.spend("a", until=LATER, now=NOW) for _ in range(2)]
    assert (said, client.kept) == ([True, False], {"agen-nonce:a": (b"1", 66 + 3600)})
