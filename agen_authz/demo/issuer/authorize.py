"""The authorization endpoint: from a client's request, through a person's login, to a code (RFC 6749, RFC 7636).

What is checked first decides where a refusal may be sent: a client or redirect URI that is not known is shown to
the person, never to the URI (RFC 6749 section 4.1.2.1); everything after that is sent to the client.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from agen_authz.demo.issuer.form import Form, is_sign_in_only, read_resource, read_scopes
from agen_authz.demo.issuer.people import BASIC_SCOPE, ELEVATED_SCOPES, MFA_ACR, PASSWORD_ACR, PEOPLE
from agen_authz.demo.issuer.refusal import Refused
from agen_authz.demo.issuer.state import Ask, Code, Issuer
from agen_authz.demo.issuer.token import Grant, Login

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # base64url of a SHA-256


@dataclass(frozen=True, slots=True)
class Redirect:
    """Where the browser goes next."""

    url: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A login under way, and the name under which the page sends it back."""

    login_id: str
    ask: Ask


def begin_login(issuer: Issuer, form: Form) -> Waiting | Redirect | Refused:
    """Read an authorization request; Refused is for the person, Redirect for the client."""
    client = issuer.clients.find(form.get("client_id", ""))
    if client is None:
        return Refused("invalid_client", "this client is not registered here")
    redirect_uri = form.get("redirect_uri", "")
    if not client.may_redirect(redirect_uri):
        return Refused("invalid_redirect_uri", "this redirect URI is not registered for the client")
    fault = _find_fault(form)
    if fault is not None:
        return _tell(issuer, form, fault)
    wish = _read_wish(issuer, form)
    if isinstance(wish, Refused):
        return _tell(issuer, form, wish)
    resource, scopes = wish
    ask = Ask(
        client=client,
        redirect_uri=redirect_uri,
        state=form.get("state"),
        challenge=form["code_challenge"],
        resource=resource,
        scopes=scopes,
        nonce=form.get("nonce"),
        wants_second_factor=MFA_ACR in form.get("acr_values", "").split() or bool(ELEVATED_SCOPES & set(scopes)),
    )
    login_id = issuer.sources.draw()
    issuer.logins.put(login_id, ask, expires=issuer.sources.now() + issuer.settings.login_ttl_s)
    return Waiting(login_id, ask)


def finish_login(issuer: Issuer, form: Form) -> Redirect | Refused:
    """Read what a person chose on the page, and send the browser back with a code (RFC 9207: and `iss`)."""
    now = issuer.sources.now()
    ask = issuer.logins.consume(form.get("login", ""), now)
    if ask is None:
        return Refused("expired", "this page was used or is too old: start again where you came from")
    if form.get("answer") != "log-in":
        return _send_back(issuer, ask, {"error": "access_denied", "error_description": "the person declined"})
    person = PEOPLE.get(form.get("person", ""))
    if person is None:
        return _send_back(issuer, ask, {"error": "access_denied", "error_description": "no person was chosen"})
    acr = MFA_ACR if form.get("second_factor") == "yes" else PASSWORD_ACR
    scopes = person.grant(ask.scopes, acr)
    if not scopes:
        description = "this person may have none of the scopes, or not without a second factor"
        return _send_back(issuer, ask, {"error": "access_denied", "error_description": description})
    grant = Grant(Login(person, acr, int(now)), ask.client.client_id, ask.resource, scopes, ask.nonce)
    code = issuer.sources.draw()
    issuer.codes.put(code, Code(grant, ask.redirect_uri, ask.challenge), expires=now + issuer.settings.code_ttl_s)
    return _send_back(issuer, ask, {"code": code})


def _read_wish(issuer: Issuer, form: Form) -> tuple[str, tuple[str, ...]] | Refused:
    """Read what is asked for: a resource, and scopes there."""
    scopes = read_scopes(form, (BASIC_SCOPE,))
    if not isinstance(scopes, Refused) and is_sign_in_only(form, scopes):
        # The access token that comes along is for the issuer itself, and no backend accepts it.
        return issuer.url, scopes
    resource = read_resource(form, issuer.settings.resources)
    if isinstance(resource, Refused):
        return resource
    return scopes if isinstance(scopes, Refused) else (resource, scopes)


def _find_fault(form: Form) -> Refused | None:
    if form.get("response_type") != "code":
        return Refused("unsupported_response_type", "`response_type` must be code")
    if form.get("response_mode", "query") != "query":
        return Refused("invalid_request", "`response_mode` must be query")
    if form.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(form.get("code_challenge", "")):
        return Refused("invalid_request", "a PKCE code challenge with method S256 is needed")
    if "none" in form.get("prompt", "").split():
        return Refused("login_required", "there are no sessions here: a person must log in")
    return None


def _tell(issuer: Issuer, form: Form, refused: Refused) -> Redirect:
    answer = {"error": refused.error, "error_description": refused.description}
    return _redirect(issuer, form["redirect_uri"], form.get("state"), answer)


def _send_back(issuer: Issuer, ask: Ask, answer: Mapping[str, str]) -> Redirect:
    return _redirect(issuer, ask.redirect_uri, ask.state, answer)


def _redirect(issuer: Issuer, uri: str, state: str | None, answer: Mapping[str, str]) -> Redirect:
    kept = {} if state is None else {"state": state}
    query = urlencode({**answer, **kept, "iss": issuer.url})
    return Redirect(f"{uri}{'&' if '?' in uri else '?'}{query}")
