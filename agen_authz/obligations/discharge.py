"""The obligations of one decision: it is signed, and its session is bound."""

from typing import assert_never

from agen_authz.core.errors import Malformed
from agen_authz.core.model import Allow, BindSession, EndSession, Era, Obligation, Step
from agen_authz.core.reason import Reason
from agen_authz.core.signature import Signed
from agen_authz.core.stage import Ended, Judged, Read, refuse
from agen_authz.outside import Ports
from agen_authz.ports import Entropy, SessionTable

_NONCE_BYTES = 16


def discharge(ended: Ended, ports: Ports, now: float) -> Ended:
    """Meet the obligations of a call that is allowed; return the final decision.

    Args:
        now: seconds since the epoch.
    """
    if not (isinstance(ended, Judged) and isinstance(ended.decision, Allow)):
        return ended
    signed = _sign(ended.stage, ports.entropy, now)
    if isinstance(signed, Malformed):
        return refuse(ended, signed.reason, Step("signature", signed.reason.value))
    for obligation in ended.decision.obligations:
        refused = _meet_one(obligation, ports.sessions)
        if refused is not None:
            return refuse(ended, refused, Step("session", refused.value))
    return ended if signed is None else Judged(ended.stage, ended.decision, signed)


def _sign(read: Read, entropy: Entropy, now: float) -> Signed | Malformed | None:
    routed, is_modern = read.known.routed, read.call.envelope.era is Era.MODERN
    resource, request = routed.route.resource, routed.received.request
    if not resource.is_signed:
        return None
    # A resource without its signer is a KeyError, which denies.
    arrived = routed.received.arrived
    signer, nonce = arrived.rules.signers[resource.name], entropy.draw(_NONCE_BYTES).hex()
    lines = read.known.rendered.lines
    return signer.sign(request, lines, arrived.request_id, created=int(now), nonce=nonce, is_modern=is_modern)


def _meet_one(obligation: Obligation, sessions: SessionTable) -> Reason | None:
    match obligation:
        case BindSession(server, session_id, owner):
            return None if sessions.bind(server, session_id, owner) else Reason.SESSION_UNKNOWN
        case EndSession(server, session_id, owner):
            sessions.end(server, session_id, owner)
            return None
    assert_never(obligation)
