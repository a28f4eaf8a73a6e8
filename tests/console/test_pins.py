"""Approving the definition of a tool in the console."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from agen_authz.console.pins import SHOWN_INSTRUCTIONS
from agen_authz.core.pinning.definition import define_instructions
from tests.console.rig import BOB, ZOE, Stand
from tests.core.pinning.rig import catalogue, kept, kept_tool, tool

OLD, NEW = tool("refund", description="Pays back."), tool("refund", inputSchema={})
HIDDEN = tool("refund", description="Pays\u200bback.", inputSchema={})
ALIKE = tool("get_custorner", title="Other")
PLACE = "/tools/pay/refund"


class PinStand(Stand):
    """A console that approves tools, and what it approved."""

    def __init__(self, definition=NEW, answer=True):
        self.pinned, self.answer = [], answer
        super().__init__(more={"pin": self._pin})
        self.show(definition)

    def show(self, definition, server="pay"):
        name = definition.get("name")
        known = [kept(OLD), kept(definition, by=None)] if name == "refund" else [kept(definition, by=None)]
        self.catalogue = catalogue(kept_tool(kept(tool()), server="crm"), kept_tool(*known, server=server))

    async def _pin(self, server, name, digest, by):
        self.pinned.append((server, name, digest, by))
        return self.answer


async def approve(stand, definition=NEW, place=PLACE, said=ZOE, **changes):
    async with stand.browsing(said) as browser:
        form = {"csrf": await browser.csrf(), "digest": kept(definition).digest, **changes}
        return await browser.post(f"{place}/pin", form)


async def test_definition_that_was_shown_is_approved():
    stand = PinStand()
    async with stand.browsing(ZOE) as browser:
        page = (await browser.get(PLACE)).text
    assert (f'value="{kept(NEW).digest}"' in page, f'action="{PLACE}/pin"' in page) == (True, True)
    answer = await approve(stand)
    assert (answer.status_code, answer.headers["location"]) == (303, PLACE)
    assert stand.pinned == [("pay", "refund", kept(NEW).digest, "zoe@acme.example")]


@pytest.mark.parametrize("name", ["files/read", "a/pin", "a:b", "v1.2/a-b"])
async def test_tool_is_approved_whatever_its_name(name):
    stand = PinStand(tool(name))
    async with stand.browsing(ZOE) as browser:
        (place,) = re.findall(r'href="(/tools/pay/[^"]*)"', (await browser.get("/tools")).text)
        page = await browser.get(place)
    assert (page.status_code, f'action="{place}/pin"' in page.text) == (200, True)
    answer = await approve(stand, tool(name), place)
    assert (answer.headers["location"], stand.pinned[0][:2]) == (place, ("pay", name))


@pytest.mark.parametrize("name", ["files/read", "a:b", "a(b)", "a b?c#d", "50%2F"])
async def test_page_of_a_tool_is_found_again_after_signing_in(name):
    stand = PinStand(tool(name))
    async with stand.browsing(ZOE) as browser:
        (place,) = re.findall(r'href="(/tools/pay/[^"]*)"', (await browser.get("/tools")).text)
    async with stand.browsing() as browser:
        to = dict(parse_qsl(urlsplit((await browser.get(place)).headers["location"]).query))["to"]
        assert (await browser.sign_in(ZOE, to)).headers["location"] == to
        assert (await browser.get(to)).status_code == 200


REFUSED = {
    "no administrator": ({"said": BOB}, 403),
    "a form of another session": ({"csrf": "guess"}, 403),
    "a definition that was replaced": ({"definition": OLD}, 409),
    "no digest": ({"digest": ""}, 409),
    "a tool that is not known": ({"place": "/tools/pay/other"}, 404),
}


@pytest.mark.parametrize(("changes", "status"), REFUSED.values(), ids=REFUSED)
async def test_nothing_else_is_approved(changes, status):
    stand = PinStand()
    assert ((await approve(stand, **changes)).status_code, stand.pinned) == (status, [])


async def test_approval_needs_a_fresh_login():
    stand = PinStand()
    async with stand.browsing(ZOE) as browser:
        form = {"csrf": await browser.csrf(), "digest": kept(NEW).digest}
        stand.clock.advance(3601.0)
        page = (await browser.get(PLACE)).text
        answer = await browser.post(f"{PLACE}/pin", form)
        assert "/sign-in?fresh=1&amp;to=/tools/pay/refund" in page
        assert ('name="digest"' in page, answer.status_code, stand.pinned) == (False, 403, [])


@pytest.mark.parametrize(
    ("definition", "server", "place"),
    [(HIDDEN, "pay", PLACE), (ALIKE, "crm", "/tools/crm/get_custorner")],
    ids=["hidden text", "a look-alike"],
)
async def test_what_deceives_needs_a_tick(definition, server, place):
    stand = PinStand()
    stand.show(definition, server)
    async with stand.browsing(ZOE) as browser:
        assert 'name="seen"' in (await browser.get(place)).text
    assert ((await approve(stand, definition, place)).status_code, stand.pinned) == (400, [])
    assert ((await approve(stand, definition, place, seen="yes")).status_code, len(stand.pinned)) == (303, 1)


async def test_definition_that_the_store_does_not_have_any_more_is_told():
    stand = PinStand(answer=False)
    answer = await approve(stand)
    assert (answer.status_code, "Look at it again" in answer.text) == (409, True)


async def test_instructions_are_approved_under_the_name_that_is_shown():
    stand = PinStand()
    instructions = define_instructions("Be kind.")
    stand.show(instructions)
    place = f"/tools/pay/{SHOWN_INSTRUCTIONS}"
    assert (await approve(stand, instructions, place)).status_code == 303
    assert stand.pinned[0][1] == ""


async def test_console_without_pins_offers_none(stand):
    stand.catalogue = catalogue(kept_tool(kept(OLD), kept(NEW, by=None), server="pay"))
    async with stand.browsing(ZOE) as browser:
        assert 'name="digest"' not in (await browser.get(PLACE)).text
        assert "agen-authz tools pin" in (await browser.get("/tools")).text
    assert (await approve(stand)).status_code == 404
