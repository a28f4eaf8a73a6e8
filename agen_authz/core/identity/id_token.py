"""ID tokens: who signed in at the console, or the Reason why not (OpenID Connect Core 1.0 section 3.1.3.7).

Access tokens and ID tokens are never taken for each other: those are read by `token`, these here. The steps:
 1. issuer     the one whose key verified the token
 2. purpose    a token that says that it is for access, or is typed so, is not an ID token
 3. audience   our client; with more than one audience, and wherever it is there, `azp` must be our client, too
 4. time       exp and iat must be there, with the provider's leeway
 5. nonce      the one that this sign-in sent
 6. login      if the sign-in asked for a fresh one, `auth_time` must say that it was
 7. reach      tenant and roles that the provider may speak for; revocation
"""

import hmac
from collections.abc import Mapping

from msgspec import Struct

from agen_authz.core.errors import Rejected
from agen_authz.core.identity.alias import list_aliases
from agen_authz.core.identity.claim import ClaimReader
from agen_authz.core.identity.jwk import PublicKey
from agen_authz.core.identity.jws import UnverifiedToken, read_claims, verify_signature
from agen_authz.core.identity.token import fits_issuer
from agen_authz.core.model import TENANT_CLAIM, Issuer, Json, Owner, Provider, Revoked
from agen_authz.core.quote import quote, quote_all
from agen_authz.core.reason import Reason

_ACCESS_TYPE = "at+jwt"
_PURPOSE_CLAIMS = ("typ", "token_use")
_AUDIENCE, _PARTY, _NAME = "aud", "azp", (("name",),)


class ExpectedToken(Struct, frozen=True):
    """What one sign-in sent, and so must come back.

    Args:
        login_after: the moment that the person must have logged in after; None if an older login is accepted.
    """

    client_id: str
    nonce: str
    login_after: float | None = None


class SignedIn(Struct, frozen=True):
    """A person who has signed in.

    Args:
        email: verified and case-folded, or empty.
        name: to show, and for nothing else.
        has_unknown_groups: True if the token does not hold the person's groups although there are some.
        auth_time: when they last showed who they are; None if the provider does not say.
        kid: of the key that vouches for all this.
        aliases: other names of the person, not all verified (alias.py).
    """

    owner: Owner
    email: str
    name: str
    tenant: str
    roles: frozenset[str]
    groups: frozenset[str]
    has_unknown_groups: bool
    auth_time: float | None
    kid: str
    aliases: frozenset[str] = frozenset()


def verify_id_token(
    token: UnverifiedToken, key: PublicKey, provider: Provider, expected: ExpectedToken, *, revoked: Revoked, now: float
) -> SignedIn | Rejected:
    """Verify an ID token with one key of the provider and read who it is about; total."""
    refusal = verify_signature(token, key, provider)
    if refusal is not None:
        return refusal
    claims = read_claims(token)
    if isinstance(claims, Rejected):
        return claims
    reader = ClaimReader(claims)
    refusal = (
        _check_issuer(claims, provider)  # 1.
        or _check_purpose(claims, token.type)  # 2.
        or _check_audience(claims, reader, expected.client_id)  # 3.
        or _check_time(reader, provider, now)  # 4.
        or _check_nonce(claims, expected.nonce)  # 5.
        or _check_login(reader, provider, expected)  # 6.
    )
    if refusal is not None:
        return refusal
    signed_in = _read(reader, provider, Issuer(str(claims["iss"])), token.kid)
    if reader.mistake:
        return Rejected(Reason.TOKEN_CLAIM, reader.mistake)
    return _check_reach(signed_in, provider) or _check_revoked(signed_in, revoked) or signed_in  # 7.


def _check_issuer(claims: Mapping[str, Json], provider: Provider) -> Rejected | None:
    issuer = claims.get("iss")
    if isinstance(issuer, str) and fits_issuer(provider, issuer, claims.get(TENANT_CLAIM)):
        return None
    seen = quote(issuer) if isinstance(issuer, str) else "missing or not a string"
    return Rejected(Reason.TOKEN_ISSUER, f"iss {seen}; wanted {quote(provider.issuer)}")


def _check_purpose(claims: Mapping[str, Json], kind: str) -> Rejected | None:
    if kind == _ACCESS_TYPE:
        return Rejected(Reason.TOKEN_TYPE, "an access token, not an ID token")
    for name in _PURPOSE_CLAIMS:
        said = claims.get(name)
        if said is not None and (not isinstance(said, str) or said.lower() != "id"):
            return Rejected(Reason.TOKEN_TYPE, f"claim `{name}` does not say that it is an ID token")
    return None


