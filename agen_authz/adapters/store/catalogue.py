"""The tables of tool definitions: what was seen, what is approved, and who did that.

1. A definition is written once, by one conditional insert: of several workers that see it at the same time, one has
   written it, and that one reports it.
2. What was seen last is written whenever it is another definition than before; otherwise once a minute.
3. What is not approved is bounded for each tool and server. The oldest go; nothing that is approved ever does.
4. Every change that a reader could notice counts the version up, in the same transaction.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from agen_authz.adapters.store.sql import SqlStore, insert_into
from agen_authz.core.model import Digest
from agen_authz.core.pinning.catalogue import Sighting
from agen_authz.core.pinning.definition import Definition
from agen_authz.core.pinning.pin import Kept, KeptTool
from agen_authz.core.pinning.record import (
    MAX_BYTES_OF_SERVER,
    MAX_OF_SERVER,
    MAX_OF_TOOL,
    SETTLED_S,
    Action,
    Listing,
    Noted,
    PinRecord,
)

_TABLES = sa.MetaData()
_DEFINITION = sa.Table(
    "catalogue_definition",
    _TABLES,
    *(sa.Column(name, sa.String, primary_key=True) for name in ("server", "name", "digest")),
    sa.Column("definition", sa.Text),
    sa.Column("size", sa.Integer),
    *(sa.Column(name, sa.Double) for name in ("first_seen", "last_seen", "approved_at")),
    sa.Column("approved_by", sa.String),
)
_TOOL = sa.Table(
    "catalogue_tool",
    _TABLES,
    *(sa.Column(name, sa.String, primary_key=True) for name in ("server", "name")),
    sa.Column("last_digest", sa.String),
    sa.Column("last_seen", sa.Double),
)
_RECORD = sa.Table(
    "pin_record",
    _TABLES,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("time", sa.Double),
    *(sa.Column(name, sa.String) for name in ("action", "by", "server", "name", "digest")),
    sa.Column("is_told", sa.Boolean),
)
_VERSION = sa.Table(
    "catalogue_version", _TABLES, sa.Column("id", sa.Integer, primary_key=True), sa.Column("version", sa.Integer)
)
# Rows of one statement: SQLite takes 32,766 values.
_ROWS = 200
_MAX_UNTOLD = 100


class SqlCatalogue:
    """Implements `ports.CatalogueStore` in the database of a store; the store closes it."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def read_version(self) -> int:
        """Read the version; `ports.CatalogueStore.read_version`."""
        return await self._store.read(_read_version)

    async def list_tools(self, known: Mapping[Digest, Definition]) -> Listing:
        """List all that is kept; `ports.CatalogueStore.list_tools`."""
        return await self._store.read(lambda connection: list_tools(connection, known))

    async def note_seen(self, server: str, sightings: Collection[Sighting], now: float) -> Noted:
        """Note definitions; `ports.CatalogueStore.note_seen`."""
        # In one order: of two that note the same list, one waits for the other, and neither for ever.
        by_name = {each.name: each for each in sorted(sightings, key=lambda each: each.name)}
        return await self._store.write(lambda connection: _note_seen(connection, server, by_name.values(), now))

    async def approve(self, server: str, name: str, digest: Digest, by: str, now: float) -> bool:
        """Approve a definition; `ports.CatalogueStore.approve`."""
        change = sa.update(_DEFINITION).values(approved_at=now, approved_by=by)
        change = change.where(_DEFINITION.c.approved_at.is_(None), _DEFINITION.c.definition.is_not(None))
        record = _record(Action.APPROVE, server, name, digest, by=by, now=now)
        return await self._act(change.where(_is(server, name), _DEFINITION.c.digest == digest), record)

    async def withdraw(self, server: str, name: str, digest: Digest, by: str, now: float) -> bool:
        """Withdraw an approval; `ports.CatalogueStore.withdraw`."""
        change = sa.update(_DEFINITION).values(approved_at=None, approved_by="")
        change = change.where(_DEFINITION.c.approved_at.is_not(None))
        record = _record(Action.WITHDRAW, server, name, digest, by=by, now=now)
        return await self._act(change.where(_is(server, name), _DEFINITION.c.digest == digest), record)

    async def forget(self, server: str, name: str, by: str, now: float) -> bool:
        """Forget a tool; `ports.CatalogueStore.forget`."""
        record = _record(Action.FORGET, server, name, Digest(""), by=by, now=now)
        return await self._act(sa.delete(_DEFINITION).where(_is(server, name)), record)

    async def list_untold(self) -> tuple[PinRecord, ...]:
        """List what operators did and no event tells yet; `ports.CatalogueStore.list_untold`."""
        return await self._store.read(_list_untold)

    async def mark_told(self, ids: Collection[int]) -> None:
        """Note that events tell of these; `ports.CatalogueStore.mark_told`."""
        mark = sa.update(_RECORD).values(is_told=True).where(_RECORD.c.id.in_(list(ids)))
        await self._store.write(lambda connection: connection.execute(mark).rowcount)

    async def _act(self, change: sa.Update | sa.Delete, record: sa.Insert) -> bool:
        def act(connection: sa.Connection) -> bool:
            if not connection.execute(change).rowcount:
                return False
            connection.execute(record)
            _drop_empty(connection)
            _count_up(connection)
            return True

        return await self._store.write(act)


