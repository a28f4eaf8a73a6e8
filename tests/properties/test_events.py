"""Whatever is decided and whatever was asked: the event has a bounded size, is one plain line, follows its schema."""

import hashlib
import json
import unicodedata
from typing import Any

import orjson
import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from agen_authz._pb.agen.authz.v1.event_pb2 import Event
from agen_authz.core.http.route import Route
from agen_authz.core.model import (
    Allow,
    Answer,
    Approval,
    ApprovalStanding,
    AwaitApproval,
    Call,
    Challenge,
    Context,
    Deny,
    Digest,
    Effect,
    Envelope,
    Era,
    Matched,
    Outcome,
    SessionId,
    Shape,
    State,
    Step,
    StepUp,
    Target,
    TargetKind,
)
from agen_authz.core.reason import Reason
from agen_authz.core.stage import Stage, find_known, find_received
from agen_authz.wire.aggregate import Aggregate, render_aggregate
from agen_authz.wire.event import MAX_EVENT_BYTES, MAX_STRANGER_EVENT_BYTES, render_event
from agen_authz.wire.identity import MAX_CALLER_EVENT_BYTES, render_principal
from tests import builders as build
from tests.reached import reach
from tests.rules import build_rules

RULES = build_rules(version="v" * 64)
# What makes lines long, and what terminals obey or eyes do not see.
HARMLESS = ("a", '"', "\\", "ü", "\u202e", "\u200b", "\u3164", "\U000e0041", "\U0001f511")
PIECES = (*HARMLESS, "\x00", "\x1b[2J", "\x7f", "\x9b2J")
TIMES = st.sampled_from([0, 1, 11, 129, 513])
TEXT = st.builds(lambda piece, times: piece * times, st.sampled_from(PIECES) | st.text(max_size=4), TIMES)
TEXTS = st.builds(lambda value, times: (value,) * times, TEXT, st.sampled_from([0, 1, 5, 21, 100]))
# A token whose claims hold control characters is refused.
CLAIM = st.builds(lambda piece, times: piece * times, st.sampled_from(HARMLESS), TIMES)
CLAIMS = st.builds(lambda value, times: (value,) * times, CLAIM, st.sampled_from([0, 1, 5, 21]))
PRINCIPAL = st.builds(
    lambda one, other, few, many: build.principal(
        provider=one, issuer=other, subject=one, client=other, tenant=one, email=other, country=one, acr=other,
        token_id=one, roles=many, permissions=few, groups=many, scopes=few, amr=many, auth_time=build.NOW,
    ),
    CLAIM, CLAIM, CLAIMS, CLAIMS,
)  # fmt: skip
STEPS = st.builds(
    lambda outcome, rule, times: (Step("policy", outcome, rule),) * times,
    st.sampled_from(["granted", "shadow_deny_applies", "enforce_deny_error"]), TEXT,
    st.sampled_from([0, 1, 5, 21, 300]),
)  # fmt: skip
MATCHED = st.builds(
    lambda name, state, times: tuple(
        Matched(f"{name}{number}", Effect.REQUIRE_APPROVAL, state, Outcome.APPLIES) for number in range(times)
    ),
    TEXT, st.sampled_from(State), st.sampled_from([0, 1, 5, 30]),
)  # fmt: skip
ENVELOPE = st.builds(Envelope, st.sampled_from(Era), st.sampled_from(Shape), st.none() | st.just(-(2**63)) | TEXT)
APPROVALS = st.builds(
    lambda name, flow, times: tuple(
        Approval(build.tool(), f"{name}{number}", flow, Digest("d"), request="0" * 32) for number in range(times)
    ),
    TEXT, TEXT, st.sampled_from([0, 1, 5, 30, 300]),
)  # fmt: skip
# How an approval stood is a step with the name of a policy; names in a configuration are short.
STOOD = st.builds(
    lambda outcome, number: (Step("approval", outcome, f"policy {number}"),),
    st.sampled_from(ApprovalStanding), st.integers(0, 9),
)  # fmt: skip
DECISIONS = st.one_of(
    st.builds(lambda why, matched: Allow(why, None, matched), STEPS, MATCHED),
    st.builds(
        lambda why, stood, matched, grants: Allow((*why, *stood), None, matched, (), grants),
        STEPS, STOOD, MATCHED, APPROVALS,
    ),
    st.builds(
        lambda why, stood, matched, wanted: AwaitApproval(wanted, (*why, *stood), Envelope(), matched=matched),
        STEPS, STOOD, MATCHED, APPROVALS,
    ),
    st.builds(lambda reason, why, matched: Deny(reason, why, matched=matched), st.sampled_from(Reason), STEPS, MATCHED),
    st.builds(
        lambda why, matched: StepUp(Challenge(False, ()), why, Envelope(), build.tool(), matched), STEPS, MATCHED
    ),
    st.just(Answer(Reason.METADATA, 200)),
)  # fmt: skip
TARGETS = st.builds(
    lambda kind, name, times: tuple(Target(kind, "crm", f"{number}{name}") for number in range(times)),
    st.sampled_from(TargetKind), TEXT, st.sampled_from([0, 1, 5, 100]),
)  # fmt: skip
CALLS = st.builds(
    lambda envelope, word, targets: Call(
        "crm", envelope, word, word, targets, arguments={"a": word}, session_id=SessionId(word)
    ),
    ENVELOPE, TEXT, TARGETS,
)  # fmt: skip
REQUESTS = st.builds(
    lambda one, other: build.request(method=one, authority=other, path=one, peer=other, headers={"origin": one}),
    TEXT, TEXT,
)  # fmt: skip
CONTEXTS = st.builds(
    lambda networks, agent: Context("2001:db8::1", networks, "DE", agent), TEXTS, TEXT.map(lambda text: text[:256])
)
ROUTE = Route(build.resource(name="s" * 63), is_metadata=False)
ASKED = st.builds(
    lambda caller, request, call, context: reach(
        request, ROUTE, None if caller is None else render_principal(caller), call, context,
        request_id="0" * 32, rules=RULES,
    ),
    st.none() | PRINCIPAL, st.none() | REQUESTS, st.none() | CALLS, CONTEXTS,
)  # fmt: skip


