"""The tour's scenes about people: a refund that waits, a person who approves it in the console, and one use of it."""

import re
from html import unescape
from urllib.parse import urljoin

import httpx

from agen_authz.demo.plan import Plan
from agen_authz.demo.scene import Act, Ending
from agen_authz.demo.token import fetch_token
from agen_authz.demo.wire import post_call

_TIMEOUT_S = 20.0
_INPUT = re.compile(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)">')
_LINK = re.compile(r"https?://[^\s\"]+/requests/[0-9a-f]+")


def ask(role: str, server: str, tool: str, arguments: dict[str, object], **more: str) -> Act:
    """Make a call that must be approved first; the outcome says whether it waits, and for which page.

    Args:
        more: what the token is asked for, such as `acr`.
    """

    async def act(plan: Plan) -> Ending:
        url = plan.url_of(server)
        token = await fetch_token(plan.issuer, role, url, **more)
        answer = await post_call(url, token, tool, arguments)
        found = _LINK.search(answer.text)
        if found is not None:
            return Ending("waits", (found[0],))
        error = answer.json().get("error", {})
        return Ending(str(error.get("data", {}).get("reason", "error")) if error else "allowed")

    return act


def approve(approver: str, waiting: Act) -> Act:
    """Sign in at the console as a person of this role, and approve the call that waits there.

    Args:
        waiting: makes the call once more, which finds the same request.
    """

    async def act(plan: Plan) -> Ending:
        asked = await waiting(plan)
        if not asked.lines:
            return asked
        async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT_S, follow_redirects=True) as browser:
            page = await sign_in(browser, asked.lines[0], approver)
            decided = await _post(browser, page, "/decision", {"answer": "approve", "reason": "seen in the tour"})
        return Ending("approved" if "may be made once" in decided.text else f"status {decided.status_code}")

    return act


async def sign_in(browser: httpx.AsyncClient, page: str, role: str) -> httpx.Response:
    """Open a page of the console as a browser does, sign in at the demo's issuer, and come back to the page."""
    login = await browser.get(page)
    form = {**_read_hidden(login.text), "person": role, "answer": "log-in"}
    return await browser.post(urljoin(str(login.url), "/login"), data=form)


async def _post(browser: httpx.AsyncClient, page: httpx.Response, below: str, fields: dict[str, str]) -> httpx.Response:
    hidden, place = _read_hidden(page.text), str(page.url).partition("?")[0]
    origin = urljoin(place, "/").rstrip("/")
    return await browser.post(place + below, data={**hidden, **fields}, headers={"origin": origin})


def _read_hidden(html: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in _INPUT.findall(html)}
