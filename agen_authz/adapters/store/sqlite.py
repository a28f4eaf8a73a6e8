"""A store in one SQLite file, which only its owner can read."""

import os
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from agen_authz.adapters.store.place import refuse
from agen_authz.core.errors import ConfigError, Problem

_SCHEME = "sqlite:///"
_FILE_MODE = 0o600
_TOLD = {
    sqlite3.SQLITE_BUSY: ("the store is locked by another process", "end what holds it, and start again"),
    sqlite3.SQLITE_FULL: ("the disk is full", "make room, and start again"),
    sqlite3.SQLITE_IOERR: ("the disk takes no writes", "make room or mend the disk, and start again"),
}


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """Implements `StorePlace`."""

    file: Path

    path: ClassVar[str] = "store.url"
    another: ClassVar[str] = "file"
    migration_wait_s: ClassVar[float] = 5.0
    drivers: ClassVar[tuple[str, ...]] = ("aiosqlite", "sqlalchemy.dialects.sqlite.aiosqlite")
    reads_with: ClassVar[Mapping[str, object]] = {}

    @property
    def name(self) -> str:
        """The file."""
        return str(self.file)

    def is_there(self) -> bool:
        """False if there is no such file; `StorePlace.is_there`."""
        return self.file.is_file()

    def prepare(self) -> None:
        """Make the file; `StorePlace.prepare`."""
        self._check_folder()
        try:
            os.close(os.open(self.file, os.O_RDWR | os.O_CREAT, _FILE_MODE))
        except OSError as exc:
            raise refuse(self, f"cannot be opened: {exc.strerror}", "name a file that this user may write") from exc

    def find_obstacle(self) -> Problem | None:
        """Describe what would prevent it from being opened or made; `StorePlace.find_obstacle`."""
        try:
            self._check_folder()
        except ConfigError as exc:
            return exc.problems[0]
        asked = self.file if self.file.exists() else self.file.parent
        if self.file.is_dir() or not os.access(asked, os.W_OK):
            return refuse(self, "cannot be written", "name a file that this user may write").problems[0]
        return None

    def build_engine(self, wait_s: float) -> AsyncEngine:
        """Build what opens connections; `StorePlace.build_engine`."""
        engine = create_async_engine(
            sa.URL.create("sqlite+aiosqlite", database=str(self.file)),
            # How long SQLite itself waits for another writer (busy_timeout).
            connect_args={"timeout": wait_s},
            hide_parameters=True,
        )
        sa.event.listen(engine.sync_engine, "connect", _set_up_connection)
        return engine

    def build_reader(self, wait_s: float) -> AsyncEngine:
        """Build what opens connections that write nothing; `StorePlace.build_reader`."""
        return create_async_engine(
            # SQLite's own URL, which alone can say that nothing is written (its page "URI filenames").
            sa.URL.create(
                "sqlite+aiosqlite",
                database=f"file:{quote(str(self.file.absolute()))}",
                query={"mode": "ro", "uri": "true"},
            ),
            connect_args={"timeout": wait_s},
            hide_parameters=True,
        )

    def build_migrator(self, wait_s: float) -> AsyncEngine:
        """Build what opens connections for steps; `StorePlace.build_migrator`."""
        return self.build_engine(wait_s)

    def lock(self, connection: sa.Connection, wait_s: float) -> None:
        """Be the only one who writes; `StorePlace.lock`."""
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def explain(self, exc: Exception) -> tuple[str, str]:
        """Explain an error of SQLite; `StorePlace.explain`."""
        original = exc.orig if isinstance(exc, DBAPIError) else None
        if isinstance(original, sqlite3.OperationalError):
            # The extended code's low byte is the kind of error.
            told = _TOLD.get(original.sqlite_errorcode & 0xFF)
            if told is not None:
                return told
        return "the store cannot be used as a database", "name another file, or restore this one"

    def _check_folder(self) -> None:
        if not self.file.parent.is_dir():
            cure = "make it, writable for this user only, or name another file under `store.url`"
            raise refuse(self, f"`{self.file.parent}` is not a folder", cure)


def read_file(url: str) -> SqliteFile:
    """Read an SQLite URL (`sqlite:////absolute` or `sqlite:///relative`).

    Raises:
        ConfigError: it names no file.
    """
    name = url.removeprefix(_SCHEME)
    if not url.startswith(_SCHEME) or not name or name.startswith(":") or "?" in name:
        raise ConfigError((Problem("store", None, "store.url", "names no SQLite file", "use sqlite:////path"),))
    return SqliteFile(Path(name))


def _set_up_connection(connection: sa.engine.interfaces.DBAPIConnection, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
