"""Access tokens: from the authorization header to a Principal, or the Reason why not.

Nothing in a token is believed before its signature is verified, but for `iss`, `kid` and `alg`, which only
choose the key to verify with. The steps (RFC 9068 section 4, RFC 8725, RFC 6750):
 1. `read_bearer`      one bearer credential, well-formed
 2. `read_token`       three strict base64url parts, strict JSON, no `crit`, no `b64`; `jku`, `x5u`, `jwk` are not read
 3. `verify_signature` an algorithm that both the provider and the key's own type allow; then the signature
 4. `read_principal`   the claims, by the provider's mapping, each of the type it must have; no ID token
 5. `admit_principal`  on every call: type, time, audience, client, tenant, roles, revocation

Steps 1 to 4 depend on the token, the provider and the key only, so their outcome may be kept as long as the
key is published; step 5 is taken on every call.
"""

import binascii
import math
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass

import jwt

from agen_authz.core.audience import is_for
from agen_authz.core.claim import ClaimReader
from agen_authz.core.errors import Rejected
from agen_authz.core.jwk import PublicKey
from agen_authz.core.model import Json, Principal, Provider, RawToken, Resource, Revoked
from agen_authz.core.reason import Reason
from agen_authz.core.strict_json import parse_json

MAX_TOKEN_CHARS = 16 * 1024
_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/-]+=*)")
_PART = re.compile(r"[A-Za-z0-9_-]+")
_MAX_DEPTH = 16
_ID_TOKEN_CLAIMS = ("nonce", "at_hash", "c_hash", "s_hash")
# Other tokens that providers sign with the same keys: a logout token is told by its events (OpenID Connect
# Back-Channel Logout 1.0 section 2.4), the rest by what Keycloak writes in `typ` and Cognito in `token_use`.
_EVENTS = "events"
_PURPOSE_CLAIMS = ("typ", "token_use")
_OTHER_PURPOSES = frozenset({"id", "refresh", "offline", "logout"})


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """A token that was read and that nobody has vouched for yet."""

    unverified_issuer: str
    unverified_claims: Mapping[str, Json]
    kid: str
    algorithm: str
    type: str
    signing_input: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """What a provider's key vouches for; whether it may be used here and now is checked on every call."""

    principal: Principal
    kid: str
    type: str
    audiences: frozenset[str]
    not_before: float | None


def read_bearer(credential: str) -> RawToken | Rejected:
    """Read the value of `authorization` as one bearer credential (RFC 6750 section 2.1)."""
    match = _BEARER.fullmatch(credential)
    if match is not None:
        return RawToken(match[1])
    if credential[:6].lower() == "bearer":
        return Rejected(Reason.AUTHORIZATION_MALFORMED)
    return Rejected(Reason.TOKEN_MISSING, "not a bearer credential")


def read_token(raw: RawToken) -> UnverifiedToken | Rejected:
    """Take a compact JWS apart (RFC 7515 section 3.1) without believing any of it; total."""
    if len(raw) > MAX_TOKEN_CHARS:
        return Rejected(Reason.TOKEN_MALFORMED, "too long")
    parts = raw.split(".")
    if len(parts) != 3:
        return Rejected(Reason.TOKEN_MALFORMED, "not three parts")
    header, claims = _read_json_part(parts[0]), _read_json_part(parts[1])
    signature = _decode_part(parts[2])
    if header is None or claims is None or signature is None:
        return Rejected(Reason.TOKEN_MALFORMED, "a part is not canonical base64url of strict JSON")
    # Whoever honours `b64` reads another payload, even where `crit` does not name it as it must (RFC 7797 section 6).
    if "crit" in header or header.get("b64", True) is not True:
        return Rejected(Reason.TOKEN_CRITICAL_HEADER)
    kid, algorithm, kind, issuer = (
        header.get("kid"),
        header.get("alg"),
        header.get("typ", ""),
        claims.get("iss"),
    )
    if not isinstance(algorithm, str) or not isinstance(kind, str):
        return Rejected(Reason.TOKEN_MALFORMED, "`alg` or `typ` is not a string")
    if not isinstance(issuer, str):
        return Rejected(Reason.TOKEN_ISSUER, "no `iss`")
    if not isinstance(kid, str) or not kid:
        return Rejected(Reason.TOKEN_KEY_UNKNOWN, "no `kid`")
    return UnverifiedToken(
        unverified_issuer=issuer,
        unverified_claims=claims,
        kid=kid,
        algorithm=algorithm,
        type=_read_type(kind),
        signing_input=raw.rpartition(".")[0].encode("ascii"),
        signature=signature,
    )


def _read_type(raw: str) -> str:
    # RFC 7515 section 4.1.9: case-insensitive, and "application/" may be left out.
    return raw.lower().removeprefix("application/") or "absent"


def _decode_part(part: str) -> bytes | None:
    if not _PART.fullmatch(part):
        return None
    try:
        decoded = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        return None
    # Spare bits that are not zero would give one token many spellings.
    return decoded if urlsafe_b64encode(decoded).rstrip(b"=") == part.encode("ascii") else None


def _read_json_part(part: str) -> dict[str, Json] | None:
    decoded = _decode_part(part)
    if decoded is None:
        return None
    value = parse_json(decoded, _MAX_DEPTH)
    return value if isinstance(value, dict) else None


