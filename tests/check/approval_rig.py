"""Check with a policy that asks for approvals, and people who decide them."""

from dataclasses import dataclass, field
from typing import Any

from agen_authz.core.approval.asking import ApprovalRules
from agen_authz.core.approval.flow import Flow
from agen_authz.core.approval.request import ApprovalRequest
from agen_authz.core.approval.table import pass_time, vote
from agen_authz.core.model import Digest, Effect, State, TargetKind
from agen_authz.core.policy.table import Policy, compile_policies
from tests import builders as build
from tests.approval_fakes import MemoryApprovals
from tests.check.rig import Rig, Seen
from tests.core.approval.rig import TERMS, person, single

PAGE = "https://approvals.example.com/requests/"
FINANCE, LEGAL = single(digest=Digest("f")), single(name="legal", digest=Digest("l"))
CUSTOMERS = ((TargetKind.TOOL, "crm/get_*"),)


def asks(name: str = "refunds", **changes: Any) -> Policy:
    """Write a policy that has calls of customers approved."""
    values = {"effect": Effect.REQUIRE_APPROVAL, "selectors": CUSTOMERS, "flow": "finance", "digest": Digest("q")}
    return Policy(name, **{"state": State.ENFORCE, **values, **changes})


def rules(*flows: Flow, **changes: Any) -> ApprovalRules:
    """Build how calls are approved."""
    values = {"terms": TERMS, "max_open": 3, "hold_s": 0.0, "base_url": PAGE.removesuffix("/requests/"), "key": b"k"}
    return ApprovalRules({each.name: each for each in flows or (FINANCE, LEGAL)}, **{**values, **changes})


@dataclass
class Desk:
    """A sidecar, the store of its approvals, and who decides."""

    policies: tuple[Policy, ...] = field(default_factory=lambda: (asks(),))
    approvals: Any = field(default_factory=MemoryApprovals)
    approval_rules: ApprovalRules = field(default_factory=rules)
    more: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rig = Rig(
            policies=compile_policies(self.policies),
            approvals=self.approvals,
            approval_rules=self.approval_rules,
            **self.more,
        )

    @property
    def requests(self) -> list[ApprovalRequest]:
        """What is kept, in the order in which it was asked for."""
        return list(self.approvals.requests.values())

    @property
    def statuses(self) -> list[str]:
        return [each.status.value for each in self.requests]

    @property
    def events(self) -> list[dict[str, Any]]:
        return self.rig.audit.events

    def call(self, document: Any = None, **claims: Any) -> Seen:
        """Call a tool as ann, or as somebody else."""
        now = self.rig.clock.now()
        token = build.sign(build.claims(**{"iat": now, "exp": now + 60, **claims}))
        return self.rig.post(build.message() if document is None else document, token)

    def decide(self, *, approves: bool = True, at: int = -1) -> ApprovalRequest:
        """Let a lead decide a request, the last one unless it is said which."""
        request, now = self.requests[at], self.rig.clock.now()
        lead = person("lou", tenant=request.binding.tenant, auth_time=now)
        flow = self.approval_rules.flows[request.flow]
        decided = vote(request, flow, lead, TERMS, approves=approves, reason="", now=now)
        assert isinstance(decided, ApprovalRequest), decided
        self.approvals.requests[request.id] = decided
        return decided

    def wait(self, seconds: float) -> None:
        """Let time pass, and what it does to requests be noted."""
        self.rig.clock.advance(seconds)
        for each in self.requests:
            flow = self.approval_rules.flows.get(each.flow)
            self.approvals.requests[each.id] = pass_time(each, flow, TERMS, self.rig.clock.now())

    def reconfigure(self, **changes: Any) -> "Desk":
        """Go on with the same store and clock, and another configuration."""
        rig = self.rig
        more = {**self.more, "clock": rig.clock, "entropy": rig.entropy, **changes.pop("more", {})}
        values = {"policies": self.policies, "approvals": self.approvals, "approval_rules": self.approval_rules}
        return Desk(**{**values, **changes}, more=more)


def with_params(**changes: Any) -> dict[str, Any]:
    """Write the call with other parameters; a change to None leaves one out."""
    params = {"name": "get_customer", "arguments": {"id": 1}, **changes}
    return build.message(params={name: value for name, value in params.items() if value is not None})


def opens_urls(document: dict[str, Any]) -> dict[str, Any]:
    """Let a modern request say that its client can open pages."""
    meta = document["params"]["_meta"]
    key = next(each for each in meta if each.endswith("clientCapabilities"))
    meta[key] = {"elicitation": {"url": {}}}
    return document
