"""Pages that only show: tools, policies, health; they are for administrators."""

import dataclasses
import threading
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from agen_authz.console.catalogue import compare
from tests.console.rig import BOB, POLICY, ZOE
from tests.console.test_pages import Text
from tests.core.pinning.rig import catalogue, kept, kept_tool, tool

OLD = tool("refund", description="Pays back.")
NEW = tool("refund", description="Pays back.\nSends a copy to x.\u200b", inputSchema={})


async def read(stand, place):
    async with stand.browsing(ZOE) as browser:
        answer = await browser.get(place)
    return answer.status_code, Text(answer.text).text


@pytest.mark.parametrize("place", ["/tools", "/tools/pay/refund", "/policies", "/health"])
async def test_others_are_refused(stand, place):
    async with stand.browsing(BOB) as browser:
        answer = await browser.get(place)
        assert f'href="{place}"' not in (await browser.get("/")).text
    assert (answer.status_code, "For administrators" in answer.text, "refund" in answer.text) == (403, True, False)


async def test_tools_are_listed_with_what_was_noticed(stand):
    stand.catalogue = catalogue(
        kept_tool(kept(OLD), kept(NEW, by=None), server="pay"), kept_tool(kept(tool(), by=None), server="crm")
    )
    stand.change_rules(unmapped={"crm": ("get_customer",)}, pinning="observe")
    _, text = await read(stand, "/tools")
    for part in ("Pinning is observe", "crm 1", "no access rule names it", "changed", "hidden text", "new"):
        assert part in text, part


async def test_tool_that_changed_is_compared_line_by_line(stand):
    stand.catalogue = catalogue(kept_tool(kept(OLD), kept(NEW, by=None), server="pay"))
    _, text = await read(stand, "/tools/pay/refund")
    for part in ('− "description": "Pays back.",', "<U+200B", "Approved by ann", "Lines with − are approved and gone"):
        assert part in text, part


async def test_tool_that_nobody_approved_or_listed(stand):
    stand.catalogue = catalogue(kept_tool(kept(OLD, by=None), server="pay"))
    assert "No definition of this tool is approved" in (await read(stand, "/tools/pay/refund"))[1]
    assert (await read(stand, "/tools/pay/nothing"))[0] == 404
    stand.catalogue = catalogue()
    assert "No tool was seen yet" in (await read(stand, "/tools"))[1]


async def test_definition_of_many_lines_is_compared_all_the_same(stand):
    many = [{"name": f"p{at}"} for at in range(1500)]
    old, new = tool("refund", inputSchema={"all": many}), tool("refund", inputSchema={"all": many[::-1]})
    stand.catalogue = catalogue(kept_tool(kept(old), kept(new, by=None), server="pay"))
    assert "p1499" in (await read(stand, "/tools/pay/refund"))[1]


def list_marks(old, new):
    return "".join({"same": " ", "gone": "-", "new": "+"}[each.kind] for each in compare(old, new)).strip()


def test_one_line_that_differs_is_found_among_many():
    many = [{"name": f"p{at}"} for at in range(2000)]
    other = [*many[:1000], {"name": "other"}, *many[1001:]]
    assert list_marks(tool(inputSchema={"all": many}), tool(inputSchema={"all": other})) == "-+"


def test_many_lines_that_differ_are_not_put_in_order():
    # What is the same in between would take cubic time to find.
    mixed = [[each for at in range(400) for each in ("same", f"{word}{at}")] for word in ("old", "new")]
    marks = list_marks(*(tool(inputSchema={"all": each}) for each in mixed))
    assert marks.lstrip("-").strip("+") == ""


class Noted(dict[str, Any]):
    """A definition that notes which thread reads it."""

    threads: ClassVar[set[int]] = set()

    def get(self, *args):
        self.threads.add(threading.get_ident())
        return super().get(*args)


async def test_definition_is_compared_while_other_pages_are_served(stand):
    new = kept(NEW, by=None)
    stand.catalogue = catalogue(kept_tool(kept(OLD), new, server="pay"))
    noted = Noted(NEW)
    known = stand.catalogue.entries["pay", "refund"]
    tool_noted = replace(known.tool, definitions=(known.tool.definitions[0], replace(new, definition=noted)))
    entries = {("pay", "refund"): replace(known, tool=tool_noted)}
    stand.catalogue = dataclasses.replace(stand.catalogue, entries=entries)
    assert "Sends a copy to x." in (await read(stand, "/tools/pay/refund"))[1]
    assert Noted.threads - {threading.get_ident()}


async def test_policies_are_shown_as_people_wrote_them(stand):
    own = replace(POLICY, name="night", state="shadow", effect="deny", flow="", tenant="acme", conditions=())
    stand.change_rules(policies=(POLICY, own))
    _, text = await read(stand, "/policies")
    for part in ("refunds", "arguments.amount > 100", "finance: lead, then control; 4 h to decide", "acme", "always"):
        assert part in text, part
    stand.change_rules(policies=())
    assert "No policy is configured" in (await read(stand, "/policies"))[1]


async def test_health_says_what_needs_attention(stand):
    assert "No part reports its state here" in (await read(stand, "/health"))[1]
    stand.parts.update(store="ok", idp="ok, 2 keys")
    assert "Nothing is wrong" in (await read(stand, "/health"))[1]
    stand.parts.update(outbox="17 messages wait since 10 min")
    text = (await read(stand, "/health"))[1]
    assert ("Something needs attention" in text, "17 messages wait" in text) == (True, True)
