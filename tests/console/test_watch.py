"""Live decisions, what is masked where, and matches of policies over time."""

import json

import pytest

from agen_authz.console.chart import draw
from agen_authz.console.history import MASKED, POLICY_MATCHES, STEP_S, STEPS, History
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.rule import Receipt
from agen_authz.wire.masked import MASK, Origin, render_masked
from tests import builders as build
from tests.check.rig import Rig
from tests.console.rig import BOB, ZOE, Stand
from tests.console.test_pages import Text

CARD = Receipt("cards", "credit_card", Style.LAST4, "/result/content/0/text", 2)
EVIL = "<script>alert(1)</script>\u202e"


def lines():
    """Let Check decide three calls, and Process mask a response of the first."""
    rig = Rig()
    rig.post(build.message())
    rig.post(build.message("tools/call", {"name": "delete_customer"}))
    rig.post(build.message(), "no-token")
    events = [json.dumps(each).encode() for each in rig.audit.events]
    mask = render_masked(
        MASK, Origin(rig.audit.events[0]["request_id"], "crm", "v1", build.principal()), [CARD], [], now=build.NOW
    )
    return [*events, mask, b'{"level": "info"}', b"not json", b"[]", b'{"decision": 1}']


def showing(kept, history=None):
    async def events():
        return kept

    return Stand(more={"events": events, "history": lambda: history})


async def read(stand, place, status=200):
    async with stand.browsing(ZOE) as browser:
        answer = await browser.get(place)
    assert answer.status_code == status
    return Text(answer.text).text


@pytest.mark.parametrize("place", ["/decisions", "/decisions/1", "/masking"])
async def test_others_are_refused(place):
    stand = showing(lines())
    async with stand.browsing(BOB) as browser:
        assert (await browser.get(place)).status_code == 403


async def test_decisions_are_listed_and_filtered():
    stand = showing(lines())
    text = await read(stand, "/decisions")
    for part in ("crm/get_customer", "allowed", "not_granted", "token_malformed", "not known", "1 allowed", "2 denied"):
        assert part in text, part
    text = await read(stand, "/decisions?decision=deny&server=crm&text=DELETE")
    assert ("delete_customer" in text, "get_customer" in text, "1 denied" in text) == (True, False, True)
    assert "No decision fits" in await read(stand, "/decisions?text=nothing")


async def test_trace_says_why_and_what_to_do():
    stand = showing(lines())
    text = await read(stand, "/decisions/00000000000000000000000000000002")
    for part in (
        "crm/delete_customer",
        "denied",
        "Reason not_granted",
        "What to do:",
        "access not granted",
        "subjectann",
    ):
        assert part in text, part
    text = await read(stand, "/decisions/00000000000000000000000000000001")
    for part in ("method allowed tools/call", "Masked in the response", "/result/content/0/text", "credit_card, last4"):
        assert part in text, part
    assert "not among the last ones" in await read(stand, "/decisions/none", 404)


async def test_what_is_not_kept_or_not_there_is_said_plainly(stand):
    assert "No decisions are kept for this page" in await read(stand, "/decisions")
    assert "Nothing counts masked values" in await read(stand, "/masking")
    assert "Nothing counts matches for this page" in await read(stand, "/policies")
    assert "not among the last ones" in await read(stand, "/decisions/1", 404)
    empty = showing([], History())
    assert "Nothing was decided yet" in await read(empty, "/decisions")
    assert "Nothing was masked in the last 24 hours" in await read(empty, "/masking")


async def test_nothing_of_an_event_becomes_html():
    odd = {
        "time": EVIL, "request_id": "r-1", "decision": "deny", "reason": EVIL, "server": EVIL, "duration_us": EVIL,
        "principal": {"subject": EVIL, "roles": [EVIL, {}], "email_verified": True, "none": None, "deep": {}},
        "call": {"method": EVIL, "targets": [{"kind": "resource", "name": EVIL}, 3]}, "context": 5,
        "why": [{"check": EVIL, "outcome": EVIL, "rule": EVIL}], "policies": [{"name": EVIL, "cause": EVIL}],
        "approvals": [{"policy": EVIL, "id": EVIL}], "shortened": [{"field": "why"}],
    }  # fmt: skip
    mask = {"decision": "mask", "request_id": "r-1", "masking": {"receipts": [{"pointer": EVIL, "count": "x"}]}}
    stand = showing([json.dumps(each).encode() for each in (odd, mask)])
    async with stand.browsing(ZOE) as browser:
        for place in ("/decisions", "/decisions/r-1", "/masking", "/decisions?text=%3Cscript%3E&live=1"):
            html = (await browser.get(place)).text
            assert (html.count("<script"), "\u202e" in html) == (1, False), place


