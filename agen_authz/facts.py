"""Every read before the decision: who calls, and what is known about the call."""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from threading import Lock

from agen_authz.core.context import Surroundings, read_context
from agen_authz.core.errors import Rejected
from agen_authz.core.jwk import PublicKey
from agen_authz.core.model import Call, Facts, Provider, Request, Resource, Revoked
from agen_authz.core.reason import Reason
from agen_authz.core.token import (
    UnverifiedToken,
    VerifiedToken,
    admit_principal,
    read_bearer,
    read_token,
    verify_token,
)
from agen_authz.ports import Clock, KeySource, SessionTable
from agen_authz.waiting import WaitingRoom
from agen_authz.wire.identity import Caller, render_caller


@dataclass(frozen=True, slots=True)
class Vouched:
    """A token that `key` of `provider` vouches for; good only as long as that very key is published."""

    provider: Provider
    key: PublicKey
    algorithm: str
    token: VerifiedToken
    caller: Caller


class TokenCache:
    """Verified tokens by the SHA-256 of the header that brought them; bounded, the least recently added goes first.

    An entry says that signature and key were good, and nothing about where or when the token may be used.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: OrderedDict[bytes, Vouched] = OrderedDict()
        self._lock = Lock()

    def find(self, digest: bytes) -> Vouched | None:
        """Find what is known of a token."""
        return self._entries.get(digest)

    def keep(self, digest: bytes, vouched: Vouched) -> None:
        """Remember a verified token, making room if needed."""
        with self._lock:
            self._entries[digest] = vouched
            while len(self._entries) > self._limit:
                self._entries.popitem(last=False)

    def forget(self, digest: bytes) -> None:
        """Forget a token whose key is gone."""
        with self._lock:
            self._entries.pop(digest, None)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where facts come from."""

    clock: Clock
    keys: KeySource
    sessions: SessionTable
    tokens: TokenCache
    waiting: WaitingRoom
    revoked: Revoked = field(default_factory=Revoked)
    surroundings: Surroundings = field(default_factory=Surroundings)


async def identify(request: Request, resource: Resource, sources: Sources, bound_s: float) -> Caller | Rejected:
    """Find out who calls, and whether the token may be used at this resource now.

    Args:
        bound_s: how many seconds a provider may be waited for.

    Raises:
        Unavailable: the provider's keys are not to be had, so nobody can tell a good token from a bad one; or too
            many callers wait already.
        TimeoutError: the provider took longer than `bound_s`.
    """
    credential = request.headers.get("authorization")
    if credential is None:
        return Rejected(Reason.TOKEN_MISSING)
    # The whole value names the entry: one that was read before needs no reading.
    digest = hashlib.sha256(credential.encode("utf-8")).digest()
    vouched = _recall(digest, resource.providers, sources)
    if vouched is None:
        fresh = await _vouch(credential, digest, resource.providers, sources, bound_s)
        if isinstance(fresh, Rejected):
            return fresh
        vouched = fresh
    principal = admit_principal(
        vouched.token, vouched.provider, resource, revoked=sources.revoked, now=sources.clock.now()
    )
    return principal if isinstance(principal, Rejected) else vouched.caller


def _recall(digest: bytes, providers: Mapping[str, Provider], sources: Sources) -> Vouched | None:
    known = sources.tokens.find(digest)
    if known is None or providers.get(known.provider.issuer) is not known.provider:
        return None
    if sources.keys.find_key(known.provider.name, known.key.kid, known.algorithm) is known.key:
        return known
    sources.tokens.forget(digest)
    return None


async def _vouch(
    credential: str, digest: bytes, providers: Mapping[str, Provider], sources: Sources, bound_s: float
) -> Vouched | Rejected:
    raw = read_bearer(credential)
    if isinstance(raw, Rejected):
        return raw
    if credential != (usual := f"Bearer {raw}"):
        # Remembered once, however its header is written.
        digest = hashlib.sha256(usual.encode("utf-8")).digest()
        known = _recall(digest, providers, sources)
        if known is not None:
            return known
    token = read_token(raw)
    if isinstance(token, Rejected):
        return token
    provider = providers.get(token.unverified_issuer)
    if provider is None:
        return Rejected(Reason.TOKEN_ISSUER)
    vouched = await _verify(token, provider, sources, bound_s)
    if isinstance(vouched, Vouched):
        sources.tokens.keep(digest, vouched)
    return vouched


async def _verify(token: UnverifiedToken, provider: Provider, sources: Sources, bound_s: float) -> Vouched | Rejected:
    if token.algorithm not in provider.algorithms:
        # No provider is asked for the key of a token that could not be accepted with it.
        return Rejected(Reason.TOKEN_ALGORITHM)
    key = sources.keys.find_key(provider.name, token.kid, token.algorithm)
    if key is None:
        fetch = partial(sources.keys.fetch_key, provider.name, token.kid, token.algorithm)
        key = await sources.waiting.wait_for(fetch, bound_s)
    if key is None:
        return Rejected(Reason.TOKEN_KEY_UNKNOWN)
    verified = verify_token(token, key, provider)
    if isinstance(verified, Rejected):
        return verified
    return Vouched(provider, key, token.algorithm, verified, render_caller(verified.principal))


def gather(call: Call, request: Request, sources: Sources) -> Facts:
    """Read what the decision rests on beside the call itself."""
    owner = None
    if call.session_id is not None:
        owner = sources.sessions.find_owner(call.server, call.session_id)
    context = read_context(request, sources.surroundings)
    return Facts(sources.clock.now(), owner, context, request.authority)
