"""What axe-core finds on every page, at the width of a desktop and of a phone, light and dark."""

import pytest

from tests.browser.conftest import INSTALLED
from tests.browser.front import DESKTOP, PHONE
from tests.browser.scene import HIDDEN_ID, REFUND_ID, REJECTED_ID, USED_ID, name_call

pytestmark = pytest.mark.services

PAGES = {
    "inbox": ("finance", "/"),
    "requests": ("admin", "/requests"),
    "request": ("finance", f"/requests/{REFUND_ID}"),
    "request-own": ("support", f"/requests/{REFUND_ID}"),
    "request-hidden": ("finance", f"/requests/{HIDDEN_ID}"),
    "request-rejected": ("finance", f"/requests/{REJECTED_ID}"),
    "request-used": ("admin", f"/requests/{USED_ID}"),
    "tools": ("admin", "/tools"),
    "tool-changed": ("admin", "/tools/billing/payout"),
    "policies": ("admin", "/policies"),
    "masking": ("admin", "/masking"),
    "decisions": ("admin", "/decisions"),
    "decision": ("admin", f"/decisions/{name_call(43)}"),
    "decision-masked": ("admin", f"/decisions/{name_call(47)}"),
    "health": ("admin", "/health"),
    "terminal": ("finance", f"/terminal?challenge={'c' * 43}&state={'s' * 43}&port=49152"),
    "not-found": ("analyst", f"/requests/{REFUND_ID}"),
    "for-admins": ("analyst", "/tools"),
}
# Pages that a button leads to, for a person of finance: where it is, and what is pressed. Signing out is the last.
PRESSED = {
    "terminal-code": (f"/terminal?challenge={'c' * 43}&state={'s' * 43}&port=", ("button[value=allow]",)),
    "request-unmasked": (f"/requests/{REFUND_ID}", ("text=Show unmasked",)),
    "signed-out": ("/", ("summary", "text=Sign out")),
}
LOOKS = {
    f"{width}-{scheme}": (size, scheme)
    for width, size in (("desktop", DESKTOP), ("phone", PHONE))
    for scheme in ("light", "dark")
}
RUN = "() => axe.run(document, {resultTypes: ['violations']})"


@pytest.fixture(scope="module")
def axe() -> str:
    return (INSTALLED / "axe_playwright_python" / "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("look", LOOKS)
def test_no_page_has_a_barrier(front, axe, look):
    size, scheme = LOOKS[look]
    found = []
    for role in sorted({role for role, _ in PAGES.values()}):
        # The policy of our pages lets no script in, and axe is one.
        with front.person(role, color_scheme=scheme, bypass_csp=True) as person:
            person.page.set_viewport_size(size)
            for name, (whose, place) in PAGES.items():
                if whose == role:
                    person.open(place)
                    found += [f"{name}: {each}" for each in look_for_barriers(person.page, axe)]
            if role == "finance":
                found += list(press_and_look(person, axe))
    assert found == []


def press_and_look(person, axe):
    for name, (place, (*before, last)) in PRESSED.items():
        person.open(place)
        for each in before:
            person.page.click(each)
        person.follow(last)
        yield from (f"{name}: {each}" for each in look_for_barriers(person.page, axe))


def look_for_barriers(page, axe):
    page.evaluate(axe)
    violations = page.evaluate(RUN)["violations"]
    places = [(each["id"], each["impact"], node["target"]) for each in violations for node in each["nodes"]]
    # A page that is wider than the screen is a barrier, too, and axe does not see it.
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        places.append(("wider than the screen", "serious", []))
    return [f"{impact} {rule} at {target}" for rule, impact, target in places]
