"""The console for a command line: signing a terminal in, and the same rules as on the pages."""

from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from msgspec.structs import replace

from agen_authz.core.approval.pairing import bind_challenge
from agen_authz.core.approval.request import Progress
from agen_authz.core.approval.table import REFUSALS, Refusal
from agen_authz.core.model import Digest, Revoked
from tests import builders as build
from tests.console.rig import ANN, BOB, ORIGIN, POLICY, REQUEST, STRANGER, ZOE, claims
from tests.core.pinning.rig import catalogue

VERIFIER, STATE = "v" * 43, "s" * 43
ASKED = {"challenge": bind_challenge(VERIFIER, ORIGIN), "state": STATE, "port": "49152"}


class Terminal:
    """A command that speaks to the console's API."""

    def __init__(self, web):
        self.web, self.token = web, ""

    async def exchange(self, code, verifier=VERIFIER):
        answer = await self.web.post("/api/terminal", json={"code": code, "verifier": verifier})
        self.token = answer.json().get("token", "")
        return answer

    async def call(self, method, place, **body):
        headers = {"authorization": f"Bearer {self.token}"}
        answer = await self.web.request(method, f"/api{place}", headers=headers, json=body or None)
        return answer.status_code, answer.json() if answer.content else None

    async def decide(self, *, approves=True, reason="", votes=0):
        return await self.call("POST", f"/requests/{REQUEST}/decision", approves=approves, reason=reason, votes=votes)


@asynccontextmanager
async def terminal(stand, said=BOB, **changes):
    async with stand.browsing(said) as browser:
        code = await allow(browser, **changes)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(stand.app), base_url=ORIGIN) as web:
        signed_in = Terminal(web)
        assert (await signed_in.exchange(code)).status_code == 200
        assert stand.sign_ins[-1]["sign_in"]["event"] == "terminal"
        yield signed_in


async def ask(browser, **changes):
    return await browser.get(f"/terminal?{urlencode(ASKED | changes)}")


async def allow(browser, answer="allow", **changes):
    """Allow what a terminal asks for; the code that it is given."""
    form = {"csrf": await browser.csrf(), "answer": answer, **ASKED, **changes}
    return read_code(await browser.post("/terminal", form))


def read_code(answer):
    if answer.status_code == 200:
        return answer.text.partition('class="match long">')[2].partition("<")[0]
    assert answer.status_code == 303, answer.text
    sent = urlsplit(answer.headers["location"])
    assert f"{sent.scheme}://{sent.netloc}{sent.path}" == "http://127.0.0.1:49152/signed-in"
    query = dict(parse_qsl(sent.query))
    assert query["state"] == STATE
    return query["code"]


async def test_terminal_is_signed_in_by_a_person_who_compares_words(stand):
    async with stand.browsing(BOB) as browser:
        page = await ask(browser)
    assert (page.status_code, '<p class="match">' in page.text) == (200, True)
    assert "form-action 'self' http://127.0.0.1:49152;" in page.headers["content-security-policy"]
    async with terminal(stand) as signed_in:
        assert await signed_in.call("GET", "/requests") == (200, {"requests": [], "is_cut": False})


async def test_code_is_shown_if_the_terminal_has_no_port(stand):
    async with stand.browsing(BOB) as browser:
        page = await ask(browser, port="")
        assert "Never give it to anybody" in page.text
    async with terminal(stand, port="") as signed_in:
        assert (await signed_in.call("GET", "/requests"))[0] == 200


MADE_WRONGLY = {
    "a challenge that is none": {"challenge": "x"},
    "no state": {"state": ""},
    "a port that is none": {"port": "80x"},
    "a port that is privileged": {"port": "80"},
    "a port that is too high": {"port": "65536"},
    "a host": {"port": "1@evil.example"},
}


@pytest.mark.parametrize("changes", MADE_WRONGLY.values(), ids=MADE_WRONGLY)
async def test_address_that_no_terminal_made_is_refused(stand, changes):
    async with stand.browsing(BOB) as browser:
        page = await ask(browser, **changes)
        form = {"csrf": await browser.csrf(), "answer": "allow", **ASKED, **changes}
        answer = await browser.post("/terminal", form)
    assert (page.status_code, "location" in answer.headers, "was not signed in" in answer.text) == (400, False, True)


async def test_person_may_say_no(stand):
    async with stand.browsing(BOB) as browser:
        form = {"csrf": await browser.csrf(), "answer": "deny", **ASKED}
        answer = await browser.post("/terminal", form)
    assert ("was not signed in" in answer.text, len(stand.sessions.kept)) == (True, 2)


async def test_terminal_needs_a_fresh_login_before_and_when_it_is_allowed(stand):
    async with stand.browsing(BOB) as browser:
        csrf = await browser.csrf()
        stand.clock.advance(3601.0)
        assert "fresh=1" in (await ask(browser)).headers["location"]
        answer = await browser.post("/terminal", {"csrf": csrf, "answer": "allow", **ASKED})
    assert (answer.status_code, "location" in answer.headers) == (403, False)


