"""One request as a page or the API shows it: what became of it, step by step, and what this person may do."""

from msgspec import Struct

from agen_authz.console.desk import SeenRequest
from agen_authz.console.session import ConsoleSession
from agen_authz.console.settings import ConsoleRules, PolicyView
from agen_authz.core.approval.flow import FlowStep
from agen_authz.core.approval.request import ApprovalRequest, Progress, Vote
from agen_authz.core.approval.table import REFUSALS, Refusal, vote, withdraw

STATUS_WORDS = {
    Progress.OPEN: "Waiting",
    Progress.APPROVED: "Approved",
    Progress.REJECTED: "Rejected",
    Progress.TIMED_OUT: "Timed out",
    Progress.USED: "Approved and used",
    Progress.LAPSED: "Approved, not used",
    Progress.CANCELLED: "Withdrawn",
}
_ENDED = {
    Progress.APPROVED: "Approved. The call may be made once.",
    Progress.REJECTED: "Rejected. The same call is denied until the time that approvers had is over.",
    Progress.TIMED_OUT: "There was no decision in time, so the call is denied.",
    Progress.USED: "The approval was used for a call; it cannot be used again.",
    Progress.LAPSED: "Approved, but the call was not made in time.",
    Progress.CANCELLED: "The requester withdrew it.",
}


class StepView(Struct, frozen=True):
    """One step: `state` is `done`, `waits`, `ahead`, `rejected` or `skipped`."""

    name: str
    quorum: int
    approvals: int
    state: str
    approvers: tuple[str, ...]


class HistoryLine(Struct, frozen=True):
    """One line of the history."""

    time: float
    what: str
    who: str = ""
    reason: str = ""
    kind: str = ""


class Options(Struct, frozen=True):
    """What a person may do with a request.

    Args:
        objection: why they may not decide it; None if they may.
        may_withdraw: True if it is their own, and has not ended.
    """

    objection: Refusal | None
    may_withdraw: bool

    @property
    def sentence(self) -> str:
        """The objection for people."""
        return "" if self.objection is None else REFUSALS[self.objection]

    @property
    def needs_login(self) -> bool:
        """True if a fresh login is all that is missing."""
        return self.objection is Refusal.STALE_LOGIN


def find_options(seen: SeenRequest, session: ConsoleSession, rules: ConsoleRules, now: float) -> Options:
    """Find what a person may do: what would become of their approval."""
    tried = vote(seen.request, seen.flow, session.approver, rules.terms, approves=True, reason="", now=now)
    withdrawn = withdraw(seen.request, session.approver.owner, now)
    return Options(tried if isinstance(tried, Refusal) else None, isinstance(withdrawn, ApprovalRequest))


def list_steps(seen: SeenRequest) -> tuple[StepView, ...]:
    """List the steps of the flow that was asked; none if it is configured otherwise now."""
    flow = seen.flow
    if flow is None or not seen.is_flow_unchanged:
        return ()
    return tuple(_view_step(seen.request, step, at) for at, step in enumerate(flow.steps))


def _view_step(request: ApprovalRequest, step: FlowStep, at: int) -> StepView:
    votes = [each for each in request.votes if each.step == at]
    approvers = step.approvers
    named = (
        *(f"role {each}" for each in sorted(approvers.roles)),
        *(f"group {each}" for each in sorted(approvers.groups)),
        *sorted(approvers.emails),
    )
    approvals = sum(each.approves for each in votes)
    return StepView(step.name, step.quorum, approvals, _find_state(request, votes, at, approvals >= step.quorum), named)


def _find_state(request: ApprovalRequest, votes: list[Vote], at: int, is_done: bool) -> str:
    if any(not each.approves for each in votes):
        return "rejected"
    if is_done:
        return "done"
    if request.status is not Progress.OPEN:
        return "skipped"
    return "waits" if at == request.step else "ahead"


def list_history(seen: SeenRequest) -> tuple[HistoryLine, ...]:
    """List what happened, the oldest first."""
    request, steps = seen.request, seen.flow.steps if seen.flow is not None and seen.is_flow_unchanged else ()
    who = request.requester_email or str(request.binding.subject)
    entries = [HistoryLine(request.created_at, "Asked", who)]
    for each in request.votes:
        step = steps[each.step].name if each.step < len(steps) else f"step {each.step + 1}"
        word = "Approved" if each.approves else "Rejected"
        person = each.email or str(each.approver.subject)
        entries.append(
            HistoryLine(each.time, f"{word} ({step})", person, each.reason, "yes" if each.approves else "no")
        )
    if request.status is Progress.TIMED_OUT or (request.status is not Progress.OPEN and not request.votes):
        entries.append(HistoryLine(request.decided_at or request.ends_at, STATUS_WORDS[request.status]))
    if request.used_at is not None:
        entries.append(HistoryLine(request.used_at, "The approval was used for a call"))
    elif request.status is Progress.LAPSED and request.grant_until is not None:
        entries.append(HistoryLine(request.grant_until, "The approval lapsed: the call was not made in time"))
    elif request.status is Progress.CANCELLED and request.votes:
        entries.append(HistoryLine(request.decided_at or request.ends_at, STATUS_WORDS[Progress.CANCELLED]))
    return tuple(entries)


def find_policy(seen: SeenRequest, rules: ConsoleRules) -> PolicyView | None:
    """Find the policy that asked, as it is configured now."""
    binding = seen.request.binding
    named = [each for each in rules.policies if each.name == seen.request.policy]
    return next((each for each in named if each.tenant in ("", binding.tenant)), None)


def warn_of_policy(policy: PolicyView | None, request: ApprovalRequest) -> str:
    """Say how the policy of now differs from the one that asked; empty if it does not."""
    if policy is None:
        return "This policy is not configured any more."
    if policy.digest in ("", request.binding.policy):
        return ""
    return "The policy or its flow has changed since this request was made. What follows is how it is now."


def spell_reach(policy: PolicyView | None) -> str:
    """Say which calls a policy without conditions applies to; empty for another."""
    if policy is None or policy.conditions:
        return ""
    return f"It applies to every call of {', '.join(policy.selectors) or 'every tool'}."


def spell_timeout(seen: SeenRequest) -> str:
    """Say what happens to the call if there is no decision in time."""
    is_approved = seen.flow is not None and seen.is_flow_unchanged and seen.flow.approves_on_timeout
    return f"then the call is {'approved' if is_approved else 'denied'}"


def spell_end(request: ApprovalRequest) -> str:
    """Say what the end of a request means."""
    return _ENDED.get(request.status, "")


def spell_target(request: ApprovalRequest) -> str:
    """Spell what the call is about: `billing/refund`, or a resource or prompt with its kind."""
    kind, _, name = request.binding.target.partition(":")
    return f"{request.binding.server}/{name}" if kind == "tool" else f"{request.binding.server}/{kind} {name}"
