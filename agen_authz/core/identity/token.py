"""Access tokens: from a verified signature to a Principal, or the Reason why not.

Nothing in a token is believed before its signature is verified (`jws`). The steps (RFC 9068 section 4, RFC 8725):
 1. `verify_token`     the signature, then the claims, strictly; the issuer must be the one whose key verified
 2. `read_principal`   the token's purpose, then the claims by the provider's mapping, each of the type it must have
 3. `admit_principal`  on every call: type, time, audience, client, tenant, roles, revocation

Steps 1 and 2 depend on the token, the provider and the key only, so their outcome may be kept as long as the
key is published; step 3 is taken on every call.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from agen_authz.core.errors import Rejected
from agen_authz.core.identity.audience import is_for, spell_audiences
from agen_authz.core.identity.claim import ClaimReader
from agen_authz.core.identity.jwk import PublicKey
from agen_authz.core.identity.jws import UnverifiedToken, read_claims, verify_signature
from agen_authz.core.identity.purpose import check_purpose, is_unmarked
from agen_authz.core.model import ANY_TENANT, TENANT_CLAIM, Issuer, Json, Principal, Provider, Resource, Revoked
from agen_authz.core.quote import quote, quote_all
from agen_authz.core.reason import Reason


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """A token whose signature is verified; whether it may be used here and now is checked on every call.

    Args:
        is_unmarked: nothing tells it from an ID token (`purpose`).
    """

    principal: Principal
    kid: str
    type: str
    audiences: frozenset[str]
    not_before: float | None
    is_unmarked: bool = False


def verify_token(token: UnverifiedToken, key: PublicKey, provider: Provider) -> VerifiedToken | Rejected:
    """Verify a token with one key of one provider and read its subject; total."""
    refusal = verify_signature(token, key, provider)
    if refusal is not None:
        return refusal
    claims = read_claims(token)
    if isinstance(claims, Rejected):
        return claims
    return read_principal(claims, token, provider)


def read_principal(claims: Mapping[str, Json], token: UnverifiedToken, provider: Provider) -> VerifiedToken | Rejected:
    """Build the Principal from claims whose signature was verified; call it from `verify_token` only."""
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not fits_issuer(provider, issuer, claims.get(TENANT_CLAIM)):
        return Rejected(Reason.TOKEN_ISSUER, _describe_issuer(claims, provider))
    refusal = check_purpose(claims, token.type)
    if refusal is not None:
        return refusal
    if "cnf" in claims:
        return Rejected(Reason.TOKEN_KEY_BOUND, "claim `cnf` is there")
    reader = ClaimReader(claims)
    principal = _build_principal(reader, claims, provider, Issuer(issuer))
    audiences, not_before = reader.audiences(), reader.seconds("nbf")
    if reader.mistake:
        return Rejected(Reason.TOKEN_CLAIM, reader.mistake)
    return VerifiedToken(
        principal=principal,
        kid=token.kid,
        type=token.type,
        audiences=audiences,
        not_before=not_before,
        is_unmarked=is_unmarked(claims, token.type, provider.claims),
    )


def _build_principal(reader: ClaimReader, claims: Mapping[str, Json], provider: Provider, issuer: Issuer) -> Principal:
    paths, keyed = provider.claims, provider.claims.keyed
    return Principal(
        provider=provider.name,
        issuer=issuer,
        subject=reader.required_text(paths.subject),
        client=reader.text(paths.client),
        tenant=reader.text(paths.tenant),
        roles=reader.names(paths.roles, has_keys="roles" in keyed),
        permissions=reader.names(paths.permissions, has_keys="permissions" in keyed),
        groups=reader.if_readable(lambda each: each.names(paths.groups, has_keys="groups" in keyed)),
        scopes=reader.words(paths.scopes),
        email=reader.if_readable(lambda each: each.text(paths.email)) or "",
        email_verified=reader.if_readable(lambda each: each.flag(paths.email_verified)),
        country=reader.if_readable(lambda each: each.text(paths.country)) or "",
        acr=reader.if_readable(lambda each: each.text((("acr",),))) or "",
        amr=reader.if_readable(lambda each: each.texts((("amr",),))),
        auth_time=reader.if_readable(lambda each: each.seconds("auth_time")),
        issued_at=reader.seconds("iat"),
        expires=reader.required_seconds("exp"),
        token_id=reader.text((("jti",),)),
        claims=claims,
    )


def fits_issuer(provider: Provider, issuer: str, tenant: Json) -> bool:
    """True if a token's `iss` is this provider's, and that of its own tenant if the issuer is a template."""
    before, mark, after = provider.issuer.partition(ANY_TENANT)
    if not mark:
        return issuer == provider.issuer
    # An empty list of tenants never means all of them.
    is_listed = isinstance(tenant, str) and provider.tenants is not None and tenant in provider.tenants
    return is_listed and issuer == f"{before}{tenant}{after}"


def may_issue(provider: Provider, issuer: str) -> bool:
    """True if a provider may have issued a token of this unverified issuer, and so may have its key."""
    before, mark, after = provider.issuer.partition(ANY_TENANT)
    if not mark:
        return issuer == provider.issuer
    return fits_issuer(provider, issuer, issuer.removeprefix(before).removesuffix(after))


def find_provider(resource: Resource, issuer: str) -> Provider | None:
    """Find the provider of a resource that may have issued a token of this issuer, verified or not."""
    return next((provider for provider in resource.providers.values() if may_issue(provider, issuer)), None)


def _describe_issuer(claims: Mapping[str, Json], provider: Provider) -> str:
    issuer, tenant = claims.get("iss"), claims.get(TENANT_CLAIM)
    seen = quote(issuer) if isinstance(issuer, str) else "missing or not a string"
    if ANY_TENANT not in provider.issuer:
        return f"iss {seen}; wanted {quote(provider.issuer)}, whose key verified it"
    named = quote(tenant) if isinstance(tenant, str) else "missing or not a string"
    return f"iss {seen}, tid {named}; wanted {quote(provider.issuer)} of a listed tenant"


def admit_principal(
    verified: VerifiedToken, provider: Provider, resource: Resource, *, revoked: Revoked, now: float
) -> Principal | Rejected:
    """Decide whether a verified token may be used at this resource now; done for every call.

    1. type          RFC 9068 section 4
    2. time          RFC 7519 sections 4.1.4 to 4.1.6, with the provider's leeway
    3. audience      RFC 8707 section 2: this resource's url in any spelling, or an audience configured for it, which
                     may be a client: then the token must differ from an ID token
    4. client, tenant, roles: what the resource admits and the provider may speak for
    5. revocation
    """
    # 1.
    if verified.type not in provider.token_types:
        detail = f"typ {quote(verified.type)}; wanted {quote_all(provider.token_types)}"
        return Rejected(Reason.TOKEN_TYPE, detail)
    refusal = (
        _check_time(verified, provider, now)  # 2.
        or _check_audience(verified, resource)  # 3.
        or _check_reach(verified.principal, provider, resource)  # 4.
        or _check_revoked(verified, revoked)  # 5.
    )
    return verified.principal if refusal is None else refusal


def _check_time(verified: VerifiedToken, provider: Provider, now: float) -> Rejected | None:
    principal, leeway = verified.principal, provider.leeway_s
    if not now < principal.expires + leeway:
        return Rejected(Reason.TOKEN_EXPIRED, f"exp {principal.expires:.0f}; now {now:.0f}")
    for name, moment in (("nbf", verified.not_before), ("iat", principal.issued_at)):
        if moment is not None and moment > now + leeway:
            return Rejected(Reason.TOKEN_NOT_YET_VALID, f"{name} {moment:.0f}; now {now:.0f}")
    if provider.max_token_age_s is not None:
        issued = -math.inf if principal.issued_at is None else principal.issued_at
        if now - issued > provider.max_token_age_s + leeway:
            seen = "no iat" if principal.issued_at is None else f"iat {issued:.0f}; now {now:.0f}"
            return Rejected(Reason.TOKEN_TOO_OLD, f"{seen}; wanted at most {provider.max_token_age_s:.0f} s")
    return None


def _check_audience(verified: VerifiedToken, resource: Resource) -> Rejected | None:
    if not is_for(verified.audiences, resource.audiences):
        wanted = quote_all(resource.audiences)
        return Rejected(Reason.TOKEN_AUDIENCE, f"aud {quote_all(verified.audiences)}; wanted one of {wanted}")
    if verified.is_unmarked and not is_for(verified.audiences, spell_audiences((resource.url,))):
        detail = f"aud {quote_all(verified.audiences)}, and no claim that only access tokens have; see docs/reasons.md"
        return Rejected(Reason.TOKEN_ID_TOKEN, detail)
    return None


def _check_reach(principal: Principal, provider: Provider, resource: Resource) -> Rejected | None:
    if resource.clients is not None and principal.client not in resource.clients:
        detail = f"client {quote(principal.client)}; wanted one of {quote_all(resource.clients)}"
        return Rejected(Reason.TOKEN_CLIENT, detail)
    if provider.tenants is not None and principal.tenant not in provider.tenants:
        detail = f"tenant {quote(principal.tenant)}; wanted one of {quote_all(provider.tenants)}"
        return Rejected(Reason.TOKEN_TENANT, detail)
    held = (*principal.roles, *principal.permissions)
    if provider.roles is not None and not provider.roles.issuperset(held):
        foreign = quote_all(set(held) - provider.roles)
        return Rejected(Reason.TOKEN_ROLE, f"roles {foreign}, which provider {quote(provider.name)} may not assert")
    if resource.require_tenant and not principal.tenant:
        return Rejected(Reason.TENANT_MISSING, f"no tenant; provider {quote(provider.name)} maps `claims.tenant`")
    return None


def _check_revoked(verified: VerifiedToken, revoked: Revoked) -> Rejected | None:
    principal = verified.principal
    if verified.kid in revoked.kids:
        return Rejected(Reason.TOKEN_REVOKED, f"kid {quote(verified.kid)}")
    if principal.subject in revoked.subjects:
        return Rejected(Reason.TOKEN_REVOKED, f"sub {quote(principal.subject)}")
    if principal.token_id and principal.token_id in revoked.jti:
        return Rejected(Reason.TOKEN_REVOKED, f"jti {quote(principal.token_id)}")
    return None


def missing_scopes(principal: Principal, resource: Resource) -> tuple[str, ...]:
    """List the resource's scopes that the token lacks, in the order of configuration."""
    return tuple(scope for scope in resource.scopes if scope not in principal.scopes)
