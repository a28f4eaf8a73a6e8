"""The issuer: people who log in, codes bound to those who asked for them, refreshed tokens, registration."""

from collections.abc import Mapping

import pytest

from tests.builders import NOW
from tests.demo.live import BILLING, CALLBACK, CRM, LiveIssuer, read_claims, read_header, told

pytestmark = pytest.mark.loopback

NOW_S = int(NOW)
REGISTRATION: Mapping[str, object] = {
    "client_name": "A desk client",
    "redirect_uris": [CALLBACK],
    "grant_types": ["authorization_code", "refresh_token"],
    "token_endpoint_auth_method": "client_secret_basic",
}


def test_code_is_exchanged_for_a_token_of_the_person_who_logged_in(live):
    answer = live.log_in("support", scope="mcp:tools crm:write")
    tokens = live.exchange(answer["code"]).json()
    claims = read_claims(tokens["access_token"])
    assert {name: value for name, value in answer.items() if name != "code"} == {"state": "s-1", "iss": live.url}
    kept = {name: claims[name] for name in ("sub", "aud", "client_id", "scope", "acr", "amr", "auth_time")}
    assert kept == {
        "sub": "u-1002",
        "aud": CRM,
        "client_id": "demo-browser",
        "scope": "mcp:tools crm:write",
        "acr": "urn:pwd",
        "amr": ["pwd"],
        "auth_time": NOW_S,
    }
    assert (tokens["token_type"], tokens["expires_in"], "id_token" in tokens) == ("Bearer", 900, False)


def test_scopes_are_granted_as_far_as_the_person_may_have_them(live):
    code = live.log_in("analyst", scope="crm:write mcp:tools")["code"]
    assert live.exchange(code).json()["scope"] == "mcp:tools"


@pytest.mark.parametrize(("second_factor", "scope"), [(True, "mcp:tools billing:payout"), (False, "mcp:tools")])
def test_elevated_scope_needs_a_second_factor(live, second_factor, scope):
    answer = live.log_in("finance", second_factor=second_factor, scope="mcp:tools billing:payout", resource=BILLING)
    assert live.exchange(answer["code"]).json()["scope"] == scope


def test_openid_brings_an_id_token_bound_to_client_and_nonce(live):
    code = live.log_in("admin", second_factor=True, scope="openid mcp:tools", nonce="n-1")["code"]
    token = live.exchange(code).json()["id_token"]
    claims = read_claims(token)
    assert read_header(token)["typ"] == "JWT"
    assert len(claims.pop("at_hash")) == 22
    assert claims == {
        "iss": live.url,
        "sub": "u-1004",
        "aud": "demo-browser",
        "exp": NOW_S + 900,
        "iat": NOW_S,
        "nonce": "n-1",
        "name": "Alex Moreau",
        "roles": ["admin"],
        "groups": ["platform"],
        "email": "alex.moreau@acme.example",
        "email_verified": True,
        "tenantId": "acme",
        "country": "US",
        "acr": "urn:mfa",
        "amr": ["pwd", "otp", "mfa"],
        "auth_time": NOW_S,
    }


EXCHANGES = {
    "another verifier": ({"code_verifier": "w" * 43}, "invalid_grant"),
    "no verifier": ({"code_verifier": ""}, "invalid_grant"),
    "verifier too short": ({"code_verifier": "v" * 42}, "invalid_grant"),
    "another redirect URI": ({"redirect_uri": "http://127.0.0.1:1/callback"}, "invalid_grant"),
    "no redirect URI": ({"redirect_uri": ""}, "invalid_grant"),
    "another resource": ({"resource": BILLING}, "invalid_target"),
    "another code": ({"code": "drawn-9"}, "invalid_grant"),
    "no code": ({"code": ""}, "invalid_grant"),
}


@pytest.mark.parametrize(("changes", "error"), EXCHANGES.values(), ids=EXCHANGES)
def test_exchange_that_does_not_fit_is_refused(live, changes, error):
    code = live.log_in("analyst")["code"]
    answer = live.exchange(**{"code": code, **changes})
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_code_of_another_client_is_refused(live):
    other = live.web.post("/register", json=REGISTRATION).json()["client_id"]
    code = live.log_in("analyst")["code"]
    assert live.exchange(code, client_id=other).json()["error"] == "invalid_grant"


