"""The issuer: discovery, keys and their rotation, tokens for the demo's own clients."""

import httpx
import pytest

from agen_authz.core.identity.audience import spell_audiences
from agen_authz.core.identity.jwk import KeySet, parse_jwks
from agen_authz.core.identity.jws import UnverifiedToken, read_token
from agen_authz.core.identity.token import VerifiedToken, admit_principal, verify_token
from agen_authz.core.model import RawToken, Revoked
from agen_authz.demo.issuer import name_key, real_sources
from tests.builders import NOW, jwks, provider, resource
from tests.demo.live import BILLING, CRM, LiveIssuer, live_issuer, named, read_claims, read_header

pytestmark = pytest.mark.loopback

ALONE = {"grant_type": "client_credentials", "client_id": "demo-analyst", "client_secret": "demo-only"}
NOW_S = int(NOW)
NOBODY = Revoked(frozenset(), frozenset(), frozenset())


def published_kids(live: LiveIssuer) -> list[str]:
    return [key["kid"] for key in live.web.get("/jwks").json()["keys"]]


@pytest.mark.parametrize("name", ["openid-configuration", "oauth-authorization-server"])
def test_discovery_tells_every_endpoint(live, name):
    answer = live.web.get(f"/.well-known/{name}")
    assert answer.json() == {
        "issuer": live.url,
        "authorization_endpoint": f"{live.url}/authorize",
        "token_endpoint": f"{live.url}/token",
        "registration_endpoint": f"{live.url}/register",
        "jwks_uri": f"{live.url}/jwks",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["client_credentials", "authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "authorization_response_iss_parameter_supported": True,
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "scopes_supported": ["openid", "mcp:tools", "crm:write", "billing:refund", "billing:payout"],
        "acr_values_supported": ["urn:pwd", "urn:mfa"],
    }


def test_access_token_holds_what_rfc_9068_asks_for(live):
    token = live.access_token("support", scope="mcp:tools crm:write")
    assert read_header(token) == {"alg": "ES256", "typ": "at+jwt", "kid": live.issuer.ring.signing.kid}
    assert read_claims(token) == {
        "iss": live.url,
        "sub": "u-1002",
        "aud": CRM,
        "exp": NOW_S + 900,
        "iat": NOW_S,
        "jti": "drawn-1",
        "client_id": "demo-support",
        "scope": "mcp:tools crm:write",
        "roles": ["support"],
        "permissions": ["crm:read", "crm:write"],
        "groups": ["support"],
        "email": "samir.okafor@acme.example",
        "email_verified": True,
        "tenantId": "acme",
        "country": "DE",
        "acr": "urn:pwd",
        "amr": ["pwd"],
        "auth_time": NOW_S,
    }


def test_our_own_core_admits_the_token_for_its_resource_only(live):
    token = read_token(RawToken(live.access_token("analyst")))
    assert isinstance(token, UnverifiedToken)
    demo = provider(issuer=live.url)
    keys = live.issuer.ring.signing.public_jwk()
    published = parse_jwks(jwks(keys))
    assert isinstance(published, KeySet)
    verified = verify_token(token, published.keys[0], demo)
    assert isinstance(verified, VerifiedToken)
    held = [resource(url=url, audiences=spell_audiences([url])) for url in (CRM, BILLING)]
    admitted = [admit_principal(verified, demo, each, revoked=NOBODY, now=NOW) for each in held]
    assert [getattr(one, "subject", getattr(one, "reason", None)) for one in admitted] == ["u-1001", "token_audience"]


def test_resource_decides_the_audience(live):
    audiences = [read_claims(live.access_token("admin", url))["aud"] for url in (CRM, BILLING)]
    assert audiences == [CRM, BILLING]


def test_the_only_resource_need_not_be_named(stage):
    live = stage.put_on(resources=(CRM,))
    assert read_claims(live.token(**ALONE).json()["access_token"])["aud"] == CRM


def test_second_factor_and_lifetime_can_be_asked_for(live):
    claims = read_claims(live.access_token("finance", BILLING, acr="urn:mfa", ttl="60"))
    asked = {name: claims[name] for name in ("acr", "amr", "auth_time", "exp", "scope")}
    assert asked == {
        "acr": "urn:mfa",
        "amr": ["pwd", "otp", "mfa"],
        "auth_time": NOW_S,
        "exp": NOW_S + 60,
        "scope": "mcp:tools billing:refund billing:payout",
    }


def test_elevated_scope_is_left_out_without_a_second_factor(live):
    assert read_claims(live.access_token("finance", BILLING))["scope"] == "mcp:tools billing:refund"


REFUSED = {
    "unknown resource": ({"resource": "https://elsewhere.example/mcp"}, 400, "invalid_target"),
    "no resource where there are two": ({"resource": ""}, 400, "invalid_target"),
    "resource but for a slash": ({"resource": f"{CRM}/"}, 400, "invalid_target"),
    "unknown scope": ({"scope": "mcp:tools root"}, 400, "invalid_scope"),
    "scope of another role": ({"scope": "crm:write"}, 400, "invalid_scope"),
    "openid without a login": ({"scope": "openid mcp:tools"}, 400, "invalid_scope"),
    "no grant type": ({"grant_type": ""}, 400, "invalid_request"),
    "unknown grant type": ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    "grant type of other clients": ({"grant_type": "authorization_code"}, 400, "unauthorized_client"),
    "wrong secret": ({"client_secret": "guess"}, 401, "invalid_client"),
    "no secret": ({"client_secret": ""}, 401, "invalid_client"),
    "unknown client": ({"client_id": "demo-root"}, 401, "invalid_client"),
    "no client": ({"client_id": ""}, 401, "invalid_client"),
    "secret of a public client": ({"client_id": "demo-browser"}, 401, "invalid_client"),
    "lifetime of zero": ({"ttl": "0"}, 400, "invalid_request"),
    "lifetime in words": ({"ttl": "5m"}, 400, "invalid_request"),
    "lifetime too long": ({"ttl": "86401"}, 400, "invalid_request"),
    "control character in acr": ({"acr": "urn:\n"}, 400, "invalid_request"),
}


@pytest.mark.parametrize(("changes", "status", "error"), REFUSED.values(), ids=REFUSED)
def test_token_request_is_refused(live, changes, status, error):
    answer = live.token(**{**ALONE, "resource": CRM, **changes})
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["cache-control"] == "no-store"


BODIES = {
    "parameter given twice": ("client_id=demo-analyst&client_id=demo-admin", "invalid_request"),
    "resource given twice": ("resource=a&resource=b", "invalid_target"),
    "not ascii": ("client_id=\u00e9", "invalid_request"),
    "not utf-8 underneath": ("client_id=%ff", "invalid_request"),
    "too many parameters": ("&".join(f"p{number}=1" for number in range(41)), "invalid_request"),
    "too long": ("a=" + "b" * 20_000, "invalid_request"),
}


@pytest.mark.parametrize(("body", "error"), BODIES.values(), ids=BODIES)
def test_form_that_means_more_than_one_thing_is_refused(live, body, error):
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = live.web.post("/token", content=body.encode(), headers=headers)
    assert (answer.status_code // 100, answer.json()["error"]) == (4, error)


def test_token_request_in_json_is_refused(live):
    assert live.web.post("/token", json=ALONE).json()["error"] == "invalid_request"


def test_client_may_authenticate_with_basic(live):
    form = {"grant_type": "client_credentials", "resource": CRM}
    answer = live.web.post("/token", data=form, auth=("demo-analyst", "demo-only"))
    assert read_claims(answer.json()["access_token"])["client_id"] == "demo-analyst"


BASIC = {
    "wrong secret": ({"auth": ("demo-analyst", "guess")}, {}, 401, "invalid_client"),
    "another client in the body": ({"auth": ("demo-analyst", "demo-only")}, {"client_id": "x"}, 400, "invalid_request"),
    "secret in the body too": ({"auth": ("demo-analyst", "x")}, {"client_secret": "x"}, 400, "invalid_request"),
    "not base64": ({"headers": {"authorization": "Basic %%%"}}, {}, 401, "invalid_client"),
    "no colon": ({"headers": {"authorization": "Basic ZGVtbw=="}}, {}, 401, "invalid_client"),
    "another scheme": ({"headers": {"authorization": "Bearer x"}}, {}, 401, "invalid_client"),
}


@pytest.mark.parametrize(("how", "form", "status", "error"), BASIC.values(), ids=BASIC)
def test_basic_that_proves_nothing_is_refused(live, how, form, status, error):
    answer = live.web.post("/token", data={"grant_type": "client_credentials", "resource": CRM, **form}, **how)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_rotated_key_signs_and_the_old_one_stays_for_a_while(live):
    old = live.issuer.ring.signing.kid
    new = live.web.post("/demo/rotate").json()["signing"]
    assert published_kids(live) == [new, old]
    assert read_header(live.access_token("analyst"))["kid"] == new
    live.clock.time += live.issuer.settings.key_grace_s
    assert published_kids(live) == [new]


def test_dropped_key_is_gone_at_once(live):
    live.web.post("/demo/rotate")
    answer = live.web.post("/demo/rotate?drop=1").json()
    assert published_kids(live) == answer["published"] == [answer["signing"]]


def test_rotations_without_end_do_not_grow_the_key_set(live):
    for _ in range(12):
        live.web.post("/demo/rotate")
    assert len(published_kids(live)) == 9


def test_page_in_a_browser_cannot_rotate_keys(live):
    answer = live.web.post("/demo/rotate", headers={"origin": "https://evil.example"})
    assert (answer.status_code, len(published_kids(live))) == (403, 1)


def test_kid_is_the_thumbprint_unless_a_test_wants_another():
    with live_issuer(first_key=named("twin", kid="k1")) as live:
        assert published_kids(live) == ["k1"]


def test_another_host_name_is_refused(live):
    answers = [live.web.get("/jwks", headers={"host": host}) for host in ("evil.example", "127.0.0.1:1")]
    assert [answer.status_code for answer in answers] == [421, 421]


def test_pages_of_any_origin_may_ask_for_tokens_but_not_read_the_login_page(live):
    origin = {"origin": "http://localhost:6274"}
    preflight = live.web.options("/token", headers={**origin, "access-control-request-method": "POST"})
    shared = [live.web.get(path, headers=origin) for path in ("/jwks", "/.well-known/openid-configuration")]
    page = live.web.get("/authorize", headers=origin)
    allowed = [answer.headers.get("access-control-allow-origin") for answer in (preflight, *shared, page)]
    assert allowed == ["*", "*", "*", None]


@pytest.mark.parametrize("path", ["/", "/admin", "/demo/rotate", "/.well-known/other"])
def test_nothing_else_answers(live, path):
    assert live.web.get(path).status_code in (404, 405)


def test_broken_tokens_can_be_minted_for_tests(live):
    token = live.mint(aud="https://elsewhere.example", exp=NOW_S - 1, roles=None, header={"typ": "JWT"})
    assert read_header(token) == {"alg": "ES256", "typ": "JWT", "kid": live.issuer.ring.signing.kid}
    assert read_claims(token) == {
        "iss": live.url,
        "sub": "u-1001",
        "aud": "https://elsewhere.example",
        "exp": NOW_S - 1,
        "iat": NOW_S,
        "jti": "minted-1",
        "client_id": "demo-analyst",
        "scope": "mcp:tools",
    }


def test_real_sources_never_draw_the_same_twice():
    sources = real_sources(lambda: NOW)
    assert sources.draw() != sources.draw()
    assert name_key(sources.make_key()).kid != name_key(sources.make_key()).kid


def test_answer_names_what_was_granted(live):
    answer: httpx.Response = live.token(**ALONE, resource=CRM)
    rest = {name: value for name, value in answer.json().items() if name != "access_token"}
    assert rest == {"token_type": "Bearer", "expires_in": 900, "scope": "mcp:tools"}
