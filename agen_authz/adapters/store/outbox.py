"""The table of messages that wait to be sent.

1. A message is written in the transaction of the change that it tells of (`add_messages`).
2. It is taken by one process at a time: PostgreSQL passes over rows that another one is taking, SQLite has one writer.
3. Messages that ask for a decision are taken before those that tell of an end: many ends delay no decision.
"""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from agen_authz.adapters.store.sql import SqlStore, begin_writing
from agen_authz.core.approval.request import ASKING, Notice, Occasion

_MESSAGE = sa.Table(
    "approval_message",
    sa.MetaData(),
    sa.Column("number", sa.Integer, primary_key=True),
    *(sa.Column(name, sa.String) for name in ("id", "request", "occasion", "place")),
    *(sa.Column(name, sa.Integer) for name in ("step", "attempts")),
    *(sa.Column(name, sa.Double) for name in ("created_at", "due_at", "taken_at", "sent_at")),
)
_ROW = _MESSAGE.c
# 3.
_ORDER = sa.case((_ROW.occasion.in_(sorted(each.value for each in ASKING)), 0), else_=1)


class SqlOutbox:
    """Implements `ports.approval.Outbox` in the database of a store; the store closes it."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def take(self, now: float, lease_s: float, limit: int) -> tuple[Notice, ...]:
        """Take messages that are due; `Outbox.take`."""
        return await self._store.write(lambda connection: _take(connection, now, lease_s, limit))

    async def settle(self, id: str, now: float) -> None:
        """Note that a message was sent; `Outbox.settle`."""
        await self._end(id, due_at=None, sent_at=now)

    async def postpone(self, id: str, until: float) -> None:
        """Note that a message may be tried again; `Outbox.postpone`."""
        await self._end(id, due_at=until)

    async def give_up(self, id: str, now: float) -> None:
        """Note that a message is not tried any more; `Outbox.give_up`."""
        await self._end(id, due_at=None)

    async def count_sent(self, since: float) -> int:
        """Count messages that were sent, or may be under way; `Outbox.count_sent`."""
        is_counted = sa.or_(_ROW.sent_at >= since, _ROW.taken_at >= since)
        asked = sa.select(sa.func.count()).select_from(_MESSAGE).where(is_counted)
        return await self._store.read(lambda connection: int(connection.execute(asked).scalar_one()))

    async def _end(self, id: str, **values: float | None) -> None:
        change = sa.update(_MESSAGE).where(_ROW.id == id).values(taken_at=None, **values)
        await self._store.write(lambda connection: connection.execute(change))


def add_messages(connection: sa.Connection, messages: Iterable[Notice]) -> None:
    """Put messages into the outbox, due at once."""
    # 1.
    rows = [
        {
            "id": each.id, "request": each.request, "occasion": each.occasion.value, "place": each.to,
            "step": each.step, "created_at": each.created_at, "attempts": each.attempts, "due_at": each.created_at,
        }
        for each in messages
    ]  # fmt: skip
    if rows:
        connection.execute(sa.insert(_MESSAGE), rows)


def forget_messages(connection: sa.Connection, before: float) -> None:
    """Delete messages that were made before, and that nothing is done with any more: they have addresses of people."""
    was_sent_since = sa.func.coalesce(_ROW.sent_at, before - 1.0) >= before
    is_over = sa.and_(_ROW.due_at.is_(None), _ROW.created_at < before, sa.not_(was_sent_since))
    connection.execute(sa.delete(_MESSAGE).where(is_over))


def _take(connection: sa.Connection, now: float, lease_s: float, limit: int) -> tuple[Notice, ...]:
    # 2.
    begin_writing(connection)
    due = sa.select(_MESSAGE).where(_ROW.due_at <= now)
    due = due.order_by(_ORDER, _ROW.due_at, _ROW.created_at, _ROW.number).limit(limit)
    rows = connection.execute(due.with_for_update(skip_locked=True)).all()
    if rows:
        leased = sa.update(_MESSAGE).where(_ROW.number.in_([row.number for row in rows]))
        connection.execute(leased.values(due_at=now + lease_s, taken_at=now, attempts=_ROW.attempts + 1))
    return tuple(_read(row) for row in rows)


def _read(row: Any) -> Notice:
    occasion, attempts = Occasion(row.occasion), row.attempts + 1
    return Notice(row.id, row.request, occasion, row.place, row.step, row.created_at, attempts)
