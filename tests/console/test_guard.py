"""What every request must be, and what every answer carries."""

from html.parser import HTMLParser

import pytest

from agen_authz.console.view import STATIC
from tests.console.rig import ORIGIN, REQUEST, ZOE

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
PAGES = {
    "/": 200,
    "/requests": 200,
    f"/requests/{REQUEST}": 200,
    "/requests/" + "f" * 32: 404,
    "/tools": 200,
    "/tools/pay/refund": 200,
    "/policies": 200,
    "/health": 200,
    "/masking": 200,
    "/decisions": 200,
    "/decisions/none": 404,
    "/sign-in": 303,
    "/sign-in/callback": 403,
    "/signed-out": 200,
    "/terminal": 400,
    "/nothing": 404,
    "/sign-out": 405,
    "/static/nothing": 404,
    "/static/console.css": 200,
    "/api/requests": 401,
    "/api/nothing": 404,
}


@pytest.mark.parametrize("place", PAGES)
async def test_every_answer_carries_the_headers(stand, place):
    stand.ask()
    async with stand.browsing(ZOE) as browser:
        answer = await browser.get(place)
    assert answer.status_code == PAGES[place]
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    kept = "private, max-age=86400" if place == "/static/console.css" else "no-store"
    assert answer.headers["cache-control"] == kept


class Own(HTMLParser):
    """Finds what a page would run or fetch that is not a file of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            is_ours = (value or "").startswith(("/static/", "#", "/"))
            if name.startswith("on") or name == "style" or (name in ("src", "href", "action") and not is_ours):
                self.foreign.append(f"{tag} {name}={value}")
        if tag in ("style", "iframe", "object", "embed", "base") or (tag == "script" and "src" not in dict(attrs)):
            self.foreign.append(tag)


@pytest.mark.parametrize("place", [place for place, status in PAGES.items() if not place.startswith("/static")])
async def test_pages_have_nothing_inline_and_nothing_from_elsewhere(stand, place):
    stand.ask()
    async with stand.browsing(ZOE) as browser:
        answer = await browser.get(place)
    found = Own()
    found.feed(answer.text)
    assert found.foreign == []


@pytest.mark.parametrize("name", STATIC)
async def test_files_have_their_type(stand, name):
    async with stand.browsing() as browser:
        answer = await browser.get(f"/static/{name}")
    assert (answer.headers["content-type"], bool(answer.content)) == (STATIC[name], True)


@pytest.mark.parametrize("host", ["evil.example", "approve.example:8080", "approve.example.evil.example", ""])
async def test_request_under_another_name_is_refused(stand, host):
    async with stand.browsing() as browser:
        answer = await browser.web.get("/", headers={"host": host})
    assert answer.status_code == 421


FORGED = {
    "another site": {"origin": "https://evil.example", "sec_fetch_site": "cross-site"},
    "another origin": {"origin": "https://evil.example", "sec_fetch_site": ""},
    "another host of the same site": {"sec_fetch_site": "same-site"},
    "a sandboxed page": {"origin": "null", "sec_fetch_site": "cross-site"},
    "an address that was typed": {"origin": "", "sec_fetch_site": "none"},
    "plain HTTP": {"origin": ORIGIN.replace("https", "http")},
    "no sign of where it comes from": {"origin": "", "sec_fetch_site": ""},
}


@pytest.mark.parametrize("headers", FORGED.values(), ids=FORGED)
async def test_form_from_elsewhere_is_refused_even_with_the_right_token(stand, headers):
    stand.ask()
    async with stand.browsing(ZOE) as browser:
        form = {"csrf": await browser.csrf(), "votes": "0", "answer": "reject"}
        answer = await browser.post(f"/requests/{REQUEST}/decision", form, **headers)
    assert (answer.status_code, stand.now().votes) == (403, ())


@pytest.mark.parametrize("header", ["origin", "sec-fetch-site"])
async def test_api_takes_nothing_from_browsers(stand, header):
    async with stand.browsing() as browser:
        answer = await browser.web.post("/api/terminal", json={}, headers={header: ORIGIN})
    assert (answer.status_code, answer.text) == (403, "not from a browser\n")


async def test_defect_is_a_plain_page_and_tells_nothing(stand):
    async with stand.browsing(ZOE) as browser:
        stand.change_rules(flows=None)
        stand.ask()
        answer = await browser.get("/requests")
    assert (answer.status_code, "Something went wrong" in answer.text, "NoneType" in answer.text) == (500, True, False)
