"""ID tokens: who has signed in, and every way in which a token is not one (OpenID Connect Core 1.0 section 3.1.3.7)."""

import json

import pytest

from agen_authz.core.errors import Rejected
from agen_authz.core.identity.id_token import ExpectedToken, SignedIn, verify_id_token
from agen_authz.core.identity.jws import UnverifiedToken, read_token
from agen_authz.core.model import ANY_TENANT, Issuer, Owner, RawToken, Revoked, Subject
from agen_authz.core.reason import Reason
from tests import builders as build
from tests.builders import ISSUER, NOW

EXPECTED = ExpectedToken("console", "n" * 43)
FRESH = ExpectedToken("console", "n" * 43, login_after=NOW - 10)
GOOD = {
    "iss": ISSUER,
    "sub": "bob",
    "aud": "console",
    "exp": NOW + 300,
    "iat": NOW,
    "nonce": "n" * 43,
    "auth_time": NOW - 5,
    "name": "Bob",
    "email": "Bob@Acme.Example",
    "email_verified": True,
    "tenantId": "acme",
    "roles": ["lead"],
    "groups": ["control"],
}
BOB = SignedIn(
    owner=Owner(Issuer(ISSUER), Subject("bob")),
    email="bob@acme.example",
    name="Bob",
    tenant="acme",
    roles=frozenset({"lead"}),
    groups=frozenset({"control"}),
    has_unknown_groups=False,
    auth_time=NOW - 5,
    kid=build.KID,
    aliases=frozenset({"bob", "bob@acme.example"}),
)


def verify(changes=None, *, expected=EXPECTED, revoked=None, provider=None, typ="JWT", key=None):
    said = {name: value for name, value in (GOOD | (changes or {})).items() if value is not None}
    return verify_raw(build.sign(said, typ=typ), expected=expected, revoked=revoked, provider=provider, key=key)


def verify_raw(raw, *, expected=EXPECTED, revoked=None, provider=None, key=None):
    token = read_token(RawToken(raw))
    assert isinstance(token, UnverifiedToken)
    provider = provider or build.provider()
    return verify_id_token(
        token, build.public_key(key or build.ec_key()), provider, expected, revoked=revoked or Revoked(), now=NOW
    )


def test_person_is_who_the_claims_say():
    assert verify() == BOB
    assert verify({"typ": "ID", "azp": "console", "aud": ["console", "other"]}, typ=None) == BOB


REFUSED = {
    "another issuer": ({"iss": "https://other.example"}, Reason.TOKEN_ISSUER),
    "no issuer": ({"iss": None}, Reason.TOKEN_ISSUER),
    "an access token of Keycloak": ({"typ": "Bearer"}, Reason.TOKEN_TYPE),
    "an access token of Cognito": ({"token_use": "access"}, Reason.TOKEN_TYPE),
    "a purpose that is not text": ({"typ": ["ID"]}, Reason.TOKEN_TYPE),
    "another audience": ({"aud": "other"}, Reason.TOKEN_AUDIENCE),
    "no audience": ({"aud": None}, Reason.TOKEN_AUDIENCE),
    "two audiences and no party": ({"aud": ["console", "other"]}, Reason.TOKEN_CLIENT),
    "another party": ({"azp": "other"}, Reason.TOKEN_CLIENT),
    "a party that is not text": ({"azp": 1}, Reason.TOKEN_CLIENT),
    "no end": ({"exp": None}, Reason.TOKEN_CLAIM),
    "no beginning": ({"iat": None}, Reason.TOKEN_CLAIM),
    "expired": ({"exp": NOW - 30}, Reason.TOKEN_EXPIRED),
    "issued later": ({"iat": NOW + 31}, Reason.TOKEN_NOT_YET_VALID),
    "good only later": ({"nbf": NOW + 31}, Reason.TOKEN_NOT_YET_VALID),
    "another nonce": ({"nonce": "m" * 43}, Reason.TOKEN_CLAIM),
    "no nonce": ({"nonce": None}, Reason.TOKEN_CLAIM),
    "a nonce that is not text": ({"nonce": 1}, Reason.TOKEN_CLAIM),
    "a nonce beyond ASCII": ({"nonce": "é"}, Reason.TOKEN_CLAIM),
    "no subject": ({"sub": None}, Reason.TOKEN_CLAIM),
    "roles that are not a list": ({"roles": {"lead": 1}}, Reason.TOKEN_CLAIM),
}


