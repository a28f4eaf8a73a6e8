"""Events of approvals: who asked for which call and who decided, bounded, as the schema has them; no text of people."""

import json

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agen_authz._pb.agen.authz.v1.event_pb2 import Event
from agen_authz.core.approval.request import ApprovalRequest
from agen_authz.core.approval.table import vote
from agen_authz.core.digest import digest_text
from agen_authz.core.model import Issuer, Owner, Subject
from agen_authz.wire.approval_event import ApprovalWord, By, EventTerms, find_voter, render_approval
from agen_authz.wire.event import MAX_EVENT_BYTES
from agen_authz.wire.recorded import Recorded, read_event
from tests import builders as build
from tests.core.approval.rig import ANN_MAIL, BINDING, FLOW, HERE, approved, asked, ballot, person
from tests.core.approval.rig import TERMS as DECIDING

TERMS = EventTerms("v1", b"k" * 32)


def render(word=ApprovalWord.APPROVED, request=None, by=None):
    return render_approval(word, asked() if request is None else request, TERMS, now=build.NOW, by=by)


def test_event_names_the_call_the_requester_and_who_decided_and_digests_the_reason():
    bob = person("bob", email="bob@acme.example")
    decided = vote(asked(), FLOW, bob, DECIDING, approves=True, reason="seen the invoice", now=build.NOW)
    assert isinstance(decided, ApprovalRequest)
    event = json.loads(render(request=decided, by=find_voter(decided)))
    assert event["approval"] == {
        "event": "approved", "id": "0" * 32, "status": "open", "flow": "finance", "policy": "refunds",
        "requester": {"issuer": HERE, "subject": "ann", "email": ANN_MAIL, "client": "agent", "tenant": "acme"},
        "method": "tools/call", "target": "tool:refund", "binding_digest": decided.key, "parameters_digest": "p",
        "definition_digest": "d", "policy_digest": "q", "ends": "2027-01-15T12:00:00+00:00", "step": 1,
        "approver": {"issuer": HERE, "subject": "bob", "email": "bob@acme.example"},
        "reason_digest": digest_text("seen the invoice", TERMS.digest_key),
    }  # fmt: skip
    assert (event["decision"], event["server"], event["request_id"]) == ("approval", "pay", "r-1")


def test_event_of_the_clock_names_no_approver_and_says_until_when_the_call_may_be_made():
    held = json.loads(render(ApprovalWord.LAPSED, approved()))["approval"]
    assert ("approver" in held, held["grant_until"]) == (False, "2027-01-15T08:15:00+00:00")


@pytest.mark.parametrize("votes", [(), (ballot("bob"), ballot("eve"))], ids=["nobody", "two"])
def test_voter_is_who_voted_last(votes):
    found = find_voter(asked(votes=votes))
    assert (None if found is None else found.owner.subject) == ("eve" if votes else None)


def test_reader_of_decisions_finds_no_call_in_it():
    read = read_event(render())
    assert isinstance(read, Recorded) and read.call is None


TEXTS = st.builds(
    lambda text, times: text * times,
    st.one_of(st.text(max_size=3), st.sampled_from(["\\", "\x7f", "\u200b", "\U000e0041"])),
    st.sampled_from([0, 1, 129, 600, 8000]),
)


@given(TEXTS, TEXTS, st.sampled_from(ApprovalWord), st.booleans())
def test_any_event_is_bounded_and_follows_the_schema(text, other, word, has_person):
    binding = replace(
        BINDING,
        issuer=Issuer(text), subject=Subject(other), client=text, tenant=other, method=text, target=f"tool:{other}",
    )  # fmt: skip
    request = replace(approved(), binding=binding, policy=other, flow=text, requester_email=text)
    by = By(Owner(Issuer(text), Subject(other)), text, 1, other) if has_person else None
    line = render(word, request, by)
    assert len(line) < MAX_EVENT_BYTES and b"\n" not in line
    json_format.Parse(line, Event())
