"""The obligations of one decision: it is signed, and its session is bound."""

from collections.abc import Mapping
from typing import assert_never

from agen_authz.core.errors import Malformed
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
from agen_authz.ports import Entropy, SessionTable
from agen_authz.wire.refusal import Asked

_NONCE_BYTES = 16


def discharge(decision: Decision, asked: Asked, duties: Duties, outlets: Outlets, now: float) -> Decision:
    """Meet a decision's obligations; return the decision that holds in the end.

    Args:
        now: seconds since the epoch.
    """
    if not isinstance(decision, Allow):
        return decision
    return _meet(_sign(decision, asked, duties.signers, outlets.entropy, now), asked, outlets)


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
        return refuse(decision, signed.reason, Step("signature", signed.reason.value), asked)
    asked.signed = signed
    return decision


def _meet(decision: Decision, asked: Asked, outlets: Outlets) -> Decision:
    if not isinstance(decision, Allow):
        return decision
    for obligation in decision.obligations:
        refused = _meet_one(obligation, outlets.sessions)
        if refused is not None:
            return refuse(decision, refused, Step("session", refused.value), asked)
    return decision


def _meet_one(obligation: Obligation, sessions: SessionTable) -> Reason | None:
    match obligation:
        case BindSession(server, session_id, owner):
            return None if sessions.bind(server, session_id, owner) else Reason.SESSION_UNKNOWN
        case EndSession(server, session_id, owner):
            sessions.end(server, session_id, owner)
            return None
    assert_never(obligation)


def refuse(decision: Decision, reason: Reason, step: Step, asked: Asked) -> Deny:
    """Turn a decision that cannot stand into a denial, which says what led to it."""
    envelope = asked.call.envelope if asked.call is not None else Envelope()
    if isinstance(decision, Answer):
        return Deny(reason, (step,), envelope)
    return Deny(reason, (*decision.why, step), envelope, matched=decision.matched)
