"""Requests, flows and people, as the tests of approvals name them."""

from collections.abc import Callable
from itertools import count
from typing import Any

from msgspec.structs import replace

from agen_authz.core.approval.flow import Approvers, Flow, FlowStep
from agen_authz.core.approval.open import open_request
from agen_authz.core.approval.request import ApprovalRequest, Binding, Progress, Vote
from agen_authz.core.approval.table import Approver, Terms, vote
from agen_authz.core.model import Digest, Issuer, Owner, Subject
from tests.builders import NOW

HERE, THERE = Issuer("https://here.example"), Issuer("https://there.example")
TERMS = Terms(grant_ttl_s=900.0, fresh_login_s=3600.0, admins=frozenset({"admin"}), unmask=frozenset({"privacy"}))
BINDING = Binding(
    issuer=HERE,
    subject=Subject("ann"),
    client="agent",
    tenant="acme",
    server="pay",
    method="tools/call",
    target="tool:refund",
    parameters=Digest("p"),
    definition=Digest("d"),
    policy=Digest("q"),
)
LEAD = FlowStep("lead", Approvers(roles=frozenset({"lead"}), emails=frozenset({"bob@acme.example"})))
CONTROL = FlowStep(
    "control", Approvers(groups=frozenset({"control"}), emails=frozenset({"eve@acme.example"})), quorum=2
)
FLOW = Flow("finance", (LEAD, CONTROL), timeout_s=14400.0, remind_every_s=3600.0, digest=Digest("f"))
ANN_MAIL = "ann@acme.example"


def flow(**changes: Any) -> Flow:
    """Make a flow of two steps: one lead, then two of control."""
    return replace(FLOW, **changes)


def single(*, quorum: int = 1, **changes: Any) -> Flow:
    """Make a flow of one step that leads decide."""
    return flow(steps=(replace(LEAD, quorum=quorum),), **changes)


def asked(by: Flow = FLOW, **changes: Any) -> ApprovalRequest:
    """Ask as ann, now."""
    made = open_request(BINDING, "refunds", by, id="0" * 32, requester_email=ANN_MAIL, request_id="r-1", now=NOW)
    return replace(made, **changes)


def approved(**changes: Any) -> ApprovalRequest:
    """Ask, and be approved at once."""
    made = asked(status=Progress.APPROVED, decided_at=NOW, grant_until=NOW + 900.0, remind_at=None)
    return replace(made, **changes)


def person(subject: str = "bob", **changes: Any) -> Approver:
    """Sign in now, as a lead of the request's tenant who has no e-mail."""
    made = Approver(Owner(HERE, Subject(subject)), "", "acme", frozenset({"lead"}), frozenset(), NOW)
    return replace(made, **changes)


def controller(subject: str, **changes: Any) -> Approver:
    """Sign in now, as one of control."""
    return person(subject, **{"roles": frozenset(), "groups": frozenset({"control"})} | changes)


def cast(request: ApprovalRequest, *people: Approver, by: Flow = FLOW, now: float = NOW) -> ApprovalRequest:
    """Let each of them approve, in turn; none may be refused."""
    for each in people:
        decided = vote(request, by, each, TERMS, approves=True, reason="", now=now)
        assert isinstance(decided, ApprovalRequest), decided
        request = decided
    return request


def ballot(subject: str = "bob", *, step: int = 0, email: str = "", approves: bool = True) -> Vote:
    """Make a vote as it is kept."""
    return Vote(step, Owner(HERE, Subject(subject)), email, approves, "", NOW)


def ids() -> Callable[[], str]:
    """Give message ids: m0, m1, and so on."""
    numbers = count()
    return lambda: f"m{next(numbers)}"
