"""What the tests of databases share: a new store in each kind of them, migrated, that can be broken."""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import psycopg
import pytest

from agen_authz.adapters.store import SqlStore, migrate, open_store
from agen_authz.adapters.store.revision import NEWEST

WAIT_S = 10.0
# What a new store reports when it is brought to this version.
STEPS = [f"migrated to {number:04}" for number in range(1, int(NEWEST) + 1)]

# Suites that a fake keeps too have it as `memory`.
SQL = ("sqlite", pytest.param("postgresql", marks=pytest.mark.services))
KINDS = (*SQL, "memory")

_NUMBERS = itertools.count(1)
# What a file of this version holds, once one was migrated.
_MIGRATED: list[bytes] = []


class Database(Protocol):
    """A place of a store that is this test's alone."""

    @property
    def url(self) -> str:
        """What opens it."""

    def break_it(self) -> None:
        """Let nothing be asked of it any longer."""


@dataclass
class SqliteDatabase:
    """A file."""

    path: Path

    @property
    def url(self) -> str:
        """What opens it."""
        return f"sqlite:///{self.path}"

    def break_it(self) -> None:
        """Make a file of it that is no database."""
        # Nobody can make a database of this, the owner of the file included.
        self.path.write_bytes(b"no database" * 1000)


@dataclass
class PostgresqlDatabase:
    """A database of a server that other tests use as well."""

    server: str
    name: str

    @property
    def url(self) -> str:
        """What opens it."""
        return urlsplit(self.server)._replace(path=f"/{self.name}").geturl()

    def break_it(self) -> None:
        """End all connections, and let nobody connect."""
        self.run(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS false")
        self.end_connections()

    def end_connections(self) -> None:
        """End all connections as a server that fails does."""
        self.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", self.name)

    def run(self, statement: str, *values: str) -> None:
        """Run a statement of the test's as the server's owner."""
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(statement.encode(), values or None)


async def make_migrated(path: Path) -> None:
    """Make a file of this version: a copy of the first one, for the steps to it take a while."""
    if not _MIGRATED:
        await migrate(f"sqlite:///{path}")
        _MIGRATED.append(path.read_bytes())
        return
    path.touch(0o600)
    path.write_bytes(_MIGRATED[0])


@contextmanager
def new_database(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    """Make an empty place of this kind."""
    if kind == "sqlite":
        yield SqliteDatabase(folder / "agen.db")
        return
    made = PostgresqlDatabase(request.getfixturevalue("postgresql"), f"agen_{next(_NUMBERS)}")
    made.run(f"CREATE DATABASE {made.name}")
    yield made
    made.run(f"DROP DATABASE {made.name} WITH (FORCE)")


@asynccontextmanager
async def new_store(
    kind: str, request: pytest.FixtureRequest, folder: Path
) -> AsyncIterator[tuple[Database, SqlStore]]:
    """Make a store of this kind that is migrated and open."""
    with new_database(kind, request, folder) as database:
        await (make_migrated(database.path) if isinstance(database, SqliteDatabase) else migrate(database.url))
        store = open_store(database.url, timeout_s=WAIT_S)
        yield database, store
        await store.close()
        await until_connections_end()


async def until_connections_end() -> None:
    """Wait until the threads of closed connections have ended.

    A connection that is given up rather than closed tells the event loop when it ends, so the loop must still be there.
    """
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join, WAIT_S)
