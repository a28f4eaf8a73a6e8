"""All that a running issuer knows, in memory; it ends with the process."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec

from agen_authz.demo.issuer.client import Client, ClientBook
from agen_authz.demo.issuer.keyring import KeyRing, SigningKey, name_key
from agen_authz.demo.issuer.onetime import OneTime
from agen_authz.demo.issuer.settings import IssuerSettings, check_settings
from agen_authz.demo.issuer.token import Grant

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Sources:
    """Time and randomness."""

    now: Callable[[], float]
    draw: Callable[[], str]
    make_key: Callable[[], ec.EllipticCurvePrivateKey]


def real_sources(now: Callable[[], float]) -> Sources:
    """Draw real random values; the clock is the caller's."""
    return Sources(now, lambda: secrets.token_urlsafe(_SECRET_BYTES), lambda: ec.generate_private_key(ec.SECP256R1()))


@dataclass(frozen=True, slots=True)
class Ask:
    """An authorization request that was found good and waits for a person to log in."""

    client: Client
    redirect_uri: str
    state: str | None
    challenge: str
    resource: str
    scopes: tuple[str, ...]
    nonce: str | None
    wants_second_factor: bool


@dataclass(frozen=True, slots=True)
class Code:
    """What an authorization code stands for, and what its client must know to redeem it (RFC 6749, RFC 7636)."""

    grant: Grant
    redirect_uri: str
    challenge: str


@dataclass(frozen=True, slots=True)
class Family:
    """The one refresh token of a grant that is good now; its forerunners betray a thief."""

    grant: Grant
    secret: str


@dataclass(frozen=True, slots=True)
class Issuer:
    """One issuer: its settings, its keys, its clients, and what is under way."""

    settings: IssuerSettings
    url: str
    sources: Sources
    ring: KeyRing
    clients: ClientBook = field(default_factory=ClientBook)
    logins: OneTime[Ask] = field(default_factory=OneTime)
    codes: OneTime[Code] = field(default_factory=OneTime)
    families: OneTime[Family] = field(default_factory=OneTime)
    # From a redeemed code to the family it began: a code that comes twice ends it (RFC 6749 section 4.1.2).
    redeemed: OneTime[str] = field(default_factory=OneTime)


def build_issuer(
    settings: IssuerSettings, authority: str, sources: Sources, first_key: SigningKey | None = None
) -> Issuer:
    """Build an issuer whose URL is http://`authority`, without trailing slash.

    Raises:
        ConfigError: no token could be issued with these settings.
    """
    check_settings(settings)
    ring = KeyRing(first_key or name_key(sources.make_key()), settings.key_grace_s)
    return Issuer(settings, f"http://{authority}", sources, ring)
