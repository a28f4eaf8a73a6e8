"""Approvers in front of a real browser and a running sidecar: what they decide is what its calls get."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.browser.front import browsing
from tests.e2e.approved import CUSTOMER, ask
from tests.e2e.deciding import DEAL, Decided, begin, running_decided

pytestmark = [pytest.mark.services, pytest.mark.envoy]


@pytest.fixture(scope="module")
def decided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Decided]:
    with running_decided(tmp_path_factory.mktemp("decided")) as running:
        yield running


def call(decided: Decided, sub: str, tool: str = "get_deal") -> str:
    """Call as somebody of the demo's tenant, in another thread: the one of a browser has an event loop already."""
    arguments = DEAL if tool == "get_deal" else CUSTOMER
    with ThreadPoolExecutor(1) as pool:
        asked = ask(decided.world, "2026-07-28", tool, arguments, sub=sub, tenantId="acme")
        return pool.submit(asyncio.run, asked).result()


def test_two_people_approve_in_two_steps_and_the_call_is_made_once(decided, chromium):
    page = call(decided, "ann", "get_customer")
    for role, told in (("finance", page), ("admin", "allowed")):
        with browsing(chromium, decided.console) as person:
            person.page.goto(page)
            person.log_in(role)
            assert (person.heading(), "c-1001" in person.page.inner_text(".code")) == ("crm/get_customer Waiting", True)
            person.follow("button.good")
            assert person.complaints == []
        assert call(decided, "ann", "get_customer") == told
    again = call(decided, "ann", "get_customer")
    assert again.startswith(decided.console) and again != page


def test_inbox_leads_to_what_a_call_has_opened_and_its_rejection_denies_the_call(decided, chromium):
    page = call(decided, "bea")
    with browsing(chromium, decided.console) as person:
        person.open("/")
        person.log_in("finance")
        person.follow(f"a[href$='{page.rpartition('/')[2]}']")
        assert person.heading() == "crm/get_deal Waiting"
        person.page.fill("#reason", "Not our customer.")
        person.follow("button.bad")
        assert (person.heading(), person.complaints) == ("crm/get_deal Rejected", [])
    assert call(decided, "bea") == "approval_rejected"


def test_requester_who_opens_the_page_cannot_decide(decided, chromium):
    # Fumiko, who decides for others, calls herself.
    page = call(decided, "u-1003")
    with browsing(chromium, decided.console) as person:
        person.page.goto(page)
        person.log_in("finance")
        assert (person.heading(), person.page.query_selector("button.good")) == ("crm/get_deal Waiting", None)


def test_terminal_that_the_browser_lets_in_rejects_a_call(decided, chromium, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    # The test is the browser that the command would open.
    monkeypatch.setenv("BROWSER", "true")
    page = call(decided, "cleo")
    command, link, number = begin(decided.console, "reject", page, "--yes")
    with browsing(chromium, decided.console) as person:
        person.page.goto(link)
        person.log_in("finance")
        assert person.page.inner_text("p.match") == number
        # The rule for where forms may lead holds for this redirect, too.
        person.follow("button[value=allow]")
        assert person.page.inner_text("p") == "The terminal is signed in. You may close this page."
    code, out, _ = command.end()
    assert (code, out) == (0, "rejected; the request is rejected\n")
    assert call(decided, "cleo") == "approval_rejected"
