"""Tokens signed with real keys, through Check: each refusal has its own Reason, and is a 401 with a challenge."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agen_authz.core.identity.audience import spell_audiences
from agen_authz.core.model import Revoked
from tests import builders as build
from tests.builders import NOW, claims, sign
from tests.check.rig import Rig
from tests.fakes import MemoryKeys

METADATA = 'resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/crm/mcp"'


def rsa_rig(**changes: Any) -> Rig:
    return Rig(keys=MemoryKeys.holding(idp=[build.public_key(build.rsa_key())]), **changes)


def with_resource(**changes: Any) -> Rig:
    return Rig(resources=(build.resource(**changes), build.billing()))


def with_provider(**changes: Any) -> Rig:
    return with_resource(providers={build.ISSUER: build.provider(**changes)})


def raw_claims(old: str, new: str) -> str:
    """Sign claims with one of them written in another way than `json` would."""
    payload = json.dumps(claims()).replace(old, new)
    assert new in payload
    header = json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": build.KID}).encode()
    return build.sign_raw(header, payload.encode(), build.ec_key(), "ES256")


def raw_header(header: str) -> str:
    return build.sign_raw(header.encode(), json.dumps(claims()).encode(), build.ec_key(), "ES256")


def hs256_with_public_key() -> str:
    """The classic confusion: the RSA public key's PEM as the secret of an HMAC."""
    secret = build.rsa_key().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = json.dumps({"alg": "HS256", "typ": "at+jwt", "kid": build.KID}).encode()
    signing_input = f"{build.b64(header)}.{build.b64(json.dumps(claims()).encode())}"
    algorithm = jwt.get_algorithm_by_name("HS256")
    return f"{signing_input}.{build.b64(algorithm.sign(signing_input.encode(), secret))}"


def relabelled(algorithm: str) -> str:
    """Sign with ES256 and say that it was another algorithm."""
    return raw_header(json.dumps({"alg": algorithm, "typ": "at+jwt", "kid": build.KID}))


def spare_bits() -> str:
    """Another spelling of a good token: the last character's unused bits are set."""
    head, _, tail = sign(claims()).rpartition(".")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return f"{head}.{tail[:-1]}{letters[letters.index(tail[-1]) + 1]}"


