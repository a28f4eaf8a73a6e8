"""Who gets a message about a change of a request: each address once.

    occasion                     the flow's channels   approvers that are named by e-mail     the requester
    opened, step, reminder       yes                   those of the step who may decide       no
    approved, rejected,          yes                   those of the steps that were reached   yes
      timed out, cancelled
    used                         yes                   no                                     yes

Roles and groups are known at sign-in only: their holders read the flow's channels. The requester gets messages only if
the flow says so and the token had a verified e-mail. If the flow has changed since, no approver is asked any more, and
only its channels and the requester get the message about the end: the approvers that it names now were never asked.
"""

from collections.abc import Callable, Iterable, Mapping

from agen_authz.core.approval.flow import Flow, FlowStep
from agen_authz.core.approval.request import ApprovalRequest, Notice, Occasion, Progress

CHANNEL = "flow:"
"""What `Message.to` begins with if the message is for the channels of a flow."""

_ENDS: Mapping[Progress, Occasion] = {
    Progress.APPROVED: Occasion.APPROVED,
    Progress.REJECTED: Occasion.REJECTED,
    Progress.TIMED_OUT: Occasion.TIMED_OUT,
    Progress.USED: Occasion.USED,
    Progress.CANCELLED: Occasion.CANCELLED,
}


def tell(
    before: ApprovalRequest | None, after: ApprovalRequest, flow: Flow | None, draw_id: Callable[[], str], now: float
) -> tuple[Notice, ...]:
    """List the messages that a change leads to, in a fixed order.

    Args:
        before: None if the request was made just now.
        flow: the one of this name that is configured now.
        draw_id: gives an id for each message.
    """
    occasion = _find_occasion(before, after)
    if occasion is None:
        return ()
    places = _list_asked(after, flow) if after.status is Progress.OPEN else _list_told(after, flow, occasion)
    return tuple(Notice(draw_id(), after.id, occasion, to, after.step, now) for to in dict.fromkeys(places))


def _find_occasion(before: ApprovalRequest | None, after: ApprovalRequest) -> Occasion | None:
    if before is None:
        return Occasion.OPENED
    if after.status is not before.status:
        return _ENDS.get(after.status)
    if after.step != before.step:
        return Occasion.STEP
    # No vote, no end: what changed is when people are reminded next.
    is_reminder = after.votes == before.votes and after.remind_at != before.remind_at
    return Occasion.REMINDER if is_reminder else None


def _list_asked(request: ApprovalRequest, flow: Flow | None) -> Iterable[str]:
    if flow is None or not _is_unchanged(request, flow):
        return ()
    settled = {each.email for each in request.votes}
    if not flow.requester_may_approve:
        settled.add(request.requester_email)
    return (CHANNEL + flow.name, *sorted(_list_emails(flow.steps[request.step : request.step + 1]) - settled))


def _list_told(request: ApprovalRequest, flow: Flow | None, occasion: Occasion) -> Iterable[str]:
    requester = (request.requester_email,) if request.requester_email else ()
    if flow is None or flow.name != request.flow:
        return requester
    knows_approvers = _is_unchanged(request, flow) and occasion is not Occasion.USED
    approvers = sorted(_list_emails(flow.steps[: request.step + 1])) if knows_approvers else ()
    return (CHANNEL + flow.name, *approvers, *(requester if flow.tells_requester else ()))


def _list_emails(steps: Iterable[FlowStep]) -> frozenset[str]:
    return frozenset[str]().union(*(step.approvers.emails for step in steps)) - {""}


def _is_unchanged(request: ApprovalRequest, flow: Flow) -> bool:
    return flow.name == request.flow and flow.digest == request.flow_digest
