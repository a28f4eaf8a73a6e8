"""Tokens the issuer signs: access tokens as RFC 9068 has them, ID tokens as OpenID Connect Core has them."""

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass

import jwt

from agen_authz.core.model import Json
from agen_authz.demo.issuer.keyring import SigningKey
from agen_authz.demo.issuer.people import METHODS_BY_ACR, PASSWORD_ACR, TENANT, Person

ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105 - a header value of RFC 9068
ID_TOKEN_TYPE = "JWT"  # noqa: S105 - a header value


@dataclass(frozen=True, slots=True)
class Login:
    """Who logged in, how and when; a refreshed token knows of no moment at which anybody did."""

    person: Person
    acr: str
    auth_time: int | None

    @property
    def amr(self) -> tuple[str, ...]:
        """The methods that were used (RFC 8176)."""
        return METHODS_BY_ACR.get(self.acr, METHODS_BY_ACR[PASSWORD_ACR])


@dataclass(frozen=True, slots=True)
class Grant:
    """What one client may have a token for."""

    login: Login
    client_id: str
    resource: str
    scopes: tuple[str, ...]
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What differs from token to token of one grant."""

    issuer: str
    issued_at: int
    ttl_s: int
    token_id: str


def access_claims(grant: Grant, stamp: Stamp) -> dict[str, Json]:
    """Write the claims of an access token (RFC 9068 section 2.2)."""
    person = grant.login.person
    return {
        **_shared_claims(grant.login, stamp),
        "aud": grant.resource,
        "jti": stamp.token_id,
        "client_id": grant.client_id,
        "scope": " ".join(grant.scopes),
        "permissions": list(person.permissions),
    }


def id_claims(grant: Grant, stamp: Stamp, access_token: str) -> dict[str, Json]:
    """Write the claims of an ID token (OpenID Connect Core section 2), bound to its access token."""
    # Section 3.1.3.6: the left half of the digest.
    digest = hashlib.sha256(access_token.encode("ascii")).digest()
    half = urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode("ascii")
    nonce: dict[str, Json] = {} if grant.nonce is None else {"nonce": grant.nonce}
    name = grant.login.person.name
    return {**_shared_claims(grant.login, stamp), "aud": grant.client_id, "at_hash": half, "name": name, **nonce}


def sign(key: SigningKey, claims: dict[str, Json], kind: str) -> str:
    """Sign claims with ES256; `kind` is the header `typ`."""
    return jwt.encode(claims, key.private, algorithm="ES256", headers={"kid": key.kid, "typ": kind})


def _shared_claims(login: Login, stamp: Stamp) -> dict[str, Json]:
    person = login.person
    when: dict[str, Json] = {} if login.auth_time is None else {"auth_time": login.auth_time}
    return {
        "iss": stamp.issuer,
        "sub": person.subject,
        "exp": stamp.issued_at + stamp.ttl_s,
        "iat": stamp.issued_at,
        "roles": [person.role],
        "groups": list(person.groups),
        "email": person.email,
        "email_verified": True,
        "tenantId": TENANT,
        "country": person.country,
        "acr": login.acr,
        "amr": list(login.amr),
        **when,
    }
