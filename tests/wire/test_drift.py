"""Events of the catalogue: spelt out, bounded, as the schema has them; and passed over by who reads decisions."""

import json

from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from agen_authz._pb.agen.authz.v1.event_pb2 import Event
from agen_authz.core.model import Digest
from agen_authz.core.pinning.change import Kind
from agen_authz.core.pinning.drift import Drift
from agen_authz.core.pinning.hidden import HiddenText, spell
from agen_authz.core.pinning.lookalike import LookAlike
from agen_authz.core.pinning.pin import Changed, New
from agen_authz.core.pinning.record import Action, PinRecord
from agen_authz.wire.drift import render_drift, render_pin
from agen_authz.wire.event import MAX_EVENT_BYTES
from agen_authz.wire.recorded import Recorded, read_event
from tests.builders import NOW

DIGEST = Digest("d" * 64)


def render(*drifts, pushed_out=0):
    return render_drift(drifts, pushed_out, request_id="r1", policy_set="v1", now=NOW)


def drift(name="get", kinds=(Kind.NEW,), **more):
    return Drift("crm", name, DIGEST, New(), kinds, **more)


def test_event_of_a_drift_says_all_that_was_noticed():
    seen = Drift(
        "crm", "pay", DIGEST, Changed((Kind.SCHEMA,), None), (Kind.SCHEMA, Kind.HIDDEN_TEXT), "refund",
        (LookAlike("pay", "billing", "p-ay", False), LookAlike("pay", "crm", "Pay", False)),
        (HiddenText("/description", "a<U+200B ZERO WIDTH SPACE>b"),),
    )  # fmt: skip
    assert json.loads(render(seen, pushed_out=3)) == {
        "time": "2027-01-15T08:00:00+00:00", "request_id": "r1", "decision": "drift", "reason": "", "server": "crm",
        "policy_set": "v1", "duration_us": 0,
        "drift": {
            "total": 1, "pushed_out": 3,
            "tools": [
                {
                    "name": "pay", "digest": DIGEST, "state": "changed", "kinds": ["schema", "hidden_text"],
                    "former_name": "refund", "looks_like": ["billing/p-ay", "crm/Pay"],
                    "hidden": ["/description: a<U+200B ZERO WIDTH SPACE>b"],
                }
            ],
        },
    }  # fmt: skip


def test_of_many_the_ones_that_are_more_than_new_are_kept():
    many = [
        drift(f"t{number}", (Kind.NEW, Kind.LOOK_ALIKE) if number % 10 == 9 else (Kind.NEW,)) for number in range(50)
    ]
    event = json.loads(render(*many))
    names = [each["name"] for each in event["drift"]["tools"]]
    assert (event["drift"]["total"], len(names), {"t9", "t19", "t29", "t39", "t49"} <= set(names)) == (50, 20, True)
    assert event["shortened"][0]["field"] == "drift.tools"


RECORD = PinRecord(7, NOW, Action.APPROVE, "ann", "crm", "get", DIGEST)


def test_event_of_a_pin_says_who_did_what():
    assert json.loads(render_pin(RECORD, policy_set="v1", now=NOW + 1)) == {
        "time": "2027-01-15T08:00:01+00:00", "request_id": "", "decision": "pin", "reason": "", "server": "crm",
        "policy_set": "v1", "duration_us": 0,
        "pin": {
            "id": 7, "time": "2027-01-15T08:00:00+00:00", "action": "approve", "by": "ann", "name": "get",
            "digest": DIGEST,
        },
    }  # fmt: skip


def test_reader_of_decisions_finds_no_call_in_them():
    for line in (render(drift()), render_pin(RECORD, policy_set="v1", now=NOW)):
        read = read_event(line)
        assert isinstance(read, Recorded) and read.call is None


LONG = st.builds(lambda piece, times: spell(piece * times), st.text(max_size=3), st.sampled_from([0, 1, 129, 600]))
DRIFTS = st.builds(
    lambda name, text, kinds, times: drift(
        name, tuple(kinds), former_name=text, hidden=(HiddenText(text, text),) * times,
        lookalikes=(LookAlike(text, "s", name, False),) * min(times, 5),
    ),
    LONG, LONG, st.sets(st.sampled_from(Kind)), st.sampled_from([0, 1, 20]),
)  # fmt: skip


@given(DRIFTS, st.sampled_from([1, 5, 21, 2000]), LONG)
def test_any_event_is_bounded_and_follows_the_schema(one, times, by):
    pinned = render_pin(PinRecord(1, NOW, Action.FORGET, by, "s" * 63, by, Digest("")), policy_set="v" * 64, now=NOW)
    for line in (render(*(one,) * times), pinned):
        assert len(line) < MAX_EVENT_BYTES and b"\n" not in line
        json_format.Parse(line, Event())
