"""Events of sign-ins: who came, bounded, as the schema has them."""

import json

from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from agen_authz._pb.agen.authz.v1.event_pb2 import Event
from agen_authz.core.model import Issuer, Owner, Subject
from agen_authz.core.reason import Reason
from agen_authz.wire.approval_event import EventTerms
from agen_authz.wire.event import MAX_EVENT_BYTES
from agen_authz.wire.recorded import Recorded, read_event
from agen_authz.wire.sign_in_event import SignInWord, render_sign_in
from tests.builders import NOW
from tests.core.approval.rig import HERE, person

TERMS = EventTerms("v1", b"k" * 32)
BOB = person("bob", email="bob@acme.example", auth_time=NOW - 60.0)


def test_event_names_the_person_as_the_provider_described_them():
    event = json.loads(render_sign_in(SignInWord.SIGNED_IN, "corp", TERMS, now=NOW, who=BOB))
    assert event["sign_in"] == {
        "event": "signed_in", "provider": "corp", "issuer": HERE, "subject": "bob", "email": "bob@acme.example",
        "tenant": BOB.tenant, "roles": sorted(BOB.roles), "groups": sorted(BOB.groups),
        "auth_time": "2027-01-15T07:59:00+00:00",
    }  # fmt: skip
    assert (event["decision"], event["server"], event["policy_set"], event["reason"]) == ("sign_in", "", "v1", "")


def test_refusal_names_the_reason_and_nobody():
    line = render_sign_in(SignInWord.REFUSED, "corp", TERMS, now=NOW, who=None, reason=Reason.TOKEN_ROLE)
    event = json.loads(line)
    assert (event["reason"], event["sign_in"]) == ("token_role", {"event": "refused", "provider": "corp"})


def test_reader_of_decisions_finds_no_call_in_it():
    read = read_event(render_sign_in(SignInWord.SIGNED_OUT, "corp", TERMS, now=NOW, who=BOB))
    assert isinstance(read, Recorded) and read.call is None


TEXTS = st.builds(
    lambda text, times: text * times,
    st.one_of(st.text(max_size=3), st.sampled_from(["\\", "\x7f", "\u200b", "\U000e0041"])),
    st.sampled_from([0, 1, 129, 600, 8000]),
)


@given(TEXTS, st.lists(TEXTS, max_size=40), st.sampled_from(SignInWord), st.one_of(st.none(), st.just(NOW)))
def test_any_event_is_bounded_and_follows_the_schema(text, texts, word, auth_time):
    owner, many = Owner(Issuer(text), Subject(text)), frozenset(texts)
    who = replace(BOB, owner=owner, email=text, tenant=text, roles=many, groups=many, auth_time=auth_time)
    line = render_sign_in(word, text, TERMS, now=NOW, who=who, reason=Reason.TOKEN_ROLE)
    assert len(line) < MAX_EVENT_BYTES and b"\n" not in line
    json_format.Parse(line, Event())
