"""What the tests of stores of approvals share: requests, messages, and the three ports on each kind of store."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from agen_authz.adapters.store import KeptCipher, SqlApprovals, SqlOutbox, SqlSessions
from agen_authz.core.approval.request import ApprovalRequest, Binding, KeptCall, Notice, Occasion, Progress
from agen_authz.core.model import Digest, Subject
from agen_authz.ports.approval import ApprovalStore, NewRequest, Outbox, SessionStore
from tests.adapters.database import Database, new_store
from tests.approval_fakes import MemoryApprovals, MemoryOutbox, MemorySessions
from tests.builders import NOW
from tests.core.approval.rig import BINDING

STORE_KEY = b"k" * 32
KEPT = KeptCall(b'{"name":"refund","arguments":{"amount":120.5,"to":"cy@example.com"}}')
_NUMBERS = itertools.count(1)


def binding(call: str = "p", **changes: Any) -> Binding:
    """Bind one of many calls."""
    return replace(BINDING, parameters=Digest(call), **changes)


def request(call: str = "p", *, by: str = "ann", at: float = NOW, **changes: Any) -> ApprovalRequest:
    """Make a request for a call; with another id each time."""
    bound = changes.pop("binding", binding(call, subject=Subject(by)))
    made = ApprovalRequest(
        id=f"{next(_NUMBERS):032x}",
        key=bound.name(),
        binding=bound,
        policy="refunds",
        flow="finance",
        flow_digest=Digest("f"),
        requester_email="ann@acme.example",
        request_id="r-1",
        created_at=at,
        ends_at=at + 3600.0,
    )
    return replace(made, **changes)


def approved(call: str = "p", *, at: float = NOW, **changes: Any) -> ApprovalRequest:
    """Make a request that was approved at once."""
    grant: dict[str, Any] = {"status": Progress.APPROVED, "decided_at": at, "grant_until": at + 900.0}
    return request(call, at=at, **grant | changes)


def message(of: ApprovalRequest, *, to: str = "flow:finance", at: float = NOW, **changes: Any) -> Notice:
    """Make a message of a request; with another id each time."""
    return replace(Notice(f"m-{next(_NUMBERS)}", of.id, Occasion.OPENED, to, 0, at), **changes)


def asked(made: ApprovalRequest, *messages: Notice, kept: KeptCall = KEPT) -> NewRequest:
    """Ask for a request to be kept."""
    return NewRequest(made, kept, messages)


@dataclass
class Rig:
    """The ports of approvals on one store."""

    approvals: ApprovalStore
    outbox: Outbox
    sessions: SessionStore
    breaks: Any

    def break_it(self) -> None:
        """Let nothing be asked of it any longer."""
        self.breaks()

    async def keep(self, *requests: ApprovalRequest, max_open: int = 100) -> tuple[ApprovalRequest, ...] | None:
        """Open requests without messages."""
        return await self.approvals.open([asked(each) for each in requests], max_open, NOW)

    async def put(self, *messages: Notice) -> None:
        """Put messages into the outbox, as a new request brings them."""
        made = request(f"of {messages[0].id}")
        await self.approvals.open([asked(made, *messages)], 100, NOW)


def sql_ports(store: Any, key: bytes | None = STORE_KEY) -> tuple[SqlApprovals, SqlOutbox, SqlSessions]:
    """Build the ports on an open store."""
    drawn = itertools.count(1)
    cipher = KeptCipher(key, lambda size: next(drawn).to_bytes(size, "big"))
    return SqlApprovals(store, cipher), SqlOutbox(store), SqlSessions(store)


@asynccontextmanager
async def new_rig(kind: str, asking: pytest.FixtureRequest, folder: Path) -> AsyncIterator[Rig]:
    """Make an empty store of this kind."""
    if kind == "memory":
        outbox, sessions = MemoryOutbox(), MemorySessions()
        approvals = MemoryApprovals(outbox)

        def break_all() -> None:
            approvals.is_broken = outbox.is_broken = sessions.is_broken = True

        yield Rig(approvals, outbox, sessions, break_all)
        return
    database: Database
    async with new_store(kind, asking, folder) as (database, store):
        yield Rig(*sql_ports(store), database.break_it)