async def test_login_in_the_future_is_not_a_fresh_one(stand):
    async with stand.browsing(BOB | {"auth_time": int(build.NOW) + 61}) as browser:
        assert "fresh=1" in (await ask(browser)).headers["location"]


async def test_forged_form_signs_no_terminal_in(stand):
    async with stand.browsing(BOB) as browser:
        answer = await browser.post("/terminal", {"csrf": "guess", "answer": "allow", **ASKED})
    assert (answer.status_code, len(stand.sessions.kept)) == (403, 2)


async def test_code_is_good_once_for_two_minutes_and_for_the_terminal_that_asked(stand):
    async with stand.browsing(BOB) as browser:
        codes = [await allow(browser) for _ in range(3)]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(stand.app), base_url=ORIGIN) as web:
        other = Terminal(web)
        # A wrong verifier burns the code.
        assert [(await other.exchange(codes[0], v)).status_code for v in ("w" * 43, VERIFIER)] == [403, 403]
        assert [(await other.exchange(codes[1])).status_code for _ in range(2)] == [200, 403]
        stand.clock.advance(120.0)
        assert (await other.exchange(codes[2])).status_code == 403


async def test_code_that_another_console_passed_on_is_refused(stand):
    # A terminal was asked to sign in at a console that looks like ours, and that sent the browser on to ours.
    passed_on = {"challenge": bind_challenge(VERIFIER, "https://approve.evil.example")}
    async with stand.browsing(BOB) as browser:
        code = await allow(browser, **passed_on)
        answer = await Terminal(browser.web).exchange(code)
    assert (answer.status_code, answer.json()["error"]) == (403, "invalid_code")


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"code": 1}', b'{"code": "a", "verifier": "short"}', b"x" * 40_000]
)
async def test_exchange_that_cannot_be_read_is_refused(stand, body):
    async with stand.browsing() as browser:
        answer = await browser.web.post("/api/terminal", content=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "malformed")


async def test_terminal_without_a_good_token_is_refused(stand):
    async with terminal(stand) as signed_in, stand.browsing(BOB) as browser:
        good = signed_in.token
        for token in ("", "guess", "x" * 300, browser.web.cookies["__Host-agen-session"]):
            signed_in.token = token
            status, told = await signed_in.call("GET", "/requests")
            assert (status, told["error"]) == (401, "signed_out")
        # A cookie is nothing here, and a terminal's token is nothing on the pages.
        assert (await browser.get("/api/requests")).status_code == 401
        browser.web.cookies.set("__Host-agen-session", good)
        assert (await browser.get("/requests")).status_code == 303


async def test_terminals_session_ends_with_the_browsers_time_and_by_its_own_word(stand):
    async with terminal(stand) as first, terminal(stand) as second:
        assert await first.call("DELETE", "/terminal") == (204, None)
        assert (await first.call("GET", "/requests"))[0] == 401
        stand.clock.advance(8 * 3600.0)
        assert (await second.call("GET", "/requests"))[0] == 401


async def sign_out(browser):
    assert (await browser.post("/sign-out", {"csrf": await browser.csrf()})).status_code == 303


async def test_signing_out_in_the_browser_signs_its_terminals_out(stand):
    async with stand.browsing(BOB) as browser, stand.browsing(BOB) as other:
        first, second = Terminal(browser.web), Terminal(other.web)
        await first.exchange(await allow(browser))
        await second.exchange(await allow(other))
        code = await allow(browser)
        await sign_out(browser)
        assert [(await each.call("GET", "/requests"))[0] for each in (first, second)] == [401, 200]
        assert (await first.exchange(code)).status_code == 403


@pytest.mark.parametrize(("person", "status"), [(BOB, 200), (ZOE, 401)], ids=["the same", "another"])
async def test_terminal_stays_signed_in_if_the_same_person_signs_in_again(stand, person, status):
    async with stand.browsing(BOB) as browser:
        signed_in = Terminal(browser.web)
        await signed_in.exchange(await allow(browser))
        await browser.sign_in(person)
        assert (await signed_in.call("GET", "/requests"))[0] == status
        await sign_out(browser)
        assert (await signed_in.call("GET", "/requests"))[0] == 401


async def test_revoked_subject_is_signed_out_of_terminals_too(stand):
    async with terminal(stand) as signed_in:
        stand.change_rules(revoked=Revoked(subjects=frozenset({"bob"})))
        assert (await signed_in.call("GET", "/requests"))[0] == 401


# ---- the same rules ----------------------------------------------------------------------------------------


async def test_terminal_lists_what_waits_and_what_was(stand):
    stand.ask()
    stand.ask(id="e" * 32, status=Progress.REJECTED)
    summary = {
        "id": REQUEST,
        "status": "open",
        "target": "pay/refund",
        "requester": "ann@acme.example",
        "tenant": "acme",
        "policy": "refunds",
        "flow": "finance",
        "votes": 0,
        "created_at": build.NOW,
        "ends_at": build.NOW + 14400,
        "waits_for_you": True,
    }
    async with terminal(stand) as signed_in:
        assert await signed_in.call("GET", "/requests") == (200, {"requests": [summary], "is_cut": False})
        counts = [
            len((await signed_in.call("GET", f"/requests?status={word}"))[1]["requests"])
            for word in ("waiting", "all", "rejected", "used")
        ]
        assert counts == [1, 2, 1, 0]
        status, told = await signed_in.call("GET", "/requests?status=odd")
        assert (status, "waiting, all, open" in told["message"]) == (400, True)


