"""Requests about a task of ours, which stands for a call that must be approved: no server gets them.

1. The decision has refused them already, since no server's task has such an id. It stands unless all of these hold.
2. The requests that the id names are the caller's, and for this server. What they would be is not told to others.
3. `tasks/get` is answered with how they stand; `tasks/cancel` withdraws what is live; `tasks/update` does nothing.
"""

import logging
from collections.abc import Sequence

from agen_authz.approval_change import write_change
from agen_authz.core.approval.request import ApprovalRequest
from agen_authz.core.approval.table import Refusal, settle, withdraw
from agen_authz.core.approval.task import is_own_task, list_requests
from agen_authz.core.errors import Unavailable
from agen_authz.core.model import Call, Deny, Era, Owner, Step
from agen_authz.core.reason import Reason
from agen_authz.core.stage import Ended, Judged, Read, Refused, get_arrived, refuse
from agen_authz.obligations.evidence import write_evidence
from agen_authz.outside import Ports
from agen_authz.ports.approval import ApprovalStore
from agen_authz.wire.approval_event import ApprovalWord, EventTerms, render_approval
from agen_authz.wire.approval_task import acknowledge, answer_task

_LOG = logging.getLogger(__name__)
_METHODS = frozenset({"tasks/get", "tasks/update", "tasks/cancel"})
# How often a request is read again that others change at the same time.
_TRIES = 3


def names_own_task(call: Call) -> bool:
    """True if a call names a task of ours, or what looks like one."""
    return any(map(is_own_task, call.task_ids))


async def tell_task(judged: Judged, now: float, ports: Ports) -> Ended:
    """Answer a call for which `names_own_task` is true.

    Raises:
        Unavailable: the store did not answer.
    """
    read, decision = judged.stage, judged.decision
    if not isinstance(decision, Deny):
        # INVARIANT: nothing about a task of ours is forwarded, whatever has bound its id.
        return refuse(judged, Reason.TASK_UNKNOWN, Step("approval", "task"))
    # 1.
    if decision.reason is not Reason.TASK_UNKNOWN or ports.approvals is None:
        return judged
    if read.call.method not in _METHODS or read.call.envelope.era is not Era.MODERN:
        return refuse(judged, Reason.TASK_UNSUPPORTED, Step("approval", "task"))
    (task_id,) = read.call.task_ids
    # 2.
    requests = await _find(task_id, read, ports.approvals)
    if not requests:
        return judged
    # 3.
    if read.call.method == "tasks/get":
        rules = get_arrived(read).rules.approvals
        settled = [settle(each, rules.flows.get(each.flow), rules.terms, now) for each in requests]
        return Refused(read, answer_task(task_id, settled, read, now))
    if read.call.method == "tasks/update":
        return Refused(read, acknowledge(task_id, read, "nothing_asked"))
    for each in requests:
        await _withdraw(each, read, ports.approvals, ports, now)
    return Refused(read, acknowledge(task_id, read, "withdrawn"))


async def _find(task_id: str, read: Read, store: ApprovalStore) -> Sequence[ApprovalRequest]:
    found = [await store.get(each) for each in list_requests(task_id)]
    known = [each for each in found if each is not None and _is_own(each, read)]
    return known if len(known) == len(found) else ()


def _is_own(request: ApprovalRequest, read: Read) -> bool:
    return request.requester == _get_owner(read) and request.binding.server == read.call.server


def _get_owner(read: Read) -> Owner:
    return Owner(read.known.principal.issuer, read.known.principal.subject)


async def _withdraw(found: ApprovalRequest, read: Read, store: ApprovalStore, ports: Ports, now: float) -> None:
    rules, owner = get_arrived(read).rules, _get_owner(read)
    before: ApprovalRequest | None = found
    for _ in range(_TRIES):
        after = Refusal.ENDED if before is None else withdraw(before, owner, now)
        if before is None or isinstance(after, Refusal):
            return
        flow = rules.approvals.flows.get(after.flow)
        if await write_change(store, (before, after), flow, ports.entropy, now):
            ports.metrics.count_approval(after.flow, ApprovalWord.CANCELLED.value)
            line = render_approval(ApprovalWord.CANCELLED, after, EventTerms(rules.version, rules.digest_key), now=now)
            try:
                await write_evidence(line, ports.audit, owner)
            except Unavailable:
                # It is withdrawn, and the store says so.
                extra = {"approval": after.id}
                _LOG.error("a change of a request could not be written to the audit log", extra=extra)
            return
        before = await store.get(found.id)
