"""The ports of approvals in memory: each passes the contract suite of its port (tests/adapters/test_contract_*.py)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from agen_authz.core.approval.request import ASKING, LIVE, ApprovalRequest, KeptCall, Notice, Progress
from agen_authz.core.errors import Unavailable
from agen_authz.core.model import Digest
from agen_authz.core.reason import Reason
from agen_authz.ports.approval import ASKED_PER_OPEN, ASKED_WITHIN_S, NewRequest, Query, StoredSession


@dataclass
class Waiting:
    """A message in the outbox; one that was sent or given up has no `due_at`."""

    message: Notice
    due_at: float | None
    taken_at: float | None = None
    sent_at: float | None = None


class MemoryOutbox:
    """Messages in a dictionary; a broken one does not answer."""

    def __init__(self) -> None:
        self.is_broken = False
        self.kept: dict[str, Waiting] = {}

    def put(self, *messages: Notice) -> None:
        """Keep messages that are due at once, as a change of a request does."""
        for each in messages:
            self.kept[each.id] = Waiting(each, each.created_at)

    @property
    def sent(self) -> list[str]:
        """The ids of messages that were sent."""
        return [id for id, each in self.kept.items() if each.sent_at is not None]

    @property
    def given_up(self) -> list[str]:
        """The ids of messages that are not tried any more, and were not sent."""
        return [id for id, each in self.kept.items() if each.due_at is None and each.sent_at is None]

    async def take(self, now: float, lease_s: float, limit: int) -> tuple[Notice, ...]:
        self._answer()
        due = [each for each in self.kept.values() if each.due_at is not None and each.due_at <= now]
        taken = sorted(due, key=_find_place)[:limit]
        for each in taken:
            each.message = replace(each.message, attempts=each.message.attempts + 1)
            each.due_at, each.taken_at = now + lease_s, now
        return tuple(each.message for each in taken)

    async def settle(self, id: str, now: float) -> None:
        self._end(id, None).sent_at = now

    async def postpone(self, id: str, until: float) -> None:
        self._end(id, until)

    async def give_up(self, id: str, now: float) -> None:
        self._end(id, None)

    async def count_sent(self, since: float) -> int:
        self._answer()
        times = [(each.sent_at, each.taken_at) for each in self.kept.values()]
        return sum(any(time is not None and time >= since for time in pair) for pair in times)

    def _end(self, id: str, due_at: float | None) -> Waiting:
        self._answer()
        waiting = self.kept[id]
        waiting.due_at, waiting.taken_at = due_at, None
        return waiting

    def _answer(self) -> None:
        if self.is_broken:
            raise Unavailable(Reason.STORE_UNAVAILABLE, "store")


def _find_place(waiting: Waiting) -> tuple[bool, float, float]:
    return waiting.message.occasion not in ASKING, waiting.due_at or 0.0, waiting.message.created_at


@dataclass
class MemoryApprovals:
    """Requests in a dictionary, with the outbox that their messages go to; a broken one does not answer."""

    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    requests: dict[str, ApprovalRequest] = field(default_factory=dict)
    kept: dict[str, KeptCall] = field(default_factory=dict)
    is_broken: bool = False

    async def find(self, keys: Collection[Digest]) -> tuple[ApprovalRequest, ...]:
        self._answer()
        newest: dict[Digest, ApprovalRequest] = {}
        for each in self.requests.values():
            held = newest.get(each.key)
            if each.key in keys and (held is None or held.created_at <= each.created_at):
                newest[each.key] = each
        return tuple(newest.values())

    async def open(self, asked: Sequence[NewRequest], max_open: int, now: float) -> tuple[ApprovalRequest, ...] | None:
        self._answer()
        live = {each.key: each for each in self.requests.values() if each.status in LIVE}
        new = [each for each in asked if each.request.key not in live]
        owners = {each.request.requester for each in new}
        for owner in owners:
            wanted = sum(each.request.requester == owner for each in new)
            theirs = [each for each in self.requests.values() if each.requester == owner]
            lately = sum(each.created_at > now - ASKED_WITHIN_S for each in theirs)
            if sum(each.status is Progress.OPEN for each in theirs) + wanted > max_open:
                return None
            if lately + wanted > max_open * ASKED_PER_OPEN:
                return None
        for each in new:
            self.requests[each.request.id], self.kept[each.request.id] = each.request, each.kept
            self.outbox.put(*each.messages)
        return tuple(live.get(each.request.key, each.request) for each in asked)

    async def change(self, before: ApprovalRequest, after: ApprovalRequest, messages: Sequence[Notice] = ()) -> bool:
        self._answer()
        held = self.requests.get(before.id)
        if held is None or held.version != before.version:
            return False
        self.requests[after.id] = after
        self.outbox.put(*messages)
        return True

    async def consume(self, ids: Sequence[str], now: float, messages: Sequence[Notice] = ()) -> bool:
        self._answer()
        held = [self.requests.get(id) for id in ids]
        usable = [
            each
            for each in held
            if each is not None and each.status is Progress.APPROVED and now < (each.grant_until or 0.0)
        ]
        if len(usable) < len(ids):
            return False
        for each in usable:
            used = replace(each, status=Progress.USED, used_at=now, version=each.version + 1)
            self.requests[each.id] = used
        self.outbox.put(*messages)
        return True

    async def get(self, id: str) -> ApprovalRequest | None:
        self._answer()
        return self.requests.get(id)

    async def read_kept(self, id: str) -> KeptCall | None:
        self._answer()
        return self.kept.get(id)

    async def list(self, query: Query) -> tuple[ApprovalRequest, ...]:
        self._answer()
        found = [each for each in self.requests.values() if _matches(each, query)]
        ordered = sorted(found, key=lambda each: _find_key(each, query), reverse=not query.ends_first)
        return tuple(ordered[: query.limit])

    async def list_due(self, now: float, limit: int) -> tuple[ApprovalRequest, ...]:
        self._answer()
        due = [each for each in self.requests.values() if each.status in LIVE and _due_at(each) <= now]
        return tuple(sorted(due, key=_due_at)[:limit])

    async def erase(self, before: float) -> int:
        self._answer()
        requests = [self.requests[id] for id in self.kept]
        old = [each.id for each in requests if each.created_at < before and each.status not in LIVE]
        for id in old:
            del self.kept[id]
        return len(old)

    def _answer(self) -> None:
        if self.is_broken:
            raise Unavailable(Reason.STORE_UNAVAILABLE, "store")


def _due_at(request: ApprovalRequest) -> float:
    if request.status is Progress.APPROVED:
        return request.grant_until or 0.0
    return min(request.ends_at, request.ends_at if request.remind_at is None else request.remind_at)


def _find_key(request: ApprovalRequest, query: Query) -> tuple[float, str]:
    return request.ends_at if query.ends_first else request.created_at, request.id


def _is_within(request: ApprovalRequest, query: Query) -> bool:
    viewer, after = query.viewer, query.after
    if viewer is not None and request.binding.tenant != viewer.tenant and request.requester != viewer.owner:
        return False
    if after is None:
        return True
    key, end = _find_key(request, query), (after.time, after.id)
    return key > end if query.ends_first else key < end


def _matches(request: ApprovalRequest, query: Query) -> bool:
    wanted = (
        (query.flow, request.flow),
        (query.server, request.binding.server),
        (query.tenant, request.binding.tenant),
        (query.owner, request.requester),
    )
    has_status = not query.statuses or request.status in query.statuses
    return has_status and _is_within(request, query) and all(asked is None or asked == held for asked, held in wanted)


class MemorySessions:
    """What the console remembers of browsers, in a dictionary; a broken one does not answer."""

    def __init__(self) -> None:
        self.is_broken = False
        self.kept: dict[str, StoredSession] = {}

    async def put(self, name: str, session: StoredSession) -> None:
        self._answer()
        self.kept[name] = session

    async def get(self, name: str, now: float) -> StoredSession | None:
        self._answer()
        held = self.kept.get(name)
        return held if held is not None and now < held.ends_at else None

    async def take(self, name: str, now: float) -> StoredSession | None:
        held = await self.get(name, now)
        if held is not None:
            del self.kept[name]
        return held

    async def remove(self, name: str) -> None:
        self._answer()
        self.kept.pop(name, None)

    async def sweep(self, now: float) -> None:
        self._answer()
        for name in [name for name, held in self.kept.items() if held.ends_at <= now]:
            del self.kept[name]

    def _answer(self) -> None:
        if self.is_broken:
            raise Unavailable(Reason.STORE_UNAVAILABLE, "store")


class ListNotifier:
    """Messages in a list.

    Attributes:
        sent: id, place, subject and body of each that was sent.
        unreachable: places that cannot be reached now, and `nowhere` those to which there is no way.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, str, str]] = []
        self.unreachable: set[str] = set()
        self.nowhere: set[str] = set()
        self._taken: set[tuple[str, str]] = set()

    def restart(self) -> None:
        """Forget who has taken what, as a process that starts again does."""
        self._taken.clear()

    def reaches(self, to: str) -> bool:
        return to not in self.nowhere

    async def send(self, id: str, to: str, subject: str, body: str) -> bool:
        if not self.reaches(to) or to in self.unreachable:
            return False
        if (id, to) not in self._taken:
            self._taken.add((id, to))
            self.sent.append((id, to, subject, body))
        return True
