"""Verifies what the gateway signed: HTTP Message Signatures (RFC 9421, `hmac-sha256`), Digest Fields (RFC 9530).

    verifier = BackendVerifier({"crm-2026-11": key}, resource="crm")
    claimed = verifier.check_headers(received)      # before the body is read
    verifier.check_body(claimed, body)
    verifier.spend_nonce(claimed)
    claimed.identity

`verify` does all of it. The order is that of `Check`: what is cheap and refuses strangers comes first, and a nonce
is spent last, so that a client that altered a request cannot use its nonce up.
"""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from agen_authz.core.authority import guess_scheme
from agen_authz.core.memory import remember
from agen_authz.core.signature import (
    DERIVED,
    MANDATORY,
    QUERY_PARAM,
    SIGNATURE_HEADERS,
    SignedTarget,
    compute_signature,
    derive,
    render_signed_text,
)
from agen_authz.verify.component import check_components, find_twin
from agen_authz.verify.identity import Identity, read_identity
from agen_authz.verify.keys import MIN_BYTES, Keys, check_keys
from agen_authz.verify.nonces import MemoryNonces, NonceStore
from agen_authz.verify.refusal import Check, NotVerified
from agen_authz.verify.request import Received, check_values, is_always_signed, refuse_repeated, require
from agen_authz.verify.shape import Claim, is_digest, is_signature, read_claim

LEEWAY_S = 5.0
MAX_LIFETIME_S = 300


class Claimed(NamedTuple):
    """A request whose headers are as the gateway signed them; its body is not checked yet."""

    identity: Identity
    content_digest: str
    nonce: str
    until: float