async def test_decisions_without_an_event_are_counted():
    counts = [{"decision": "deny", "reason": "token_missing", "server": "crm", "count": "37"}, {"decision": "deny"}]
    row = {"decision": "aggregated", "time": "2027-01-15T08:00:00Z", "aggregated": {"counts": counts}}
    stand = showing([json.dumps(row).encode()])
    text = await read(stand, "/decisions")
    for part in ("37 requests that have no event each, crm", "token_missing", "38 denied"):
        assert part in text, part


async def test_live_list_is_opened_again_by_the_script_only():
    stand = showing(lines())
    async with stand.browsing(ZOE) as browser:
        plain, live = [(await browser.get(f"/decisions{query}")).text for query in ("?text=ann", "?text=ann&live=1")]
    assert ("data-live" in plain, 'data-live="10"' in live) == (False, True)
    assert ('href="/decisions?text=ann&amp;live=1"' in plain, 'href="/decisions?text=ann"' in live) == (True, True)


# ---- over time -----------------------------------------------------------------------------------------------


def metrics(matches=0, masked=0, shadow=0):
    return "\n".join(
        [
            "# HELP agen_masked_total Values.",
            f'agen_policy_matches_total{{policy="refunds",effect="require_approval",state="enforce"}} {matches}',
            f'agen_policy_matches_total{{policy="refunds",effect="require_approval",state="shadow"}} {matches // 2}.0',
            f'agen_masked_total{{detector="email",style="redact",server="crm"}} {masked}',
            f'agen_masked_shadow_total{{detector="od\\\\d\\"\\n",style="redact",server="crm"}} {shadow} 1800000000',
            'agen_masked_total{detector="email" 5',
            'agen_masked_total{detector="email"} x1',
            'agen_decisions_total{decision="allow"} 5',
        ]
    )


def test_counts_are_kept_by_half_hour_for_a_day():
    history, now = History(), build.NOW
    history.note(metrics(100), now)
    for seconds, matches in ((60.0, 103), (STEP_S, 107), (STEP_S, 2)):
        now += seconds
        history.note(metrics(matches), now)
    (track,) = [
        each for each in history.read(POLICY_MATCHES, "policy", "state", now=now) if each.labels[1] == "enforce"
    ]
    # The first note is where counting begins; what is lower than before was begun again.
    assert (track.labels, track.counts[-3:], track.total) == (("refunds", "enforce"), (3, 4, 2), 9)
    assert len(track.counts) == STEPS
    history.note(metrics(2), now + STEPS * STEP_S)
    assert history.read(POLICY_MATCHES, "policy", now=now + STEPS * STEP_S) == ()


def test_series_that_begins_later_is_counted_whole():
    history = History()
    history.note("", build.NOW)
    history.note(metrics(masked=5), build.NOW + 60)
    assert [each.total for each in history.read(MASKED, "server", now=build.NOW + 60)] == [5]


def test_labels_are_read_as_they_were_meant():
    history = History()
    history.note("", build.NOW)
    history.note(metrics(shadow=1), build.NOW + 60)
    (track,) = history.read("agen_masked_shadow_total", "detector", now=build.NOW + 60)
    assert track.labels == ('od\\d"\n',)


def test_bars_are_on_top_of_each_other_and_said_in_words():
    counts = {"enforced": (0,) * 47 + (3,), "in shadow": (0,) * 46 + (5, 1)}
    chart = draw("Matches", counts, build.NOW)
    assert [(each.kind, each.y, each.height) for each in chart.bars] == [
        ("in shadow", 0.0, 60.0),
        ("enforced", 24.0, 36.0),
        ("in shadow", 12.0, 12.0),
    ]
    assert chart.label == (
        "Matches in the last 24 hours: 3 enforced, 6 in shadow. Most in the half hour from 07:30 UTC: 5."
    )
    assert draw("Matches", {"enforced": (0,) * 48}, build.NOW).label == "Matches in the last 24 hours: none."


async def test_policies_and_masking_show_what_was_counted():
    history = History()
    history.note(metrics(), build.NOW - 3600)
    history.note(metrics(8, 6, 4), build.NOW - 60)
    stand = showing(lines(), history)
    text = await read(stand, "/policies")
    for part in ("8 enforced", "4 in shadow", "at most 12 in half an hour", "counted since 15 Jan 2027, 07:00 UTC"):
        assert part in text, part
    text = await read(stand, "/masking")
    for part in ("6 masked", "4 in shadow", "email redact", "Lately", "crm/get_customer", "2 × credit_card"):
        assert part in text, part