def test_wrong_guess_burns_the_code(live):
    code = live.log_in("analyst")["code"]
    answers = [live.exchange(code, code_verifier="w" * 43), live.exchange(code)]
    assert [answer.json()["error"] for answer in answers] == ["invalid_grant", "invalid_grant"]


def test_expired_code_is_refused(live):
    code = live.log_in("analyst")["code"]
    live.clock.time += live.issuer.settings.code_ttl_s
    assert live.exchange(code).json()["error"] == "invalid_grant"


def refresh(live: LiveIssuer, token: str, **changes: str):
    return live.token(**{"grant_type": "refresh_token", "client_id": "demo-browser", "refresh_token": token, **changes})


def test_code_that_comes_twice_ends_what_it_began(live):
    code = live.log_in("analyst")["code"]
    first = live.exchange(code).json()
    again = live.exchange(code).json()
    after = refresh(live, first["refresh_token"]).json()
    assert (again["error"], after["error"]) == ("invalid_grant", "invalid_grant")


def test_refreshed_token_has_lost_what_the_login_raised(live):
    scope = "mcp:tools billing:payout billing:refund"
    code = live.log_in("finance", second_factor=True, scope=scope, resource=BILLING)["code"]
    first = live.exchange(code).json()
    live.clock.time += 600
    second = refresh(live, first["refresh_token"]).json()
    claims = read_claims(second["access_token"])
    assert (claims["acr"], claims["amr"], claims.get("auth_time")) == ("urn:pwd", ["pwd"], None)
    assert (claims["scope"], claims["aud"], claims["iat"]) == ("mcp:tools billing:refund", BILLING, NOW_S + 600)


def test_refresh_may_ask_for_less_and_for_all_of_it_later(live):
    code = live.log_in("support", scope="mcp:tools crm:write")["code"]
    first = live.exchange(code).json()
    less = refresh(live, first["refresh_token"], scope="mcp:tools").json()
    all_of_it = refresh(live, less["refresh_token"]).json()
    assert (less["scope"], all_of_it["scope"]) == ("mcp:tools", "mcp:tools crm:write")


REFRESHES = {
    "more scopes": ({"scope": "mcp:tools crm:write"}, "invalid_scope"),
    "unknown scope": ({"scope": "root"}, "invalid_scope"),
    "another resource": ({"resource": BILLING}, "invalid_target"),
    "nothing": ({"refresh_token": ""}, "invalid_grant"),
    "no secret": ({"refresh_token": "drawn-3"}, "invalid_grant"),
    "another client": ({"client_id": "demo-analyst", "client_secret": "demo-only"}, "unauthorized_client"),
}


@pytest.mark.parametrize(("changes", "error"), REFRESHES.values(), ids=REFRESHES)
def test_refresh_that_does_not_fit_is_refused(live, changes, error):
    first = live.exchange(live.log_in("analyst")["code"]).json()
    assert refresh(live, first["refresh_token"], **changes).json()["error"] == error


def test_refresh_of_another_client_is_refused(live):
    other = live.web.post("/register", json=REGISTRATION).json()["client_id"]
    first = live.exchange(live.log_in("analyst")["code"]).json()
    assert refresh(live, first["refresh_token"], client_id=other).json()["error"] == "invalid_grant"


def test_refresh_token_used_twice_ends_the_family(live):
    first = live.exchange(live.log_in("analyst")["code"]).json()
    second = refresh(live, first["refresh_token"]).json()
    answers = [refresh(live, first["refresh_token"]), refresh(live, second["refresh_token"])]
    assert [answer.json()["error"] for answer in answers] == ["invalid_grant", "invalid_grant"]


def test_expired_refresh_token_is_refused(live):
    first = live.exchange(live.log_in("analyst")["code"]).json()
    live.clock.time += live.issuer.settings.refresh_ttl_s
    assert refresh(live, first["refresh_token"]).json()["error"] == "invalid_grant"


def test_nothing_is_left_of_a_grant_that_was_only_elevated(live):
    answer = live.log_in("finance", second_factor=True, scope="billing:payout", resource=BILLING)
    first = live.exchange(answer["code"]).json()
    assert (first["scope"], refresh(live, first["refresh_token"]).json()["error"]) == (
        "billing:payout",
        "invalid_scope",
    )


