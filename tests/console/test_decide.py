"""Who decides what, on the pages."""

import json

import pytest

from agen_authz.core.approval.request import Progress, mark_alias
from agen_authz.core.approval.table import REFUSALS, Refusal
from tests import builders as build
from tests.console.rig import ANN, BOB, DAN, EVE, REQUEST, STRANGER, ZOE, claims
from tests.core.approval.rig import FLOW, HERE, flow, single

PAGE = f"/requests/{REQUEST}"
GRANTED = {"status": Progress.APPROVED, "decided_at": build.NOW, "grant_until": build.NOW + 900.0}


async def test_two_steps_are_approved_by_different_people(stand):
    stand.ask()
    for person, votes, status in ((BOB, 0, "open"), (EVE, 1, "open"), (DAN, 2, "approved")):
        async with stand.browsing(person) as browser:
            answer = await browser.decide(votes=votes, reason=f"as {person['sub']}")
            assert (answer.status_code, answer.headers["location"], stand.now().status) == (303, PAGE, status)
    now = stand.now()
    assert [(each.approver.subject, each.step, each.reason) for each in now.votes] == [
        ("bob", 0, "as bob"),
        ("eve", 1, "as eve"),
        ("dan", 1, "as dan"),
    ]
    assert (now.grant_until, stand.words()) == (build.NOW + 900.0, ["approved"] * 3)
    assert stand.metrics.counts["agen_approvals_total", "finance", "approved"] == 3
    occasions = [each.message.occasion.value for each in stand.approvals.outbox.kept.values()]
    assert sorted(set(occasions)) == ["approved", "step"]


async def test_one_rejection_ends_it(stand):
    stand.ask()
    async with stand.browsing(BOB) as browser:
        await browser.decide("reject", reason="not ours\r\nat all")
        page = await browser.get(PAGE)
    assert (stand.now().status, stand.now().votes[0].reason) == (Progress.REJECTED, "not ours\nat all")
    assert ("Rejected. The same call is denied" in page.text, stand.words()) == (True, ["rejected"])


ATTEMPTS = {Refusal.REQUESTER, Refusal.NOT_APPROVER}
REFUSALS_SEEN = {
    "the requester": (ANN, FLOW, Refusal.REQUESTER),
    "the requester under another issuer": (
        claims("other", email="ann@acme.example", roles=["lead"]),
        FLOW,
        Refusal.REQUESTER,
    ),
    "an approver of a later step": (EVE, FLOW, Refusal.NOT_APPROVER),
    "a login that is too old": (BOB | {"auth_time": int(build.NOW) - 3601}, FLOW, Refusal.STALE_LOGIN),
    "a login whose age is unknown": (BOB | {"auth_time": None}, FLOW, Refusal.STALE_LOGIN),
    "a flow that has changed": (BOB, flow(digest="other"), Refusal.FLOW_CHANGED),
}


@pytest.mark.parametrize(("person", "configured", "refusal"), REFUSALS_SEEN.values(), ids=REFUSALS_SEEN)
async def test_who_may_not_decide_is_told_why_and_sees_no_button(stand, person, configured, refusal):
    stand.change_rules(flows={"finance": configured})
    stand.ask()
    async with stand.browsing(person) as browser:
        page = await browser.get(PAGE)
        answer = await browser.decide()
    assert (page.status_code, 'value="approve"' in page.text) == (200, False)
    assert (answer.status_code in (403, 409), stand.now().votes) == (True, ())
    tried = [each["approval"]["refusal"] for each in stand.events]
    assert (tried, set(stand.words())) == (([refusal.value], {"refused"}) if refusal in ATTEMPTS else ([], set()))
    assert REFUSALS[refusal] in page.text.replace("&#39;", "'")


async def test_requester_is_recognised_under_another_subject_and_an_address_that_is_not_verified(stand):
    stand.ask(requester_email="", requester_aliases=(mark_alias(REQUEST, "ann@acme.example"),))
    alike = claims("pairwise-7", email="Ann@Acme.example", email_verified=False)
    async with stand.browsing(alike) as browser:
        page = await browser.get(PAGE)
        answer = await browser.decide()
    assert ('value="approve"' in page.text, answer.status_code in (403, 409), stand.now().votes) == (False, True, ())