def verify_signature(token: UnverifiedToken, key: PublicKey, provider: Provider) -> Rejected | None:
    """Verify the signature with one published key; None means that the key vouches for the token."""
    if token.algorithm not in provider.algorithms or token.algorithm not in key.algorithms:
        return Rejected(Reason.TOKEN_ALGORITHM)
    algorithm = jwt.get_algorithm_by_name(token.algorithm)
    if not algorithm.verify(token.signing_input, key.verifier, token.signature):
        return Rejected(Reason.TOKEN_SIGNATURE)
    return None


def verify_token(token: UnverifiedToken, key: PublicKey, provider: Provider) -> VerifiedToken | Rejected:
    """Verify a token with one key of one provider and read who it speaks of; total."""
    if token.unverified_issuer != provider.issuer:
        return Rejected(Reason.TOKEN_ISSUER)
    refusal = verify_signature(token, key, provider)
    if refusal is not None:
        return refusal
    return read_principal(token, provider)


def read_principal(token: UnverifiedToken, provider: Provider) -> VerifiedToken | Rejected:
    """Build the Principal from claims whose signature was verified; call it from `verify_token` only."""
    claims = token.unverified_claims
    if _is_for_something_else(claims):
        return Rejected(Reason.TOKEN_ID_TOKEN)
    if "cnf" in claims:
        return Rejected(Reason.TOKEN_KEY_BOUND)
    reader = ClaimReader(claims)
    paths = provider.claims
    principal = Principal(
        provider=provider.name,
        issuer=provider.issuer,
        subject=reader.required_text(paths.subject),
        client=reader.text(paths.client),
        tenant=reader.text(paths.tenant),
        roles=reader.texts(paths.roles),
        permissions=reader.texts(paths.permissions),
        groups=reader.texts(paths.groups),
        scopes=reader.words(paths.scopes),
        email=reader.text(paths.email),
        email_verified=reader.flag(paths.email_verified),
        country=reader.text(paths.country),
        acr=reader.text((("acr",),)),
        amr=reader.texts((("amr",),)),
        auth_time=reader.seconds("auth_time"),
        issued_at=reader.seconds("iat"),
        expires=reader.required_seconds("exp"),
        token_id=reader.text((("jti",),)),
        claims=claims,
    )
    audiences = reader.audiences()
    not_before = reader.seconds("nbf")
    if reader.mistake:
        return Rejected(Reason.TOKEN_CLAIM, reader.mistake)
    return VerifiedToken(principal, token.kid, token.type, audiences, not_before)


def _is_for_something_else(claims: Mapping[str, Json]) -> bool:
    if isinstance(claims.get(_EVENTS), dict) or any(name in claims for name in _ID_TOKEN_CLAIMS):
        return True
    purposes = [claims.get(name) for name in _PURPOSE_CLAIMS]
    return any(isinstance(each, str) and each.lower() in _OTHER_PURPOSES for each in purposes)


def admit_principal(
    verified: VerifiedToken, provider: Provider, resource: Resource, *, revoked: Revoked, now: float
) -> Principal | Rejected:
    """Decide whether a verified token may be used at this resource now; taken on every call.

    1. type          RFC 9068 section 4
    2. time          RFC 7519 sections 4.1.4 to 4.1.6, with the provider's leeway
    3. audience      RFC 8707 section 2: this resource's url in any spelling, or an audience configured for it
    4. client, tenant, roles: what the resource admits and the provider may speak for
    5. revocation
    """
    principal = verified.principal
    # 1.
    if verified.type not in provider.token_types:
        return Rejected(Reason.TOKEN_TYPE, f"typ `{verified.type[:40]}`")
    # 2.
    late = _check_time(verified, provider, now)
    if late is not None:
        return Rejected(late)
    # 3.
    if not is_for(verified.audiences, resource.audiences):
        return Rejected(Reason.TOKEN_AUDIENCE)
    # 4.
    foreign = _check_reach(principal, provider, resource)
    if foreign is not None:
        return Rejected(foreign)
    # 5.
    if (
        verified.kid in revoked.kids
        or principal.subject in revoked.subjects
        or (principal.token_id and principal.token_id in revoked.jti)
    ):
        return Rejected(Reason.TOKEN_REVOKED)
    return principal


def _check_time(verified: VerifiedToken, provider: Provider, now: float) -> Reason | None:
    principal, leeway = verified.principal, provider.leeway_s
    if not now < principal.expires + leeway:
        return Reason.TOKEN_EXPIRED
    if verified.not_before is not None and verified.not_before > now + leeway:
        return Reason.TOKEN_NOT_YET_VALID
    if principal.issued_at is not None and principal.issued_at > now + leeway:
        return Reason.TOKEN_NOT_YET_VALID
    if provider.max_token_age_s is not None:
        issued = -math.inf if principal.issued_at is None else principal.issued_at
        if now - issued > provider.max_token_age_s + leeway:
            return Reason.TOKEN_TOO_OLD
    return None


def _check_reach(principal: Principal, provider: Provider, resource: Resource) -> Reason | None:
    if resource.clients is not None and principal.client not in resource.clients:
        return Reason.TOKEN_CLIENT
    if provider.tenants is not None and principal.tenant not in provider.tenants:
        return Reason.TOKEN_TENANT
    if provider.roles is not None and not provider.roles.issuperset((*principal.roles, *principal.permissions)):
        return Reason.TOKEN_ROLE
    if resource.require_tenant and not principal.tenant:
        return Reason.TENANT_MISSING
    return None


def missing_scopes(principal: Principal, resource: Resource) -> tuple[str, ...]:
    """List the resource's scopes that the token lacks, in the order of configuration."""
    return tuple(scope for scope in resource.scopes if scope not in principal.scopes)
