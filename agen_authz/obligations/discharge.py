"""What an allowed call depends on: its signature for the backend, and what Process must know of it."""

from msgspec.structs import replace

from agen_authz.core.errors import Malformed
from agen_authz.core.model import Allow, Era, Request, Session, Step
from agen_authz.core.response.need import find_inspection, find_sample
from agen_authz.core.response.unread import is_watched
from agen_authz.core.signature import Signed
from agen_authz.core.stage import Ended, Judged, Read, get_arrived, refuse
from agen_authz.outside import Ports
from agen_authz.ports import Entropy
from agen_authz.wire.sealed import NONCE_BYTES, seal_inspection

_NONCE_BYTES = 16
_DRAWN_BYTES = 8


def discharge(ended: Ended, ports: Ports, now: float) -> Ended:
    """Meet the obligations of a call that is allowed; return the final decision.

    Args:
        now: seconds since the epoch.
    """
    if not (isinstance(ended, Judged) and isinstance(ended.decision, Allow)):
        return ended
    read, decision = ended.stage, ended.decision
    rules, sealed = get_arrived(read).rules, None
    inspection = find_inspection(read, decision.protections)
    # INVARIANT: if only a copy is scanned (samples, rules in shadow), a call is sent and signed as if nothing were.
    is_inspected = inspection is not None and not is_watched(inspection, rules)
    if inspection is None and _is_drawn(rules.unruled_sample, ports.entropy):
        inspection = find_sample(read)
    if inspection is not None:
        sealed = seal_inspection(inspection, rules.metadata_key, ports.entropy.draw(NONCE_BYTES))
    signed = _sign(read, decision.session, ports.entropy, now, is_inspected=is_inspected)
    if isinstance(signed, Malformed):
        return refuse(ended, signed.reason, Step("signature", signed.reason.value))
    return Judged(read, decision, signed, sealed, is_inspected=is_inspected, requests=ended.requests)


def _is_drawn(share: float, entropy: Entropy) -> bool:
    return share > 0 and int.from_bytes(entropy.draw(_DRAWN_BYTES)) < share * 2 ** (8 * _DRAWN_BYTES)


def _sign(
    read: Read, session: Session | None, entropy: Entropy, now: float, *, is_inspected: bool
) -> Signed | Malformed | None:
    routed, is_modern = read.known.routed, read.call.envelope.era is Era.MODERN
    resource, request = routed.route.resource, routed.received.request
    if not resource.is_signed:
        return None
    # A resource without its signer is a KeyError, which denies.
    arrived = routed.received.arrived
    signer, nonce = arrived.rules.signers[resource.name], entropy.draw(_NONCE_BYTES).hex()
    lines = read.known.rendered.lines
    request = _as_forwarded(request, session, is_inspected=is_inspected)
    return signer.sign(request, lines, arrived.request_id, created=int(now), nonce=nonce, is_modern=is_modern)


def _as_forwarded(request: Request, session: Session | None, *, is_inspected: bool) -> Request:
    """Write a request as the backend gets it, so that this is what is signed (wire/ext_authz.py changes the same)."""
    if session is None and not is_inspected:
        return request
    headers, repeated = dict(request.headers), request.repeated
    if is_inspected:
        headers.pop("accept-encoding", None)
        repeated = repeated - {"accept-encoding"}
    if session is not None:
        headers["mcp-session-id"] = session.backend_id
    return replace(request, headers=headers, repeated=repeated)
