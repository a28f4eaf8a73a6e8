"""What is read of an audit event, and what is not one."""

import json
from typing import Any

import pytest

from agen_authz.core.model import Call, Context, Envelope, Era, SessionId, Shape
from agen_authz.wire.recorded import NoEvent, Recorded, RecordedCall, read_event
from tests import builders as build
from tests.authoring.rig import event

CUT = {"field": "groups", "total": 200, "digest": "0" * 64}
NOWHERE = {"ip": "", "country": "", "user_agent": "u"}


def read(written: Any) -> Any:
    return read_event(json.dumps(written).encode())


def test_event_is_read_with_stand_ins_for_what_it_does_not_hold():
    principal = build.principal(
        provider="corp", issuer="https://id.example.com/", scopes=(), issued_at=None, expires=1_800_000_300.0,
        claims=None,
    )  # fmt: skip
    call = Call(
        "crm", Envelope(Era.MODERN, Shape.REQUEST), "2026-07-28", "tools/call", (build.tool(),), arguments={},
        session_id=SessionId("recorded"),
    )  # fmt: skip
    held = RecordedCall(principal, call, Context(None, (), None, "u"), "mcp.example.com", is_whole=True)
    expected = Recorded(build.NOW, "allow", "allowed", "crm", held)
    assert read(event(call={"session_digest": "d"}, context=NOWHERE)) == expected


def test_reason_of_another_version_is_read():
    assert read(event(reason="not_yet_known")).reason == "not_yet_known"


@pytest.mark.parametrize(
    ("changes", "is_whole"),
    [
        ({}, True),
        ({"shortened": [{**CUT, "field": "why"}]}, True),
        ({"shortened": [{**CUT, "field": "call.targets"}]}, False),
        ({"shortened": [{**CUT, "field": "why"}, {**CUT, "field": "context.networks"}]}, False),
        ({"principal": {"shortened": [CUT]}}, False),
    ],
    ids=["whole", "steps", "targets", "networks", "caller"],
)
def test_cut_parts_of_a_call_are_reported(changes, is_whole):
    assert read(event(**changes)).call.is_whole is is_whole


def test_line_of_the_log_is_told_from_an_event():
    logged = {"level": "info", "logger": "a", "message": "m"}
    assert (read(logged), read({**logged, "decision": "x"})) == (NoEvent.LOGGED, NoEvent.UNREADABLE)


UNREADABLE: dict[str, Any] = {
    "no object": [],
    "no event": {"x": 1},
    "a time that is none": event(time="soon"),
    "a time that is a number": event(time=1),
    "a time beyond time": event(time="0001-01-01T00:00:00"),
    "a word that is a number": event(decision=1),
    "a reason that is none": event(reason=None),
    "a server that is a list": event(server=[]),
    "a caller that is a text": event() | {"principal": "ann"},
    "a subject that is a number": event(principal={"subject": 1}),
    "roles that are a text": event(principal={"roles": "analyst"}),
    "a role that is a number": event(principal={"roles": [1]}),
    "a flag that is a text": event(principal={"email_verified": "yes"}),
    "an expiry that is a text": event(principal={"expires": "soon"}),
    "an expiry that is a flag": event(principal={"expires": True}),
    "a sign-in that is a text": event(principal={"auth_time": "soon"}),
    "an address that is none": event(context={"ip": "here"}),
    "an address that is a number": event(context={"ip": 1}),
    "networks that are a text": event(context={"networks": "office"}),
    "no context": {key: value for key, value in event().items() if key != "context"},
    "an era that nobody knows": event(call={"era": "stone"}),
    "a shape that nobody knows": event(call={"shape": "round"}),
    "a kind that nobody knows": event(call={"targets": [{"kind": "x", "name": "y"}]}),
    "a target without a name": event(call={"targets": [{"kind": "tool"}]}),
    "cuts that are no list": event(shortened=1),
}


@pytest.mark.parametrize("written", UNREADABLE.values(), ids=UNREADABLE)
def test_line_that_is_not_an_event_is_not_read(written):
    assert read(written) is NoEvent.UNREADABLE


def test_no_json_is_not_read():
    assert read_event(b'{"time":') is NoEvent.UNREADABLE
