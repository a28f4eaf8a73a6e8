"""What may happen to a request for approval: one table of events, who may decide, and how long a grant is good.

Every change that is written adds one to `ApprovalRequest.version`. Refusals are values; nothing here raises.
"""

import re
from collections.abc import Mapping
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from agen_authz.core.approval.flow import Approvers, Flow
from agen_authz.core.approval.request import ApprovalRequest, Progress, Vote, mark_alias
from agen_authz.core.model import Owner

MAX_REASON_CHARS = 2000
"""How long the reason for a decision may be."""

# So much may the provider's clock be ahead of ours.
_LEEWAY_S = 60.0
# Control characters but for line breaks and tabs, and half surrogate pairs: not every store and mail server takes them.
_UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


class Approver(Struct, frozen=True):
    """A person who is signed in, as their provider describes them now.

    Args:
        email: verified, case-folded; empty if there is none.
        auth_time: when the person last proved who they are; None if the provider does not say.
        aliases: other names of the person, not all verified: they are held against the person, and give no right.
    """

    owner: Owner
    email: str
    tenant: str
    roles: frozenset[str]
    groups: frozenset[str]
    auth_time: float | None
    aliases: frozenset[str] = frozenset()


class Terms(Struct, frozen=True):
    """What holds for every flow.

    Args:
        grant_ttl_s: how long an approved call may be made.
        fresh_login_s: how old a login may be when its owner decides.
        admins: roles whose holders see every request, of every tenant.
        unmask: roles whose holders may see arguments unmasked.
    """

    grant_ttl_s: float
    fresh_login_s: float
    admins: frozenset[str] = frozenset()
    unmask: frozenset[str] = frozenset()


class Refusal(StrEnum):
    """Why a request stays as it is; `REFUSALS` has a sentence for each."""

    ENDED = "ended"
    NOT_APPROVED = "not_approved"
    FLOW_CHANGED = "flow_changed"
    OTHER_TENANT = "other_tenant"
    REQUESTER = "requester"
    NOT_REQUESTER = "not_requester"
    NOT_APPROVER = "not_approver"
    DECIDED_ALREADY = "decided_already"
    STALE_LOGIN = "stale_login"
    REASON_TOO_LONG = "reason_too_long"
    REASON_UNREADABLE = "reason_unreadable"


REFUSALS: Mapping[Refusal, str] = {
    Refusal.ENDED: "This request is not open any more.",
    Refusal.NOT_APPROVED: "This request is not approved yet.",
    Refusal.FLOW_CHANGED: "The approval flow has changed since this request was made. The call must be made again.",
    Refusal.OTHER_TENANT: "This request belongs to another tenant.",
    Refusal.REQUESTER: "You made this request yourself. Another person must decide it.",
    Refusal.NOT_REQUESTER: "Another person made this request. Only they can withdraw it.",
    Refusal.NOT_APPROVER: "You are not an approver of the step that waits for a decision.",
    Refusal.DECIDED_ALREADY: "You have already decided this request. Another person must decide what is left.",
    Refusal.STALE_LOGIN: "You signed in too long ago to decide. Sign in again.",
    Refusal.REASON_TOO_LONG: f"The reason is too long: {MAX_REASON_CHARS} characters are allowed.",
    Refusal.REASON_UNREADABLE: "The reason has control characters or incomplete characters. Remove them.",
}


class RequestEvent(StrEnum):
    """What happens to a request."""

    VOTE = "vote"  # an approval that leaves the step as it is
    STEP_DONE = "step_done"
    APPROVE = "approve"  # the last step is done
    REJECT = "reject"
    REMIND = "remind"
    TIME_OUT = "time_out"
    TIME_OUT_APPROVES = "time_out_approves"
    CANCEL = "cancel"
    USE = "use"
    LAPSE = "lapse"


TABLE: Mapping[tuple[Progress, RequestEvent], Progress] = {
    (Progress.OPEN, RequestEvent.VOTE): Progress.OPEN,
    (Progress.OPEN, RequestEvent.STEP_DONE): Progress.OPEN,
    (Progress.OPEN, RequestEvent.REMIND): Progress.OPEN,
    (Progress.OPEN, RequestEvent.APPROVE): Progress.APPROVED,
    (Progress.OPEN, RequestEvent.TIME_OUT_APPROVES): Progress.APPROVED,
    (Progress.OPEN, RequestEvent.REJECT): Progress.REJECTED,
    (Progress.OPEN, RequestEvent.TIME_OUT): Progress.TIMED_OUT,
    (Progress.OPEN, RequestEvent.CANCEL): Progress.CANCELLED,
    (Progress.APPROVED, RequestEvent.USE): Progress.USED,
    (Progress.APPROVED, RequestEvent.LAPSE): Progress.LAPSED,
    (Progress.APPROVED, RequestEvent.CANCEL): Progress.CANCELLED,
}
"""What is not in here does not happen: an ended request never changes."""


