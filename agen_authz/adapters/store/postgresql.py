"""A store in a PostgreSQL database, which any number of replicas share.

1. Connections are bounded in number, and a statement in time, by the server as well: what no call waits for any longer
   holds nothing there. So does a process that stopped within a transaction.
2. A connection that the server has closed is replaced before it is used, so a server that was restarted is used again.
3. Steps to this version are taken by one process at a time, which holds an advisory lock.
"""

import importlib
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from agen_authz.adapters.store.place import refuse
from agen_authz.adapters.store.postgresql_url import DatabaseUrl, read_database_url
from agen_authz.core.errors import Problem

_DRIVER = "asyncpg"
# 1. Of each process.
_KEPT_OPEN, _MORE = 4, 4
_IDLE_S = 10.0
# Connections that are older are replaced: a name may lead to another server by then.
_MAX_AGE_S = 1800
_STEPS_S = 600.0
# 3. Any number that nothing else in the database locks.
_LOCK = 0x6167656E
_RESTART = "and start again"
# By SQLSTATE (appendix A of PostgreSQL's manual).
_TOLD = {
    "08P01": (
        "what is there speaks another protocol, or is a pooler that does not take `statement_timeout`",
        f"with PgBouncer, set ignore_startup_parameters (docs/deploy.md), {_RESTART}",
    ),
    "28P01": ("the password is wrong, or the user does not exist", f"correct the URL, {_RESTART}"),
    "28000": ("the server does not let this user in", f"see its pg_hba.conf and the user's role, {_RESTART}"),
    "3D000": ("the database does not exist", f"make it: CREATE DATABASE, owned by this user; {_RESTART}"),
    "42501": ("the user may not do that", "run `agen-authz migrate` as the owner of the tables, or grant the rights"),
    "53300": ("the server has no connection left", f"raise its max_connections, {_RESTART}"),
    "57P03": ("the server is not ready yet", "wait until it is, and start again"),
    "55P03": ("the store is locked by another process", f"wait until its migration has ended, {_RESTART}"),
    "57014": ("the server took too long", f"see what holds it, {_RESTART}"),
    "25006": ("the server takes no writes", "name the primary server, not a standby"),
}


class CannotConnectError(OSError):
    """The server cannot be reached, or has refused the connection."""


@dataclass(frozen=True, slots=True)
class PostgresqlDatabase:
    """Implements `StorePlace`."""

    url: DatabaseUrl

    path: ClassVar[str] = "store.url"
    another: ClassVar[str] = "database"
    migration_wait_s: ClassVar[float] = 30.0
    drivers: ClassVar[tuple[str, ...]] = (_DRIVER, "sqlalchemy.dialects.postgresql.asyncpg")
    reads_with: ClassVar[Mapping[str, object]] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}

    @property
    def name(self) -> str:
        """Host, port and database."""
        return self.url.name

    def is_there(self) -> bool:
        """True: only the server knows; `StorePlace.is_there`."""
        return True

    def prepare(self) -> None:
        """See that the driver is installed; `StorePlace.prepare`."""
        obstacle = self.find_obstacle()
        if obstacle is not None:
            raise refuse(self, obstacle.message, obstacle.cure)

    def find_obstacle(self) -> Problem | None:
        """Describe what keeps connections from being made; `StorePlace.find_obstacle`."""
        if find_spec(_DRIVER) is None:
            cure = "install it: pip install agen-authz[postgres]"
            return refuse(self, "the driver of PostgreSQL is not installed", cure).problems[0]
        try:
            self.url.build_tls()
        except OSError as exc:
            why = "not PEM" if isinstance(exc, ssl.SSLError) or not exc.strerror else exc.strerror
            message = f"the certificates that the URL names cannot be used: {why}"
            return refuse(self, message, "correct `sslrootcert`, `sslcert` and `sslkey`").problems[0]
        return None

    def build_engine(self, wait_s: float) -> AsyncEngine:
        """Build what opens connections; `StorePlace.build_engine`."""
        return self._build(
            wait_s,
            wait_s,
            pool_size=_KEPT_OPEN,
            max_overflow=_MORE,
            pool_timeout=wait_s,
            pool_recycle=_MAX_AGE_S,
            # 2.
            pool_pre_ping=True,
        )

    def build_reader(self, wait_s: float) -> AsyncEngine:
        """Build what opens connections that write nothing; `StorePlace.build_reader`."""
        return self._build(wait_s, wait_s, poolclass=NullPool, execution_options=self.reads_with)

    def build_migrator(self, wait_s: float) -> AsyncEngine:
        """Build what opens connections for steps; `StorePlace.build_migrator`."""
        return self._build(wait_s, _STEPS_S, poolclass=NullPool)

    def lock(self, connection: sa.Connection, wait_s: float) -> None:
        """Be the only one who takes steps; `StorePlace.lock`."""
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_ms(wait_s)}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")

    def explain(self, exc: Exception) -> tuple[str, str]:
        """Explain an error of the server, of the driver or of the network; `StorePlace.explain`."""
        causes = list(_list_causes(exc))
        for each in causes:
            told = _TOLD.get(str(getattr(each, "sqlstate", "")))
            if told is not None:
                return told
        for each in causes:
            if isinstance(each, OSError) and not isinstance(each, CannotConnectError):
                return _explain_network(each)
        return "the store cannot be used", f"see the server's log, {_RESTART}"

    def _build(self, connect_s: float, statement_s: float, **options: Any) -> AsyncEngine:
        self.prepare()
        asyncpg = importlib.import_module(_DRIVER)

        async def connect() -> object:
            try:
                return await asyncpg.connect(**self._list_settings(connect_s, statement_s))
            except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as exc:
                raise CannotConnectError(f"cannot connect to {self.name}") from exc

        return create_async_engine("postgresql+asyncpg://", async_creator=connect, hide_parameters=True, **options)

    def _list_settings(self, connect_s: float, statement_s: float) -> dict[str, Any]:
        # 1.
        settings = {
            "application_name": "agen-authz",
            "statement_timeout": str(_ms(statement_s)),
            "idle_in_transaction_session_timeout": str(_ms(max(_IDLE_S, statement_s))),
        }
        url = self.url
        return {
            "host": url.host, "port": url.port, "user": url.role, "password": url.password, "database": url.database,
            "ssl": url.build_tls() or False, "timeout": connect_s, "command_timeout": statement_s,
            "server_settings": settings,
        }  # fmt: skip


def read_database(url: str) -> PostgresqlDatabase:
    """Read a PostgreSQL URL.

    Raises:
        ConfigError: it is not one.
    """
    return PostgresqlDatabase(read_database_url(url))


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _list_causes(exc: BaseException | None) -> Iterator[BaseException]:
    while exc is not None:
        yield exc
        exc = exc.__cause__


def _explain_network(exc: OSError) -> tuple[str, str]:
    if isinstance(exc, ssl.SSLCertVerificationError):
        cure = "name its CA (`sslrootcert`) and the host that its certificate is for, or ask for less (`sslmode`)"
        return f"the server's certificate cannot be verified: {exc.verify_message}", cure
    if isinstance(exc, TimeoutError):
        return "cannot connect: no answer in time", f"see that it is reachable from here, {_RESTART}"
    if "SSL" in str(exc):
        return "the server does not speak TLS", "set `ssl = on` there, or in a network that you trust `sslmode=disable`"
    known = exc.errno is not None and exc.errno > 0 and not isinstance(exc, socket.gaierror)
    why = os.strerror(exc.errno) if known and exc.errno is not None else "no address, or none of them answers"
    return f"cannot connect: {why}", f"start the server, or correct host and port, {_RESTART}"
