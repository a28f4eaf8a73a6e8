"""Every write after the decision: what an Allow depends on, then the evidence.

A decision stands only when all of it was done: a failure turns an Allow into a Deny, and a Deny stays one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never

from agen_authz.core.errors import Malformed, Unavailable
from agen_authz.core.model import (
    Allow,
    Answer,
    BindSession,
    Decision,
    Deny,
    EndSession,
    Envelope,
    Era,
    Obligation,
    Step,
)
from agen_authz.core.reason import Reason
from agen_authz.core.signature import Signer
from agen_authz.ports import AuditSink, Clock, Entropy, SessionTable
from agen_authz.wire.event import Recording, render_event
from agen_authz.wire.refusal import Asked

_NONCE_BYTES = 16


@dataclass(frozen=True, slots=True)
class Outlets:
    """Where obligations are met."""

    clock: Clock
    entropy: Entropy
    sessions: SessionTable
    audit: AuditSink


@dataclass(frozen=True, slots=True)
class Duties:
    """What is owed for every decision: requests to some resources are signed, and there is an event of each."""

    recording: Recording
    signers: Mapping[str, Signer] = field(default_factory=dict)


async def discharge(decision: Decision, asked: Asked, duties: Duties, outlets: Outlets, started: float) -> Decision:
    """Meet a decision's obligations, then write its event; return the decision that holds in the end.

    Args:
        started: `outlets.clock.elapsed()` when the request arrived.
    """
    now = outlets.clock.now()
    if isinstance(decision, Allow):
        decision = _sign(decision, asked, duties.signers, outlets.entropy, now)
    decision = _meet(decision, asked, outlets)
    duration_us = round((outlets.clock.elapsed() - started) * 1_000_000)
    event = render_event(decision, asked, duties.recording, now=now, duration_us=duration_us)
    try:
        outlets.audit.emit(event)
    except Unavailable as exc:
        return _refuse(decision, exc.reason, "audit", asked)
    return decision


def _sign(decision: Allow, asked: Asked, signers: Mapping[str, Signer], entropy: Entropy, now: float) -> Decision:
    request, route, caller, call = asked.request, asked.route, asked.caller, asked.call
    # An allowed call has them all.
    assert request is not None and route is not None and caller is not None and call is not None  # noqa: S101
    if not route.resource.is_signed:
        return decision
    # A resource without its signer is a KeyError, which denies.
    signer, nonce = signers[route.resource.name], entropy.draw(_NONCE_BYTES).hex()
    is_modern = call.envelope.era is Era.MODERN
    signed = signer.sign(request, caller.lines, asked.request_id, created=int(now), nonce=nonce, is_modern=is_modern)
    if isinstance(signed, Malformed):
        return _refuse(decision, signed.reason, "signature", asked)
    asked.signed = signed
    return decision


def _meet(decision: Decision, asked: Asked, outlets: Outlets) -> Decision:
    if not isinstance(decision, Allow):
        return decision
    for obligation in decision.obligations:
        refused = _meet_one(obligation, outlets.sessions)
        if refused is not None:
            return _refuse(decision, refused, "session", asked)
    return decision


def _meet_one(obligation: Obligation, sessions: SessionTable) -> Reason | None:
    match obligation:
        case BindSession(server, session_id, owner):
            return None if sessions.bind(server, session_id, owner) else Reason.SESSION_UNKNOWN
        case EndSession(server, session_id, owner):
            sessions.end(server, session_id, owner)
            return None
    assert_never(obligation)


def _refuse(decision: Decision, reason: Reason, check: str, asked: Asked) -> Decision:
    if isinstance(decision, Deny):
        return decision
    why = () if isinstance(decision, Answer) else decision.why
    envelope = asked.call.envelope if asked.call is not None else Envelope()
    return Deny(reason, (*why, Step(check, reason.value)), envelope)