def render(decision: Any, asked: Stage) -> bytes:
    return render_event(decision, asked, now=build.NOW + 0.123456, duration_us=2**40)


def is_plain(character: str) -> bool:
    return character.isascii() or unicodedata.category(character)[0] not in "CZ"


@given(DECISIONS, ASKED)
def test_event_of_any_decision_fits_is_one_plain_line_and_follows_its_schema(decision, asked):
    line = render(decision, asked)
    limit = MAX_EVENT_BYTES if find_known(asked) is not None else MAX_STRANGER_EVENT_BYTES
    assert len(line) + len(b"\n") <= limit
    text = line.decode("utf-8")
    assert all(map(is_plain, text)) and not any(character < " " or character == "\x7f" for character in text)
    json_format.Parse(line, Event())


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("is_known", [True, False], ids=["caller", "stranger"])
def test_event_fits_where_every_field_is_as_long_as_it_can_be(piece, is_known):
    word = piece * 700
    many = tuple(f"{number}{word}" for number in range(30))
    who = build.principal(
        provider=word, issuer=word, subject=word, client=word, tenant=word, email=word, country=word, acr=word,
        token_id=word, roles=many, permissions=many, groups=many, scopes=many, amr=many, auth_time=build.NOW,
    )  # fmt: skip
    request = build.request(method=word, authority=word, path=word, peer=word, headers={"origin": word})
    call = build.call(word, *(Target(TargetKind.RESOURCE, "crm", name) for name in many), version=word,
                      envelope=Envelope(id=word), arguments={"a": word}, session_id=SessionId(word))  # fmt: skip
    matched = tuple(Matched(name, Effect.REQUIRE_APPROVAL, State.ENFORCE, Outcome.APPLIES) for name in many)
    why = tuple(Step("access", "unmapped_admitted", name) for name in many)
    context = Context("2001:db8:2001:db8:2001:db8:2001:db8", many, "DE", word[:256])
    if is_known and piece in HARMLESS:
        asked = reach(request, ROUTE, render_principal(who), call, context, request_id="0" * 32, rules=RULES)
        line = render(Deny(Reason.AUTHORIZATION_MALFORMED, why, matched=matched), asked)
        assert MAX_CALLER_EVENT_BYTES // 2 < len(line) < MAX_EVENT_BYTES
    else:
        asked = reach(request, ROUTE, request_id="0" * 32, rules=RULES)
        line = render(Deny(Reason.AUTHORIZATION_MALFORMED, why), asked)
        assert len(line) < MAX_STRANGER_EVENT_BYTES
    json_format.Parse(line, Event())


