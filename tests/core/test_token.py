import pytest

from agen_authz.core.errors import Rejected
from agen_authz.core.model import RawToken
from agen_authz.core.reason import Reason
from agen_authz.core.token import UnverifiedToken, VerifiedToken, missing_scopes, read_bearer, read_token, verify_token
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
    assert verify_token(good(), build.public_key(build.ec_key()), other) == Rejected(Reason.TOKEN_ISSUER)


@pytest.mark.parametrize(
    ("held", "missing"),
    [(("a", "b", "c"), ()), (("c",), ("a", "b")), (("A", "b"), ("a",)), ((), ("a", "b"))],
    ids=["all and more", "another", "other case", "none"],
)
def test_missing_scopes_are_listed_in_the_order_of_configuration(held, missing):
    assert missing_scopes(build.principal(scopes=held), build.resource(scopes=("a", "b"))) == missing