# A document in a text, nested deeper than what is searched for personal values: it can be shown unmasked only.
DEEP = json.dumps({"name": "refund", "arguments": {"document": '{"a":' * 300 + "1" + "}" * 300}}).encode()
UNSEEN = {"erased": None, "unreadable": b"{", "not masked to the end": DEEP}


@pytest.mark.parametrize("params", UNSEEN.values(), ids=UNSEEN)
async def test_call_that_cannot_be_shown_to_a_person_is_not_approved_by_them_and_can_be_rejected(stand, params):
    stand.ask(b"" if params is None else params)
    if params is None:
        del stand.approvals.kept[REQUEST]
    async with stand.browsing(BOB) as browser:
        page, answer = await browser.get(PAGE), await browser.decide()
        assert [('value="approve"' in page.text, 'value="reject"' in page.text), answer.status_code] == [
            (False, True),
            409,
        ]
        assert ("so you cannot approve the call. You may reject it." in answer.text, stand.now().votes) == (True, ())
        await browser.decide("reject")
    assert (stand.now().status, stand.words()) == (Progress.REJECTED, ["rejected"])


@pytest.mark.parametrize(("params", "status"), [(DEEP, 303), (b"{", 409)], ids=["unmasked", "unreadable"])
async def test_person_who_may_see_arguments_unmasked_approves_what_can_only_be_shown_so(stand, params, status):
    stand.ask(params)
    async with stand.browsing(BOB | {"roles": ["lead", "privacy"]}) as browser:
        page, answer = await browser.get(PAGE), await browser.decide()
    assert ('value="approve"' in page.text, answer.status_code) == (status == 303, status)


HIDDEN = {
    "somebody who decides nothing": STRANGER,
    "an approver of another tenant": claims("bob", tenantId="other"),
    "a role that another claim has": claims("bob", roles=[], groups=["lead"], email="b@other.example"),
    "an address that is not verified": claims("bob", roles=[], email_verified=False),
}


@pytest.mark.parametrize("person", HIDDEN.values(), ids=HIDDEN)
async def test_request_does_not_exist_for_those_who_may_not_see_it(stand, person):
    stand.ask()
    async with stand.browsing(person) as browser:
        pages = [await browser.get(PAGE), await browser.get("/requests/" + "e" * 32)]
        answer = await browser.decide()
        lists = [(await browser.get(place)).text for place in ("/", "/requests")]
    assert [each.status_code for each in (*pages, answer)] == [404, 404, 404]
    assert (pages[0].text == pages[1].text, stand.now().votes) == (True, ())
    assert not any("refund" in each for each in lists)


async def test_admin_sees_every_tenant_and_decides_only_where_a_flow_says_so(stand):
    stand.ask()
    async with stand.browsing(ZOE | {"tenantId": "other"}) as browser:
        assert (await browser.get(PAGE)).status_code == 200
        assert ((await browser.decide()).status_code, stand.now().votes) == (403, ())


async def test_nobody_counts_twice(stand):
    stand.change_rules(flows={"finance": single(quorum=2)})
    stand.ask(by=single(quorum=2))
    async with stand.browsing(BOB) as browser:
        await browser.decide()
        answer = await browser.decide(votes=1)
    assert (answer.status_code, len(stand.now().votes)) == (409, 1)
    async with stand.browsing(claims("robert", email="bob@acme.example")) as browser:
        assert (await browser.decide(votes=1)).status_code == 409
    assert (len(stand.now().votes), stand.now().status) == (1, Progress.OPEN)


async def test_login_may_be_refreshed_to_decide(stand):
    stand.ask()
    async with stand.browsing(BOB) as browser:
        stand.clock.advance(3601.0)
        assert f"/sign-in?fresh=1&amp;to={PAGE}" in (await browser.get(PAGE)).text
        assert (await browser.decide()).status_code == 403
        await browser.sign_in(BOB, PAGE, fresh=True)
        assert ((await browser.decide()).status_code, len(stand.now().votes)) == (303, 1)


