"""What a call asks approvers for, and how that stands."""

from collections.abc import Mapping
from dataclasses import dataclass

from agen_authz.core.approval.flow import Flow
from agen_authz.core.approval.request import ApprovalRequest, Binding, Progress
from agen_authz.core.approval.table import Terms, is_refused, is_usable
from agen_authz.core.mac import authenticate
from agen_authz.core.model import Approval, ApprovalStanding, Call, Digest, Principal

_LABEL = b"agen.approval"


@dataclass(frozen=True, slots=True)
class ApprovalRules:
    """How calls are approved.

    Args:
        flows: by name.
        max_open: how many requests of one caller may be open.
        hold_s: how long a call waits for a decision before it is answered.
        base_url: where approvers open the console, without a slash at its end.
        key: keys the digests of parameters.
        answers_with_tasks: True if clients that can use a task get one.
    """

    flows: Mapping[str, Flow]
    terms: Terms
    max_open: int
    hold_s: float
    base_url: str
    key: bytes
    answers_with_tasks: bool = False

    def link(self, request_id: str) -> str:
        """Return the page of a request; its address holds no secret, and who has it cannot decide by it."""
        return f"{self.base_url}/requests/{request_id}"


def derive_approval_key(root: bytes) -> bytes:
    """Derive the key of parameters' digests from the key of all digests."""
    return authenticate(_LABEL, root)


def bind(call: Call, principal: Principal, approval: Approval, parameters: Digest, definition: Digest) -> Binding:
    """Bind an approval to exactly this call of this caller."""
    return Binding(
        issuer=principal.issuer,
        subject=principal.subject,
        client=principal.client,
        tenant=principal.tenant,
        server=call.server,
        method=call.method,
        target=f"{approval.target.kind.value}:{approval.target.name}",
        parameters=parameters,
        definition=definition,
        policy=approval.digest,
    )


def find_standing(request: ApprovalRequest | None, now: float) -> ApprovalStanding:
    """Find how an approval stands; a request that has ended, other than by a rejection, is as good as none."""
    if request is None:
        return ApprovalStanding.UNASKED
    if is_usable(request, now):
        return ApprovalStanding.GRANTED
    if is_refused(request, now):
        return ApprovalStanding.REJECTED
    is_open = request.status is Progress.OPEN and now < request.ends_at
    return ApprovalStanding.OPEN if is_open else ApprovalStanding.UNASKED
