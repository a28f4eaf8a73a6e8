"""Whatever is recorded is read again as what the decision rested on, and what was cut says so."""

from dataclasses import replace
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.http.route import Route
from agen_authz.core.model import (
    Answer,
    Call,
    Context,
    Decision,
    Envelope,
    Era,
    SessionId,
    Shape,
    Target,
    TargetKind,
)
from agen_authz.wire.event import render_event
from agen_authz.wire.identity import render_principal
from agen_authz.wire.recorded import NoEvent, Recorded, RecordedCall, read_event
from tests import builders as build
from tests.properties.test_events import CLAIM, CLAIMS, DECISIONS, TEXT, TEXTS
from tests.reached import reach

ROUTE = Route(build.resource(name="crm"), is_metadata=False)
PRINCIPAL = st.builds(
    lambda one, other, many, groups, verified, moment: build.principal(
        subject=one, tenant=other, roles=many, groups=groups, amr=groups, email_verified=verified, auth_time=moment,
        issued_at=moment,
    ),
    CLAIM, CLAIM, CLAIMS, st.none() | CLAIMS, st.sampled_from([True, False, None]), st.none() | st.just(build.NOW),
)  # fmt: skip
TARGETS = st.builds(
    lambda kind, name, times: tuple(Target(kind, "crm", f"{number}{name}") for number in range(times)),
    st.sampled_from(TargetKind), TEXT, st.sampled_from([0, 1, 5, 100]),
)  # fmt: skip
CALLS = st.builds(
    lambda era, shape, word, method, targets, session: Call(
        "crm", Envelope(era, shape, word), word, method, targets,
        arguments={"secret": word} if method == "tools/call" and targets else None,
        session_id=None if session is None else SessionId(session),
    ),
    st.sampled_from(Era), st.sampled_from(Shape), TEXT, st.sampled_from(["tools/call", "x"]), TARGETS,
    st.none() | st.just("s1"),
)  # fmt: skip
CONTEXTS = st.builds(
    Context, st.sampled_from([None, "192.0.2.1", "2001:db8::1"]), TEXTS, st.sampled_from([None, "DE"]),
    TEXT.map(lambda text: text[:256]),
)  # fmt: skip


def held_of(call: Call) -> Call:
    """Say what an event holds of a call: neither its id, nor arguments, nor a session's name."""
    return Call(
        server=call.server,
        envelope=Envelope(call.envelope.era, call.envelope.shape),
        version=call.version,
        method=call.method,
        targets=call.targets,
        arguments=None if call.arguments is None else {},
        session_id=None if call.session_id is None else SessionId("recorded"),
    )


def held_steps(decision: Decision, line: bytes) -> tuple[Any, Any]:
    """Say which rules of data protection and which approvals an event holds; None if its steps were cut."""
    if any(each["field"] == "why" for each in orjson.loads(line).get("shortened", ())):
        return None, None
    steps = () if isinstance(decision, Answer) else decision.why
    rules = {each.rule for each in steps if (each.check, each.outcome) == ("data_protection", "enforce")}
    return frozenset(rules), {each.rule: each.outcome for each in steps if each.check == "approval"}


@given(DECISIONS, PRINCIPAL, CALLS, CONTEXTS, TEXT.filter(lambda text: "@" not in text))
def test_event_is_read_as_what_was_recorded(decision, principal, call, context, authority):
    asked = reach(build.request(authority=authority), ROUTE, render_principal(principal), call, context)
    line = render_event(decision, asked, now=build.NOW + 0.123456, duration_us=7)
    read = read_event(line)
    assert isinstance(read, Recorded) and read.call is not None
    if read.call.is_whole:
        kept = RecordedCall(replace(principal, claims=None), held_of(call), context, authority, is_whole=True)
        said = (decision.word, str(decision.reason), "crm")
        assert read == Recorded(build.NOW + 0.123456, *said, kept, *held_steps(decision, line))
    else:
        assert b'"shortened"' in line


@given(DECISIONS, st.booleans())
def test_event_of_a_request_that_was_not_read_has_no_call(decision, is_routed):
    asked = reach(build.request(), ROUTE if is_routed else None)
    line = render_event(decision, asked, now=build.NOW, duration_us=7)
    server = "crm" if is_routed else ""
    said = (decision.word, str(decision.reason), server)
    assert read_event(line) == Recorded(build.NOW, *said, None, *held_steps(decision, line))


@given(st.binary() | st.text().map(str.encode) | st.sampled_from([b"null", b"[]", b"{}", b'{"time":1}']))
def test_any_line_is_read(line):
    assert read_event(line) is NoEvent.UNREADABLE