@pytest.mark.parametrize(("changes", "reason"), REFUSED.values(), ids=REFUSED)
def test_token_that_does_not_fit_is_refused(changes, reason):
    refusal = verify(changes)
    assert isinstance(refusal, Rejected) and refusal.reason is reason, refusal


def test_access_token_is_never_an_id_token():
    refusal = verify(typ="at+jwt")
    assert refusal == Rejected(Reason.TOKEN_TYPE, "an access token, not an ID token")


def test_signature_must_be_the_providers():
    refusal = verify(key=build.ec_key("another"))
    assert isinstance(refusal, Rejected) and refusal.reason is Reason.TOKEN_SIGNATURE


def test_claims_must_be_readable():
    header = json.dumps({"alg": "ES256", "kid": build.KID}).encode()
    refusal = verify_raw(build.sign_raw(header, b"[]", build.ec_key(), "ES256"))
    assert isinstance(refusal, Rejected)


def test_empty_nonce_is_none_at_all():
    refusal = verify({"nonce": ""}, expected=ExpectedToken("console", ""))
    assert isinstance(refusal, Rejected) and refusal.reason is Reason.TOKEN_CLAIM


LOGINS = {
    "just now": (NOW - 5, None),
    "within the leeway": (NOW - 40, None),
    "too long ago": (NOW - 41, Reason.TOKEN_TOO_OLD),
    "not said": (None, Reason.TOKEN_CLAIM),
}


@pytest.mark.parametrize(("auth_time", "reason"), LOGINS.values(), ids=LOGINS)
def test_fresh_login_must_be_one_if_it_was_asked_for(auth_time, reason):
    answer = verify({"auth_time": auth_time}, expected=FRESH)
    assert (answer.reason if isinstance(answer, Rejected) else None) is reason


UNKNOWN = {
    "an address that is not verified": ({"email_verified": False}, "email", ""),
    "an address that nobody says is verified": ({"email_verified": None}, "email", ""),
    "an address that is not text": ({"email": 1}, "email", ""),
    "no address": ({"email": None}, "email", ""),
    "no name": ({"name": None}, "name", ""),
    "a name that is not text": ({"name": [1]}, "name", ""),
    "groups that are elsewhere": ({"groups": None, "hasgroups": True}, "has_unknown_groups", True),
    "no groups": ({"groups": None}, "has_unknown_groups", False),
    "no tenant": ({"tenantId": None}, "tenant", ""),
    "a login of an unknown time": ({"auth_time": "x"}, "auth_time", None),
}


@pytest.mark.parametrize(("changes", "name", "value"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_not_known_of_a_person_counts_for_nothing(changes, name, value):
    person = verify(changes)
    assert isinstance(person, SignedIn) and getattr(person, name) == value


REACH = {
    "another tenant": ({"tenants": frozenset({"other"})}, Reason.TOKEN_TENANT),
    "another role": ({"roles": frozenset({"other"})}, Reason.TOKEN_ROLE),
}


@pytest.mark.parametrize(("changes", "reason"), REACH.values(), ids=REACH)
def test_provider_speaks_only_for_its_tenants_and_roles(changes, reason):
    refusal = verify(provider=build.provider(**changes))
    assert isinstance(refusal, Rejected) and refusal.reason is reason
    within = build.provider(tenants=frozenset({"acme"}), roles=frozenset({"lead", "other"}))
    assert verify(provider=within) == BOB


def test_issuer_of_a_tenant_must_fit_its_claim():
    provider = build.provider(issuer=Issuer(f"https://login.example/{ANY_TENANT}"), tenants=frozenset({"acme"}))
    person = verify({"iss": "https://login.example/acme", "tid": "acme"}, provider=provider)
    assert isinstance(person, SignedIn) and person.owner.issuer == "https://login.example/acme"
    refusal = verify({"iss": "https://login.example/acme", "tid": "other"}, provider=provider)
    assert isinstance(refusal, Rejected) and refusal.reason is Reason.TOKEN_ISSUER


@pytest.mark.parametrize("revoked", [Revoked(kids=frozenset({build.KID})), Revoked(subjects=frozenset({"bob"}))])
def test_what_is_revoked_signs_nobody_in(revoked):
    refusal = verify(revoked=revoked)
    assert isinstance(refusal, Rejected) and refusal.reason is Reason.TOKEN_REVOKED
