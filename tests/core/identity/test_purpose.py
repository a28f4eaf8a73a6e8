"""What real providers write into access tokens and ID tokens, and which of them are told apart."""

from dataclasses import replace
from typing import Any

import pytest

from agen_authz.core.errors import Rejected
from agen_authz.core.identity.purpose import check_purpose, is_unmarked
from agen_authz.core.reason import Reason
from tests import builders as build

CLIENT, API = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
PERSON = {"sub": "ann", "iat": 1, "exp": 2, "email": "ann@example.com", "name": "Ann"}

ACCESS: dict[str, tuple[str, dict[str, Any]]] = {
    "RFC 9068": ("at+jwt", {"aud": API, "client_id": CLIENT, "jti": "1"}),
    "RFC 9068 without a client": ("at+jwt", {"aud": CLIENT}),
    "Entra v2, a person": ("jwt", {"aud": API, "azp": CLIENT, "azpacr": "0", "scp": "mcp.tools", "tid": "t"}),
    "Entra v2, an application": ("jwt", {"aud": API, "azp": CLIENT, "azpacr": "1", "oid": "o", "roles": ["a"]}),
    "Entra v2, one registration for both": ("jwt", {"aud": API, "azp": API, "azpacr": "0", "scp": "mcp.tools"}),
    "Entra v2, an application that calls itself": ("jwt", {"aud": API, "azp": API, "azpacr": "1"}),
    "Entra v1": ("jwt", {"aud": f"api://{API}", "appid": CLIENT, "appidacr": "0", "scp": "mcp.tools", "ver": "1.0"}),
    "Entra with idtyp": ("jwt", {"aud": API, "idtyp": "app"}),
    "Keycloak": ("jwt", {"aud": "account", "azp": "desk", "typ": "Bearer", "scope": "openid"}),
    "Keycloak before 24": ("jwt", {"aud": "desk", "azp": "desk", "typ": "Bearer", "nonce": "n"}),
    "Auth0, a person": ("jwt", {"aud": [API, "https://x.auth0.com/userinfo"], "azp": CLIENT, "scope": "openid"}),
    "Auth0, a machine without scopes": ("jwt", {"aud": API, "azp": CLIENT, "gty": "client-credentials"}),
    "Okta": ("jwt", {"aud": "api://default", "cid": CLIENT, "uid": "u", "scp": ["openid"], "jti": "AT.1"}),
    "Cognito": ("jwt", {"token_use": "access", "client_id": CLIENT, "aud": API}),
    "Frontegg, a person": ("jwt", {"aud": CLIENT, "type": "userToken", "tenantId": "t", "roles": ["Admin"], **PERSON}),
    "Frontegg, an API token": ("jwt", {"aud": CLIENT, "type": "tenantApiToken", "tenantId": "t"}),
}  # fmt: skip
UNMARKED: dict[str, dict[str, Any]] = {
    "code flow without a nonce": {"aud": CLIENT, **PERSON},
    "Google": {"aud": CLIENT, "azp": CLIENT, **PERSON},
    "Google, for an app beside a web client": {"aud": CLIENT, "azp": "app", **PERSON},
    "audiences without the party": {"aud": [CLIENT, "other"], "azp": "app", **PERSON},
    "several audiences": {"aud": [CLIENT, "other"], "azp": CLIENT, **PERSON},
    "Entra": {"aud": CLIENT, "tid": "t", "oid": "o", "roles": ["a"], "ver": "2.0", **PERSON},
    "Auth0": {"aud": CLIENT, "sid": "s", **PERSON},
    "Okta": {"aud": CLIENT, "jti": "ID.1", "amr": ["pwd"], "auth_time": 1, "idp": "i", **PERSON},
    "another type": {"aud": CLIENT, "type": "idToken", **PERSON},
    "claims of no value": {"aud": CLIENT, "scope": None, "azp": None, **PERSON},
}
OTHERS: dict[str, tuple[str, dict[str, Any], str]] = {
    "Keycloak's ID token": ("jwt", {"typ": "ID", "azp": "desk"}, "claim `typ` is `id`"),
    "Keycloak's ID token with another header": ("at+jwt", {"typ": "ID"}, "claim `typ` is `id`"),
    "Keycloak's refresh token": ("jwt", {"typ": "Refresh"}, "claim `typ` is `refresh`"),
    "Keycloak's offline token": ("jwt", {"typ": "Offline"}, "claim `typ` is `offline`"),
    "Keycloak's logout token": ("jwt", {"typ": "Logout"}, "claim `typ` is `logout`"),
    "Cognito's ID token": ("jwt", {"token_use": "id"}, "claim `token_use` is `id`"),
    "nonce": (
        "jwt",
        {"nonce": "n", "scope": "x"},
        "claim `nonce` is there, and nothing says that it is an access token",
    ),
    "at_hash": ("jwt", {"at_hash": "h"}, "claim `at_hash` is there, and nothing says that it is an access token"),
    "events": ("jwt", {"events": {"x": {}}}, "claim `events` is there, as in logout tokens"),
}


@pytest.mark.parametrize("name", ACCESS)
def test_access_tokens_of_real_providers_are_recognised(name):
    kind, claims = ACCESS[name]
    assert (check_purpose(claims, kind), is_unmarked(claims, kind, build.CLAIM_PATHS)) == (None, False)


@pytest.mark.parametrize("name", UNMARKED)
def test_id_tokens_without_a_nonce_are_unmarked(name):
    assert (check_purpose(UNMARKED[name], "jwt"), is_unmarked(UNMARKED[name], "jwt", build.CLAIM_PATHS)) == (None, True)


@pytest.mark.parametrize("name", OTHERS)
def test_other_tokens_are_refused_and_the_claim_is_named(name):
    kind, claims, detail = OTHERS[name]
    assert check_purpose(claims, kind) == Rejected(Reason.TOKEN_ID_TOKEN, detail)


@pytest.mark.parametrize(
    ("paths", "is_still_unmarked"),
    [
        ({"client": (("applicationId",),)}, False),
        ({"scopes": (("https://example.com/x", "granted"),)}, False),
        ({"scopes": (("https://example.com/x", "name"),)}, True),
        ({"client": (("azp",), ("aud",))}, True),
        ({"scopes": (("azp",),)}, True),
    ],
    ids=["mapped client", "mapped scopes", "mapped and not there", "what ID tokens have too", "as scopes as well"],
)
def test_claim_that_is_mapped_to_client_or_scopes_marks_an_access_token(paths, is_still_unmarked):
    claims: dict[str, Any] = {
        "aud": CLIENT,
        "azp": CLIENT,
        "applicationId": "a",
        "https://example.com/x": {"granted": ["a"]},
    }
    mapped = replace(build.CLAIM_PATHS, **paths)
    assert is_unmarked(claims, "jwt", mapped) is is_still_unmarked
