"""A request for approval: the exact call it is about, what was decided, and the grant that it may yield.

Nothing here says who may decide or what follows from it: that is the table (core/approval/table.py).
"""

import hashlib
from enum import StrEnum

from msgspec import Struct

from agen_authz.core.model import Digest, Issuer, Owner, Subject


class Progress(StrEnum):
    """Where a request stands. The first two are live; of one binding there is one live request at most."""

    OPEN = "open"
    APPROVED = "approved"
    # ended
    REJECTED = "rejected"
    TIMED_OUT = "timed_out"
    USED = "used"
    LAPSED = "lapsed"  # approved, and not used in time
    CANCELLED = "cancelled"  # the requester withdrew it


LIVE = frozenset({Progress.OPEN, Progress.APPROVED})


class Binding(Struct, frozen=True):
    """The call that a request is about; a call that differs in any of these is another one.

    Args:
        client: the OAuth client that the token was issued to.
        target: the tool, resource or prompt by its kind and name, `tool:refund`.
        parameters: keyed digest of the message and of headers that may change it (core/approval/parameters.py).
        definition: digest of the tool's approved definition; empty if none is pinned.
        policy: digest of the policy that asks and of its flow, both as they are configured.
    """

    issuer: Issuer
    subject: Subject
    client: str
    tenant: str
    server: str
    method: str
    target: str
    parameters: Digest
    definition: Digest
    policy: Digest

    def name(self) -> Digest:
        """Name the binding: SHA-256 over every part with its length, as hex."""
        parts = [str(getattr(self, field)).encode("utf-8") for field in self.__struct_fields__]
        return Digest(hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).hexdigest())


class Vote(Struct, frozen=True):
    """What one person decided in one step; `email` is the verified address (case-folded), or empty."""

    step: int
    approver: Owner
    email: str
    approves: bool
    reason: str
    time: float


class ApprovalRequest(Struct, frozen=True):
    """A request as it is kept. Times are seconds since the epoch.

    Args:
        id: random, 32 hex digits: part of the link that approvers open; no one can decide by it.
        key: `Binding.name()`.
        flow: the flow's name, and `flow_digest` the flow as it was when the request was made.
        requester_email: verified, case-folded; empty if the token had none.
        request_id: of the call that asked first.
        ends_at: until when approvers have time.
        step: the index of the step that waits for decisions.
        votes: in the order of time.
        decided_at: when it was approved, rejected, or ended otherwise; None while it is open.
        grant_until: until when the approved call may be made; None unless it was approved.
        remind_at: when those who have not decided are reminded next; None for never.
        version: counts the changes; a change is written only if the request was not changed meanwhile.
        requester_aliases: other names of the requester, by `mark_alias`: not all are verified, so they only refuse.
    """

    id: str
    key: Digest
    binding: Binding
    policy: str
    flow: str
    flow_digest: Digest
    requester_email: str
    request_id: str
    created_at: float
    ends_at: float
    status: Progress = Progress.OPEN
    step: int = 0
    votes: tuple[Vote, ...] = ()
    decided_at: float | None = None
    grant_until: float | None = None
    used_at: float | None = None
    remind_at: float | None = None
    version: int = 0
    requester_aliases: tuple[Digest, ...] = ()

    @property
    def requester(self) -> Owner:
        """Who asked."""
        return Owner(self.binding.issuer, self.binding.subject)


def mark_alias(id: str, alias: str) -> Digest:
    """Mark another name of a requester so that it can be compared and is not read by chance: SHA-256, as hex.

    Args:
        id: of the request; two requests of one person have nothing in common.
    """
    return Digest(hashlib.sha256(f"{id} {alias}".encode("utf-8", "surrogatepass")).hexdigest())


MAX_KEPT_BYTES = 64 * 1024
"""How large the parameters of a call may be that is to be approved: the store keeps them, and people read them."""


class KeptCall(Struct, frozen=True):
    """What is kept encrypted with a request, and erased after `approvals.retention`: the call as approvers see it.

    Args:
        params: the message's `params`, as JSON.
        headers: what `forward_headers` lets through besides, by name and value: the server may act upon them.
    """

    params: bytes
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def size(self) -> int:
        """How many bytes or characters are kept."""
        return len(self.params) + sum(len(name) + len(value) for name, value in self.headers)


class Occasion(StrEnum):
    """What messages to people are about."""

    OPENED = "opened"
    STEP = "step"
    REMINDER = "reminder"
    APPROVED = "approved"
    REJECTED = "rejected"
    TIMED_OUT = "timed_out"
    USED = "used"
    CANCELLED = "cancelled"


ASKING = frozenset({Occasion.OPENED, Occasion.STEP, Occasion.REMINDER})
"""Messages that ask for a decision; the others tell of an end."""


class Notice(Struct, frozen=True):
    """One message to one place, as the outbox keeps it; its text is made when it is sent.

    Args:
        to: an e-mail address, or `flow:NAME` for the channels of a flow.
        step: the step that it is about.
    """

    id: str
    request: str
    occasion: Occasion
    to: str
    step: int
    created_at: float
    attempts: int = 0