def vote(
    request: ApprovalRequest,
    flow: Flow | None,
    approver: Approver,
    terms: Terms,
    *,
    approves: bool,
    reason: str,
    now: float,
) -> ApprovalRequest | Refusal:
    """Decide the step that waits; `flow` is the one of this name that is configured now.

    In this order:
     1. the request is open, and its time is not over, even if that is not noted yet
     2. the person may decide this step (`_find_objection`)
     3. the login is fresh
     4. the reason can be kept
    """
    if request.status is not Progress.OPEN or now >= request.ends_at:
        return Refusal.ENDED
    matching = _match_flow(request, flow)
    if matching is None:
        return Refusal.FLOW_CHANGED
    refusal = (
        _find_objection(request, matching, approver, terms)
        or _check_login(approver, terms, now)
        or _check_reason(reason)
    )
    if refusal is not None:
        return refusal
    cast = Vote(request.step, approver.owner, approver.email, approves, reason, now)
    return _count(replace(request, votes=(*request.votes, cast)), matching, terms, now)


def pass_time(request: ApprovalRequest, flow: Flow | None, terms: Terms, now: float) -> ApprovalRequest:
    """Note one thing that is due by now: a time-out, a grant that was not used, a reminder.

    Returns:
        the same object if nothing is due. Another thing may be due afterwards.
    """
    if request.status is Progress.APPROVED and not is_usable(request, now):
        return _apply(request, RequestEvent.LAPSE)
    if request.status is not Progress.OPEN:
        return request
    matching = _match_flow(request, flow)
    if now >= request.ends_at:
        return _time_out(request, matching, terms)
    if request.remind_at is not None and now >= request.remind_at:
        return replace(
            _apply(request, RequestEvent.REMIND), remind_at=_next_reminder(request, matching, request.remind_at, now)
        )
    return request


def use(request: ApprovalRequest, now: float) -> ApprovalRequest | Refusal:
    """Use the grant. Two that use it at once both get a request: only the store's conditional write decides."""
    if request.status is Progress.OPEN:
        return Refusal.NOT_APPROVED
    return replace(_apply(request, RequestEvent.USE), used_at=now) if is_usable(request, now) else Refusal.ENDED


def settle(request: ApprovalRequest, flow: Flow | None, terms: Terms, now: float) -> ApprovalRequest:
    """Show a request as it is now: what has ended has ended, noted or not; reminders change nothing that is shown."""
    after = pass_time(request, flow, terms, now)
    return request if after.status is request.status else settle(after, flow, terms, now)


def withdraw(request: ApprovalRequest, owner: Owner, now: float) -> ApprovalRequest | Refusal:
    """Withdraw a request, or the grant that it has yielded: its requester may, and no other person."""
    if owner != request.requester:
        return Refusal.NOT_REQUESTER
    is_live = is_usable(request, now) or (request.status is Progress.OPEN and now < request.ends_at)
    return replace(_apply(request, RequestEvent.CANCEL), decided_at=now) if is_live else Refusal.ENDED


def is_usable(request: ApprovalRequest, now: float) -> bool:
    """True if the call may be made now, once."""
    return request.status is Progress.APPROVED and request.grant_until is not None and now < request.grant_until


def is_refused(request: ApprovalRequest, now: float) -> bool:
    """True if the call was rejected, and may not be asked for again yet."""
    return request.status is Progress.REJECTED and now < request.ends_at


def may_see(request: ApprovalRequest, flow: Flow | None, approver: Approver, terms: Terms) -> bool:
    """True if the person may read the request: the requester, who decides or has decided any step of it, an admin.

    `flow` is the one of this name that is configured now, even if it has changed since.
    """
    took_part = any(approver.owner == each.approver for each in request.votes)
    if is_admin(approver, terms) or took_part or approver.owner == request.requester:
        return True
    if approver.tenant != request.binding.tenant:
        return False
    steps = flow.steps if flow is not None and flow.name == request.flow else ()
    return _is_requester(request, approver) or any(_is_chosen(step.approvers, approver) for step in steps)


def is_asked(request: ApprovalRequest, flow: Flow | None, approver: Approver, terms: Terms) -> bool:
    """True if the step that waits is this person's to decide; the age of the login apart."""
    matching = _match_flow(request, flow) if request.status is Progress.OPEN else None
    return matching is not None and _find_objection(request, matching, approver, terms) is None


def is_admin(approver: Approver, terms: Terms) -> bool:
    """True if the person sees every request, and decides for other tenants where a flow names them."""
    return not approver.roles.isdisjoint(terms.admins)


def is_login_fresh(approver: Approver, terms: Terms, now: float) -> bool:
    """True if the person has logged in lately enough to decide something."""
    # Written so that a time that is not a number is refused.
    age = None if approver.auth_time is None else now - approver.auth_time
    return age is not None and -_LEEWAY_S <= age <= terms.fresh_login_s