EC = Rig
REFUSED: dict[str, tuple[Callable[[], Rig], Callable[[], str], str]] = {
    "four parts": (EC, lambda: sign(claims()) + ".x", "token_malformed"),
    "two parts": (EC, lambda: sign(claims()).rpartition(".")[0], "token_malformed"),
    "no signature": (EC, lambda: sign(claims()).rpartition(".")[0] + ".", "token_malformed"),
    "padding": (EC, lambda: sign(claims()) + "==", "token_malformed"),
    "standard base64": (EC, lambda: sign(claims())[:-1] + "+", "token_malformed"),
    "one spare character": (EC, lambda: sign(claims()) + "AAA", "token_malformed"),
    "spare bits": (EC, spare_bits, "token_malformed"),
    "too long": (EC, lambda: sign(claims(pad="x" * 20000)), "token_malformed"),
    "header padded": (EC, lambda: sign(claims()).replace(".", "A.", 1), "token_malformed"),
    "payload of one character": (EC, lambda: "e30.A.AAAA", "token_malformed"),
    "header no object": (EC, lambda: raw_header("[]"), "token_malformed"),
    "header no JSON": (EC, lambda: raw_header("{"), "token_malformed"),
    "header twice alg": (EC, lambda: raw_header('{"alg":"ES256","alg":"none","kid":"k1"}'), "token_malformed"),
    "payload twice sub": (EC, lambda: raw_claims('"sub": "ann"', '"sub": "ann", "sub": "eve"'), "token_malformed"),
    "payload twice escaped": (EC, lambda: raw_claims('"sub"', '"su\\u0062": "eve", "sub"'), "token_malformed"),
    "payload BOM": (EC, lambda: raw_claims("{", "\ufeff{"), "token_malformed"),
    "exp NaN": (EC, lambda: raw_claims(f'"exp": {NOW + 300}', '"exp": NaN'), "token_malformed"),
    "exp Infinity": (EC, lambda: raw_claims(f'"exp": {NOW + 300}', '"exp": Infinity'), "token_malformed"),
    "exp 1e400": (EC, lambda: raw_claims(f'"exp": {NOW + 300}', '"exp": 1e400'), "token_malformed"),
    "exp 30 digits": (EC, lambda: raw_claims(f'"exp": {NOW + 300}', '"exp": ' + "9" * 30), "token_malformed"),
    "alg number": (EC, lambda: raw_header('{"alg":1,"kid":"k1"}'), "token_malformed"),
    "typ number": (EC, lambda: sign(claims(), typ=1), "token_malformed"),
    "alg none": (EC, lambda: relabelled("none"), "token_algorithm"),
    "alg None": (EC, lambda: relabelled("None"), "token_algorithm"),
    "alg in lower case": (EC, lambda: relabelled("es256"), "token_algorithm"),
    "alg unknown": (EC, lambda: relabelled("XX256"), "token_algorithm"),
    "alg RS256 with an EC key": (EC, lambda: relabelled("RS256"), "token_key_unknown"),
    "alg ES384 with a P-256 key": (
        lambda: with_provider(algorithms=frozenset({"ES256", "ES384"})),
        lambda: relabelled("ES384"),
        "token_key_unknown",
    ),
    "alg not of the provider": (
        lambda: with_provider(algorithms=frozenset({"RS256"})), lambda: sign(claims()), "token_algorithm",
    ),
    "HS256 with the RSA public key": (rsa_rig, hs256_with_public_key, "token_algorithm"),
    "HS256 even where a provider lists it": (
        lambda: rsa_rig(resources=(
            build.resource(providers={build.ISSUER: build.provider(algorithms=frozenset({"HS256", "RS256"}))}),
        )),
        hs256_with_public_key,
        "token_key_unknown",
    ),
    "ES256 with an RSA key": (rsa_rig, lambda: sign(claims()), "token_key_unknown"),
    "PS256 where RS256 is listed": (
        rsa_rig, lambda: sign(claims(), key=build.rsa_key(), algorithm="PS256"), "token_algorithm",
    ),
    "crit": (EC, lambda: sign(claims(), crit=["b64"], b64=True), "token_critical_header"),
    "payload that is not encoded": (
        EC, lambda: raw_header('{"alg":"ES256","kid":"k1","typ":"at+jwt","b64":false}'), "token_critical_header",
    ),
    "crit empty": (EC, lambda: sign(claims(), crit=[]), "token_critical_header"),
    "crit null": (
        EC, lambda: raw_header('{"alg":"ES256","kid":"k1","typ":"at+jwt","crit":null}'), "token_critical_header",
    ),
    "issuer unknown": (EC, lambda: sign(claims(iss="https://evil.example.com")), "token_issuer"),
    "issuer with a slash": (EC, lambda: sign(claims(iss=build.ISSUER + "/")), "token_issuer"),
    "issuer in another case": (EC, lambda: sign(claims(iss="https://IDP.example.com")), "token_issuer"),
    "issuer missing": (EC, lambda: sign(claims(iss=None)), "token_issuer"),
    "issuer a list": (EC, lambda: sign(claims(iss=[build.ISSUER])), "token_issuer"),
    "issuer of another resource": (
        EC, lambda: sign(claims(iss=build.OTHER_ISSUER), key=build.ec_key("other")), "token_issuer",
    ),
    "kid unknown": (EC, lambda: sign(claims(), kid="k9"), "token_key_unknown"),
    "kid missing": (EC, lambda: sign(claims(), kid=None), "token_key_unknown"),
    "kid empty": (EC, lambda: sign(claims(), kid=""), "token_key_unknown"),
    "kid number": (EC, lambda: sign(claims(), kid=1), "token_key_unknown"),
    "wrong key": (EC, lambda: sign(claims(), key=build.ec_key("stranger")), "token_signature"),
    "other provider's key under one kid": (EC, lambda: sign(claims(), key=build.ec_key("other")), "token_signature"),
    "own key in jwk": (
        EC, lambda: sign(claims(), key=build.ec_key("evil"), jwk=build.jwk(build.ec_key("evil"))), "token_signature",
    ),
    "own key in jku": (EC, lambda: sign(claims(), key=build.ec_key("evil"), jku="https://evil/"), "token_signature"),
    "own key in x5u": (EC, lambda: sign(claims(), key=build.ec_key("evil"), x5u="https://evil/"), "token_signature"),
    "short signature": (EC, lambda: sign(claims()).rpartition(".")[0] + ".AAAA", "token_signature"),
    "zero signature": (
        EC, lambda: sign(claims()).rpartition(".")[0] + "." + build.b64(bytes(64)), "token_signature",
    ),
    "typ missing": (EC, lambda: sign(claims(), typ=None), "token_type"),
    "typ empty": (EC, lambda: sign(claims(), typ=""), "token_type"),
    "typ id-jag": (EC, lambda: sign(claims(), typ="oauth-id-jag+jwt"), "token_type"),
    "typ logout": (EC, lambda: sign(claims(), typ="logout+jwt"), "token_type"),
    "typ with a space": (EC, lambda: sign(claims(), typ="at+jwt "), "token_type"),
    "typ twice prefixed": (EC, lambda: sign(claims(), typ="application/application/at+jwt"), "token_type"),
    "nonce": (EC, lambda: sign(claims(nonce="n"), typ="JWT"), "token_id_token"),
    "nonce of nothing": (EC, lambda: sign(claims() | {"nonce": None}, typ="JWT"), "token_id_token"),
    "at_hash": (EC, lambda: sign(claims(at_hash="h"), typ="JWT"), "token_id_token"),
    "c_hash": (EC, lambda: sign(claims(c_hash="h"), typ="JWT"), "token_id_token"),
    "s_hash": (EC, lambda: sign(claims(s_hash="h"), typ="JWT"), "token_id_token"),
    "nothing but what an ID token has": (
        lambda: with_resource(audiences=spell_audiences([build.CRM_URL, "web"]), scopes=()),
        lambda: sign(claims(aud="web", client_id=None, scope=None, azp="web"), typ="JWT"), "token_id_token",
    ),
    "token_use in capitals": (EC, lambda: sign(claims(token_use="ID")), "token_id_token"),
    "token_use refresh": (EC, lambda: sign(claims(token_use="refresh")), "token_id_token"),
    "Keycloak's ID token": (EC, lambda: sign(claims() | {"typ": "ID"}), "token_id_token"),
    "Keycloak's refresh token": (EC, lambda: sign(claims() | {"typ": "Refresh"}), "token_id_token"),
    "Keycloak's offline token": (EC, lambda: sign(claims() | {"typ": "Offline"}), "token_id_token"),
    "Keycloak's logout token": (EC, lambda: sign(claims() | {"typ": "Logout"}), "token_id_token"),
    "logout token": (
        EC, lambda: sign(claims(events={"http://schemas.openid.net/event/x": {}}), typ="JWT"), "token_id_token",
    ),
    "token_use id": (EC, lambda: sign(claims(token_use="id")), "token_id_token"),
    "cnf": (EC, lambda: sign(claims(cnf={"jkt": "x"})), "token_key_bound"),
    "cnf empty": (EC, lambda: sign(claims(cnf={})), "token_key_bound"),
    "expired": (EC, lambda: sign(claims(exp=NOW - 30)), "token_expired"),
    "expired long ago": (EC, lambda: sign(claims(exp=0)), "token_expired"),
    "not yet": (EC, lambda: sign(claims(nbf=NOW + 31)), "token_not_yet_valid"),
    "issued in the future": (EC, lambda: sign(claims(iat=NOW + 31)), "token_not_yet_valid"),
    "too old": (lambda: with_provider(max_token_age_s=60.0), lambda: sign(claims(iat=NOW - 91)), "token_too_old"),
    "of unknown age": (lambda: with_provider(max_token_age_s=60.0), lambda: sign(claims(iat=None)), "token_too_old"),
    "aud missing": (EC, lambda: sign(claims(aud=None)), "token_audience"),
    "aud empty": (EC, lambda: sign(claims(aud=[])), "token_audience"),
    "aud of another resource": (EC, lambda: sign(claims(aud=build.BILLING_URL)), "token_audience"),
    "aud with a slash": (EC, lambda: sign(claims(aud=build.CRM_URL + "/")), "token_audience"),
    "aud a prefix": (EC, lambda: sign(claims(aud="https://mcp.example.com")), "token_audience"),
    "aud words": (EC, lambda: sign(claims(aud=f"{build.CRM_URL} x")), "token_audience"),
    "client not listed": (
        lambda: with_resource(clients=frozenset({"web"})), lambda: sign(claims()), "token_client",
    ),
    "client missing": (
        lambda: with_resource(clients=frozenset({"web"})), lambda: sign(claims(client_id=None)), "token_client",
    ),
    "tenant not of the provider": (
        lambda: with_provider(tenants=frozenset({"acme"})), lambda: sign(claims(tenantId="evil")), "token_tenant",
    ),
    "no tenant where the provider's are listed": (
        lambda: with_provider(tenants=frozenset({"acme"})), lambda: sign(claims()), "token_tenant",
    ),
    "role not of the provider": (
        lambda: with_provider(roles=frozenset({"support"})), lambda: sign(claims()), "token_role",
    ),
    "permission not of the provider": (
        lambda: with_provider(roles=frozenset({"analyst"})), lambda: sign(claims(permissions=["all"])), "token_role",
    ),
    "tenant required": (lambda: with_resource(require_tenant=True), lambda: sign(claims()), "tenant_missing"),
    "kid revoked": (lambda: Rig(revoked=Revoked(kids=frozenset({"k1"}))), lambda: sign(claims()), "token_revoked"),
    "subject revoked": (
        lambda: Rig(revoked=Revoked(subjects=frozenset({"ann"}))), lambda: sign(claims()), "token_revoked",
    ),
    "jti revoked": (lambda: Rig(revoked=Revoked(jti=frozenset({"t1"}))), lambda: sign(claims()), "token_revoked"),
}  # fmt: skip

