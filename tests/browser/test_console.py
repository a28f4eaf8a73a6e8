"""Approvers in front of a real browser."""

import json

import pytest

from agen_authz.core.approval.request import Progress
from tests.browser.scene import FLOW, REFUND_ID

pytestmark = pytest.mark.services

PAGE = f"/requests/{REFUND_ID}"


def test_two_people_approve_in_two_steps(front):
    with front.person("finance", PAGE) as fumiko, front.person("admin", PAGE) as alex:
        assert fumiko.heading() == "billing/refund Waiting"
        assert alex.page.query_selector("button.good") is None
        fumiko.page.fill("#reason", "Checked with the customer.")
        fumiko.follow("button.good")
        assert "Checked with the customer." in fumiko.page.inner_text(".history")
        alex.page.reload()
        alex.follow("button.good")
        assert alex.heading() == "billing/refund Approved"
        assert "The call may be made once." in alex.page.inner_text(".decide")
        assert (fumiko.complaints, alex.complaints) == ([], [])
    request = front.approvals.requests[REFUND_ID]
    assert (request.status, [each.approver.subject for each in request.votes]) == (
        Progress.APPROVED,
        ["u-1003", "u-1004"],
    )


def test_inbox_leads_to_a_rejection_by_keyboard_alone(front):
    with front.person("finance") as fumiko:
        assert fumiko.heading() == "Inbox"
        page = fumiko.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "row-link"
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector("#reason")
        page.focus("#reason")
        page.keyboard.type("Not our customer.")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector(".s-rejected")
        assert (fumiko.heading(), fumiko.complaints) == ("billing/refund Rejected", [])
    assert front.approvals.requests[REFUND_ID].votes[0].reason == "Not our customer."


def test_all_works_without_script(front):
    with front.person("finance", PAGE, java_script_enabled=False) as fumiko:
        fumiko.follow("button.bad")
        assert fumiko.heading() == "billing/refund Rejected"
        fumiko.page.click("summary")
        fumiko.follow("text=Sign out")
        assert fumiko.heading() == "You are signed out"


def test_session_that_has_ended_changes_nothing_and_leads_back(front):
    with front.person("finance", PAGE) as fumiko:
        front.clock.advance(8 * 3600.0)
        fumiko.follow("button.good")
        assert fumiko.heading() == "You are not signed in"
        fumiko.follow("text=Go on")
        fumiko.log_in("finance")
        assert fumiko.heading() == "billing/refund Timed out"
    assert front.approvals.requests[REFUND_ID].votes == ()


def test_login_that_is_too_old_is_refreshed_on_the_page(front):
    with front.person("finance", PAGE) as fumiko:
        front.clock.advance(3601.0)
        fumiko.page.reload()
        assert fumiko.page.query_selector("button.good") is None
        fumiko.follow(".decide a.primary")
        fumiko.log_in("finance")
        fumiko.follow("button.good")
        assert len(front.approvals.requests[REFUND_ID].votes) == 1


def test_link_opened_by_somebody_who_is_no_approver_shows_nothing(front):
    with front.person("analyst", PAGE) as ana:
        assert (ana.heading(), "refund" in ana.page.content()) == ("Not found", False)


def test_requester_follows_the_request_and_cannot_decide(front):
    with front.person("support", PAGE) as samir:
        assert (samir.heading(), samir.page.query_selector("button.good")) == ("billing/refund Waiting", None)


def test_requester_withdraws_the_request(front):
    with front.person("support", PAGE) as samir:
        samir.follow("button:text-is('Withdraw')")
        assert (samir.heading(), samir.complaints) == ("billing/refund Withdrawn", [])
    assert front.approvals.requests[REFUND_ID].status is Progress.CANCELLED


FORGED = """<!doctype html><form method=post action={action}>
<input name=votes value=0><input name=answer value=approve><input name=csrf value="{csrf}"></form>
<script>document.forms[0].submit()</script>"""


@pytest.mark.parametrize("knows_token", [False, True], ids=["without the token", "with the token"])
def test_form_of_another_site_changes_nothing(front, knows_token):
    with front.person("finance", PAGE) as fumiko:
        csrf = fumiko.page.get_attribute("input[name=csrf]", "value") if knows_token else ""
        page = FORGED.format(action=f"{front.url}{PAGE}/decision", csrf=csrf)
        evil = "http://localhost:1/"
        fumiko.context.route(evil, lambda route: route.fulfill(body=page, content_type="text/html"))
        with fumiko.page.expect_response(lambda answer: answer.request.method == "POST") as answer:
            fumiko.page.goto(evil)
        assert answer.value.status == 403
    assert front.approvals.requests[REFUND_ID].votes == ()


def test_page_cannot_be_framed(front):
    with front.person("finance", PAGE) as fumiko:
        evil = "http://localhost:1/"
        page = f"<!doctype html><iframe src={front.url}{PAGE}></iframe>"
        fumiko.context.route(evil, lambda route: route.fulfill(body=page, content_type="text/html"))
        fumiko.page.goto(evil)
        frame = fumiko.page.frames[1]
        assert "refund" not in frame.content()


def test_countdown_goes_on_while_the_page_is_open(front):
    with front.person("finance", PAGE) as fumiko:
        assert fumiko.page.inner_text(".decide .clock .left") == "3 h 50 min"
        fumiko.page.clock.set_fixed_time(front.clock.now() + 3 * 3600)
        fumiko.page.locator(".clock .left:text-is('50 min')").wait_for()
        fumiko.page.clock.set_fixed_time(front.clock.now() + FLOW.timeout_s)
        fumiko.page.locator(".clock .left:text-is('over')").wait_for()


def test_arguments_are_unmasked_once_for_those_who_may(front):
    with front.person("finance", PAGE) as fumiko:
        assert "nora.novak@buyer.example" not in fumiko.page.content()
        fumiko.follow("text=Show unmasked")
        assert "nora.novak@buyer.example" in fumiko.page.inner_text(".code")
        fumiko.open(PAGE)
        assert "nora.novak@buyer.example" not in fumiko.page.content()
    events = [json.loads(each["line"]) for each in front.lines]
    assert [each["approval"]["event"] for each in events if each["decision"] == "approval"] == ["unmasked"]


def test_changed_tool_is_approved_once_its_hidden_text_was_seen(front):
    with front.person("admin", "/tools") as alex:
        alex.follow("text=payout")
        alex.page.click("text=Approve definition")
        # The browser itself asks for the tick.
        assert (alex.page.evaluate("document.querySelector('form.decision').checkValidity()"), front.pinned) == (
            False,
            [],
        )
        alex.page.check("input[name=seen]")
        alex.follow("text=Approve definition")
    assert front.pinned == [("billing", "payout", "alex.moreau@acme.example")]


def test_newcomer_finds_out_why_a_call_was_denied(front):
    with front.person("admin", "/decisions") as alex:
        alex.page.select_option("select[name=decision]", "deny")
        alex.page.fill("input[name=text]", "ana.lindqvist")
        alex.follow("text=Filter")
        alex.follow("tbody a >> nth=0")
        assert alex.heading() == "crm/delete_customer denied"
        assert "not_granted" in alex.page.inner_text(".reason")
        assert alex.page.inner_text(".trace .no") == "access not granted delete_customer"
        assert alex.complaints == []
