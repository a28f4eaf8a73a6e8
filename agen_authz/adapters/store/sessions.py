"""The table of what the console remembers of browsers.

A name that is not there is looked up and leads to no write: what unknown callers send does not hold up those who write.
"""

from typing import Any

import sqlalchemy as sa

from agen_authz.adapters.store.sql import SqlStore, insert_into
from agen_authz.ports.approval import StoredSession

_SESSION = sa.Table(
    "console_session",
    sa.MetaData(),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("sealed", sa.LargeBinary),
    sa.Column("ends_at", sa.Double),
)
_ROW = _SESSION.c


class SqlSessions:
    """Implements `ports.approval.SessionStore` in the database of a store; the store closes it."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def put(self, name: str, session: StoredSession) -> None:
        """Keep one; `SessionStore.put`."""
        values = {"sealed": session.sealed, "ends_at": session.ends_at}

        def put(connection: sa.Connection) -> None:
            written = insert_into(_SESSION, connection).values(name=name, **values)
            connection.execute(written.on_conflict_do_update(index_elements=["name"], set_=values))

        await self._store.write(put)

    async def get(self, name: str, now: float) -> StoredSession | None:
        """Read one that has not ended; `SessionStore.get`."""
        asked = sa.select(_ROW.sealed, _ROW.ends_at).where(_ROW.name == name, _ROW.ends_at > now)
        return await self._store.read(lambda connection: _read(connection.execute(asked).first()))

    async def take(self, name: str, now: float) -> StoredSession | None:
        """Read and remove one, in one step; `SessionStore.take`."""
        if await self.get(name, now) is None:
            return None
        taken = sa.delete(_SESSION).where(_ROW.name == name, _ROW.ends_at > now).returning(_ROW.sealed, _ROW.ends_at)
        return await self._store.write(lambda connection: _read(connection.execute(taken).first()))

    async def remove(self, name: str) -> None:
        """Remove one; `SessionStore.remove`."""
        asked = sa.select(_ROW.name).where(_ROW.name == name)
        if await self._store.read(lambda connection: connection.execute(asked).first()) is not None:
            await self._delete(_ROW.name == name)

    async def sweep(self, now: float) -> None:
        """Remove those that have ended; `SessionStore.sweep`."""
        await self._delete(_ROW.ends_at <= now)

    async def _delete(self, which: sa.ColumnElement[bool]) -> None:
        await self._store.write(lambda connection: connection.execute(sa.delete(_SESSION).where(which)))


def _read(row: Any) -> StoredSession | None:
    return None if row is None else StoredSession(bytes(row.sealed), row.ends_at)