# Claims of a type they must not have.
WRONG: dict[str, dict[str, Any]] = {
    "sub missing": {"sub": None},
    "sub empty": {"sub": ""},
    "sub number": {"sub": 7},
    "sub list": {"sub": ["ann"]},
    "sub control": {"sub": "ann\r\nagen-roles: admin"},
    "sub C1 control": {"sub": "ann\u0085"},
    "sub too long": {"sub": "a" * 2049},
    "exp missing": {"exp": None},
    "exp string": {"exp": str(NOW + 300)},
    "exp boolean": {"exp": True},
    "exp negative": {"exp": -1},
    "exp in milliseconds": {"exp": (NOW + 300) * 1000},
    "exp list": {"exp": [NOW + 300]},
    "nbf string": {"nbf": "0"},
    "nbf boolean": {"nbf": False},
    "nbf negative": {"nbf": -1},
    "iat string": {"iat": "0"},
    "iat huge": {"iat": 2**63},
    "aud number": {"aud": 1},
    "aud object": {"aud": {build.CRM_URL: 1}},
    "aud list of numbers": {"aud": [build.CRM_URL, 1]},
    "roles object": {"roles": {"analyst": True}},
    "roles list of lists": {"roles": [["analyst"]]},
    "roles too many": {"roles": ["a"] * 1001},
    "roles control": {"roles": ["analyst", "x\ny"]},
    "permissions number": {"permissions": 1},
    "client number": {"client_id": 1},
    "tenant list": {"tenantId": ["acme"]},
    "scope number": {"scope": 1},
    "scope list of numbers": {"scope": [1]},
    "jti number": {"jti": 1},
}


