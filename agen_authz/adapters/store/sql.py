"""What every SQL database does for the store: statements that are bounded in time, steps to this version."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from agen_authz.adapters.store.revision import NEWEST
from agen_authz.core.errors import Unavailable
from agen_authz.core.reason import Reason

T = TypeVar("T")

_NAME = "store"
_KEPT = sa.table("kept_value", sa.column("name", sa.String), sa.column("value", sa.String))
# One conditional write: of two sidecars that start at once, both keep the value of the first.
_KEEP = sa.text("INSERT INTO kept_value (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING")

# Both spell `ON CONFLICT` alike.
_INSERT: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def insert_into(table: sa.Table, connection: sa.Connection) -> Any:
    """Return an `INSERT` into a table, in the connection's dialect, that may say `ON CONFLICT`."""
    return _INSERT[connection.dialect.name](table)


def begin_writing(connection: sa.Connection) -> None:
    """Be SQLite's one writer from now on, so that what is read before the first change stays true.

    PostgreSQL has many writers: there, rows are locked as they are written.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")


class SqlStore:
    """Implements `ports.Store` on a database whose migrations are done."""

    def __init__(self, engine: AsyncEngine, timeout_s: float, reads_with: Mapping[str, object] | None = None) -> None:
        self._engine = engine
        # The same connections.
        self._reading = engine.execution_options(**(reads_with or {}))
        self._timeout_s = timeout_s
        # Statements that no call waits for any longer.
        self._late: set[asyncio.Task[object]] = set()

    async def remember(self, defaults: Mapping[str, str]) -> Mapping[str, str]:
        """Keep values that are not there yet, and return what is; `ports.Store.remember`."""
        return await self._keep(defaults, ())

    async def remember_only(self, prefix: str, defaults: Mapping[str, str]) -> Mapping[str, str]:
        """Keep values, and no others with this prefix; `ports.Store.remember_only`."""
        is_other = sa.and_(_KEPT.c.name.startswith(prefix, autoescape=True), _KEPT.c.name.not_in(list(defaults)))
        return await self._keep(defaults, (sa.delete(_KEPT).where(is_other),))

    async def recall(self, names: Collection[str]) -> Mapping[str, str]:
        """Return what is kept under these names; `ports.Store.recall`."""
        kept = await self.read(list_kept)
        return {name: kept[name] for name in names if name in kept}

    async def close(self) -> None:
        """Close the database; `ports.Store.close`."""
        if self._late:
            await asyncio.wait(self._late, timeout=self._timeout_s)
        await self._engine.dispose()

    async def read(self, ask: Callable[[sa.Connection], T]) -> T:
        """Ask the database something that changes nothing.

        Raises:
            Unavailable: it did not answer in time.
        """
        return await self._ask(self._run(self._reading.connect(), ask))

    async def write(self, change: Callable[[sa.Connection], T]) -> T:
        """Change something, whole or not at all, in one transaction.

        Raises:
            Unavailable: the database did not answer in time; the change may still take effect.
        """
        return await self._ask(self._run(self._engine.begin(), change))

    async def _keep(self, defaults: Mapping[str, str], before: Sequence[sa.Delete]) -> Mapping[str, str]:
        kept = await self._ask(self._remember(defaults, before))
        return {name: kept[name] for name in defaults}

    async def _ask(self, statements: Coroutine[object, object, T]) -> T:
        try:
            return await self._bounded(statements)
        except (SQLAlchemyError, OSError, TimeoutError) as exc:
            raise Unavailable(Reason.STORE_UNAVAILABLE, _NAME) from exc

    async def _run(self, opened: AbstractAsyncContextManager[AsyncConnection], run: Callable[[sa.Connection], T]) -> T:
        async with opened as connection:
            return await connection.run_sync(run)

    async def _remember(self, defaults: Mapping[str, str], before: Sequence[sa.Delete]) -> dict[str, str]:
        async with self._engine.begin() as connection:
            for statement in before:
                await connection.execute(statement)
            # In one order: of two that write the same names, one waits for the other, and neither for ever.
            for name, value in sorted(defaults.items()):
                await connection.execute(_KEEP, {"name": name, "value": value})
            return await connection.run_sync(list_kept)

    async def _bounded(self, statements: Coroutine[object, object, T]) -> T:
        # Cancelling would wait for the driver, which waits for the database: a late statement ends on its own.
        task = asyncio.create_task(statements)
        try:
            done, _ = await asyncio.wait({task}, timeout=self._timeout_s)
        finally:
            if not task.done():
                self._late.add(task)
                task.add_done_callback(self._forget)
        if not done:
            raise TimeoutError("the database does not answer")
        return task.result()

    def _forget(self, task: "asyncio.Task[object]") -> None:
        self._late.discard(task)
        if not task.cancelled():
            # The caller has the error already; asyncio must not report it once more.
            task.exception()


def list_kept(connection: sa.Connection) -> dict[str, str]:
    """List what is kept."""
    return {str(name): str(value) for name, value in connection.execute(sa.select(_KEPT.c.name, _KEPT.c.value))}


def list_kept_if_any(connection: sa.Connection) -> dict[str, str]:
    """List what is kept; nothing if the database was never migrated."""
    return list_kept(connection) if sa.inspect(connection).has_table(_KEPT.name) else {}


def upgrade(connection: sa.Connection) -> list[str]:
    """Bring a database to this version; return the steps that were taken.

    Raises:
        UnknownRevisionError: a newer version made it (`adapters.store.revision`).
    """
    revision = _find_revision(connection)
    if revision == NEWEST:
        return []
    # Alembic takes 10 MB and a fifth of a second: a sidecar whose store is up to date does without.
    from agen_authz.adapters.store.steps import take_steps

    return [f"migrated to {step}" for step in take_steps(connection, revision)]


def _find_revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return None if row is None else str(row[0])
