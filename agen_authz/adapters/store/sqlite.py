"""The store in one SQLite file: opened with its migrations done, every statement bounded in time."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from agen_authz.core.errors import ConfigError, Problem, Unavailable
from agen_authz.core.reason import Reason

_MIGRATIONS = Path(__file__).parent / "migrations"
_FILE_MODE = 0o600
_BUSY_TIMEOUT_S = 5.0
_KEPT = sa.table("kept_value", sa.column("name", sa.String), sa.column("value", sa.String))
_INSERT = sa.text("INSERT INTO kept_value (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING")


class SqliteStore:
    """Implements `ports.Store`."""

    def __init__(self, engine: AsyncEngine, timeout_s: float) -> None:
        self._engine = engine
        self._timeout_s = timeout_s

    async def remember(self, defaults: Mapping[str, str]) -> Mapping[str, str]:
        """Keep values that are not there yet, and return what is; `ports.Store.remember`."""
        try:
            async with asyncio.timeout(self._timeout_s), self._engine.begin() as connection:
                for name, value in defaults.items():
                    await connection.execute(_INSERT, {"name": name, "value": value})
                rows = await connection.execute(sa.select(_KEPT.c.name, _KEPT.c.value))
                kept = {str(name): str(value) for name, value in rows}
        except (SQLAlchemyError, OSError, TimeoutError) as exc:
            raise Unavailable(Reason.STORE_UNAVAILABLE, "store") from exc
        return {name: kept[name] for name in defaults}

    async def close(self) -> None:
        """Close the file; `ports.Store.close`."""
        await self._engine.dispose()


def open_store(url: str, timeout_s: float) -> SqliteStore:
    """Open a store whose migrations are done."""
    return SqliteStore(_engine(url), timeout_s)


async def migrate(url: str) -> list[str]:
    """Bring a store to this version, making its file if there is none; return the steps that were taken.

    Raises:
        ConfigError: the file cannot be used, or is from a newer version.
    """
    _prepare_file(url)
    engine = _engine(url)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(_upgrade, url)
    except (SQLAlchemyError, OSError) as exc:
        raise _refuse(url, "cannot be opened as a database", "name another file, or restore it") from exc
    finally:
        await engine.dispose()


def _upgrade(connection: sa.Connection, url: str) -> list[str]:
    config = AlembicConfig()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    # Two sidecars may start on one file: the second waits here, and finds the work done.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    before = _revision(connection)
    script = ScriptDirectory.from_config(config)
    try:
        steps = [step.revision for step in script.iterate_revisions("head", before or "base")]
        command.upgrade(config, "head")
    except CommandError as exc:
        raise _refuse(url, "was made by a newer version", "run that version, or start with a new store") from exc
    return [f"migrated to {revision}" for revision in reversed(steps)]


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return None if row is None else str(row[0])


def _engine(url: str) -> AsyncEngine:
    engine = create_async_engine(
        sa.URL.create("sqlite+aiosqlite", database=str(path_of(url))), connect_args={"timeout": _BUSY_TIMEOUT_S}
    )
    sa.event.listen(engine.sync_engine, "connect", _set_up_connection)
    return engine


def _set_up_connection(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
    # The driver must not begin transactions of its own: they would begin without the lock.
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def path_of(url: str) -> Path:
    """Find the file that an SQLite URL names (`sqlite:////absolute` or `sqlite:///relative`)."""
    return Path(url.removeprefix("sqlite:///"))


def _prepare_file(url: str) -> None:
    path = path_of(url)
    if not path.parent.is_dir():
        raise _refuse(url, f"the folder `{path.parent}` does not exist", "make it, writable for this user only")
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, _FILE_MODE))
    except OSError as exc:
        raise _refuse(url, f"cannot be opened: {exc.strerror}", "name a file that this user may write") from exc


def _refuse(url: str, message: str, cure: str) -> ConfigError:
    return ConfigError((Problem(str(path_of(url)), None, "store.url", f"the store {message}", cure),))
