"""The table of bound tasks: whose each one is, and of which tool.

1. A task is bound by one conditional write: if another caller has it, nothing is written, and that is the answer.
2. Ids are kept as digests: for a server that asks for nothing else, an id is what opens a task.
3. What is older than `TASK_KEPT_S` is bound to no caller, and is deleted when the next task is bound.
4. The table is bounded in number: if it is full, the caller with the most tasks loses the oldest hundredth of a table.
"""

import hashlib
from typing import Any

import sqlalchemy as sa

from agen_authz.adapters.store.sql import SqlStore, insert_into
from agen_authz.core.model import TASK_KEPT_S, BoundTask, Issuer, Owner, Subject

_TASK = sa.Table(
    "bound_task",
    sa.MetaData(),
    *(sa.Column(name, sa.String, primary_key=True) for name in ("server", "digest")),
    *(sa.Column(name, sa.String) for name in ("issuer", "subject", "tool")),
    sa.Column("bound_at", sa.Double),
)
_SHARE = 100


class SqlTasks:
    """Implements `ports.TaskStore` in the database of a store; the store closes it."""

    def __init__(self, store: SqlStore, limit: int) -> None:
        self._store = store
        self._limit = limit

    async def bind(self, server: str, task_id: str, task: BoundTask, now: float) -> bool:
        """Bind a task; `ports.TaskStore.bind`."""

        def bind(connection: sa.Connection) -> bool:
            connection.execute(sa.delete(_TASK).where(_TASK.c.bound_at <= now - TASK_KEPT_S))
            if not connection.execute(_bind(connection, server, task_id, task, now)).rowcount:
                return False
            _make_room(connection, self._limit)
            return True

        return await self._store.write(bind)

    async def find(self, server: str, task_id: str, now: float) -> BoundTask | None:
        """Find a task; `ports.TaskStore.find`."""
        columns = (_TASK.c.issuer, _TASK.c.subject, _TASK.c.tool)
        found = sa.select(*columns).where(_is(server, task_id), _TASK.c.bound_at > now - TASK_KEPT_S)
        row = await self._store.read(lambda connection: connection.execute(found).first())
        return None if row is None else BoundTask(Owner(Issuer(row[0]), Subject(row[1])), row[2])


def _digest(task_id: str) -> str:
    return hashlib.sha256(task_id.encode("utf-8")).hexdigest()


def _is(server: str, task_id: str) -> sa.ColumnElement[bool]:
    return sa.and_(_TASK.c.server == server, _TASK.c.digest == _digest(task_id))


def _bind(connection: sa.Connection, server: str, task_id: str, task: BoundTask, now: float) -> Any:
    row = {
        "server": server, "digest": _digest(task_id), "issuer": task.owner.issuer, "subject": task.owner.subject,
        "tool": task.tool, "bound_at": now,
    }  # fmt: skip
    insert = insert_into(_TASK, connection).values(row)
    is_theirs = sa.and_(_TASK.c.issuer == task.owner.issuer, _TASK.c.subject == task.owner.subject)
    return insert.on_conflict_do_update(
        index_elements=["server", "digest"], set_={"bound_at": now}, where=sa.and_(is_theirs, _TASK.c.tool == task.tool)
    )


def _make_room(connection: sa.Connection, limit: int) -> None:
    count = connection.execute(sa.select(sa.func.count()).select_from(_TASK)).scalar_one()
    if count <= limit:
        return
    owner = (_TASK.c.issuer, _TASK.c.subject)
    most = connection.execute(
        sa.select(*owner).group_by(*owner).order_by(sa.func.count().desc(), *owner).limit(1)
    ).one()
    held = sa.select(_TASK.c.server, _TASK.c.digest).where(_TASK.c.issuer == most[0], _TASK.c.subject == most[1])
    # Several at once: to find the caller with the most takes longer than to delete.
    oldest = held.order_by(_TASK.c.bound_at).limit(max(count - limit, limit // _SHARE))
    for server, digest in connection.execute(oldest).all():
        connection.execute(sa.delete(_TASK).where(_TASK.c.server == server, _TASK.c.digest == digest))
