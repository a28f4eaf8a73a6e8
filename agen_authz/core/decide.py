"""The decision: a pure, total function of the call, the caller, the facts and the policy set.

Whatever is asked, the first of these that refuses answers (design: refusals):
 1. session   the session belongs to this caller, and there is one where one is needed
 2. method    known to MCP in this era, or allowed by configuration
 3. access    every target that the call names is granted by a rule
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from agen_authz.core.access import AccessTable, Granted, NotGranted, Unmapped
from agen_authz.core.method import Names, find_method, is_allowed_method
from agen_authz.core.model import (
    Allow,
    BindSession,
    Call,
    Decision,
    Deny,
    Facts,
    Owner,
    Principal,
    Resource,
    Shape,
    Step,
    Target,
)
from agen_authz.core.reason import Reason


@dataclass(frozen=True, slots=True)
class PolicySet:
    """Everything that is decided by, as one value: a reload swaps it whole."""

    version: str
    resources: Mapping[str, Resource]
    access: AccessTable


def decide(call: Call, principal: Principal, facts: Facts, policies: PolicySet) -> Decision:
    """Decide one call; never raises for any call that `core.mcp.parse` returned."""
    resource = policies.resources[call.server]
    owner = Owner(principal.issuer, principal.subject)
    # 1.
    refused = _check_session(call, facts, owner)
    if refused is not None:
        return Deny(refused, (Step("session", refused.value),), call.envelope)
    # 2.
    refused = _check_method(call, resource)
    if refused is not None:
        return Deny(refused, (Step("method", refused.value),), call.envelope)
    # 3.
    why: list[Step] = [Step("method", "allowed", call.method)]
    for target in call.targets:
        step, refused = _check_access(target, principal, resource, policies.access)
        why.append(step)
        if refused is not None:
            return Deny(refused, tuple(why), call.envelope, target)
    if call.session_id is None or facts.session_owner is not None:
        return Allow(tuple(why))
    return Allow(tuple(why), (BindSession(call.server, call.session_id, owner),))


def _check_session(call: Call, facts: Facts, owner: Owner) -> Reason | None:
    shape = call.envelope.shape
    if call.session_id is None:
        if shape is Shape.RESPONSE:
            return Reason.POSTED_RESPONSE
        return Reason.SESSION_MISSING if shape in (Shape.STREAM, Shape.END) else None
    if facts.session_owner is None:
        # A response answers what the server asked in this session: it cannot be the session's first word.
        return Reason.SESSION_UNKNOWN if shape is Shape.RESPONSE else None
    return None if facts.session_owner == owner else Reason.SESSION_UNKNOWN


def _check_method(call: Call, resource: Resource) -> Reason | None:
    if call.envelope.shape in (Shape.STREAM, Shape.END):
        return None
    if call.uses_task:
        return Reason.TASK_UNSUPPORTED
    method = find_method(call.method, call.envelope.era)
    if method is not None and method.names is not Names.NOTHING:
        # INVARIANT: what names a target is decided on it; only a subscription may name none.
        named = call.targets or method.names is Names.SUBSCRIPTION
        return None if named else Reason.UNKNOWN_METHOD
    allowed = is_allowed_method(call.method, call.envelope, resource.methods)
    if allowed is None:
        return Reason.UNKNOWN_METHOD
    return None if allowed else Reason.METHOD_DENIED


def _check_access(
    target: Target, principal: Principal, resource: Resource, access: AccessTable
) -> tuple[Step, Reason | None]:
    verdict = access.check(principal, target)
    match verdict:
        case Granted(rule):
            return Step("access", "granted", rule), None
        case NotGranted():
            return Step("access", "not_granted", target.name), Reason.NOT_GRANTED
        case Unmapped():
            if resource.admits_unmapped:
                return Step("access", "unmapped_admitted", target.name), None
            return Step("access", "unmapped", target.name), Reason.UNMAPPED
    assert_never(verdict)
