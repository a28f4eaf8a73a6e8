"""What is known of a request, stage by stage: each stage is frozen and holds the one before.

    Arrived -> Received -> Routed -> Known -> Read -> Judged

A step takes a stage and returns the next one, or a Refused that carries the stage that the request had reached. So
what is known is a type: an answer and its evidence read what their stage holds, and ask for nothing else.
"""

from typing import TypeAlias

from msgspec import Struct

from agen_authz.core.approval.request import ApprovalRequest
from agen_authz.core.errors import Rejected, Unavailable
from agen_authz.core.http.route import Route
from agen_authz.core.identity.rendered import RenderedPrincipal
from agen_authz.core.identity.token import missing_scopes
from agen_authz.core.message.mcp import parse
from agen_authz.core.model import (
    Allow,
    Answer,
    AwaitApproval,
    Call,
    Context,
    Deny,
    Envelope,
    Misread,
    Principal,
    Request,
    Step,
    StepUp,
)
from agen_authz.core.reason import Reason
from agen_authz.core.ruleset import RuleSet
from agen_authz.core.signature import Signed


class Arrived(Struct, frozen=True):
    """A request has arrived, and nothing of it is read.

    Args:
        rules: what it is decided by, to its end.
        started: when it arrived, by `Clock.elapsed()`.
        until: when the caller must have the answer, by the same clock.
    """

    rules: RuleSet
    request_id: str
    started: float
    until: float


class Received(Struct, frozen=True):
    """The request is read, but not its body."""

    arrived: Arrived
    request: Request


class Routed(Struct, frozen=True):
    """The resource is known."""

    received: Received
    route: Route


class Known(Struct, frozen=True):
    """The caller is known: the token is verified."""

    routed: Routed
    rendered: RenderedPrincipal

    @property
    def principal(self) -> Principal:
        """Who calls."""
        return self.rendered.principal


class Read(Struct, frozen=True):
    """The body is parsed, and it is known where the call comes from."""

    known: Known
    call: Call
    context: Context


Stage: TypeAlias = Arrived | Received | Routed | Known | Read


class Judged(Struct, frozen=True):
    """A call that policies were asked about.

    Args:
        signed: the signature for the backend, if the call has one.
        sealed: what Process must know to inspect the response, or to scan a copy; None if it looks at nothing.
        is_inspected: True if Process may change the response, and False if it scans a copy at most.
        requests: what the decision's grants come from, or what it waits for, as they were when it was judged.
    """

    stage: Read
    decision: Allow | StepUp | AwaitApproval | Deny
    signed: Signed | None = None
    sealed: str | None = None
    is_inspected: bool = False
    requests: tuple[ApprovalRequest, ...] = ()


class Refused(Struct, frozen=True):
    """A request that is refused, or answered from configuration, with the stage that it had reached."""

    stage: Stage
    decision: Deny | Answer


Ended: TypeAlias = Judged | Refused


def find_known(stage: Stage) -> Known | None:
    """Find who calls; None if that was not reached."""
    if isinstance(stage, Read):
        return stage.known
    return stage if isinstance(stage, Known) else None


def find_routed(stage: Stage) -> Routed | None:
    """Find which resource is asked; None if that was not reached."""
    if isinstance(stage, Read):
        return stage.known.routed
    if isinstance(stage, Known):
        return stage.routed
    return stage if isinstance(stage, Routed) else None


def find_received(stage: Stage) -> Received | None:
    """Find what was received; None if that was not reached."""
    if isinstance(stage, Received):
        return stage
    routed = find_routed(stage)
    return None if routed is None else routed.received


def get_arrived(stage: Stage) -> Arrived:
    """Return the first stage, which every request has reached."""
    # The last stage first: nearly every call reaches it, and this is asked several times for each.
    if isinstance(stage, Read):
        return stage.known.routed.received.arrived
    if isinstance(stage, Known):
        return stage.routed.received.arrived
    if isinstance(stage, Routed):
        return stage.received.arrived
    return stage.arrived if isinstance(stage, Received) else stage


def name_server(stage: Stage) -> str:
    """Return the resource's name; empty if it is not known which one is asked."""
    routed = find_routed(stage)
    return "" if routed is None else routed.route.resource.name


def refuse_token(routed: Routed, rejected: Rejected) -> Refused:
    """Refuse a request whose token cannot be accepted."""
    return Refused(routed, Deny(rejected.reason, (Step("token", "rejected", rejected.detail),)))


def check_scopes(known: Known) -> Refused | None:
    """Refuse a token without the resource's scopes; None if it has them."""
    missing = missing_scopes(known.principal, known.routed.route.resource)
    if not missing:
        return None
    return Refused(known, Deny(Reason.SCOPE_MISSING, (Step("scope", "missing", " ".join(missing)),)))


def read_call(known: Known, context: Context) -> Read | Refused:
    """Read the call of a known caller, if the token has the resource's scopes."""
    received, resource = known.routed.received, known.routed.route.resource
    refused = check_scopes(known)
    if refused is not None:
        return refused
    call = parse(received.request, resource.name, received.arrived.rules.limits)
    if isinstance(call, Misread):
        why = (Step("message", "misread", call.detail),)
        return Refused(known, Deny(call.reason, why, call.envelope, requested_version=call.requested_version))
    return Read(known, call, context)


def refuse(ended: Ended, reason: Reason, step: Step) -> Refused:
    """Turn an ending that cannot be kept into a refusal with the steps that led to it."""
    stage, decision = ended.stage, ended.decision
    envelope = stage.call.envelope if isinstance(stage, Read) else Envelope()
    matched = () if isinstance(decision, Answer) else decision.matched
    return Refused(stage, Deny(reason, (*decision.why, step), envelope, matched=matched))


def refuse_late(stage: Stage, cause: Unavailable | TimeoutError) -> Refused:
    """Refuse a request for which something was not available, or not in time."""
    if isinstance(cause, Unavailable):
        return Refused(stage, Deny(cause.reason, (Step("facts", "unavailable", cause.name),)))
    return Refused(stage, Deny(Reason.DEADLINE, (Step("facts", "late"),)))
