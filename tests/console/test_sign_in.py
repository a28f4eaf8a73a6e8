"""Signing in at the console, and how a session ends."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from agen_authz.core.approval.pairing import challenge_of
from agen_authz.core.model import Revoked
from tests import builders as build
from tests.console.rig import BOB, CLIENT, ENDPOINT, ORIGIN, REQUEST, SETTINGS, Stand, claims
from tests.core.approval.rig import HERE

SESSION, PENDING = "__Host-agen-session", "__Host-agen-sign-in-"


async def begin(browser, to="/"):
    return (await browser.get(f"/sign-in?to={to}")).headers["location"]


async def test_browser_without_session_is_sent_to_sign_in_and_back(stand):
    stand.ask()
    async with stand.browsing() as browser:
        answer = await browser.get(f"/requests/{REQUEST}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?to=%2Frequests%2F{REQUEST}")
        back = await browser.sign_in(BOB, f"/requests/{REQUEST}")
        assert (back.status_code, back.headers["location"]) == (303, f"/requests/{REQUEST}")
        assert (await browser.get(f"/requests/{REQUEST}")).status_code == 200


async def test_provider_is_asked_with_pkce_state_and_nonce_that_are_new_each_time(stand):
    async with stand.browsing() as browser:
        first, second = [dict(parse_qsl(urlsplit(await begin(browser)).query)) for _ in range(2)]
    kept = {name: value for name, value in first.items() if name not in ("state", "nonce", "code_challenge")}
    assert kept == {
        "response_type": "code",
        "client_id": CLIENT,
        "redirect_uri": f"{ORIGIN}/sign-in/callback",
        "scope": "openid profile email",
        "code_challenge_method": "S256",
        "max_age": "3600",
    }
    for name in ("state", "nonce", "code_challenge"):
        assert (len(first[name]), first[name] != second[name]) == (43, True)


async def test_fresh_login_is_asked_of_the_provider(stand):
    async with stand.browsing() as browser:
        location = (await browser.get("/sign-in?fresh=1")).headers["location"]
    assert dict(parse_qsl(urlsplit(location).query))["prompt"] == "login"


async def test_cookies_are_for_this_host_and_no_script(stand):
    async with stand.browsing() as browser:
        begun = (await browser.get("/sign-in")).headers["set-cookie"]
        done = (await browser.sign_in(BOB)).headers.get_list("set-cookie")
    assert (begun.startswith(PENDING), done[0].startswith(SESSION)) == (True, True)
    for each in (begun, done[0]):
        words = {word.strip().lower() for word in each.split(";")[1:]}
        assert {"httponly", "path=/", "samesite=lax", "secure"} <= words
        assert not any(word.startswith("domain") for word in words)


async def test_cookies_have_plain_names_on_loopback(stand):
    stand.app = stand.build(replace(SETTINGS, base_url="http://127.0.0.1:8080"))
    async with stand.browsing(origin="http://127.0.0.1:8080") as browser:
        answer = await browser.get("/sign-in")
    cookie = answer.headers["set-cookie"]
    assert (cookie.startswith("agen-sign-in-"), "ecure" in cookie) == (True, False)
    assert "strict-transport-security" not in answer.headers


REFUSED_QUERIES = {
    "another state": {"state": "s" * 43},
    "no state": {"state": ""},
    "another issuer in the answer": {"iss": "https://elsewhere.example"},
    "another code": {"code": "guess"},
    "no code": {"code": ""},
}


@pytest.mark.parametrize("changes", REFUSED_QUERIES.values(), ids=REFUSED_QUERIES)
async def test_answer_that_does_not_fit_signs_nobody_in(stand, changes):
    async with stand.browsing() as browser:
        answer = await browser.come_back(stand.identity.log_in(await begin(browser), BOB) | changes)
        assert (answer.status_code, SESSION in browser.web.cookies) == (403, False)
        assert "You are not signed in" in answer.text


REFUSED_TOKENS = {
    "another nonce": {"nonce": "n" * 43},
    "no nonce": {"nonce": None},
    "another audience": {"aud": "demo-browser"},
    "another issuer": {"iss": "https://elsewhere.example"},
    "expired": {"exp": int(build.NOW) - 31},
    "issued later": {"iat": int(build.NOW) + 31},
    "an access token": {"token_use": "access"},
    "another party": {"azp": "someone"},
}


@pytest.mark.parametrize("changes", REFUSED_TOKENS.values(), ids=REFUSED_TOKENS)
async def test_id_token_that_does_not_fit_signs_nobody_in(stand, changes):
    async with stand.browsing() as browser:
        answer = await browser.sign_in(BOB | changes)
    assert (answer.status_code, stand.sessions.kept) == (403, {})


async def test_id_token_with_an_algorithm_that_is_not_configured_is_refused(stand):
    stand.change_rules(provider=build.provider(issuer=HERE, algorithms=frozenset({"RS256"})))
    async with stand.browsing() as browser:
        assert "token_algorithm" in (await browser.sign_in(BOB)).text


async def test_id_token_of_an_unknown_key_is_refused(stand):
    stand.keys.hold("idp")
    async with stand.browsing() as browser:
        assert "token_key_unknown" in (await browser.sign_in(BOB)).text


async def test_answer_counts_once(stand):
    async with stand.browsing() as browser:
        query = stand.identity.log_in(await begin(browser), BOB)
        assert [(await browser.come_back(query)).status_code for _ in range(2)] == [303, 403]


async def test_answer_to_another_browser_signs_nobody_in(stand):
    async with stand.browsing() as mine, stand.browsing() as other:
        query = stand.identity.log_in(await begin(mine), BOB)
        await begin(other)
        assert (await other.come_back(query)).status_code == 403
        assert (await mine.come_back(query)).status_code == 303


async def test_sign_in_that_has_begun_writes_nothing_to_the_store(stand):
    stand.sessions.is_broken = True
    async with stand.browsing() as browser:
        assert ((await browser.get("/sign-in")).status_code, stand.sessions.kept) == (303, {})


async def test_tabs_that_were_opened_at_once_all_sign_in(stand):
    async with stand.browsing() as browser:
        queries = [stand.identity.log_in(await begin(browser), BOB) for _ in range(2)]
        assert [(await browser.come_back(each)).status_code for each in queries] == [303, 303]


async def test_cookie_of_another_sign_in_is_none(stand):
    async with stand.browsing() as browser:
        one, other = [stand.identity.log_in(await begin(browser), BOB) for _ in range(2)]
        cookies = browser.web.cookies
        cookies.set(PENDING + one["state"], cookies[PENDING + other["state"]], domain="approve.example", path="/")
        assert (await browser.come_back(one)).status_code == 403


@pytest.mark.parametrize("sealed", ["x", "=", "x" * 5000, "\u00e9"], ids=["short", "padding", "long", "not ASCII"])
async def test_cookie_that_the_console_did_not_make_is_none(stand, sealed):
    async with stand.browsing() as browser:
        query = stand.identity.log_in(await begin(browser), BOB)
        cookie = f"{PENDING}{query['state']}={sealed}".encode()
        answer = await browser.web.get(f"/sign-in/callback?{urlencode(query)}", headers={b"cookie": cookie})
    assert answer.status_code == 403


async def test_sign_ins_that_never_end_do_not_pile_up(stand):
    async with stand.browsing() as browser:
        for _ in range(20):
            await begin(browser)
        assert len(browser.web.cookies) == 9
        # Another service on the same loopback address may set any cookie.
        odd = "; ".join(f"{PENDING}{at}(=x" for at in range(20)).encode()
        assert (await browser.web.get("/sign-in", headers={b"cookie": odd})).status_code == 303


async def test_sign_in_that_took_too_long_is_refused(stand):
    async with stand.browsing() as browser:
        query = stand.identity.log_in(await begin(browser), BOB)
        stand.clock.advance(600.0)
        assert (await browser.come_back(query)).status_code == 403


@pytest.mark.parametrize(("word", "sentence"), [("access_denied", "you did not sign in"), ("<b>x", "refused")])
async def test_error_of_the_provider_is_told_and_not_repeated(stand, word, sentence):
    async with stand.browsing() as browser:
        state = dict(parse_qsl(urlsplit(await begin(browser)).query))["state"]
        answer = await browser.come_back({"error": word, "error_description": "<b>y", "state": state})
    assert (answer.status_code, sentence in answer.text, "<b>" in answer.text) == (403, True, False)


ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "/\\evil.example",
    "/requests/../../x",
    "/tools/pay/..",
    "/tools/./x",
    "/tools/%2e%2E/x",
    "/requests/x",
    "/sign-out",
    "javascript:alert(1)",
    "/requests?%0d%0aset-cookie: a=b",
]


@pytest.mark.parametrize("place", ELSEWHERE)
async def test_sign_in_leads_to_pages_of_the_console_only(stand, place):
    async with stand.browsing() as browser:
        assert (await browser.sign_in(BOB, place)).headers["location"] == "/"


async def test_fresh_login_must_be_one(stand):
    async with stand.browsing() as browser:
        stale = BOB | {"auth_time": int(build.NOW) - 31}
        assert "token_too_old" in (await browser.sign_in(stale, fresh=True)).text
        assert (await browser.sign_in(BOB | {"auth_time": None}, fresh=True)).status_code == 403
        assert (await browser.sign_in(BOB, fresh=True)).status_code == 303


# ---- sessions ----------------------------------------------------------------------------------------------


async def test_session_ends_in_time_whatever_is_done_with_it(stand):
    async with stand.browsing(BOB) as browser:
        stand.clock.advance(SETTINGS.session_s - 1)
        assert (await browser.get("/")).status_code == 200
        stand.clock.advance(1)
        assert (await browser.get("/")).headers["location"].startswith("/sign-in")


async def test_secret_of_a_session_is_new_at_each_sign_in_and_the_old_one_is_good_for_nothing(stand):
    async with stand.browsing(BOB) as browser, stand.browsing() as thief:
        old = browser.web.cookies[SESSION]
        thief.web.cookies.set(SESSION, old)
        assert (await thief.get("/")).status_code == 200
        await browser.sign_in(BOB)
        assert browser.web.cookies[SESSION] != old
        assert (await thief.get("/")).status_code == 303


async def test_store_holds_no_secret_and_no_name(stand):
    async with stand.browsing(BOB) as browser:
        secret = browser.web.cookies[SESSION]
    kept = b"".join(name.encode() + each.sealed for name, each in stand.sessions.kept.items())
    assert (secret.encode() in kept, b"bob" in kept, len(stand.sessions.kept)) == (False, False, 2)


async def test_session_that_was_put_under_another_name_is_none(stand):
    async with stand.browsing(BOB) as browser:
        (mine,) = [name for name, each in stand.sessions.kept.items() if len(each.sealed) > 200]
        async with stand.browsing(claims("ann")):
            (other,) = [name for name, each in stand.sessions.kept.items() if len(each.sealed) > 200 and name != mine]
        stand.sessions.kept[mine] = stand.sessions.kept[other]
        assert (await browser.get("/")).status_code == 303


CUT_OFF = {
    "the key is revoked": lambda rules: replace(rules, revoked=Revoked(kids=frozenset({build.KID}))),
    "the provider may not assert the role any more": lambda rules: replace(
        rules, provider=replace(rules.provider, roles=frozenset({"other"}))
    ),
    "the subject is revoked": lambda rules: replace(rules, revoked=Revoked(subjects=frozenset({"bob"}))),
    "the tenant is not the provider's any more": lambda rules: replace(
        rules, provider=replace(rules.provider, tenants=frozenset({"other"}))
    ),
    "people sign in at another provider now": lambda rules: replace(
        rules, provider=replace(rules.provider, name="next")
    ),
    "the provider has another issuer": lambda rules: replace(rules, provider=build.provider()),
}


@pytest.mark.parametrize("change", CUT_OFF.values(), ids=CUT_OFF)
async def test_reload_ends_sessions_that_could_not_begin_now(stand, change):
    async with stand.browsing(BOB) as browser:
        stand.rules = change(stand.rules)
        assert (await browser.get("/")).status_code == 303


async def test_signing_out_ends_the_session(stand):
    async with stand.browsing(BOB) as browser:
        secret, csrf = browser.web.cookies[SESSION], await browser.csrf()
        answer = await browser.post("/sign-out", {"csrf": csrf})
        assert (answer.headers["location"], stand.sessions.kept) == ("/signed-out", {})
        browser.web.cookies.set(SESSION, secret)
        assert (await browser.get("/")).status_code == 303
        assert "You are signed out" in (await browser.get("/signed-out")).text


def list_told(stand):
    return [(each["sign_in"]["event"], each["sign_in"].get("subject"), each["reason"]) for each in stand.sign_ins]


async def test_who_comes_and_leaves_is_in_the_audit_log(stand):
    async with stand.browsing(BOB) as browser:
        await browser.post("/sign-out", {"csrf": await browser.csrf()})
    async with stand.browsing() as browser:
        await browser.sign_in(claims("mallory", aud="another-client"))
    assert list_told(stand) == [
        ("signed_in", "bob", ""),
        ("signed_out", "bob", ""),
        ("refused", None, "token_audience"),
    ]
    assert (stand.sign_ins[0]["sign_in"]["roles"], stand.sign_ins[0]["policy_set"]) == (["lead"], "v-1")


async def test_strangers_cannot_fill_the_audit_log(stand):
    async with stand.browsing() as browser:
        await browser.get("/sign-in/callback?code=x&state=y")
        location = await begin(browser)
        state = dict(parse_qsl(urlsplit(location).query))["state"]
        await browser.come_back({"error": "access_denied", "state": state})
        await browser.post("/sign-out", {"csrf": ""})
    assert stand.sign_ins == []


async def test_person_is_signed_in_though_the_event_cannot_be_written(stand, caplog):
    stand.is_audit_down = True
    async with stand.browsing(BOB) as browser:
        assert (await browser.get("/")).status_code == 200
    assert "could not be written to the audit log" in caplog.text


async def test_nobody_else_signs_a_person_out(stand):
    async with stand.browsing(BOB) as browser:
        assert (await browser.post("/sign-out", {"csrf": "guess"})).status_code == 403
        assert (await browser.get("/")).status_code == 200


async def test_provider_that_is_down_is_told_plainly(stand):
    stand.identity.is_down = True
    async with stand.browsing() as browser:
        answer = await browser.get("/sign-in")
    assert (answer.status_code, "Nothing was changed" in answer.text) == (503, True)


async def test_store_that_is_down_is_told_plainly(stand):
    async with stand.browsing(BOB) as browser:
        stand.sessions.is_broken = True
        assert (await browser.get("/")).status_code == 503


async def test_all_is_below_the_path_of_the_consoles_address():
    stand = Stand()
    stand.ask()
    stand.app = stand.build(replace(SETTINGS, base_url=f"{ORIGIN}/approve/"))
    async with stand.browsing() as browser:
        to_sign_in = (await browser.get(f"/approve/requests/{REQUEST}")).headers["location"]
        begun = (await browser.get(to_sign_in)).headers["location"]
        wish = dict(parse_qsl(urlsplit(begun).query))
        query = stand.identity.log_in(begun, BOB)
        back = await browser.get(f"/approve/sign-in/callback?code={query['code']}&state={query['state']}")
        page = await browser.get(back.headers["location"])
    assert to_sign_in == f"/approve/sign-in?to=%2Frequests%2F{REQUEST}"
    assert wish["redirect_uri"] == f"{ORIGIN}/approve/sign-in/callback"
    assert begun.startswith(ENDPOINT)
    assert back.headers["location"] == f"/approve/requests/{REQUEST}"
    assert f'action="/approve/requests/{REQUEST}/decision"' in page.text


@pytest.mark.parametrize(("base_url", "place"), [(ORIGIN, "/tools/"), (f"{ORIGIN}/approve", "/approve/tools/")])
async def test_place_with_a_slash_too_many_is_not_there(stand, base_url, place):
    stand.app = stand.build(replace(SETTINGS, base_url=base_url))
    async with stand.browsing() as browser:
        answer = await browser.get(place)
    assert (answer.status_code, "location" in answer.headers) == (404, False)


async def test_path_of_the_consoles_address_leads_to_its_first_page(stand):
    stand.app = stand.build(replace(SETTINGS, base_url=f"{ORIGIN}/approve/"))
    async with stand.browsing() as browser:
        answer = await browser.get("/approve")
    assert (answer.status_code, answer.headers["location"]) == (303, "/approve/")


def test_challenge_is_the_one_of_the_standards_example():
    # RFC 7636 appendix B.
    verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert challenge_of(verifier) == challenge