@given(PRINCIPAL)
def test_callers_part_leaves_room_for_the_calls(principal):
    assert len(orjson.dumps(render_principal(principal).event)) <= MAX_CALLER_EVENT_BYTES


@given(CLAIM, CLAIMS)
def test_event_says_what_was_asked_or_names_its_size_and_digest(word, names):
    caller = render_principal(build.principal(subject=word, groups=names))
    targets = tuple(Target(TargetKind.RESOURCE, "crm", name) for name in names)
    asked = reach(build.request(method=word), ROUTE, caller, build.call("resources/read", *targets))
    event = json.loads(
        render(Deny(Reason.NOT_GRANTED, tuple(Step("access", "not_granted", name) for name in names)), asked)
    )
    cut = {f"principal.{each['field']}": each for each in event["principal"].get("shortened", ())}
    cut |= {each["field"]: each for each in event.get("shortened", ())}
    targets_found = [[*each.values()] for each in event["call"]["targets"]]
    for field, found, whole in (
        ("principal.subject", event["principal"]["subject"], word),
        ("principal.groups", event["principal"]["groups"], list(names)),
        ("context.method", event["context"]["method"], word),
        ("call.targets", targets_found, [["resource", name] for name in names]),
        ("why", [[*each.values()] for each in event["why"]], [["access", "not_granted", name] for name in names]),
    ):  # fmt: skip
        if field in cut:
            assert cut[field] == {
                "field": field.removeprefix("principal."),
                "total": len(whole),
                "digest": digest(whole),
            }
            assert found != whole
        else:
            assert found == whole


def digest(whole: Any) -> str:
    written = whole if isinstance(whole, str) else json.dumps(whole, separators=(",", ":"), ensure_ascii=False)
    # JSON has one short escape that the standard library does not write, and we do not need.
    return hashlib.sha256(written.encode("utf-8")).hexdigest()


@pytest.mark.parametrize(
    "character",
    [
        "\x7f",
        "\x80",
        "\x9b",
        "\x9f",
        "\u202e",
        "\u2066",
        "\u200b",
        "\ufeff",
        "\u2028",
        "\U000e0041",
        "\ufe0f",
        "\u3164",
    ],
)
def test_control_and_invisible_characters_are_escaped_and_their_values_kept(character):
    asked = reach(build.request(headers={"user-agent": f"a{character}b"}), ROUTE, rules=RULES)
    line = render(Deny(Reason.TOKEN_MISSING), asked)
    assert (character.encode() in line, json.loads(line)["context"]["user_agent"]) == (False, f"a{character}b")


def test_letters_of_every_script_stay_readable():
    asked = reach(build.request(headers={"user-agent": "Jürgen 東京 \U0001f511"}), ROUTE, rules=RULES)
    assert "Jürgen 東京 \U0001f511".encode() in render(Deny(Reason.TOKEN_MISSING), asked)


def test_letters_next_to_what_is_escaped_stay_readable():
    asked = reach(build.request(headers={"user-agent": "東\u202e京\u200b"}), ROUTE, rules=RULES)
    assert "東\\u202e京\\u200b".encode() in render(Deny(Reason.TOKEN_MISSING), asked)


def rename(asked: Stage, route: Route) -> Stage:
    """Reach the same for another resource."""
    received = find_received(asked)
    return reach(None if received is None else received.request, route, request_id="0" * 32, rules=RULES)


NAMES = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789_-"), min_size=63, max_size=63)


@given(st.lists(st.tuples(DECISIONS, ASKED, NAMES), min_size=1, max_size=30))
def test_events_of_many_fit_into_a_strangers_room_and_count_everyone(decided):
    gathered = Aggregate("v" * 64)
    for decision, asked, name in decided:
        asked = rename(asked, Route(build.resource(name=name), is_metadata=False))
        gathered.count(decision, asked, build.NOW)
    total = 0
    for part in gathered.split():
        line = render_aggregate(part, build.NOW)
        assert len(line) < MAX_STRANGER_EVENT_BYTES
        total += json_format.Parse(line, Event()).aggregated.total
    assert total == len(decided)