def refused(rig: Rig, token: str) -> tuple[str, int, int | None, str | None, bool]:
    seen = rig.post(build.message(), token)
    challenge = seen.header("www-authenticate") or ""
    is_bound = challenge.startswith(f"Bearer {METADATA}, ") and 'error="invalid_token"' in challenge
    return seen.reason, seen.status, seen.code, seen.told, is_bound and not seen.is_allowed


@pytest.mark.parametrize("name", REFUSED)
def test_token_is_refused(name):
    make_rig, make_token, reason = REFUSED[name]
    assert refused(make_rig(), make_token()) == (reason, 401, 40100, reason, True)


@pytest.mark.parametrize("name", WRONG)
def test_claim_of_the_wrong_type_refuses_the_token(name):
    assert refused(Rig(), sign(claims(**WRONG[name]))) == ("token_claim", 401, 40100, "token_claim", True)


ACCEPTED: dict[str, tuple[Callable[[], Rig], Callable[[], str]]] = {
    "ES256": (EC, lambda: sign(claims())),
    "RS256": (rsa_rig, lambda: sign(claims(), key=build.rsa_key(), algorithm="RS256")),
    "aud a list": (EC, lambda: sign(claims(aud=["https://x", build.CRM_URL]))),
    "aud configured": (
        lambda: with_resource(audiences=frozenset({"crm-api"})), lambda: sign(claims(aud="crm-api")),
    ),
    "aud with the port of https": (EC, lambda: sign(claims(aud="https://mcp.example.com:443/crm/mcp"))),
    "aud of a host with a slash": (
        lambda: with_resource(audiences=spell_audiences(["https://mcp.example.com"])),
        lambda: sign(claims(aud="https://mcp.example.com/")),
    ),
    "typ JWT": (EC, lambda: sign(claims(), typ="JWT")),
    "typ with application": (EC, lambda: sign(claims(), typ="application/AT+JWT")),
    "typ absent where listed": (
        lambda: with_provider(token_types=frozenset({"absent"})), lambda: sign(claims(), typ=None),
    ),
    "expired within leeway": (EC, lambda: sign(claims(exp=NOW - 29))),
    "not yet within leeway": (EC, lambda: sign(claims(nbf=NOW + 30))),
    "as old as allowed": (lambda: with_provider(max_token_age_s=60.0), lambda: sign(claims(iat=NOW - 90))),
    "scope a list": (EC, lambda: sign(claims(scope=None, scp=["mcp:tools"]))),
    "jku that leads nowhere": (EC, lambda: sign(claims(), jku="https://evil/")),
    "a claim of the application's": (EC, lambda: sign(claims(events=["signup"]))),
    "Keycloak's access token": (EC, lambda: sign(claims() | {"typ": "Bearer"})),
    "token_use access": (EC, lambda: sign(claims(token_use="access"))),
    "client by azp": (
        lambda: with_resource(clients=frozenset({"web"})), lambda: sign(claims(client_id=None, azp="web")),
    ),
    "tenant and roles of the provider": (
        lambda: with_provider(tenants=frozenset({"acme"}), roles=frozenset({"analyst"})),
        lambda: sign(claims(tenantId="acme")),
    ),
    "null where a claim is optional": (EC, lambda: raw_claims("{", '{"tenantId": null, "groups": null, ')),
    "nonce in a token of type at+jwt": (EC, lambda: sign(claims(nonce="n"), typ="application/at+jwt")),
    "nonce in a token of Keycloak before 24": (EC, lambda: sign(claims(nonce="n") | {"typ": "Bearer"}, typ="JWT")),
    "events in a token of type at+jwt": (EC, lambda: sign(claims(events={"x": {}}))),
    "roles as one text": (EC, lambda: sign(claims(roles="analyst"))),
    "roles as keys": (
        lambda: with_provider(claims=replace(build.CLAIM_PATHS, keyed=frozenset({"roles"}))),
        lambda: sign(claims(roles={"analyst": {"org-1": "acme.example"}})),
    ),
    "permissions of nothing": (EC, lambda: sign(claims() | {"permissions": None, "nbf": None, "iat": None})),
    "email_verified as text": (EC, lambda: sign(claims(email_verified="true"))),
    "auth_time null": (EC, lambda: sign(claims() | {"auth_time": None})),
    "auth_time as text": (EC, lambda: sign(claims(auth_time="0"))),
    "acr number": (EC, lambda: sign(claims(acr=1))),
    "amr as text": (EC, lambda: sign(claims(amr="pwd"))),
    "groups number": (EC, lambda: sign(claims(groups=1))),
    "email list": (EC, lambda: sign(claims(email=["a@example.com"]))),
    "country number": (EC, lambda: sign(claims(country=49))),
}  # fmt: skip


@pytest.mark.parametrize("name", ACCEPTED)
def test_token_is_accepted(name):
    make_rig, make_token = ACCEPTED[name]
    seen = make_rig().post(build.message(), make_token())
    assert (seen.reason, seen.is_allowed) == ("allowed", True)


def test_providers_with_one_subject_and_kid_never_mix():
    rig = Rig(resources=(build.resource(), build.billing(admits_unmapped=True)))
    other = sign(claims(iss=build.OTHER_ISSUER, aud=build.BILLING_URL), key=build.ec_key("other"))
    raw = build.check_request(build.headers_for(other), build.encode(build.message()), path="/billing/mcp")
    mine, theirs = rig.post(build.message()), rig.check(raw)
    assert (dict(mine.headers)["agen-issuer"], dict(theirs.headers)["agen-issuer"]) == (
        f'"{build.ISSUER}"',
        f'"{build.OTHER_ISSUER}"',
    )
    assert [event["principal"]["provider"] for event in rig.audit.events] == ["idp", "other"]


def test_token_says_nothing_of_itself_in_the_answer():
    token = sign(claims(sub="very-secret"), key=build.ec_key("stranger"))
    seen = Rig().post(build.message(), token)
    assert token not in repr(seen) and "very-secret" not in repr(seen)