def _is(server: str, name: str) -> sa.ColumnElement[bool]:
    return sa.and_(_DEFINITION.c.server == server, _DEFINITION.c.name == name)


def _record(action: Action, server: str, name: str, digest: Digest, *, by: str, now: float) -> sa.Insert:
    return sa.insert(_RECORD).values(
        time=now, action=action.value, by=by, server=server, name=name, digest=digest, is_told=False
    )


def _read_version(connection: sa.Connection) -> int:
    return int(connection.execute(sa.select(_VERSION.c.version)).scalar_one())


def _count_up(connection: sa.Connection) -> None:
    connection.execute(sa.update(_VERSION).values(version=_VERSION.c.version + 1))


def _drop_empty(connection: sa.Connection) -> None:
    is_kept = sa.exists().where(_DEFINITION.c.server == _TOOL.c.server, _DEFINITION.c.name == _TOOL.c.name)
    connection.execute(sa.delete(_TOOL).where(~is_kept))


def _note_seen(connection: sa.Connection, server: str, sightings: Iterable[Sighting], now: float) -> Noted:
    rows = [
        {
            "server": server,
            "name": each.name,
            "digest": each.digest,
            "definition": each.text,
            "size": len(each.text or ""),
            "first_seen": now,
            "last_seen": now,
            "approved_by": "",
            "settled": now - SETTLED_S,
        }
        for each in sightings
    ]
    if not rows:
        return Noted()
    new, pushed_out = _insert_definitions(connection, rows), 0
    changed = _settle_definitions(connection, server, rows) + _settle_tools(connection, rows)
    if new:
        pushed_out = _push_out(connection, server)
        _drop_empty(connection)
    if new or changed:
        _count_up(connection)
    return Noted(new, pushed_out)


def _settle_definitions(connection: sa.Connection, server: str, rows: Sequence[Mapping[str, Any]]) -> int:
    row, changed = _DEFINITION.c, 0
    for at in range(0, len(rows), _ROWS):
        seen = [(each["name"], each["digest"]) for each in rows[at : at + _ROWS]]
        now, settled = rows[at]["last_seen"], rows[at]["settled"]
        settle = sa.update(_DEFINITION).values(last_seen=now).where(row.server == server, row.last_seen <= settled)
        changed += connection.execute(settle.where(sa.tuple_(row.name, row.digest).in_(seen))).rowcount
    return changed


