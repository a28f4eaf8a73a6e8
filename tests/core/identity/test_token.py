from dataclasses import replace

import pytest

from agen_authz.core.errors import Rejected
from agen_authz.core.identity.jws import UnverifiedToken, read_bearer, read_token, verify_signature
from agen_authz.core.identity.token import VerifiedToken, missing_scopes, verify_token
from agen_authz.core.model import RawToken
from agen_authz.core.reason import Reason
from tests import builders as build

BEARER = {
    "good": ("Bearer a.b-c_d~e+f/g==", "a.b-c_d~e+f/g=="),
    "in capitals": ("BEARER  a", "a"),
    "other scheme": ("DPoP a", Rejected(Reason.TOKEN_MISSING, "not a bearer credential")),
    "empty": ("", Rejected(Reason.TOKEN_MISSING, "not a bearer credential")),
    "no token": ("Bearer", Rejected(Reason.AUTHORIZATION_MALFORMED)),
    "comma": ("Bearer a,b", Rejected(Reason.AUTHORIZATION_MALFORMED)),
    "line end": ("Bearer a\n", Rejected(Reason.AUTHORIZATION_MALFORMED)),
    "quoted": ('Bearer "a"', Rejected(Reason.AUTHORIZATION_MALFORMED)),
}


@pytest.mark.parametrize("name", BEARER)
def test_bearer_credential_is_read(name):
    credential, expected = BEARER[name]
    assert read_bearer(credential) == expected


def good() -> UnverifiedToken:
    token = read_token(RawToken(build.sign(build.claims())))
    assert isinstance(token, UnverifiedToken)
    return token


def test_principal_holds_what_the_claims_say():
    verified = verify_token(good(), build.public_key(build.ec_key()), build.provider())
    expected = VerifiedToken(build.principal(), build.KID, "at+jwt", frozenset({build.CRM_URL}), None)
    assert verified == expected


def test_token_of_one_issuer_is_not_verified_for_another_provider():
    other = build.provider(issuer=build.OTHER_ISSUER)
    detail = f"iss `{build.ISSUER}`; wanted `{build.OTHER_ISSUER}`, whose key verified it"
    assert verify_token(good(), build.public_key(build.ec_key()), other) == Rejected(Reason.TOKEN_ISSUER, detail)


def test_algorithm_that_the_provider_does_not_list_is_refused_though_the_signature_is_good():
    # Whatever asked before: this check stands by itself.
    refusal = verify_signature(
        good(), build.public_key(build.ec_key()), build.provider(algorithms=frozenset({"RS256"}))
    )
    assert refusal is not None and refusal.reason is Reason.TOKEN_ALGORITHM


@pytest.mark.parametrize("kid", ["", "k2"])
def test_key_of_another_kid_is_refused_though_the_signature_is_good(kid):
    refusal = verify_signature(good(), replace(build.public_key(build.ec_key()), kid=kid), build.provider())
    assert refusal is not None and refusal.reason is Reason.TOKEN_KEY_UNKNOWN


@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
def test_ed25519_is_verified_under_both_of_its_names(algorithm):
    header = build.encode({"alg": algorithm, "typ": "at+jwt", "kid": build.KID})
    token = read_token(RawToken(build.sign_raw(header, build.encode(build.claims()), build.ed_key(), "EdDSA")))
    assert isinstance(token, UnverifiedToken)
    accepting = build.provider(algorithms=frozenset({algorithm}))
    other = build.provider(algorithms=frozenset({"EdDSA", "Ed25519"} - {algorithm}))
    key = build.public_key(build.ed_key())
    assert isinstance(verify_token(token, key, accepting), VerifiedToken)
    refused = verify_token(token, key, other)
    assert isinstance(refused, Rejected) and refused.reason is Reason.TOKEN_ALGORITHM


@pytest.mark.parametrize(
    ("held", "missing"),
    [(("a", "b", "c"), ()), (("c",), ("a", "b")), (("A", "b"), ("a",)), ((), ("a", "b"))],
    ids=["all and more", "another", "other case", "none"],
)
def test_missing_scopes_are_listed_in_the_order_of_configuration(held, missing):
    assert missing_scopes(build.principal(scopes=held), build.resource(scopes=("a", "b"))) == missing