async def test_terminal_shows_a_request_masked(stand):
    stand.ask()
    async with terminal(stand, ZOE) as signed_in:
        status, shown = await signed_in.call("GET", f"/requests/{REQUEST}")
    assert status == 200
    assert ("jo@buyer" in str(shown), shown["params"]["arguments"]["amount"]) == (False, 250)
    assert (shown["masked"], shown["description"], shown["conditions"]) == (
        {"email": 1},
        "Pays money back.",
        ["arguments.amount > 100"],
    )
    assert (shown["objection"], shown["link"]) == ("not_approver", f"{ORIGIN}/requests/{REQUEST}")
    assert [each["state"] for each in shown["steps"]] == ["waits", "ahead"]


async def test_terminal_is_shown_what_the_page_shows_of_tool_and_policy(stand):
    stand.ask()
    async with terminal(stand) as signed_in:
        before = (await signed_in.call("GET", f"/requests/{REQUEST}"))[1]
        stand.change_rules(policies=(replace(POLICY, digest=Digest("later"), conditions=()),))
        stand.catalogue = catalogue()
        after = (await signed_in.call("GET", f"/requests/{REQUEST}"))[1]
        stand.change_rules(policies=())
        gone = (await signed_in.call("GET", f"/requests/{REQUEST}"))[1]
    assert (before["title"], before["definition"]["annotations"]["readOnlyHint"]) == ("Refund", True)
    assert (before["definition_hidden"], before["method"], before["timeout"]) == (
        [],
        "tools/call",
        "then the call is denied",
    )
    assert before["tool_note"] == "This is the definition that the request is bound to, pinned by ann."
    assert (before["policy_warning"], before["policy_message"]) == ("", "Refunds above 100 need two people.")
    assert ("has changed" in after["policy_warning"], after["definition"]) == (True, None)
    assert (after["policy_reach"], "has changed" in after["tool_note"]) == (
        "It applies to every call of pay/refund.",
        True,
    )
    assert gone["policy_warning"] == "This policy is not configured any more."


async def test_terminal_decides_by_the_same_rules(stand):
    stand.ask()
    async with terminal(stand) as signed_in:
        status, shown = await signed_in.decide(reason="fine")
        assert (status, shown["votes"], shown["history"][1]["reason"]) == (200, 1, "fine")
        assert (await signed_in.decide())[1]["error"] == "changed"
        assert (await signed_in.decide(votes=1))[1]["error"] == "not_approver"
    assert stand.words() == ["approved", "refused"]


REFUSED = {
    "the requester": (ANN, 403, Refusal.REQUESTER),
    "somebody who decides nothing": (STRANGER, 404, "not_found"),
    "another tenant": (claims("bob", tenantId="other"), 404, "not_found"),
    "the next step's people": (claims("eve", roles=[], groups=["control"]), 403, Refusal.NOT_APPROVER),
}


@pytest.mark.parametrize(("person", "status", "word"), REFUSED.values(), ids=REFUSED)
async def test_terminal_is_no_back_door(stand, person, status, word):
    stand.ask()
    async with terminal(stand, person) as signed_in:
        got, told = await signed_in.decide()
    assert (got, told["error"], stand.now().votes) == (status, word, ())
    assert told["message"] == REFUSALS.get(word, told["message"])


async def test_terminal_approves_nothing_that_cannot_be_shown(stand):
    stand.ask(b"{")
    async with terminal(stand) as signed_in:
        status, told = await signed_in.decide()
    assert (status, told["error"], stand.now().votes) == (409, "unseen", ())


async def test_terminal_whose_login_is_too_old_may_look_and_not_decide(stand):
    stand.ask()
    async with terminal(stand) as signed_in:
        stand.clock.advance(3601.0)
        assert (await signed_in.call("GET", f"/requests/{REQUEST}"))[1]["objection"] == "stale_login"
        assert (await signed_in.decide())[1]["error"] == "stale_login"


BODIES = [b"", b"[]", b'{"approves": 1, "votes": 0}', b'{"approves": true, "votes": true}', b'{"approves": true}']


@pytest.mark.parametrize("body", [*BODIES, b'{"approves": true, "votes": 0, "reason": 1}', b"x" * 40_000])
async def test_decision_that_cannot_be_read_is_refused(stand, body):
    stand.ask()
    async with terminal(stand) as signed_in:
        headers = {"authorization": f"Bearer {signed_in.token}"}
        answer = await signed_in.web.post(f"/api/requests/{REQUEST}/decision", content=body, headers=headers)
    assert (answer.status_code, answer.json()["error"], stand.now().votes) == (400, "malformed", ())


async def test_store_that_is_down_is_told_to_terminals(stand):
    async with terminal(stand) as signed_in:
        stand.approvals.is_broken = True
        status, told = await signed_in.call("GET", "/requests")
    assert (status, told["error"]) == (503, "unavailable")
