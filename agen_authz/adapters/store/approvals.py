"""The table of requests for approval.

1. Of one binding there is one live request at most: a unique index on the live ones sees to it.
2. Requests of one caller are opened one after another (a lock of PostgreSQL, or SQLite's one writer), so the bounds of
   open ones and of those made lately are exact, and of two that ask for the same at once the second finds what the
   first has made.
3. Grants are used by conditional writes, all or none: a row that is not written undoes the others.
4. Rows are locked in one order, by id: of two that want the same, one waits for the other, and neither for ever.
5. A request is kept as a document, with the columns that are asked for. What a conditional write changes is in columns
   alone.
6. A row that cannot be read denies the call that needs it. Lists leave it out, and it is logged once.
"""

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from agen_authz.adapters.store.kept import KeptCipher
from agen_authz.adapters.store.outbox import add_messages, forget_messages
from agen_authz.adapters.store.sql import SqlStore, begin_writing
from agen_authz.core.approval.request import LIVE, ApprovalRequest, KeptCall, Notice, Progress
from agen_authz.core.errors import Unavailable
from agen_authz.core.model import Digest, Owner
from agen_authz.core.reason import Reason
from agen_authz.ports.approval import ASKED_PER_OPEN, ASKED_WITHIN_S, NewRequest, Query

_LOG = logging.getLogger(__name__)
_REQUEST = sa.Table(
    "approval_request",
    sa.MetaData(),
    sa.Column("number", sa.Integer, primary_key=True),
    *(sa.Column(name, sa.String) for name in ("id", "key", "status", "document")),
    *(sa.Column(name, sa.String) for name in ("issuer", "subject", "tenant", "server", "flow")),
    sa.Column("version", sa.Integer),
    *(sa.Column(name, sa.Double) for name in ("created_at", "ends_at", "due_at", "grant_until", "used_at")),
    sa.Column("kept", sa.LargeBinary),
)
_ROW = _REQUEST.c
_SELECT = sa.select(_ROW.id, _ROW.document, _ROW.status, _ROW.version, _ROW.used_at)
_IS_LIVE = _ROW.status.in_([each.value for each in LIVE])
_IS_OPEN = _ROW.status == Progress.OPEN.value
# PostgreSQL keeps no text with these characters, so nothing has such a name.
_NO_TEXT = re.compile(r"[\x00\ud800-\udfff]")
_ENCODER, _DECODER = msgspec.json.Encoder(), msgspec.json.Decoder(ApprovalRequest)


class _UndoneError(Exception):
    """Ends a transaction without a change."""


