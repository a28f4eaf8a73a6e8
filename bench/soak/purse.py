"""Access tokens of both issuers: drawn from a purse, many of them fresh, some of them withdrawn with their key."""

import random
import time
from collections import deque
from dataclasses import dataclass, field
from threading import Lock

from cryptography.hazmat.primitives.asymmetric import ec

from agen_authz.demo.issuer.keyring import SigningKey
from bench.soak.truth import NO, Facts, Token
from tests.stage.world import Provider, World

LEEWAY_S = 30.0
LIFETIME_S = 300.0
# A key that no issuer publishes.
_NOBODYS = ec.derive_private_key(20261130, ec.SECP256R1())
SUBJECTS = 40
_FRESH, _WITHDRAWN_KEPT, _KEPT = 0.25, 0.2, 64
_AGO_S = 200


@dataclass(frozen=True, slots=True)
class Wish:
    """Which token is wanted; `lifetime_s` counts the leeway in."""

    issuer: str
    roles: tuple[str, ...] = ("analyst",)
    resource: str = "crm"
    scope: str | None = "mcp:tools"
    lifetime_s: float = LIFETIME_S
    subject: str | None = None


@dataclass
class Purse:
    """Makes tokens and keeps some of each kind; for any thread."""

    world: World
    facts: Facts
    _kept: dict[Wish, "deque[Token]"] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def provider(self, name: str) -> Provider:
        """Find an issuer."""
        return self.world.one if name == "one" else self.world.two

    def url(self, resource: str) -> str:
        """Find a resource's URL."""
        return self.world.crm if resource == "crm" else self.world.billing

    def draw(self, rng: random.Random, wish: Wish) -> Token:
        """Draw a token: one that was used before, or a fresh one."""
        with self._lock:
            kept = self._kept.setdefault(wish, deque(maxlen=_KEPT))
            token = rng.choice(kept) if kept and rng.random() > _FRESH else None
        if token is None or (self._is_withdrawn(token) and rng.random() > _WITHDRAWN_KEPT):
            token = self.mint(rng, wish)
            kept.append(token)
        return token

    def _is_withdrawn(self, token: Token) -> bool:
        return self.facts.look().published[token.issuer, token.kid] == NO

    def mint(self, rng: random.Random, wish: Wish) -> Token:
        """Sign a token with the key that signs now."""
        provider = self.provider(wish.issuer)
        return self.mint_with(rng, wish, provider.issuer.ring.signing)

    def mint_with(self, rng: random.Random, wish: Wish, key: SigningKey) -> Token:
        """Sign a token with any key."""
        subject = wish.subject or f"u-{rng.randrange(SUBJECTS)}"
        now = int(time.time())
        ends_at = now + wish.lifetime_s
        raw = self.provider(wish.issuer).mint(
            self.url(wish.resource), private=key.private, kid=key.kid, sub=subject, roles=list(wish.roles),
            scope=wish.scope, iat=now - _AGO_S, exp=ends_at - LEEWAY_S, jti=f"j-{rng.getrandbits(48):x}",
        )  # fmt: skip
        return Token(raw, wish.issuer, key.kid, subject, ends_at)

    def forged(self, rng: random.Random, wish: Wish) -> Token:
        """Sign with a key that is not the issuer's, under the name of the one that is."""
        signing = self.provider(wish.issuer).issuer.ring.signing
        return self.mint_with(rng, wish, SigningKey(signing.kid, _NOBODYS))

    def unheard(self, rng: random.Random, wish: Wish) -> Token:
        """Sign with a key that no provider published, under a separate name."""
        return self.mint_with(rng, wish, SigningKey(f"unheard-{rng.getrandbits(32):x}", _NOBODYS))