TOLD_TO_CLIENT = {
    "no response type": ({"response_type": None}, "unsupported_response_type"),
    "implicit": ({"response_type": "token"}, "unsupported_response_type"),
    "fragment": ({"response_mode": "fragment"}, "invalid_request"),
    "no PKCE": ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    "PKCE plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "PKCE without method": ({"code_challenge_method": None}, "invalid_request"),
    "challenge too short": ({"code_challenge": "c" * 42}, "invalid_request"),
    "no page wanted": ({"prompt": "none"}, "login_required"),
    "unknown resource": ({"resource": "https://elsewhere.example"}, "invalid_target"),
    "no resource": ({"resource": None}, "invalid_target"),
    "unknown scope": ({"scope": "root"}, "invalid_scope"),
}


@pytest.mark.parametrize(("changes", "error"), TOLD_TO_CLIENT.values(), ids=TOLD_TO_CLIENT)
def test_client_gets_the_mistake_of_its_request(live, changes, error):
    answer = told(live.authorize(**changes))
    assert (answer["error"], answer["state"], answer["iss"]) == (error, "s-1", live.url)


TOLD_TO_PERSON = {
    "no client": {"client_id": None},
    "unknown client": {"client_id": "nobody"},
    "client without redirects": {"client_id": "demo-analyst"},
    "no redirect URI": {"redirect_uri": None},
    "another path": {"redirect_uri": "http://127.0.0.1:49152/other"},
    "another query": {"redirect_uri": f"{CALLBACK}?next=1"},
    "another loopback name": {"redirect_uri": "http://[::1]:49152/callback"},
    "another host": {"redirect_uri": "http://127.0.0.1.evil.example/callback"},
    "userinfo": {"redirect_uri": "http://127.0.0.1:49152@evil.example/callback"},
    "https": {"redirect_uri": "https://127.0.0.1:49152/callback"},
}


@pytest.mark.parametrize("changes", TOLD_TO_PERSON.values(), ids=TOLD_TO_PERSON)
def test_unknown_redirect_is_shown_to_the_person_only(live, changes):
    answer = live.authorize(**changes)
    assert (answer.status_code, "location" in answer.headers, 'role="alert"' in answer.text) == (400, False, True)


def test_parameter_given_twice_is_shown_to_the_person(live):
    answer = live.web.get(f"/authorize?client_id=demo-browser&client_id=x&redirect_uri={CALLBACK}")
    assert (answer.status_code, "more than once" in answer.text) == (400, True)


def test_request_too_long_is_shown_to_the_person(live):
    answer = live.authorize(state="x" * 20_000)
    assert (answer.status_code, "location" in answer.headers) == (413, False)


def test_page_shows_who_asks_for_what_and_runs_nothing(live):
    name = "<script>alert(1)</script> & Co"
    client_id = live.web.post("/register", json={**REGISTRATION, "client_name": name}).json()["client_id"]
    answer = live.authorize(client_id=client_id, acr_values="urn:mfa")
    shown = ("&lt;script&gt;alert(1)&lt;/script&gt; &amp; Co", CRM, CALLBACK, "asks for a second factor", "<legend>")
    assert [text in answer.text for text in shown] == [True] * len(shown)
    assert "<script" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.endswith("frame-ancestors 'none'; base-uri 'none'")
    assert answer.headers["cache-control"] == "no-store"


LOGINS = {
    "declined": ({"answer": "decline", "person": "analyst"}, "the person declined"),
    "nobody chosen": ({"answer": "log-in"}, "no person was chosen"),
    "unknown person": ({"answer": "log-in", "person": "root"}, "no person was chosen"),
}


@pytest.mark.parametrize(("form", "description"), LOGINS.values(), ids=LOGINS)
def test_login_that_was_not_one_is_denied(live, form, description):
    live.authorize()
    answer = told(live.web.post("/login", data={"login": "drawn-1", **form}))
    assert answer == {
        "error": "access_denied",
        "error_description": description,
        "state": "s-1",
        "iss": live.url,
    }


def test_person_without_any_of_the_scopes_is_denied(live):
    answer = live.log_in("analyst", scope="billing:payout", second_factor=True)
    assert answer["error"] == "access_denied"


def test_page_can_be_sent_once_and_not_for_ever(live):
    live.authorize()
    form = {"login": "drawn-1", "person": "analyst", "answer": "log-in"}
    statuses = [live.web.post("/login", data=form).status_code for _ in range(2)]
    live.authorize()
    live.clock.time += live.issuer.settings.login_ttl_s
    late = live.web.post("/login", data={**form, "login": "drawn-3"})
    assert [*statuses, late.status_code] == [303, 400, 400]


