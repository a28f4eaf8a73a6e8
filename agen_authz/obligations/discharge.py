"""The obligations of one decision: it is signed, its session is bound, and its evidence is recorded."""

from collections.abc import Mapping
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
from agen_authz.obligations.duty import Duties, Outlets
from agen_authz.obligations.record import record
from agen_authz.ports import Entropy, SessionTable
from agen_authz.wire.refusal import Asked

_NONCE_BYTES = 16


async def discharge(
    decision: Decision, asked: Asked, duties: Duties, outlets: Outlets, *, started: float, until: float
) -> Decision:
    """Meet a decision's obligations, then record it; return the decision that holds in the end.

    Args:
        started: `outlets.clock.elapsed()` when the request arrived.
        until: `outlets.clock.elapsed()` when the caller must have the answer.
    """
    now = outlets.clock.now()
    if isinstance(decision, Allow):
        decision = _sign(decision, asked, duties.signers, outlets.entropy, now)
    decision = _meet(decision, asked, outlets)
    try:
        await record(decision, asked, duties, outlets, now=now, started=started, until=until)
    except Unavailable as exc:
        refused = _refuse(decision, exc.reason, "audit", asked)
        outlets.crowd.count(refused, asked, duties.recording, now)
        return refused
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
