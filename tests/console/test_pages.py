"""What people see of a request, and of requests."""

import json
import re
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from agen_authz.core.approval.request import Progress
from agen_authz.core.model import Digest
from agen_authz.core.pinning.pin import name_approved
from tests import builders as build
from tests.builders import NOW
from tests.console.rig import ANN, BOB, PARAMS, POLICY, REFUND, REQUEST, ZOE, claims
from tests.core.approval.rig import BINDING, FLOW, approved, ballot, flow
from tests.core.pinning.rig import catalogue, kept, kept_tool, tool

PAGE = f"/requests/{REQUEST}"
PRIVACY = claims("pia", roles=["lead", "privacy"])


class Text(HTMLParser):
    """What a person reads, and which elements there are."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


async def read(stand, person=BOB, place=PAGE):
    async with stand.browsing(person) as browser:
        return (await browser.get(place)).text


async def test_page_says_who_asks_for_what_why_and_until_when(stand):
    stand.ask()
    text = Text(await read(stand)).text
    for part in (
        "pay/refund",
        "asked by ann@acme.example",
        "Pays money back.",
        "the definition that the request is bound to, pinned by ann",
        '"amount": 250',
        "Refunds above 100 need two people.",
        "arguments.amount > 100",
        "time left 4 h",
        "then the call is denied",
        "role lead, bob@acme.example",
        "One rejection ends the request",
    ):
        assert part in text, part


EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{7*7}}{%x%}"


async def test_nothing_of_a_call_becomes_html(stand):
    params = {"name": EVIL, EVIL: EVIL, "arguments": {EVIL: EVIL, "deep": [{EVIL: [EVIL]}]}}
    odd = tool("refund", title=EVIL, description=EVIL, inputSchema={EVIL: EVIL})
    stand.catalogue = catalogue(kept_tool(kept(odd, by=EVIL), server="pay"))
    stand.change_rules(policies=())
    people = {"subject": EVIL, "client": EVIL, "issuer": EVIL}
    request = stand.ask(params, binding=replace(BINDING, **people, definition=kept(odd).digest))
    stand.ask(params, id=REQUEST, binding=request.binding, requester_email="", votes=(ballot(),), request_id=EVIL)
    async with stand.browsing(PRIVACY | {"name": EVIL}) as browser:
        shown = [(await browser.get(place)).text for place in (PAGE, "/", "/requests")]
        shown.append((await browser.decide(votes=9, reason=EVIL)).text)
        shown.append((await browser.post(f"{PAGE}/unmasked", {"csrf": await browser.csrf()})).text)
    async with stand.browsing(ZOE | {"name": EVIL}) as browser:
        shown += [
            (await browser.get(place)).text for place in (f"/requests?server={EVIL}", "/tools", "/tools/pay/refund")
        ]
    for html in shown:
        found = Text(html)
        assert (found.tags.count("script"), "img" in found.tags, "49" in found.text) == (1, False, False)
        assert "alert(1)" in found.text


async def test_hidden_characters_are_spelled_out_wherever_they_are(stand):
    params = {"name": "refund", "arguments": {"note": "pay\u202etxt\u200b", "k\u2066": 1}}
    told = tool("refund", title="Re\u200bfund", description="Pays\nback.\U000e0041")
    stand.catalogue = catalogue(kept_tool(kept(told), server="pay"))
    stand.ask(params, binding=replace(BINDING, definition=kept(told).digest))
    html = await read(stand)
    text = Text(html).text
    assert "There are invisible characters in this request" in text
    for name in ("<U+202E", "<U+200B", "<U+2066", "<U+E0041"):
        assert name in text, name
    assert not any(each in html for each in "\u202e\u200b\u2066\U000e0041")


async def test_personal_values_are_masked_but_for_those_that_the_flow_shows(stand):
    stand.ask()
    text = Text(await read(stand)).text
    assert ("jo@buyer.example" in text, "INV-7" in text, "1 masked" in text) == (False, True, True)
    stand.change_rules(flows={"finance": flow(show_arguments=("/to",))})
    assert "jo@buyer.example" in await read(stand)
    stand.change_rules(flows={"finance": flow(show_arguments=("/to",), digest=Digest("other"))})
    assert "jo@buyer.example" not in await read(stand)


async def test_unmasking_is_for_those_who_may_and_is_in_the_audit_log_first(stand):
    stand.ask()
    async with stand.browsing(PRIVACY) as browser:
        assert "Show unmasked" in (await browser.get(PAGE)).text
        form = {"csrf": await browser.csrf()}
        stand.is_audit_down = True
        refused = await browser.post(f"{PAGE}/unmasked", form)
        stand.is_audit_down = False
        shown = await browser.post(f"{PAGE}/unmasked", form)
        later = await browser.get(PAGE)
    assert (refused.status_code, "jo@buyer" in refused.text) == (503, False)
    assert (shown.status_code, "jo@buyer.example" in shown.text, "jo@buyer" in later.text) == (200, True, False)
    (event,) = stand.events
    assert (event["approval"]["event"], event["approval"]["approver"]["subject"]) == ("unmasked", "pia")
    assert stand.metrics.counts["agen_approvals_total", "finance", "unmasked"] == 1


@pytest.mark.parametrize("person", [BOB, ANN, ZOE], ids=["approver", "requester", "admin"])
async def test_others_are_refused_and_see_no_such_button(stand, person):
    stand.ask()
    async with stand.browsing(person) as browser:
        page = await browser.get(PAGE)
        answer = await browser.post(f"{PAGE}/unmasked", {"csrf": await browser.csrf()})
    assert ("Show unmasked" in page.text, answer.status_code, "jo@buyer" in answer.text) == (False, 403, False)
    assert stand.events == []


async def test_unmasking_needs_to_see_the_request_and_the_token_of_the_form(stand):
    stand.ask()
    async with stand.browsing(claims("pia", roles=["privacy"], tenantId="other")) as browser:
        assert (await browser.post(f"{PAGE}/unmasked", {"csrf": await browser.csrf()})).status_code == 404
    async with stand.browsing(PRIVACY) as browser:
        assert (await browser.post(f"{PAGE}/unmasked", {"csrf": "guess"})).status_code == 403
    assert stand.events == []


PROBLEMS = {
    "erased": (None, "The arguments are erased"),
    "unreadable": (b"{", "The arguments cannot be read"),
    "not an object": (b"[]", "The arguments cannot be read"),
}


@pytest.mark.parametrize(("raw", "sentence"), PROBLEMS.values(), ids=PROBLEMS)
async def test_arguments_that_cannot_be_shown_are_not_passed_over_in_silence(stand, raw, sentence):
    stand.ask(raw or b"")
    if raw is None:
        stand.approvals.kept.clear()
    assert sentence in await read(stand)


async def test_long_arguments_are_shown_to_their_end(stand):
    stand.ask({"name": "refund", "arguments": {"text": "x" * 60_000 + "-the-end", "list": list(range(3000))}})
    text = Text(await read(stand)).text
    assert ("-the-end" in text, "2999" in text) == (True, True)


async def test_call_without_arguments_and_with_other_parameters(stand):
    stand.ask({"name": "refund", "_meta": {"note": 1}, "arguments": {}})
    text = Text(await read(stand)).text
    assert ("Besides the arguments" in text, '"_meta"' in text) == (True, True)
    stand.ask({"name": "refund"})
    assert "The call has no arguments." in Text(await read(stand)).text


PARTS = {
    "a tool": ("tool:refund", {"name": "refund", "uri": "bank://elsewhere"}, "bank://elsewhere"),
    "a resource": ("resource:crm://a", {"uri": "crm://a", "name": "other"}, '"other"'),
    "a name that is not the target's": ("prompt:greet", {"name": "grEet"}, '"grEet"'),
}


@pytest.mark.parametrize(("target", "params", "shown"), PARTS.values(), ids=PARTS)
async def test_only_the_member_that_repeats_the_target_is_not_shown(stand, target, params, shown):
    stand.ask(params, binding=replace(BINDING, target=target))
    text = Text(await read(stand)).text
    assert (shown in text, f'"{target.partition(":")[2]}"' in text) == (True, False)


@pytest.mark.parametrize("is_clear", [False, True])
async def test_forwarded_headers_are_shown_masked_like_the_arguments(stand, is_clear):
    stand.ask()
    stand.approvals.kept[REQUEST] = replace(
        stand.approvals.kept[REQUEST], headers=(("x-account", "7\u200b"), ("x-pay-to", "DE89370400440532013000"))
    )
    async with stand.browsing(ZOE | {"roles": ["admin", "privacy"]}) as browser:
        answer = await browser.get(PAGE)
        if is_clear:
            answer = await browser.post(f"{PAGE}/unmasked", {"csrf": await browser.csrf()})
    text = Text(answer.text).text
    assert ("Headers that the server gets with it" in text, '"x-account"' in text) == (True, True)
    assert ("DE89370400440532013000" in text, "U+200B" in text) == (is_clear, True)


async def test_headers_that_cannot_be_searched_are_not_shown(stand):
    stand.ask()
    deep = '{"a":' * 300 + "1" + "}" * 300
    stand.approvals.kept[REQUEST] = replace(stand.approvals.kept[REQUEST], headers=(("x-document", deep),))
    assert "cannot be searched for personal values" in Text(await read(stand)).text


ENDS = {
    Progress.APPROVED: "The call may be made once",
    Progress.REJECTED: "denied until the time that approvers had is over",
    Progress.TIMED_OUT: "There was no decision in time",
    Progress.USED: "it cannot be used again",
    Progress.LAPSED: "was not made in time",
    Progress.CANCELLED: "The requester withdrew it",
}


@pytest.mark.parametrize("status", ENDS)
async def test_every_end_is_explained(stand, status):
    used_at = build.NOW + 5 if status is Progress.USED else None
    votes = (ballot(approves=status is not Progress.REJECTED),)
    request = approved(status=status, used_at=used_at, votes=votes if status is not Progress.TIMED_OUT else ())
    stand.ask(**{name: getattr(request, name) for name in ("status", "used_at", "votes", "decided_at", "grant_until")})
    text = Text(await read(stand)).text
    assert (ENDS[status] in text, 'value="approve"' in text, "How it ended" in text) == (True, False, True)


async def test_policy_that_changed_or_is_gone_is_said_to_be(stand):
    stand.ask()
    stand.change_rules(policies=(replace(POLICY, digest=Digest("new"), conditions=()),))
    text = Text(await read(stand)).text
    assert ("has changed since this request was made" in text, "every call of pay/refund" in text) == (True, True)
    stand.change_rules(policies=())
    assert "not configured any more" in await read(stand)


async def test_tool_that_is_pinned_is_shown_as_it_was_pinned(stand):
    pinned, last = tool("refund", description="Pays back."), tool("refund", description="Sends everything.")
    stand.catalogue = catalogue(kept_tool(kept(pinned), kept(last, by=None), server="pay"))
    stand.ask(binding=replace(BINDING, definition=kept(pinned).digest))
    text = Text(await read(stand)).text
    assert ("Pays back." in text, "Sends everything" in text, "pinned by ann" in text) == (True, False, True)
    stand.ask(binding=replace(BINDING, definition=Digest("gone")))
    assert "is not kept any longer" in await read(stand)
    stand.ask(binding=replace(BINDING, definition=Digest("")))
    assert "No definition of this tool was pinned" in Text(await read(stand)).text
    stand.catalogue = catalogue()
    assert "has not listed this tool" in await read(stand)


async def test_tool_with_two_approved_definitions_is_shown_as_it_was_listed_last(stand):
    first, second = kept(tool("refund", description="Pays back.")), kept(REFUND, at=NOW + 1)
    both = kept_tool(first, second, server="pay")
    stand.catalogue = catalogue(both)
    stand.ask(binding=replace(BINDING, definition=name_approved(both)))
    text = Text(await read(stand)).text
    assert ("Pays money back." in text, "bound to all 2 approved definitions" in text) == (True, True)
    stand.catalogue = catalogue(kept_tool(first, second, kept(tool("refund"), at=NOW + 2), server="pay"))
    text = Text(await read(stand)).text
    assert ("Pays money back." in text, "has changed since this request was made" in text) == (False, True)


# ---- lists -------------------------------------------------------------------------------------------------


def ask_many(stand, count, **changes):
    for at in range(count):
        id = f"{at:032x}"
        stand.ask(id=id, created_at=build.NOW - at, ends_at=build.NOW + 1000 - at, **changes)


async def test_inbox_has_what_waits_for_this_person_the_most_urgent_first(stand):
    ask_many(stand, 3)
    stand.ask(id="e" * 32, step=1, votes=(ballot("liz"),))
    stand.ask(id="d" * 32, status=Progress.REJECTED)
    html = await read(stand, place="/")
    order = [html.index(f"/requests/{at:032x}") for at in (2, 1, 0)]
    assert (order == sorted(order), "e" * 32 in html, "d" * 32 in html) == (True, False, False)
    assert "3 requests wait for your decision" in Text(html).text
    assert "Nothing waits for you" in await read(
        stand, person=claims("liz", email="liz@acme.example", roles=[]), place="/"
    )


async def test_requests_are_filtered_and_paged(stand):
    ask_many(stand, 60)
    stand.ask(id="e" * 32, status=Progress.REJECTED, flow="other")
    async with stand.browsing(ZOE) as browser:
        first = (await browser.get("/requests?status=open")).text
        older = first.partition('href="/requests?status=open&amp;after=')[2].partition('"')[0]
        second = (await browser.get(f"/requests?status=open&after={older}")).text
        rejected = (await browser.get("/requests?status=rejected")).text
        other = (await browser.get("/requests?flow=other&server=pay")).text
        none = (await browser.get("/requests?server=nothing")).text
        odd = await browser.get("/requests?status=odd&after=x&status=twice")
        places = [f"x-{'e' * 32}", f"nan-{'e' * 32}", f"{build.NOW}-x", f"1e300-{'e' * 32}"]
        unread = [(await browser.get(f"/requests?status=open&after={each}")).text for each in places]
    assert [page.count('scope="row"') for page in (first, second, rejected, other, none)] == [50, 10, 1, 1, 0]
    assert ("No request fits" in none, odd.status_code) == (True, 200)
    assert [page.count('scope="row"') for page in unread] == [50] * 4
    linked = [set(re.findall(r"/requests/([0-9a-f]{32})", page)) for page in (first, second)]
    assert (len(linked[0] | linked[1]), linked[0] & linked[1]) == (60, set())


async def test_pages_pass_over_no_request_that_was_made_at_the_same_moment(stand):
    for at in range(60):
        stand.ask(id=f"{at:032x}")
    first = await read(stand, person=ZOE, place="/requests")
    older = first.partition('href="/requests?after=')[2].partition('"')[0]
    second = await read(stand, person=ZOE, place=f"/requests?after={older}")
    assert len(set(re.findall(r"/requests/([0-9a-f]{32})", first + second))) == 60


@pytest.mark.parametrize("place", ["/", "/requests"])
async def test_requests_of_another_tenant_push_none_out_of_a_list(stand, place):
    stand.ask(binding=replace(BINDING, tenant="acme"), ends_at=build.NOW + 90_000, created_at=build.NOW - 9000)
    for at in range(1001):
        stand.ask(id=f"{at + 1:032x}", binding=replace(BINDING, tenant="other", subject="mallory"))
    assert f"/requests/{REQUEST}" in await read(stand, place=place)


async def test_own_request_in_another_tenant_is_listed(stand):
    stand.ask(binding=replace(BINDING, tenant="other"))
    assert f"/requests/{REQUEST}" in await read(stand, person=ANN, place="/requests")


async def test_list_shows_what_has_ended_as_ended(stand):
    stand.ask()
    stand.clock.advance(FLOW.timeout_s)
    async with stand.browsing(BOB) as browser:
        assert "Timed out" in (await browser.get("/requests")).text
        assert "No request fits" in (await browser.get("/requests?status=open")).text


async def test_requester_follows_their_own_request(stand):
    stand.ask()
    assert "pay/refund" in Text(await read(stand, person=ANN, place="/requests")).text
    assert json.dumps(PARAMS["name"]) not in await read(stand, person=ANN)