def may_unmask(approver: Approver, terms: Terms) -> bool:
    """True if the person may see the arguments unmasked of the requests that they see."""
    return not approver.roles.isdisjoint(terms.unmask)


def is_same_person(owner: Owner, email: str, other: Owner, other_email: str) -> bool:
    """True if two accounts are one person's: the same account, or the same verified e-mail under two issuers."""
    return owner == other or (email != "" and email == other_email)


def _match_flow(request: ApprovalRequest, flow: Flow | None) -> Flow | None:
    """Return the flow if it is still the one that the request was made under."""
    is_same = flow is not None and flow.name == request.flow and flow.digest == request.flow_digest
    return flow if is_same and flow is not None and request.step < len(flow.steps) else None


def _find_objection(request: ApprovalRequest, flow: Flow, approver: Approver, terms: Terms) -> Refusal | None:
    """Find why this person may not decide the step that waits.

    In this order:
     1. the tenant is the request's, but for admins
     2. requesters do not decide what they asked for, unless the flow says so; who may be the requester counts as such
     3. the step names the person, by a role, a group or the verified e-mail
     4. no person counts twice, in this step or in another one
    """
    if approver.tenant != request.binding.tenant and not is_admin(approver, terms):
        return Refusal.OTHER_TENANT
    if _may_be_requester(request, approver) and not flow.requester_may_approve:
        return Refusal.REQUESTER
    if not _is_chosen(flow.steps[request.step].approvers, approver):
        return Refusal.NOT_APPROVER
    votes = request.votes
    if any(is_same_person(approver.owner, approver.email, each.approver, each.email) for each in votes):
        return Refusal.DECIDED_ALREADY
    return None


def _is_requester(request: ApprovalRequest, approver: Approver) -> bool:
    return is_same_person(approver.owner, approver.email, request.requester, request.requester_email)


def _may_be_requester(request: ApprovalRequest, approver: Approver) -> bool:
    """True if the person is the requester, or shares any name with the requester, verified or not.

    A provider may give the console another `sub` for one person than other clients.
    """
    named = {mark_alias(request.id, each) for each in approver.aliases}
    return _is_requester(request, approver) or not named.isdisjoint(request.requester_aliases)


def _is_chosen(approvers: Approvers, approver: Approver) -> bool:
    by_email = approver.email != "" and approver.email in approvers.emails
    by_role = not approver.roles.isdisjoint(approvers.roles)
    return by_email or by_role or not approver.groups.isdisjoint(approvers.groups)


def _check_login(approver: Approver, terms: Terms, now: float) -> Refusal | None:
    return None if is_login_fresh(approver, terms, now) else Refusal.STALE_LOGIN


def _check_reason(reason: str) -> Refusal | None:
    if len(reason) > MAX_REASON_CHARS:
        return Refusal.REASON_TOO_LONG
    return None if _UNREADABLE.search(reason) is None else Refusal.REASON_UNREADABLE


def _count(request: ApprovalRequest, flow: Flow, terms: Terms, now: float) -> ApprovalRequest:
    """Find out what the last vote leads to."""
    if not request.votes[-1].approves:
        return replace(_apply(request, RequestEvent.REJECT), decided_at=now)
    # INVARIANT: votes are of different people, `_find_objection` sees to that.
    approvals = sum(each.approves and each.step == request.step for each in request.votes)
    if approvals < flow.steps[request.step].quorum:
        return _apply(request, RequestEvent.VOTE)
    if request.step + 1 == len(flow.steps):
        return _grant(request, RequestEvent.APPROVE, terms, now)
    # Who decides the next step hears of it now, and is reminded from now on.
    return replace(
        _apply(request, RequestEvent.STEP_DONE),
        step=request.step + 1,
        remind_at=_next_reminder(request, flow, now, now),
    )


def _time_out(request: ApprovalRequest, flow: Flow | None, terms: Terms) -> ApprovalRequest:
    if flow is not None and flow.approves_on_timeout:
        return _grant(request, RequestEvent.TIME_OUT_APPROVES, terms, request.ends_at)
    return replace(_apply(request, RequestEvent.TIME_OUT), decided_at=request.ends_at)


def _grant(request: ApprovalRequest, event: RequestEvent, terms: Terms, since: float) -> ApprovalRequest:
    return replace(_apply(request, event), decided_at=since, grant_until=since + terms.grant_ttl_s)


def _next_reminder(request: ApprovalRequest, flow: Flow | None, since: float, now: float) -> float | None:
    """Find the first moment after now, in the rhythm that began at `since`: what was missed is not made up for."""
    every = flow.remind_every_s if flow is not None else None
    if every is None or every <= 0.0:
        return None
    following = since + every * (max(now - since, 0.0) // every + 1)
    return following if now < following < request.ends_at else None


def _apply(request: ApprovalRequest, event: RequestEvent) -> ApprovalRequest:
    status = TABLE[request.status, event]
    remind_at = request.remind_at if status is Progress.OPEN else None
    return replace(request, status=status, remind_at=remind_at, version=request.version + 1)