def _check_audience(claims: Mapping[str, Json], reader: ClaimReader, client_id: str) -> Rejected | None:
    audiences, party = reader.audiences(), claims.get(_PARTY)
    if client_id not in audiences:
        return Rejected(Reason.TOKEN_AUDIENCE, f"aud {quote_all(audiences)}; wanted {quote(client_id)}")
    if party is None and len(audiences) == 1:
        return None
    if party != client_id:
        seen = quote(party) if isinstance(party, str) else "missing or not a string"
        return Rejected(Reason.TOKEN_CLIENT, f"azp {seen}; wanted {quote(client_id)}")
    return None


def _check_time(reader: ClaimReader, provider: Provider, now: float) -> Rejected | None:
    expires, issued = reader.required_seconds("exp"), reader.required_seconds("iat")
    not_before = reader.seconds("nbf") or 0.0
    if reader.mistake:
        return Rejected(Reason.TOKEN_CLAIM, reader.mistake)
    if not now < expires + provider.leeway_s:
        return Rejected(Reason.TOKEN_EXPIRED, f"exp {expires:.0f}; now {now:.0f}")
    if max(issued, not_before) > now + provider.leeway_s:
        return Rejected(Reason.TOKEN_NOT_YET_VALID, f"iat {issued:.0f}, nbf {not_before:.0f}; now {now:.0f}")
    return None


def _check_nonce(claims: Mapping[str, Json], nonce: str) -> Rejected | None:
    said = claims.get("nonce")
    if isinstance(said, str) and nonce and hmac.compare_digest(said.encode("utf-8", "replace"), nonce.encode("ascii")):
        return None
    return Rejected(Reason.TOKEN_CLAIM, "claim `nonce` is not the one that this sign-in sent")


def _check_login(reader: ClaimReader, provider: Provider, expected: ExpectedToken) -> Rejected | None:
    if expected.login_after is None:
        return None
    logged_in = reader.seconds("auth_time")
    if logged_in is None:
        return Rejected(Reason.TOKEN_CLAIM, "claim `auth_time` is missing or not a time; a fresh login was asked for")
    if logged_in < expected.login_after - provider.leeway_s:
        detail = f"auth_time {logged_in:.0f}; a login after {expected.login_after:.0f} was asked for"
        return Rejected(Reason.TOKEN_TOO_OLD, detail)
    return None


def _read(reader: ClaimReader, provider: Provider, issuer: Issuer, kid: str) -> SignedIn:
    paths, keyed = provider.claims, provider.claims.keyed
    groups = reader.if_readable(lambda each: each.names(paths.groups, has_keys="groups" in keyed))
    email = reader.if_readable(lambda each: each.text(paths.email)) or ""
    is_verified = reader.if_readable(lambda each: each.flag(paths.email_verified)) is True
    return SignedIn(
        owner=Owner(issuer, reader.required_text(paths.subject)),
        email=email.casefold() if is_verified else "",
        name=reader.if_readable(lambda each: each.text(_NAME)) or "",
        tenant=reader.text(paths.tenant),
        roles=frozenset(reader.names(paths.roles, has_keys="roles" in keyed)),
        groups=frozenset(groups or ()),
        has_unknown_groups=groups is None,
        auth_time=reader.if_readable(lambda each: each.seconds("auth_time")),
        kid=kid,
        aliases=list_aliases(reader, paths),
    )


def _check_reach(signed_in: SignedIn, provider: Provider) -> Rejected | None:
    if provider.tenants is not None and signed_in.tenant not in provider.tenants:
        detail = f"tenant {quote(signed_in.tenant)}; wanted one of {quote_all(provider.tenants)}"
        return Rejected(Reason.TOKEN_TENANT, detail)
    if provider.roles is not None and not provider.roles.issuperset(signed_in.roles):
        foreign = quote_all(signed_in.roles - provider.roles)
        return Rejected(Reason.TOKEN_ROLE, f"roles {foreign}, which provider {quote(provider.name)} may not assert")
    return None


def _check_revoked(signed_in: SignedIn, revoked: Revoked) -> Rejected | None:
    if signed_in.kid in revoked.kids:
        return Rejected(Reason.TOKEN_REVOKED, f"kid {quote(signed_in.kid)}")
    if signed_in.owner.subject in revoked.subjects:
        return Rejected(Reason.TOKEN_REVOKED, f"sub {quote(signed_in.owner.subject)}")
    return None