def _insert_definitions(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> frozenset[tuple[str, Digest]]:
    insert = insert_into(_DEFINITION, connection).on_conflict_do_nothing()
    values = [{key: value for key, value in row.items() if key != "settled"} for row in rows]
    # 1. What comes back is what was written.
    written = connection.execute(insert.returning(_DEFINITION.c.name, _DEFINITION.c.digest), values)
    return frozenset((str(name), Digest(str(digest))) for name, digest in written)


def _settle_tools(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> int:
    insert = insert_into(_TOOL, connection)
    seen = insert.excluded
    # 2. Not by the time that was passed in: two replicas' clocks differ, and the later write has seen it later.
    is_old = _TOOL.c.last_seen <= seen.last_seen - SETTLED_S
    written = insert.on_conflict_do_update(
        index_elements=["server", "name"],
        set_={"last_digest": seen.last_digest, "last_seen": seen.last_seen},
        where=sa.or_(_TOOL.c.last_digest != seen.last_digest, is_old),
    )
    values = [
        {"server": row["server"], "name": row["name"], "last_digest": row["digest"], "last_seen": row["last_seen"]}
        for row in rows
    ]
    return len(connection.execute(written.returning(_TOOL.c.name), values).all())


def _push_out(connection: sa.Connection, server: str) -> int:
    # 3.
    row, newest = _DEFINITION.c, (_DEFINITION.c.last_seen.desc(), _DEFINITION.c.first_seen.desc())
    order = (*newest, row.name, row.digest)
    ranked = (
        sa.select(
            row.name,
            row.digest,
            sa.func.row_number().over(partition_by=row.name, order_by=order).label("of_tool"),
            sa.func.row_number().over(order_by=order).label("of_server"),
            sa.func.sum(row.size).over(order_by=order, rows=(None, 0)).label("size"),
        )
        .where(row.server == server, row.approved_at.is_(None))
        .subquery()
    )
    is_surplus = sa.or_(
        ranked.c.of_tool > MAX_OF_TOOL,
        ranked.c.of_server > MAX_OF_SERVER,
        ranked.c.size > MAX_BYTES_OF_SERVER,
    )
    surplus = [tuple(each) for each in connection.execute(sa.select(ranked.c.name, ranked.c.digest).where(is_surplus))]
    pushed_out = 0
    # Read first: PostgreSQL would rank all of them again for each row that it looks at.
    for at in range(0, len(surplus), _ROWS):
        is_one = sa.tuple_(row.name, row.digest).in_(surplus[at : at + _ROWS])
        gone = sa.delete(_DEFINITION).where(row.server == server, row.approved_at.is_(None), is_one)
        pushed_out += connection.execute(gone).rowcount
    return pushed_out


def list_tools(connection: sa.Connection, known: Mapping[Digest, Definition]) -> Listing:
    """List all that is kept; definitions that are known already are not read again."""
    row = _DEFINITION.c
    version = _read_version(connection)
    columns = (row.server, row.name, row.digest, row.first_seen, row.last_seen, row.approved_at, row.approved_by)
    kept: dict[tuple[str, str], list[Kept]] = {}
    rows = connection.execute(sa.select(*columns).order_by(row.first_seen, row.digest)).all()
    texts = _read_definitions(connection, {Digest(str(each.digest)) for each in rows} - known.keys())
    for each in rows:
        digest = Digest(str(each.digest))
        definition = known.get(digest) or texts.get(digest)
        one = Kept(digest, each.first_seen, each.last_seen, definition, each.approved_at, str(each.approved_by))
        kept.setdefault((str(each.server), str(each.name)), []).append(one)
    tools = tuple(
        KeptTool(str(tool.server), str(tool.name), Digest(str(tool.last_digest)), tool.last_seen, tuple(held))
        for tool in connection.execute(sa.select(_TOOL).order_by(_TOOL.c.server, _TOOL.c.name))
        if (held := kept.get((str(tool.server), str(tool.name)))) is not None
    )
    return Listing(version, tools)


def _read_definitions(connection: sa.Connection, digests: Collection[Digest]) -> dict[Digest, Definition]:
    row, wanted = _DEFINITION.c, sorted(digests)
    found: dict[Digest, Definition] = {}
    for at in range(0, len(wanted), _ROWS):
        some = sa.select(row.digest, row.definition).where(row.digest.in_(wanted[at : at + _ROWS]))
        for digest, text in connection.execute(some):
            if text is not None:
                found[Digest(str(digest))] = json.loads(text)
    return found


def list_tools_if_any(connection: sa.Connection) -> Listing | None:
    """List all that is kept; None if the database was never brought to a version that has a catalogue."""
    return list_tools(connection, {}) if sa.inspect(connection).has_table(_VERSION.name) else None


def _list_untold(connection: sa.Connection) -> tuple[PinRecord, ...]:
    rows = sa.select(_RECORD).where(_RECORD.c.is_told.is_(False)).order_by(_RECORD.c.id).limit(_MAX_UNTOLD)
    return tuple(
        PinRecord(
            each.id, each.time, Action(each.action), str(each.by), str(each.server), str(each.name), Digest(each.digest)
        )
        for each in connection.execute(rows)
    )
