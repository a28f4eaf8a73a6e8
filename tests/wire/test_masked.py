"""Events of data protection: where what was masked, bounded, as the schema has it, and never a value."""

import json

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from agen_authz._pb.agen.authz.v1.event_pb2 import Event
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.rule import Receipt
from agen_authz.core.reason import Reason
from agen_authz.core.response.message import Uninspected
from agen_authz.wire.event import MAX_EVENT_BYTES
from agen_authz.wire.masked import MASK, SAMPLE, Origin, render_masked
from agen_authz.wire.recorded import Recorded, read_event
from tests import builders as build

ORIGIN = Origin("r1", "crm", "v1", build.principal())
CARD = Receipt("cards", "credit_card", Style.LAST4, "/result/content/0/text", 2)


def render(*receipts, word=MASK, origin=ORIGIN, uninspected=()):
    return render_masked(word, origin, receipts, uninspected, now=build.NOW)


def test_event_says_what_was_masked_where_and_for_whom():
    shadow = Receipt("new", "email", Style.REDACT, "/result/a", is_enforced=False)
    failed = (Uninspected(Reason.RESPONSE_ENCODED, has_passed=True), Uninspected(Reason.UNMASKABLE, "too deep"))
    caller = build.principal()
    assert json.loads(render(CARD, shadow, uninspected=failed)) == {
        "time": "2027-01-15T08:00:00+00:00", "request_id": "r1", "decision": "mask", "reason": "", "server": "crm",
        "policy_set": "v1", "duration_us": 0,
        "principal": {
            "provider": caller.provider, "issuer": caller.issuer, "subject": caller.subject, "client": caller.client,
            "tenant": caller.tenant,
        },
        "masking": {
            "values": 3,
            "receipts": [
                {
                    "rule": "cards", "detector": "credit_card", "style": "last4", "pointer": "/result/content/0/text",
                    "count": 2,
                },
                {
                    "rule": "new", "detector": "email", "style": "redact", "pointer": "/result/a", "count": 1,
                    "shadow": True,
                },
            ],
            "uninspected": [
                {"reason": "response_encoded", "detail": "", "outcome": "passed"},
                {"reason": "unmaskable", "detail": "too deep", "outcome": "withheld"},
            ],
        },
    }  # fmt: skip


def test_event_of_a_call_that_is_not_known_names_no_caller():
    event = json.loads(render(CARD, word=SAMPLE, origin=Origin("", "", "v1")))
    assert (event["decision"], "principal" in event) == ("sample", False)


@pytest.mark.parametrize(("count", "kept"), [(60, 60), (300, 100), (5000, 100)])
def test_of_many_rows_those_that_were_masked_are_kept(count, kept):
    rows = [Receipt("r", "email", Style.REDACT, f"/result/{at}", is_enforced=at % 2 == 1) for at in range(count)]
    event = json.loads(render(*rows))
    shown = event["masking"]["receipts"]
    assert (event["masking"]["values"], len(shown)) == (count, kept)
    enforced = sum("shadow" not in each for each in shown)
    assert enforced == min(kept, (count + 1) // 2)
    assert ("shortened" in event) is (kept < count)


def test_reader_of_decisions_finds_no_call_in_it():
    read = read_event(render(CARD))
    assert isinstance(read, Recorded) and read.call is None


LONG = st.builds(lambda text, times: text * times, st.text(max_size=3), st.sampled_from([0, 1, 129, 600]))


@given(LONG, LONG, st.sampled_from([0, 1, 21, 700]), st.sampled_from(["mask", "sample"]))
def test_any_event_is_bounded_and_follows_the_schema(text, other, times, word):
    caller = build.principal(subject=text, client=other, tenant=text)
    rows = [Receipt(text, other, Style.HASH, f"/{at}{text}", at, is_enforced=at % 3 > 0) for at in range(times)]
    failed = [Uninspected(Reason.UNMASKABLE, f"{at}{text}") for at in range(min(times, 8))]
    line = render(*rows, word=word, origin=Origin("r" * 64, "s" * 63, "v" * 64, caller), uninspected=failed)
    assert len(line) < MAX_EVENT_BYTES and b"\n" not in line
    json_format.Parse(line, Event())
