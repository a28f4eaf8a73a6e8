"""The store in one SQLite file: only its owner can read it, and its migrations must be done."""

import os
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from agen_authz.adapters.store.catalogue import list_tools_if_any
from agen_authz.adapters.store.revision import UnknownRevisionError
from agen_authz.adapters.store.sql import SqlStore, list_kept_if_any, upgrade
from agen_authz.core.errors import ConfigError, Problem
from agen_authz.core.pinning.record import Listing

T = TypeVar("T")

_SCHEME = "sqlite:///"
_FILE_MODE = 0o600
_MIGRATION_WAIT_S = 5.0
_TOLD = {
    sqlite3.SQLITE_BUSY: ("the store is locked by another process", "end what holds it, and start again"),
    sqlite3.SQLITE_FULL: ("the disk is full", "make room, and start again"),
    sqlite3.SQLITE_IOERR: ("the disk takes no writes", "make room or mend the disk, and start again"),
}


def open_store(url: str, timeout_s: float) -> SqlStore:
    """Open a store whose migrations are done; every statement takes `timeout_s` at most."""
    return SqlStore(_build_engine(path_of(url), timeout_s), timeout_s)


async def peek(url: str, prefix: str, *, wait_s: float = _MIGRATION_WAIT_S) -> Mapping[str, str]:
    """Read what is kept under names that begin with `prefix`; nothing is made, migrated or written.

    Raises:
        ConfigError: the file cannot be read.
    """
    path = path_of(url)
    kept = await _look(path, list_kept_if_any, wait_s) if path.is_file() else {}
    return {name: value for name, value in kept.items() if name.startswith(prefix)}


async def peek_catalogue(url: str, *, wait_s: float = _MIGRATION_WAIT_S) -> Listing:
    """Read what is kept of tools; nothing is made, migrated or written.

    Raises:
        ConfigError: there is no such file, it cannot be read, or it is from a version without a catalogue.
    """
    path = path_of(url)
    if not path.is_file():
        raise _refuse(path, "there is no store", "start `agen-authz serve` with this configuration first")
    kept = await _look(path, list_tools_if_any, wait_s)
    if kept is None:
        raise _refuse(path, "the store is from a version that keeps no tools", "run `agen-authz migrate` first")
    return kept


async def _look(path: Path, ask: Callable[[sa.Connection], T], wait_s: float) -> T:
    engine = create_async_engine(
        # SQLite's own URL, which alone can say that nothing is written (its page "URI filenames").
        sa.URL.create(
            "sqlite+aiosqlite",
            database=f"file:{quote(str(path.absolute()))}",
            query={"mode": "ro", "uri": "true"},
        ),
        connect_args={"timeout": wait_s},
    )
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(ask)
    except (SQLAlchemyError, OSError) as exc:
        raise _refuse(path, *_explain(exc)) from exc
    finally:
        await engine.dispose()


async def migrate(url: str, *, wait_s: float = _MIGRATION_WAIT_S) -> list[str]:
    """Bring a store to this version, making its file if there is none; return the steps that were taken.

    Args:
        wait_s: how long another sidecar that migrates the same file is waited for.

    Raises:
        ConfigError: the file cannot be used, is locked, or is from a newer version.
    """
    path = path_of(url)
    _prepare_file(path)
    engine = _build_engine(path, wait_s)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(_upgrade)
    except UnknownRevisionError as exc:
        raise _refuse(path, "the store was made by a newer version", "run that version, or name a new file") from exc
    except (SQLAlchemyError, OSError) as exc:
        raise _refuse(path, *_explain(exc)) from exc
    finally:
        await engine.dispose()


def _upgrade(connection: sa.Connection) -> list[str]:
    # Two sidecars may start on one file: the second waits here, and finds the work done.
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    return upgrade(connection)


def _explain(exc: Exception) -> tuple[str, str]:
    original = exc.orig if isinstance(exc, DBAPIError) else None
    if isinstance(original, sqlite3.OperationalError):
        # The extended code's low byte is the kind of error.
        told = _TOLD.get(original.sqlite_errorcode & 0xFF)
        if told is not None:
            return told
    return "the store cannot be used as a database", "name another file, or restore this one"


def _build_engine(path: Path, wait_s: float) -> AsyncEngine:
    engine = create_async_engine(
        sa.URL.create("sqlite+aiosqlite", database=str(path)),
        # How long SQLite itself waits for another writer (busy_timeout).
        connect_args={"timeout": wait_s},
    )
    sa.event.listen(engine.sync_engine, "connect", _set_up_connection)
    return engine


def _set_up_connection(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def path_of(url: str) -> Path:
    """Find the file that an SQLite URL names (`sqlite:////absolute` or `sqlite:///relative`).

    Raises:
        ConfigError: it names none.
    """
    name = url.removeprefix(_SCHEME)
    # A URL of another kind may hold a password: it is not shown.
    if not url.startswith(_SCHEME) or not name or name.startswith(":") or "?" in name:
        raise ConfigError((Problem("store", None, "store.url", "names no SQLite file", "use sqlite:////path"),))
    return Path(name)


def find_obstacle(url: str) -> Problem | None:
    """Describe what would prevent `migrate` from opening or making the file; nothing is made."""
    try:
        path = path_of(url)
        _check_folder(path)
    except ConfigError as exc:
        return exc.problems[0]
    asked = path if path.exists() else path.parent
    if path.is_dir() or not os.access(asked, os.W_OK):
        return _refuse(path, "cannot be written", "name a file that this user may write").problems[0]
    return None


def _check_folder(path: Path) -> None:
    if not path.parent.is_dir():
        cure = "make it, writable for this user only, or name another file under `store.url`"
        raise _refuse(path, f"`{path.parent}` is not a folder", cure)


def _prepare_file(path: Path) -> None:
    _check_folder(path)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, _FILE_MODE))
    except OSError as exc:
        raise _refuse(path, f"cannot be opened: {exc.strerror}", "name a file that this user may write") from exc


def _refuse(path: Path, message: str, cure: str) -> ConfigError:
    return ConfigError((Problem(str(path), None, "store.url", message, cure),))
