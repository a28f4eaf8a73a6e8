"""What approvals need from the outside: where requests, messages and sign-ins are kept, and how messages are sent."""

from collections.abc import Collection, Sequence
from typing import Protocol

from msgspec import Struct

from agen_authz.core.approval.request import ApprovalRequest, KeptCall, Notice, Progress
from agen_authz.core.model import Digest, Owner

ASKED_PER_OPEN, ASKED_WITHIN_S = 3, 3600.0
"""How many requests one caller may make within a time, for each one that may be open."""


class NewRequest(Struct, frozen=True):
    """A request that is to be kept, with what is kept encrypted and the messages that tell of it."""

    request: ApprovalRequest
    kept: KeptCall
    messages: tuple[Notice, ...] = ()


class Viewer(Struct, frozen=True):
    """What a person can see at most: the requests of their tenant, and those that they made themselves."""

    tenant: str
    owner: Owner


class PageEnd(Struct, frozen=True):
    """Where a page ended: the time by which it is ordered of its last request, and that request's id."""

    time: float
    id: str


class Query(Struct, frozen=True):
    """Which requests are listed, the newest first; None and empty ask for all.

    Args:
        owner: only those of this requester.
        viewer: only those that this person can see.
        ends_first: True to list what ends first at the beginning, instead of what is newest.
        after: where the page before ended.
        limit: at most so many.
    """

    statuses: frozenset[Progress] = frozenset()
    flow: str | None = None
    server: str | None = None
    tenant: str | None = None
    owner: Owner | None = None
    viewer: Viewer | None = None
    ends_first: bool = False
    after: PageEnd | None = None
    limit: int = 100


class ApprovalStore(Protocol):
    """Keeps requests for approval. Every method raises Unavailable if the store did not answer.

    Every change is one transaction with the messages that tell of it: no change without its messages, and no message
    of a change that did not happen.
    """

    async def find(self, keys: Collection[Digest]) -> tuple[ApprovalRequest, ...]:
        """Find the newest request of each binding (`Binding.name()`), whatever its status; in no order."""

    async def open(self, asked: Sequence[NewRequest], max_open: int, now: float) -> tuple[ApprovalRequest, ...] | None:
        """Keep requests, all or none, and return what is kept for each, in the same order.

        Where a live request of the same binding is there already, that one is returned and nothing is written for
        it: of two replicas that ask at once, both return the same. None if the requester would have more than
        `max_open` requests open, or more than `ASKED_PER_OPEN` times as many made within the last `ASKED_WITHIN_S`:
        a caller whose requests end fast cannot flood approvers.
        """

    async def change(self, before: ApprovalRequest, after: ApprovalRequest, messages: Sequence[Notice] = ()) -> bool:
        """Write a change if the request is still as it was (`before.version`); `after.version` is one more.

        False if it was changed meanwhile: nothing is written, and the caller reads it again.
        """

    async def consume(self, ids: Sequence[str], now: float, messages: Sequence[Notice] = ()) -> bool:
        """Use the grants of these requests, all or none: each APPROVED, and `now` before its `grant_until`.

        One conditional write; its row count is the answer. They are USED afterwards.
        """

    async def get(self, id: str) -> ApprovalRequest | None:
        """Read one request."""

    async def read_kept(self, id: str) -> KeptCall | None:
        """Read and decrypt what is kept of a request's arguments; None if it is erased or never was."""

    async def list(self, query: Query) -> tuple[ApprovalRequest, ...]:
        """List requests in the order that is asked for; one that cannot be read is left out."""

    async def list_due(self, now: float, limit: int) -> tuple[ApprovalRequest, ...]:
        """List live requests for which something is due: `ends_at`, `grant_until` or `remind_at` has passed.

        One that cannot be read is left out: it stops no clock but its own.
        """

    async def erase(self, before: float) -> int:
        """Erase what is kept of the arguments of requests that were made before and have ended; return how many.

        Records stay. What may still be decided is not erased: no approver decides what they cannot read.
        """


class Outbox(Protocol):
    """Messages that wait to be sent. Every method raises Unavailable if the store did not answer."""

    async def take(self, now: float, lease_s: float, limit: int) -> tuple[Notice, ...]:
        """Take messages that are due; no other process gets them for `lease_s`, and `attempts` counts this attempt.

        Those that ask for a decision come first, then those that tell of an end; of each the longest due first.
        """

    async def settle(self, id: str, now: float) -> None:
        """Note that a message was sent."""

    async def postpone(self, id: str, until: float) -> None:
        """Note that a message could not be sent, and may be tried again then."""

    async def give_up(self, id: str, now: float) -> None:
        """Note that a message is not tried any more."""

    async def count_sent(self, since: float) -> int:
        """Count the messages that were sent since then, for `notifications.max_per_hour`.

        A message that was taken since then counts too, unless it was settled, postponed or given up: it may be under
        way. So of replicas that take messages at once, each sees what all of them took, and the bound is hard.
        """


class Notifier(Protocol):
    """Sends text to people."""

    def reaches(self, to: str) -> bool:
        """True if there is a way to this place: the flow has channels; mail can be sent, and this is an address."""

    async def send(self, id: str, to: str, subject: str, body: str) -> bool:
        """Send one message, within a bound of time; `id` and `to` as in `Message`.

        False if it could not be sent now and may be tried again. Of several channels, those that have taken it do not
        get it again while this process runs.
        """


class TaskMetrics(Protocol):
    """Counts what fails of what runs by the clock."""

    def count_defect(self, task: str) -> None:
        """Count a defect that ended a step of a background task."""


class NotificationMetrics(TaskMetrics, Protocol):
    """Counts messages to people."""

    def count_notification(self, occasion: str, outcome: str) -> None:
        """Count the result of one message: `sent`, `failed` (it is tried again), `given_up`, `nowhere` (there is no way
        to its place) or `outdated` (what it asks for has been decided)."""


class ApprovalMetrics(Protocol):
    """Counts what happens to requests for approval."""

    def count_approval(self, flow: str, event: str) -> None:
        """Count one event, by the word that its audit event has (wire/approval_event.py)."""


class StoredSession(Struct, frozen=True):
    """What the console keeps under a name for a while, sealed by the caller: a session, or a code for one."""

    sealed: bytes
    ends_at: float


class SessionStore(Protocol):
    """Keeps what the console must remember of browsers. Every method raises Unavailable if the store did not answer.

    Names are SHA-256 of what the browser holds, so that a reader of the store holds no session.
    """

    async def put(self, name: str, session: StoredSession) -> None:
        """Keep one, in place of what had its name."""

    async def get(self, name: str, now: float) -> StoredSession | None:
        """Read one that has not ended."""

    async def take(self, name: str, now: float) -> StoredSession | None:
        """Read and remove one that has not ended, in one step: two that take it at once get it once."""

    async def remove(self, name: str) -> None:
        """Remove one."""

    async def sweep(self, now: float) -> None:
        """Remove those that have ended."""
