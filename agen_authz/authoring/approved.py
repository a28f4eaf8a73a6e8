"""Decisions on calls that people must approve, with approvals that an author or an event takes for granted."""

from collections.abc import Mapping

from msgspec.structs import replace

from agen_authz.core.decide import judge
from agen_authz.core.model import ApprovalStanding, AwaitApproval, Facts
from agen_authz.core.stage import Judged, Read


def judge_approved(read: Read, facts: Facts, standings: Mapping[str, ApprovalStanding]) -> Judged:
    """Judge a call as Check does.

    Args:
        standings: by policy, how its approval stands; no one was asked for those of other policies.
    """
    judged = judge(read, facts)
    decision = judged.decision
    if not isinstance(decision, AwaitApproval):
        return judged
    known = {
        (each.target, each.policy): replace(each, standing=standings.get(each.policy, ApprovalStanding.UNASKED))
        for each in decision.wanted
    }
    return judge(read, replace(facts, approvals=known))