def test_login_in_json_is_refused(live):
    assert live.web.post("/login", json={}).status_code == 400


def test_client_registers_itself_and_becomes_a_public_one(live):
    answer = live.web.post("/register", json=REGISTRATION)
    assert (answer.status_code, answer.json()) == (
        201,
        {
            "client_id": "drawn-1",
            "client_id_issued_at": NOW_S,
            "client_name": "A desk client",
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        },
    )


def test_client_that_registered_without_refresh_gets_none(live):
    registration = {**REGISTRATION, "grant_types": ["authorization_code"]}
    client_id = live.web.post("/register", json=registration).json()["client_id"]
    code = live.log_in("analyst", client_id=client_id)["code"]
    assert "refresh_token" not in live.exchange(code, client_id=client_id).json()


def test_registered_client_may_come_back_on_another_port(live):
    client_id = live.web.post("/register", json=REGISTRATION).json()["client_id"]
    other = "http://127.0.0.1:50001/callback"
    assert "code" in live.log_in("analyst", client_id=client_id, redirect_uri=other)


REGISTRATIONS = {
    "no redirect URI": ({"redirect_uris": []}, "invalid_redirect_uri"),
    "too many": ({"redirect_uris": [CALLBACK] * 11}, "invalid_redirect_uri"),
    "not a list": ({"redirect_uris": CALLBACK}, "invalid_redirect_uri"),
    "not a string": ({"redirect_uris": [1]}, "invalid_redirect_uri"),
    "elsewhere": ({"redirect_uris": [CALLBACK, "https://evil.example/cb"]}, "invalid_redirect_uri"),
    "own scheme": ({"redirect_uris": ["app://127.0.0.1/cb"]}, "invalid_redirect_uri"),
    "fragment": ({"redirect_uris": [f"{CALLBACK}#x"]}, "invalid_redirect_uri"),
    "port that is none": ({"redirect_uris": ["http://127.0.0.1:x/cb"]}, "invalid_redirect_uri"),
    "space": ({"redirect_uris": ["http://127.0.0.1/c b"]}, "invalid_redirect_uri"),
    "other grants only": ({"grant_types": ["client_credentials"]}, "invalid_client_metadata"),
    "grants as text": ({"grant_types": "authorization_code"}, "invalid_client_metadata"),
    "name too long": ({"client_name": "x" * 101}, "invalid_client_metadata"),
    "name is a number": ({"client_name": 1}, "invalid_client_metadata"),
}


@pytest.mark.parametrize(("changes", "error"), REGISTRATIONS.values(), ids=REGISTRATIONS)
def test_registration_is_refused(live, changes, error):
    answer = live.web.post("/register", json={**REGISTRATION, **changes})
    assert (answer.status_code, answer.json()["error"]) == (400, error)


DOCUMENTS = {
    "list": b"[]",
    "duplicate key": b'{"redirect_uris": [], "redirect_uris": ["x"]}',
    "nothing": b"",
    "too long": b" " * 20_000,
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_unreadable_registration_is_refused(live, document):
    answer = live.web.post("/register", content=document, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


CONSOLE = {"client_id": "agen-console", "redirect_uri": "http://127.0.0.1:8080/sign-in/callback"}


def test_console_signs_people_in_without_naming_a_resource(live):
    answer = live.log_in("finance", **CONSOLE, resource=None, scope="openid profile email", nonce="n-1")
    tokens = live.exchange(answer["code"], **CONSOLE, client_secret="demo-only").json()
    claims = read_claims(tokens["id_token"])
    assert (claims["aud"], claims["nonce"], claims["auth_time"]) == ("agen-console", "n-1", NOW_S)
    assert (tokens["scope"], read_claims(tokens["access_token"])["aud"]) == ("openid", live.url)


def test_consoles_code_needs_its_secret(live):
    code = live.log_in("finance", **CONSOLE, resource=None, scope="openid")["code"]
    assert live.exchange(code, **CONSOLE).json()["error"] == "invalid_client"


@pytest.mark.parametrize("scope", ["mcp:tools", "openid mcp:tools", "profile"])
def test_only_a_sign_in_may_leave_out_the_resource(live, scope):
    assert told(live.authorize(resource=None, scope=scope))["error"] == "invalid_target"