class BackendVerifier:
    """Recognises requests that the gateway allowed and signed, and refuses all others.

    Args:
        keys: the keys of this backend by id, each of 32 bytes or more; a `KeyDirectory` follows rotations.
        resource: the name under which the gateway's configuration knows this backend: what was signed for another
            one is refused.
        store: where nonces are remembered; in memory by default, which is right for a single process only.
        components: what must be signed besides the mandatory components and the headers that choose how the body is
            read, where a request has it (`signing.components` of the gateway's configuration).
        scheme: what callers write before `://`, where TLS ends before this backend; needed for `@scheme` and
            `@target-uri` only.
        leeway_s: how far this machine's clock and the gateway's may be apart, seconds.
        max_lifetime_s: a signature that is good for longer is refused, seconds.
        clock: seconds since 1970.

    Raises:
        ValueError: there is no key, one is too short, a name is empty, or a component is none.
    """

    def __init__(
        self,
        keys: Mapping[str, bytes] | Keys,
        *,
        resource: str,
        store: NonceStore | None = None,
        components: tuple[str, ...] = (),
        scheme: str | None = None,
        leeway_s: float = LEEWAY_S,
        max_lifetime_s: int = MAX_LIFETIME_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not resource:
            raise ValueError("`resource` is empty; give the name that the gateway's configuration has for this backend")
        self._keys: Keys = check_keys(keys) if isinstance(keys, Mapping) else keys
        self._resource = resource
        self.store: NonceStore = MemoryNonces() if store is None else store
        self._components = check_components(components)
        self._scheme = scheme
        self._leeway_s = leeway_s
        self._max_lifetime_s = max_lifetime_s
        self._clock = clock

    def verify(self, received: Received, body: bytes) -> Identity:
        """Verify one request, body and all, and return who called.

        Raises:
            NotVerified: it is not what the gateway signed, or was seen before.
        """
        claimed = self.check_headers(received)
        self.check_body(claimed, body)
        self.spend_nonce(claimed)
        return claimed.identity

    def check_headers(self, received: Received) -> Claimed:
        """Verify all but the body and the nonce: strangers are refused before their bodies are read.

        Raises:
            NotVerified: the headers are not what the gateway signed for this backend.
        """
        headers = received.headers
        _check_target(received)
        _, inputs, signature = (require(headers, name) for name in SIGNATURE_HEADERS)
        claim = read_claim(inputs, lambda keyid: self._keys.get(keyid) is not None)
        secret = self._keys.get(claim.keyid)
        if secret is None or len(secret) < MIN_BYTES:
            raise NotVerified(Check.KEY, f"no key of {MIN_BYTES} bytes has the id that `keyid` names")
        self._check_time(claim)
        self._check_covered(claim, received)
        text = render_signed_text(self.collect_lines(claim, received), claim.text)
        if not is_signature(signature, compute_signature(text, secret)):
            raise NotVerified(Check.SIGNATURE, "not made with this key over what arrived")
        identity = read_identity(headers)
        if identity.resource != self._resource:
            raise NotVerified(Check.RESOURCE, f"signed for another resource than `{self._resource}`")
        until = claim.expires + self._leeway_s
        return Claimed(identity, headers["content-digest"], f"{claim.keyid}:{claim.nonce}", until)

    def check_body(self, claimed: Claimed, body: bytes) -> None:
        """Verify the body; GET and DELETE have one of zero bytes.

        Raises:
            NotVerified: it is not the body that was signed.
        """
        if not is_digest(claimed.content_digest, body):
            raise NotVerified(Check.CONTENT_DIGEST, "not the digest of the body that arrived")

    def spend_nonce(self, claimed: Claimed) -> None:
        """Use the signature up.

        Raises:
            NotVerified: it was used before.
        """
        if not self.store.spend(claimed.nonce, until=claimed.until, now=self._clock()):
            raise NotVerified(Check.NONCE, "seen before, or the store holds as many as it can")

    def _check_time(self, claim: Claim) -> None:
        now = self._clock()
        if claim.created > now + self._leeway_s:
            raise NotVerified(Check.TIME, "`created` lies ahead; compare the clocks")
        if claim.expires + self._leeway_s <= now:
            raise NotVerified(Check.TIME, "`expires` is past; compare the clocks")
        if not 0 < claim.expires - claim.created <= self._max_lifetime_s:
            raise NotVerified(Check.TIME, f"good for longer than {self._max_lifetime_s} s")

    def _check_covered(self, claim: Claim, received: Received) -> None:
        covered = _check_mandatory(claim.covered)
        if any(is_always_signed(name) for name in received.headers.keys() - covered):
            # Added on the way, for the gateway signs each that it forwards.
            raise NotVerified(Check.COMPONENTS, "a header that says who calls or chooses what is read is not covered")
        for name in self._components - covered:
            if self._is_there(name, received):
                raise NotVerified(Check.COMPONENTS, f"`{name}` is not covered")
        refuse_repeated(received, covered)
        twin = find_twin(received.headers, self._components | covered)
        if twin is not None:
            raise NotVerified(Check.HEADERS, f"some frameworks read a name with an underscore as `{twin}`")

    def _is_there(self, component: str, received: Received) -> bool:
        if component.startswith(QUERY_PARAM):
            return self._derive(component, received) is not None
        return component.startswith("@") or component in received.headers

    def collect_lines(self, claim: Claim, received: Received) -> list[tuple[str, str]]:
        """List (component, value) of the signature base, without its last line.

        Raises:
            NotVerified: the request has not what a component stands for.
        """
        values = {
            "@method": received.method,
            "@path": received.path or "/",
            "@query": f"?{received.query or ''}",
        }
        headers, lines = received.headers, []
        for name in claim.covered:
            value = values.get(name)
            if value is None:
                value = self._find_derived(name, received) if name.startswith("@") else headers.get(name)
            if value is None:
                raise NotVerified(Check.HEADERS, f"`{name}` is missing")
            lines.append((name, value))
        check_values(headers, lines)
        return lines

    def _find_derived(self, component: str, received: Received) -> str:
        if component not in DERIVED and not component.startswith(f"{QUERY_PARAM};"):
            raise NotVerified(Check.COMPONENTS, "a derived component is covered that no request has")
        derived = self._derive(component, received)
        if derived is None:
            raise NotVerified(Check.COMPONENTS, f"the request has no `{component}`")
        return derived

    def _derive(self, component: str, received: Received) -> str | None:
        authority = require(received.headers, "host")
        refuse_repeated(received, ("host",))
        scheme = self._scheme or received.scheme
        if component == "@authority" and self._scheme is None:
            # TLS may have ended before this backend. No resource has the other scheme's port, so either is its own.
            scheme = guess_scheme(authority)
        return derive(component, received.method, SignedTarget(scheme, authority, received.path, received.query))


# It is the same list in nearly every request.
@remember(128)
def _check_mandatory(names: tuple[str, ...]) -> frozenset[str]:
    covered = frozenset(names)
    if len(covered) != len(names):
        raise NotVerified(Check.COMPONENTS, "a component is covered twice")
    for name in MANDATORY:
        if name not in covered:
            raise NotVerified(Check.COMPONENTS, f"`{name}` is not covered")
    return covered


def _check_target(received: Received) -> None:
    line = f"{received.method} {received.path}?{received.query}"
    if not (line.isascii() and line.isprintable()):
        # A line end would be a line of the signature base.
        raise NotVerified(Check.HEADERS, "method, path or query is not printable ASCII")
