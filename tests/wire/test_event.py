"""The audit event: enough to replay a decision, and nothing secret."""

import hashlib
import hmac
import json

from agen_authz.core.model import Allow, Deny, Effect, Matched, Outcome, State, Step
from agen_authz.core.reason import Reason
from agen_authz.wire.event import render_event
from tests import builders as build
from tests.builders import NOW, claims, sign
from tests.check.rig import Rig
from tests.reached import reach

KEY = b"k" * 32
WHY = [
    {"check": "method", "outcome": "allowed", "rule": "tools/call"},
    {"check": "access", "outcome": "granted", "rule": "analysts read"},
]


def keyed(text: bytes) -> str:
    return hmac.new(KEY, text, hashlib.sha256).hexdigest()


def test_event_of_an_allowed_call():
    rig = Rig()
    token = sign(claims(auth_time=NOW - 60, tenantId="acme", acr="urn:mfa", amr=["hwk"]))
    rig.post(
        build.message(),
        token,
        headers={"mcp-session-id": build.session(), "user-agent": "test/1", "origin": build.ORIGIN},
    )
    assert rig.audit.events == [
        {
            "time": "2027-01-15T08:00:00+00:00",
            "request_id": "00000000000000000000000000000001",
            "decision": "allow",
            "reason": "allowed",
            "server": "crm",
            "policy_set": "v1",
            "duration_us": 0,
            "why": WHY,
            "principal": {
                "provider": "idp", "issuer": build.ISSUER, "subject": "ann", "client": "desk", "tenant": "acme",
                "roles": ["analyst"], "permissions": [], "groups": [], "scopes": ["mcp:tools"], "email": "",
                "email_verified": False, "country": "", "acr": "urn:mfa", "amr": ["hwk"], "expires": NOW + 300,
                "token_id": "t1", "auth_time": NOW - 60, "issued_at": NOW - 10,
            },
            "context": {
                "method": "POST", "authority": "mcp.example.com", "path": "/crm/mcp", "peer": "192.0.2.1",
                "ip": "192.0.2.1", "networks": [], "country": "", "user_agent": "test/1", "origin": build.ORIGIN,
            },
            "call": {
                "era": "legacy", "version": "2025-11-25", "shape": "request", "method": "tools/call",
                "targets": [{"kind": "tool", "name": "get_customer"}], "arguments_digest": keyed(b'{"id":1}'),
                "session_digest": keyed(build.session().encode()), "id": "i:7",
            },
        }
    ]  # fmt: skip


def test_event_holds_the_true_reason_and_metric_too():
    rig = Rig()
    rig.post(build.message("tools/call", {"name": "delete_customer"}))
    assert (rig.audit.events[0]["reason"], rig.metrics.decisions) == ("not_granted", [("deny", "not_granted", "crm")])


def test_event_holds_no_token_no_argument_no_session_and_no_query():
    rig = Rig()
    token = sign(claims(iat=None))
    secret = "hunter2"
    document = build.message("tools/call", {"name": "get_customer", "arguments": {"password": secret}}, id=None)
    headers = build.headers_for(token) | {"mcp-session-id": secret, "cookie": secret}
    for path in ("/crm/mcp", f"/crm/mcp?token={secret}"):
        rig.check(build.check_request(headers, build.encode({**document, "id": "x"}), path=path))
    written = repr(rig.audit.events)
    assert secret not in written and token not in written and len(rig.audit.events) == 2


def test_event_of_an_answer_says_no_steps():
    rig = Rig()
    rig.check(build.check_request({}, method="GET", path="/.well-known/oauth-protected-resource/crm/mcp"))
    event = rig.audit.events[0]
    assert (event["decision"], event["reason"], "why" in event, "principal" in event) == (
        "answer", "metadata", False, False,
    )  # fmt: skip


def test_event_of_a_request_that_cannot_be_read_names_no_context():
    rig = Rig()
    rig.check(b"")
    assert (rig.audit.events[0]["reason"], rig.audit.events[0].keys() & {"context", "call", "principal"}) == (
        "request_unreadable", set(),
    )  # fmt: skip


def test_call_without_arguments_and_id_has_none_in_its_event():
    rig = Rig()
    rig.post(build.message("notifications/initialized", id=None))
    call = rig.audit.events[0]["call"]
    assert (call["arguments_digest"], call["session_digest"], call["id"]) == ("", "", "")


def test_string_id_is_told_from_a_number():
    rig = Rig()
    rig.post(build.message(id="7"))
    assert rig.audit.events[0]["call"]["id"] == "s:7"


def test_event_holds_no_userinfo():
    rig = Rig()
    rig.check(build.check_request({}, host="ann:hunter2@mcp.example.com"))
    assert "hunter2" not in repr(rig.audit.events)


def test_event_of_many_targets_counts_them_names_the_first_and_digests_the_rest():
    rig = Rig()
    uris = [f"customer://{number}" for number in range(25)]
    rig.post(build.modern("subscriptions/listen", {"notifications": {"resourceSubscriptions": uris}}))
    event = rig.audit.events[0]
    written = json.dumps([["resource", uri] for uri in uris], separators=(",", ":")).encode()
    assert [each["name"] for each in event["call"]["targets"]] == uris[:20]
    assert event["shortened"][-1] == {
        "field": "call.targets", "total": 25, "digest": hashlib.sha256(written).hexdigest(),
    }  # fmt: skip


def test_event_of_many_steps_names_what_refused():
    granted, watched = (Step("access", "granted", "r"),) * 30, (Step("policy", "shadow_deny_applies", "s"),) * 30
    refused = Step("policy", "enforce_deny_applies", "no refunds")
    line = render_event(Deny(Reason.POLICY_DENIED, (*watched, *granted, refused)), reach(), now=NOW, duration_us=0)
    event = json.loads(line)
    assert [each["rule"] for each in event["why"]] == ["r"] * 19 + ["no refunds"]
    assert [(each["field"], each["total"]) for each in event["shortened"]] == [("why", 61)]


def test_event_of_many_policies_names_each_once_and_enforced_ones_first():
    def matched(name: str, state: State) -> Matched:
        return Matched(name, Effect.DENY, state, Outcome.APPLIES)

    watched = [matched(f"s{number}", State.SHADOW) for number in range(25)]
    decision = Allow((), None, (*watched, *watched, matched("e", State.ENFORCE)))
    event = json.loads(render_event(decision, reach(), now=NOW, duration_us=0))
    assert [each["name"] for each in event["policies"]] == [*(f"s{number}" for number in range(19)), "e"]
    assert [(each["field"], each["total"]) for each in event["shortened"]] == [("policies", 51)]


def test_event_that_does_not_fit_otherwise_is_cut_tightly():
    long = "s" * 500
    why = tuple(Step("access", "not_granted", f"{long}{number}") for number in range(30))
    matched = tuple(Matched(f"{long}{number}", Effect.DENY, State.ENFORCE, Outcome.ERROR, long) for number in range(30))
    event = json.loads(render_event(Deny(Reason.POLICY_DENIED, why, matched=matched), reach(), now=NOW, duration_us=0))
    assert (len(event["why"]), len(event["policies"])) == (4, 4)
