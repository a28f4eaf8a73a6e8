"""A request for approval, as it is when a call asks for it."""

from collections.abc import Iterable

from agen_authz.core.approval.flow import Flow
from agen_authz.core.approval.request import ApprovalRequest, Binding, mark_alias


def open_request(
    binding: Binding,
    policy_name: str,
    flow: Flow,
    *,
    id: str,
    requester_email: str,
    request_id: str,
    now: float,
    requester_aliases: Iterable[str] = (),
) -> ApprovalRequest:
    """Make a request that waits for its first step.

    Args:
        id: random, 32 hex digits.
        requester_email: the token's, if it is verified; empty otherwise.
        requester_aliases: other names of the requester, case-folded, verified or not.
    """
    ends_at = now + flow.timeout_s
    remind_at = now if flow.remind_every_s is None else now + flow.remind_every_s
    return ApprovalRequest(
        id=id,
        key=binding.name(),
        binding=binding,
        policy=policy_name,
        flow=flow.name,
        flow_digest=flow.digest,
        requester_email=requester_email.casefold(),
        request_id=request_id,
        created_at=now,
        ends_at=ends_at,
        remind_at=remind_at if now < remind_at < ends_at else None,
        requester_aliases=tuple(sorted(mark_alias(id, each) for each in requester_aliases)),
    )