FORGED = {
    "no token": {"csrf": ""},
    "another token": {"csrf": "c" * 43},
    "a token that is not text": {"csrf": "\ud7ff"},
}


@pytest.mark.parametrize("changes", FORGED.values(), ids=FORGED)
async def test_form_without_this_sessions_token_changes_nothing(stand, changes):
    stand.ask()
    async with stand.browsing(BOB) as browser:
        answer = await browser.decide(**changes)
    assert (answer.status_code, "another session" in answer.text, stand.now().votes) == (403, True, ())


async def test_token_of_another_session_changes_nothing(stand):
    stand.ask()
    async with stand.browsing(BOB) as browser, stand.browsing(BOB) as other:
        answer = await browser.decide(csrf=await other.csrf())
    assert (answer.status_code, stand.now().votes) == (403, ())


async def test_form_after_the_session_has_ended_changes_nothing_and_leads_back(stand):
    stand.ask()
    async with stand.browsing(BOB) as browser:
        form = {"csrf": await browser.csrf(), "votes": "0", "answer": "approve"}
        stand.clock.advance(8 * 3600.0)
        answer = await browser.post(f"{PAGE}/decision", form)
    assert (answer.status_code, f'href="{PAGE}"' in answer.text, stand.now().votes) == (401, True, ())


BAD_FORMS = {
    "no answer": {"answer": ""},
    "another answer": {"answer": "maybe"},
    "votes that are no number": {"votes": "x"},
    "votes that are none": {"votes": "-1"},
    "too many votes": {"votes": "10000"},
}


@pytest.mark.parametrize("changes", BAD_FORMS.values(), ids=BAD_FORMS)
async def test_form_that_is_not_ours_changes_nothing(stand, changes):
    stand.ask()
    async with stand.browsing(BOB) as browser:
        form = {"csrf": await browser.csrf(), "votes": "0", "answer": "approve", **changes}
        answer = await browser.post(f"{PAGE}/decision", form)
    assert (answer.status_code, stand.now().votes) == (400, ())


UNREADABLE = {
    "a field twice": (b"csrf=%(csrf)s&votes=0&answer=approve&answer=reject", "application/x-www-form-urlencoded"),
    "another kind of body": (b"csrf=%(csrf)s&votes=0&answer=approve", "text/plain"),
    "too long": (b"csrf=%(csrf)s&votes=0&answer=approve&reason=" + b"x" * 33_000, "application/x-www-form-urlencoded"),
    "not ASCII": (b"csrf=%(csrf)s&votes=0&answer=approve&reason=\xff", "application/x-www-form-urlencoded"),
}


@pytest.mark.parametrize(("body", "kind"), UNREADABLE.values(), ids=UNREADABLE)
async def test_form_that_cannot_be_read_changes_nothing(stand, body, kind):
    stand.ask()
    async with stand.browsing(BOB) as browser:
        filled = body.replace(b"%(csrf)s", (await browser.csrf()).encode())
        headers = {"origin": "https://approve.example", "content-type": kind}
        answer = await browser.web.post(f"{PAGE}/decision", content=filled, headers=headers)
    assert (answer.status_code, stand.now().votes) == (403, ())


async def test_decision_counts_only_for_what_was_shown(stand):
    stand.ask()
    async with stand.browsing(BOB) as browser, stand.browsing(claims("liz")) as other:
        await other.decide()
        answer = await browser.decide(votes=0, reason="kept <b>")
    assert (answer.status_code, len(stand.now().votes)) == (409, 1)
    assert "Another approver has decided a part" in answer.text


async def test_reason_is_kept_on_the_page_if_nothing_was_decided(stand):
    stand.ask()
    async with stand.browsing(BOB) as browser:
        answer = await browser.decide(reason="x" * 2001)
    assert (answer.status_code, "x" * 2001 in answer.text, stand.now().votes) == (409, True, ())


async def test_request_that_has_ended_cannot_be_decided_though_nobody_noted_it(stand):
    stand.ask()
    async with stand.browsing(BOB) as browser:
        stand.clock.advance(FLOW.timeout_s)
        page = await browser.get(PAGE)
        await browser.sign_in(BOB)
        answer = await browser.decide()
    assert ("Timed out" in page.text, answer.status_code, stand.now().votes) == (True, 409, ())


