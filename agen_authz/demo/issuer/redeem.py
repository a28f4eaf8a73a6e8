"""The token endpoint: what a client gives, and the tokens it gets for that (RFC 6749 sections 4.1.3, 4.4 and 6)."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace

from agen_authz.core.model import Json
from agen_authz.demo.issuer.authenticate import authenticate
from agen_authz.demo.issuer.client import Client
from agen_authz.demo.issuer.form import Form, read_resource, read_scopes
from agen_authz.demo.issuer.people import (
    ELEVATED_SCOPES,
    IDENTITY_SCOPE,
    PASSWORD_ACR,
    PEOPLE,
    SCOPES,
)
from agen_authz.demo.issuer.refusal import Refused
from agen_authz.demo.issuer.state import Family, Issuer
from agen_authz.demo.issuer.token import (
    ACCESS_TOKEN_TYPE,
    ID_TOKEN_TYPE,
    Grant,
    Login,
    Stamp,
    access_claims,
    id_claims,
    sign,
)

Answer = dict[str, Json]
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 section 4.1
_COUNTRY = re.compile(r"[A-Z]{2}")
_ACR = re.compile(r"[!-~]{1,100}")
_SECONDS = re.compile(r"[1-9][0-9]{0,8}")
_NOT_GOOD = Refused("invalid_grant", "the grant is unknown, used, expired or not this client's")


def redeem(issuer: Issuer, form: Form, authorization: str | None) -> Answer | Refused:
    """Answer a token request."""
    client = authenticate(issuer.clients, form, authorization)
    if isinstance(client, Refused):
        return client
    kind = form.get("grant_type")
    if kind is None:
        return Refused("invalid_request", "`grant_type` is missing")
    if kind not in _GRANTS:
        return Refused("unsupported_grant_type", "this grant type is unknown here")
    if kind not in client.grants:
        return Refused("unauthorized_client", "this client may not use this grant type")
    return _GRANTS[kind](issuer, client, form)


def _redeem_credentials(issuer: Issuer, client: Client, form: Form) -> Answer | Refused:
    # `acr` and `ttl` are the demo's own parameters: a client says how its person is to have logged in.
    resource = read_resource(form, issuer.settings.resources)
    asked = read_scopes(form, tuple(scope for scope in SCOPES if scope != IDENTITY_SCOPE))
    ttl_s = _read_ttl(form, issuer)
    if isinstance(resource, Refused):
        return resource
    if isinstance(asked, Refused):
        return asked
    if isinstance(ttl_s, Refused):
        return ttl_s
    acr = form.get("acr", PASSWORD_ACR)
    if client.role is None or not _ACR.fullmatch(acr):
        return Refused("invalid_request", "`acr` must be 1 to 100 visible characters")
    country = form.get("country", PEOPLE[client.role].country)
    if not _COUNTRY.fullmatch(country):
        return Refused("invalid_request", "`country` must be two capitals")
    # A demo travels: the same person may call from anywhere.
    login = Login(replace(PEOPLE[client.role], country=country), acr, int(issuer.sources.now()))
    scopes = login.person.grant(asked, acr)
    if not scopes or IDENTITY_SCOPE in scopes:
        return Refused("invalid_scope", "none of these scopes can be had in this way")
    return _issue(issuer, Grant(login, client.client_id, resource, scopes), ttl_s)


def _redeem_code(issuer: Issuer, client: Client, form: Form) -> Answer | Refused:
    """Exchange a code: it is burnt first, so that a wrong guess leaves nothing to guess again."""
    now = issuer.sources.now()
    value = form.get("code", "")
    code = issuer.codes.consume(value, now)
    if code is None:
        family_id = issuer.redeemed.consume(value, now)
        if family_id is not None:
            issuer.families.consume(family_id, now)
        return _NOT_GOOD
    grant = code.grant
    if grant.client_id != client.client_id or form.get("redirect_uri") != code.redirect_uri:
        return _NOT_GOOD
    if not _is_verifier(form.get("code_verifier", ""), code.challenge):
        return Refused("invalid_grant", "`code_verifier` does not match the challenge")
    if form.get("resource", grant.resource) != grant.resource:
        return Refused("invalid_target", "the code is for another resource")
    answer = _issue(issuer, grant, issuer.settings.token_ttl_s)
    if "refresh_token" in client.grants:
        family_id = issuer.sources.draw()
        issuer.redeemed.put(value, family_id, expires=now + issuer.settings.refresh_ttl_s)
        answer["refresh_token"] = _begin_family(issuer, family_id, grant)
    return answer


def _redeem_refresh(issuer: Issuer, client: Client, form: Form) -> Answer | Refused:
    """Refresh: a token that was used before ends its family, whatever client shows it (RFC 9700 section 4.14)."""
    family_id, _, secret = form.get("refresh_token", "").partition(".")
    family = issuer.families.consume(family_id, issuer.sources.now())
    if family is None or family.grant.client_id != client.client_id:
        return _NOT_GOOD
    if not hmac.compare_digest(family.secret.encode(), secret.encode()):
        return _NOT_GOOD
    if form.get("resource", family.grant.resource) != family.grant.resource:
        return Refused("invalid_target", "the grant is for another resource")
    asked = read_scopes(form, family.grant.scopes)
    if isinstance(asked, Refused):
        return asked
    if not set(asked) <= set(family.grant.scopes):
        return Refused("invalid_scope", "a refreshed token cannot have more scopes than the first")
    grant = _lower(family.grant, asked)
    if not grant.scopes:
        return Refused("invalid_scope", "nothing is left of these scopes without a fresh login")
    answer = _issue(issuer, grant, issuer.settings.token_ttl_s)
    # The family keeps the lowered login and the scopes a later refresh may still ask for.
    answer["refresh_token"] = _begin_family(issuer, family_id, _lower(family.grant, family.grant.scopes))
    return answer


def _lower(grant: Grant, asked: tuple[str, ...]) -> Grant:
    # A refresh proves no presence: the second factor and the moment of login are gone with it.
    login = Login(grant.login.person, PASSWORD_ACR, None)
    return replace(grant, login=login, scopes=tuple(scope for scope in asked if scope not in ELEVATED_SCOPES))


def _begin_family(issuer: Issuer, family_id: str, grant: Grant) -> str:
    secret = issuer.sources.draw()
    expires = issuer.sources.now() + issuer.settings.refresh_ttl_s
    issuer.families.put(family_id, Family(grant, secret), expires=expires)
    return f"{family_id}.{secret}"


def _issue(issuer: Issuer, grant: Grant, ttl_s: int) -> Answer:
    stamp = Stamp(issuer.url, int(issuer.sources.now()), ttl_s, issuer.sources.draw())
    access_token = sign(issuer.ring.signing, access_claims(grant, stamp), ACCESS_TOKEN_TYPE)
    answer: Answer = {
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": ttl_s,
        "scope": " ".join(grant.scopes),
    }
    if IDENTITY_SCOPE in grant.scopes:
        answer["id_token"] = sign(issuer.ring.signing, id_claims(grant, stamp, access_token), ID_TOKEN_TYPE)
    return answer


def _read_ttl(form: Form, issuer: Issuer) -> int | Refused:
    text = form.get("ttl", str(issuer.settings.token_ttl_s))
    if not _SECONDS.fullmatch(text) or int(text) > issuer.settings.max_token_ttl_s:
        return Refused("invalid_request", f"`ttl` must be 1 to {issuer.settings.max_token_ttl_s} seconds")
    return int(text)


def _is_verifier(verifier: str, challenge: str) -> bool:
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=")
    return hmac.compare_digest(digest, challenge.encode("ascii"))


_GRANTS: Mapping[str, Callable[[Issuer, Client, Form], Answer | Refused]] = {
    "client_credentials": _redeem_credentials,
    "authorization_code": _redeem_code,
    "refresh_token": _redeem_refresh,
}
GRANT_TYPES = tuple(_GRANTS)
