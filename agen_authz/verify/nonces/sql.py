"""Nonces in a database that replicas share: SQLite on one machine, PostgreSQL anywhere."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_CREATE = "CREATE TABLE IF NOT EXISTS agen_nonces (nonce TEXT PRIMARY KEY, until BIGINT NOT NULL)"
_SPEND = "INSERT INTO agen_nonces (nonce, until) VALUES ({mark}, {mark}) ON CONFLICT (nonce) DO NOTHING"
_FORGET = "DELETE FROM agen_nonces WHERE until < {mark}"
_FORGET_EVERY_S = 60.0
# Kept longer than needed: a clock that was set back by less finds nothing that may be replayed.
_KEEP_S = 3600.0
_BUSY_S = 5.0
_LOCK = 0x6167656E  # "agen"; held while the table is made


class _SqlNonces:
    """Nonces in one table, `agen_nonces`, through connections of DB-API 2.0 (PEP 249)."""

    is_blocking = True

    def __init__(self, connect: Callable[[], Any], mark: str, *before_creating: str) -> None:
        self._connect = connect
        self._spend, self._forget = _SPEND.format(mark=mark), _FORGET.format(mark=mark)
        self._idle: list[Any] = []
        self._lock = threading.Lock()
        self._forgot = float("-inf")
        with self._cursor() as cursor:
            for statement in (*before_creating, _CREATE):
                cursor.execute(statement)

    def spend(self, nonce: str, *, until: float, now: float) -> bool:
        """Remember a nonce; False if it was seen before, by any process that shares the table."""
        with self._cursor() as cursor:
            cursor.execute(self._spend, (nonce, int(until) + 1))
            is_new = cursor.rowcount == 1
            if now - self._forgot >= _FORGET_EVERY_S:
                self._forgot = now
                cursor.execute(self._forget, (int(now - _KEEP_S),))
        return bool(is_new)

    def close(self) -> None:
        """Close the connections that are not in use."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self._connect()
        try:
            cursor = connection.cursor()
            yield cursor
            cursor.close()
            connection.commit()
        except BaseException:
            # Whatever state it is in, it is not used again.
            connection.close()
            raise
        with self._lock:
            self._idle.append(connection)


class SqliteNonces(_SqlNonces):
    """Nonces in a SQLite file: for a backend of several processes on one machine.

    Raises:
        sqlite3.Error: the file cannot be opened or written.
    """

    def __init__(self, file: str | Path) -> None:
        super().__init__(lambda: _connect(Path(file)), "?")


def _connect(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=_BUSY_S, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    # What a crash loses of the last moments it loses of nonces too: write them through.
    connection.execute("PRAGMA synchronous=FULL")
    return connection


class PostgresqlNonces(_SqlNonces):
    """Nonces in PostgreSQL: for a backend of several replicas.

    Args:
        connect: opens a connection; of psycopg, psycopg2 or pg8000, with time limits of your choice:
            `lambda: psycopg.connect(url, connect_timeout=2, options="-c statement_timeout=2000")`.
    """

    def __init__(self, connect: Callable[[], Any]) -> None:
        # Replicas that start together would create the table twice: PostgreSQL's IF NOT EXISTS does not see that.
        super().__init__(connect, "%s", f"SELECT pg_advisory_xact_lock({_LOCK})")