async def test_of_two_decisions_at_once_one_counts(stand):
    stand.ask()

    async def lost(before, after, messages=()):
        return False

    stand.approvals.change = lost
    async with stand.browsing(BOB) as browser:
        answer = await browser.decide()
    assert (answer.status_code, stand.now().votes, stand.events) == (409, (), [])


async def test_event_that_is_lost_does_not_look_like_a_decision_that_is(stand, caplog):
    stand.ask()
    async with stand.browsing(BOB) as browser:
        stand.is_audit_down = True
        answer = await browser.decide()
    assert (answer.status_code, len(stand.now().votes)) == (303, 1)
    lost = [each for each in caplog.records if "could not be written to the audit log" in each.message]
    assert [each.__dict__["approval"] for each in lost] == [REQUEST]


async def test_audit_event_says_who_and_digests_the_reason(stand):
    stand.ask()
    async with stand.browsing(BOB) as browser:
        await browser.decide(reason="for jo@buyer.example")
    (event,) = stand.events
    approver = {"issuer": HERE, "subject": "bob", "email": "bob@acme.example"}
    assert (event["approval"]["approver"], event["approval"]["step"]) == (approver, 1)
    assert (len(event["approval"]["reason_digest"]) > 40, "jo@buyer" in str(event)) == (True, False)


async def test_store_that_is_down_decides_nothing(stand):
    stand.ask()
    async with stand.browsing(BOB) as browser:
        csrf = await browser.csrf()
        stand.approvals.is_broken = True
        answer = await browser.post(f"{PAGE}/decision", {"csrf": csrf, "votes": "0", "answer": "approve"})
    assert (answer.status_code, stand.now().votes) == (503, ())


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_only_a_post_decides(stand, method):
    stand.ask()
    async with stand.browsing(BOB) as browser:
        answer = await browser.web.request(
            method, f"{PAGE}/decision?votes=0&answer=approve", headers={"origin": "https://approve.example"}
        )
    assert (answer.status_code, stand.now().votes) == (405, ())


async def withdraw(browser):
    return await browser.post(f"{PAGE}/withdrawal", {"csrf": await browser.csrf()})


@pytest.mark.parametrize("is_approved", [False, True], ids=["open", "approved"])
async def test_requester_withdraws_a_request_and_its_grant(stand, is_approved):
    stand.ask(**(GRANTED if is_approved else {}))
    async with stand.browsing(ANN) as browser:
        before = await browser.get(PAGE)
        answer = await withdraw(browser)
        after = await browser.get(PAGE)
    assert (answer.status_code, stand.now().status) == (303, Progress.CANCELLED)
    assert ["/withdrawal" in page.text for page in (before, after)] == [True, False]
    assert "The requester withdrew it." in after.text
    assert (stand.words(), stand.metrics.counts["agen_approvals_total", "finance", "cancelled"]) == (["cancelled"], 1)
    assert "approver" not in stand.events[0]["approval"]


@pytest.mark.parametrize("person", [BOB, ZOE], ids=["an approver", "an admin"])
async def test_only_the_requester_withdraws(stand, person):
    stand.ask()
    async with stand.browsing(person) as browser:
        page, answer = await browser.get(PAGE), await withdraw(browser)
    assert ("/withdrawal" in page.text, answer.status_code, stand.now().status) == (False, 403, Progress.OPEN)
    (event,) = stand.events
    assert (event["approval"]["refusal"], event["approval"]["approver"]["subject"]) == ("not_requester", person["sub"])


async def test_request_that_a_person_may_not_see_is_not_there_to_withdraw(stand):
    stand.ask()
    async with stand.browsing(STRANGER) as browser:
        assert ((await withdraw(browser)).status_code, stand.now().status) == (404, Progress.OPEN)


async def test_request_that_has_ended_is_not_withdrawn(stand):
    stand.ask()
    async with stand.browsing(ANN) as browser:
        stand.clock.advance(FLOW.timeout_s)
        answer = await withdraw(browser)
    assert (answer.status_code, stand.now().status, stand.events) == (409, Progress.OPEN, [])
