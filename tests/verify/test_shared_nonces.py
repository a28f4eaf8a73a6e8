"""Nonces that replicas share, in a real PostgreSQL and a real Redis: good once among all of them."""

import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import psycopg
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from agen_authz.verify import NonceStore, PostgresqlNonces, RedisNonces
from tests.services import running_postgresql, running_redis
from tests.stage.talk import talking
from tests.verify.signed import NOW

pytestmark = pytest.mark.services

LATER = NOW + 65


@pytest.fixture(scope="module")
def database():
    with running_postgresql() as url:
        yield url


@pytest.fixture(scope="module")
def redis_port():
    with running_redis() as port:
        yield port


def connect(url):
    return psycopg.connect(url, connect_timeout=2, options="-c statement_timeout=2000")


@pytest.fixture(params=["postgresql", "redis"])
def replicas(request) -> Iterator[tuple[NonceStore, ...]]:
    """Two stores that share their nonces, as two replicas of a backend do."""
    if request.param == "postgresql":
        url = request.getfixturevalue("database")
        with connect(url) as connection:
            connection.execute("DROP TABLE IF EXISTS agen_nonces")
        connection.close()
        stores = [PostgresqlNonces(partial(connect, url)) for _ in range(2)]
        yield tuple(stores)
        for store in stores:
            store.close()
        return
    port = request.getfixturevalue("redis_port")
    with redis.Redis(port=port, socket_timeout=2) as one, redis.Redis(port=port, socket_timeout=2) as two:
        one.flushall()
        yield RedisNonces(one), RedisNonces(two)


def test_nonce_is_good_once_among_all_replicas(replicas):
    one, two = replicas
    said = [store.spend(nonce, until=LATER, now=NOW) for nonce in ("a", "b") for store in (one, two, one)]
    assert said == [True, False, False, True, False, False]


def test_of_many_who_try_at_once_one_succeeds(replicas):
    said, start = [], threading.Barrier(8)

    def spend(store):
        start.wait()
        said.append(store.spend("a", until=LATER, now=NOW))

    threads = [threading.Thread(target=spend, args=(replicas[number % 2],)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == [*[False] * 7, True]


def test_postgresql_forgets_what_has_long_expired_and_survives_a_lost_connection(database):
    store = PostgresqlNonces(partial(connect, database))
    store.spend("old", until=NOW + 1, now=NOW)
    with connect(database) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    with pytest.raises(psycopg.OperationalError):
        store.spend("new", until=NOW + 5000, now=NOW + 4000)
    # The connection that was lost is not used again.
    assert store.spend("new", until=NOW + 5000, now=NOW + 4000) is True
    with connect(database) as connection:
        kept = connection.execute("SELECT nonce FROM agen_nonces WHERE nonce IN ('old', 'new')").fetchall()
    assert kept == [("new",)]
    store.close()


@pytest.mark.parametrize("kind", ["postgresql", "redis"])
def test_store_that_is_gone_lets_nothing_through(kind):
    with ExitStack() as stack:
        if kind == "postgresql":
            url = stack.enter_context(running_postgresql())
            store: NonceStore = PostgresqlNonces(partial(connect, url))
        else:
            port = stack.enter_context(running_redis())
            client = redis.Redis(port=port, socket_timeout=1, retry=Retry(NoBackoff(), 0))
            store = RedisNonces(client)
        assert store.spend("a", until=LATER, now=NOW) is True
        if kind == "redis":
            stack.callback(client.close)
    with pytest.raises((psycopg.OperationalError, redis.ConnectionError)):
        store.spend("b", until=LATER, now=NOW)


def test_redis_forgets_by_itself(redis_port):
    with redis.Redis(port=redis_port, socket_timeout=2) as client:
        RedisNonces(client).spend("kept", until=LATER, now=NOW)
        left_s = client.ttl("agen-nonce:kept")
    assert 3600 < left_s <= 3600 + 66


def test_replicas_may_make_the_table_at_the_same_time(database, tmp_path):
    code = (
        "import sys, psycopg; from agen_authz.verify import PostgresqlNonces;"
        "PostgresqlNonces(lambda: psycopg.connect(sys.argv[1]))"
    )
    with connect(database) as connection:
        connection.execute("DROP TABLE IF EXISTS agen_nonces")
    command = [sys.executable, "-c", code, database]
    with ExitStack() as stack:
        replicas = [stack.enter_context(talking(command, tmp_path / f"replica-{number}.log")) for number in range(4)]
        ended = [replica.read_rest() for replica in replicas]
    assert ended == [(0, "", "")] * 4