class SqlApprovals:
    """Implements `ports.approval.ApprovalStore` in the database of a store; the store closes it."""

    def __init__(self, store: SqlStore, cipher: KeptCipher) -> None:
        self._store = store
        self._cipher = cipher
        # The ids of rows that were found to be so.
        self._unreadable: set[str] = set()

    async def find(self, keys: Collection[Digest]) -> tuple[ApprovalRequest, ...]:
        """Find the newest request of each binding; `ApprovalStore.find`."""
        newest = sa.select(sa.func.max(_ROW.number)).where(_ROW.key.in_(list(keys))).group_by(_ROW.key)
        return await self._read(_SELECT.where(_ROW.number.in_(newest.scalar_subquery())))

    async def open(self, asked: Sequence[NewRequest], max_open: int, now: float) -> tuple[ApprovalRequest, ...] | None:
        """Keep requests, all or none; `ApprovalStore.open`."""
        sealed = {each.request.id: self._cipher.seal(each.request.id, each.kept) for each in asked}
        return await self._store.write(lambda connection: _open(connection, asked, sealed, max_open, now))

    async def change(self, before: ApprovalRequest, after: ApprovalRequest, messages: Sequence[Notice] = ()) -> bool:
        """Write a change of a request that is still as it was; `ApprovalStore.change`."""
        is_unchanged = sa.and_(_ROW.id == before.id, _ROW.version == before.version)

        def change(connection: sa.Connection) -> bool:
            written = sa.update(_REQUEST).where(is_unchanged).values(_list_changing(after))
            if not connection.execute(written).rowcount:
                return False
            add_messages(connection, messages)
            return True

        return await self._store.write(change)

    async def consume(self, ids: Sequence[str], now: float, messages: Sequence[Notice] = ()) -> bool:
        """Use grants, all or none; `ApprovalStore.consume`."""
        try:
            await self._store.write(lambda connection: _consume(connection, ids, now, messages))
        except _UndoneError:
            return False
        return True

    async def get(self, id: str) -> ApprovalRequest | None:
        """Read one request; `ApprovalStore.get`."""
        return next(iter(await self._read(_SELECT.where(_is(_ROW.id, id)))), None)

    async def read_kept(self, id: str) -> KeptCall | None:
        """Read and decrypt what is kept of a request's arguments; `ApprovalStore.read_kept`."""
        asked = sa.select(_ROW.kept).where(_is(_ROW.id, id))
        sealed = await self._store.read(lambda connection: connection.execute(asked).scalar())
        return None if sealed is None else self._cipher.open(id, bytes(sealed))

    async def list(self, query: Query) -> tuple[ApprovalRequest, ...]:
        """List requests, a page of them; `ApprovalStore.list`."""
        found = _SELECT.where(*_list_filters(query)).order_by(*_list_order(query))
        return await self._read_some(found, query.limit)

    async def list_due(self, now: float, limit: int) -> tuple[ApprovalRequest, ...]:
        """List live requests for which something is due; `ApprovalStore.list_due`."""
        return await self._read_some(_SELECT.where(_ROW.due_at <= now).order_by(_ROW.due_at, _ROW.number), limit)

    async def erase(self, before: float) -> int:
        """Erase arguments of old requests that have ended, and old messages; `ApprovalStore.erase`."""
        is_old = sa.and_(_ROW.kept.is_not(None), _ROW.created_at < before, sa.not_(_IS_LIVE))

        def erase(connection: sa.Connection) -> int:
            begin_writing(connection)
            forget_messages(connection, before)
            return connection.execute(sa.update(_REQUEST).where(is_old).values(kept=None)).rowcount

        return await self._store.write(erase)

    async def _read(self, asked: "sa.Select[Any]") -> tuple[ApprovalRequest, ...]:
        return await self._store.read(lambda connection: _list(connection, asked))

    async def _read_some(self, asked: "sa.Select[Any]", limit: int) -> tuple[ApprovalRequest, ...]:
        # 6. Those that are left out take no place of others.
        while True:
            known = len(self._unreadable)
            found = await self._store.read(partial(_list_each, asked=asked.limit(limit + known)))
            self._note_unreadable({id for id, request in found if request is None})
            if len(self._unreadable) == known:
                return tuple(request for _, request in found if request is not None)[:limit]

    def _note_unreadable(self, ids: set[str]) -> None:
        for id in sorted(ids - self._unreadable):
            extra = {"approval": id}
            _LOG.error("a request for approval cannot be read from the store; lists leave it out", extra=extra)
        self._unreadable |= ids


def _open(
    connection: sa.Connection, asked: Sequence[NewRequest], sealed: dict[str, bytes], max_open: int, now: float
) -> tuple[ApprovalRequest, ...] | None:
    begin_writing(connection)
    # 2.
    _await_turn(connection, {each.request.requester for each in asked})
    keys = [each.request.key for each in asked]
    live = {each.key: each for each in _list(connection, _SELECT.where(_ROW.key.in_(keys), _IS_LIVE))}
    # 1.
    new = {each.request.key: each for each in asked if each.request.key not in live}
    for owner, wanted in Counter(each.request.requester for each in new.values()).items():
        if _count(connection, owner, _IS_OPEN) + wanted > max_open:
            return None
        if _count(connection, owner, _ROW.created_at > now - ASKED_WITHIN_S) + wanted > max_open * ASKED_PER_OPEN:
            return None
    if new:
        rows = [_render(each.request) | {"kept": sealed[each.request.id]} for each in new.values()]
        connection.execute(sa.insert(_REQUEST), rows)
    add_messages(connection, [message for each in new.values() for message in each.messages])
    return tuple(live[key] if key in live else new[key].request for key in keys)


def _await_turn(connection: sa.Connection, owners: Iterable[Owner]) -> None:
    """Wait until no other transaction opens requests of these callers."""
    if connection.dialect.name != "postgresql":
        return
    names = ((f"{len(each.issuer)}:{each.issuer}{each.subject}").encode() for each in owners)
    # 4.
    for name in sorted(names):
        lock = int.from_bytes(hashlib.sha256(name).digest()[:8], "big", signed=True)
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.cast(lock, sa.BigInteger))))


def _count(connection: sa.Connection, owner: Owner, which: sa.ColumnElement[bool]) -> int:
    of_owner = sa.and_(_is_of(owner), which)
    return int(connection.execute(sa.select(sa.func.count()).select_from(_REQUEST).where(of_owner)).scalar_one())


def _consume(connection: sa.Connection, ids: Sequence[str], now: float, messages: Sequence[Notice]) -> None:
    begin_writing(connection)
    # 3., 4.
    for id in sorted(set(ids)):
        is_usable = sa.and_(_ROW.id == id, _ROW.status == Progress.APPROVED.value, _ROW.grant_until > now)
        used = sa.update(_REQUEST).where(is_usable)
        used = used.values(status=Progress.USED.value, used_at=now, due_at=None, version=_ROW.version + 1)
        if connection.execute(used).rowcount != 1:
            raise _UndoneError
    add_messages(connection, messages)


def _list_filters(query: Query) -> Iterable[sa.ColumnElement[bool]]:
    if query.statuses:
        yield _ROW.status.in_(sorted(each.value for each in query.statuses))
    for column, wanted in ((_ROW.flow, query.flow), (_ROW.server, query.server), (_ROW.tenant, query.tenant)):
        if wanted is not None:
            yield _is(column, wanted)
    if query.owner is not None:
        yield _is_of(query.owner)
    if query.viewer is not None:
        yield sa.or_(_is(_ROW.tenant, query.viewer.tenant), _is_of(query.viewer.owner))
    if query.after is not None:
        # Two that were made at the same moment are in the order of their ids, so that none is passed over.
        row, end = sa.tuple_(*_list_place(query)), sa.tuple_(sa.literal(query.after.time), sa.literal(query.after.id))
        yield row > end if query.ends_first else row < end


def _list_place(query: Query) -> "tuple[sa.Column[Any], ...]":
    return (_ROW.ends_at if query.ends_first else _ROW.created_at, _ROW.id)


def _list_order(query: Query) -> Iterable[sa.ColumnElement[Any]]:
    return [each.asc() if query.ends_first else each.desc() for each in _list_place(query)]


def _is_of(owner: Owner) -> sa.ColumnElement[bool]:
    return sa.and_(_is(_ROW.issuer, owner.issuer), _is(_ROW.subject, owner.subject))


def _is(column: "sa.Column[Any]", wanted: str) -> sa.ColumnElement[bool]:
    return sa.false() if _NO_TEXT.search(wanted) else column == wanted


def _list(connection: sa.Connection, asked: "sa.Select[Any]") -> tuple[ApprovalRequest, ...]:
    found = _list_each(connection, asked)
    read = tuple(each for _, each in found if each is not None)
    if len(read) < len(found):
        # 6.
        raise Unavailable(Reason.STORE_UNAVAILABLE, "approvals")
    return read


def _list_each(connection: sa.Connection, asked: "sa.Select[Any]") -> list[tuple[str, ApprovalRequest | None]]:
    return [(row.id, _decode(row)) for row in connection.execute(asked)]


def _decode(row: Any) -> ApprovalRequest | None:
    # 5.
    try:
        read, status = _DECODER.decode(row.document), Progress(row.status)
    except (msgspec.DecodeError, ValueError):
        return None
    return replace(read, status=status, version=row.version, used_at=row.used_at)


def _render(request: ApprovalRequest) -> dict[str, object]:
    binding = request.binding
    return _list_changing(request) | {
        "id": request.id, "key": request.key, "issuer": binding.issuer, "subject": binding.subject,
        "tenant": binding.tenant, "server": binding.server, "flow": request.flow, "created_at": request.created_at,
        "ends_at": request.ends_at,
    }  # fmt: skip


def _list_changing(request: ApprovalRequest) -> dict[str, object]:
    return {
        "status": request.status.value, "version": request.version, "due_at": _find_due(request),
        "grant_until": request.grant_until, "used_at": request.used_at,
        "document": _ENCODER.encode(request).decode("utf-8"),
    }  # fmt: skip


def _find_due(request: ApprovalRequest) -> float | None:
    """Find when time changes the request next; None if it never does."""
    if request.status is Progress.APPROVED:
        return request.grant_until or 0.0
    if request.status is not Progress.OPEN:
        return None
    return request.ends_at if request.remind_at is None else min(request.ends_at, request.remind_at)
