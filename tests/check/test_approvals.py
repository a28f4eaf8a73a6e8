"""Calls that people must approve: exactly this call, once, and no other call waits for anybody."""

import json
from typing import Any

import orjson
import pytest
from msgspec.structs import replace

from agen_authz.core.approval.request import MAX_KEPT_BYTES
from agen_authz.core.approval.table import Refusal, vote
from agen_authz.core.message.mcp import BodyLimits
from agen_authz.core.model import Digest
from agen_authz.core.pinning.pin import Pinning
from tests import builders as build
from tests.check.approval_rig import FINANCE, PAGE, Desk, asks, opens_urls, rules, with_params
from tests.check.test_pinned import REWORDED, TOOL, catalogue, seen_of
from tests.core.approval.rig import TERMS, person, single


def test_call_that_must_be_approved_is_answered_with_its_page_and_recorded():
    desk = Desk()
    seen = desk.call()
    (request,) = desk.requests
    assert (seen.status, seen.json["result"]["isError"], seen.reason) == (200, True, "approval_required")
    (content,) = seen.json["result"]["content"]
    assert PAGE + request.id in content["text"]
    event = desk.events[-1]
    assert (event["decision"], event["approvals"]) == (
        "await_approval",
        [{"policy": "refunds", "flow": "finance", "id": request.id}],
    )
    assert [(each.occasion.value, each.to) for each in _messages(desk)] == [
        ("opened", "flow:finance"),
        ("opened", "bob@acme.example"),
    ]


def _messages(desk: Desk) -> list[Any]:
    return [each.message for each in desk.approvals.outbox.kept.values()]


def test_request_names_the_whole_call():
    desk = Desk()
    desk.call()
    (request,), binding = desk.requests, desk.requests[0].binding
    assert (binding.issuer, binding.subject, binding.server, binding.method, binding.target) == (
        build.ISSUER,
        "ann",
        "crm",
        "tools/call",
        "tool:get_customer",
    )
    assert (request.policy, request.flow, binding.policy, request.flow_digest) == ("refunds", "finance", "q", "f")
    assert desk.approvals.kept[request.id].params == b'{"name":"get_customer","arguments":{"id":1}}'


def test_approved_call_is_made_once_and_then_asked_for_again():
    desk = Desk()
    desk.call()
    desk.decide()
    seen = desk.call()
    assert (seen.is_allowed, seen.reason, desk.statuses) == (True, "allowed", ["used"])
    assert desk.events[-1]["approvals"] == [{"policy": "refunds", "flow": "finance", "id": desk.requests[0].id}]
    assert desk.call().reason == "approval_required"
    assert desk.statuses == ["used", "open"]


def test_what_happens_is_counted():
    desk = Desk()
    desk.call()
    desk.call()
    desk.wait(60.0)
    desk.decide()
    desk.call()
    counts = {key: count for key, count in desk.rig.metrics.counts.items() if key[0] == "agen_approvals_total"}
    assert counts == {("agen_approvals_total", "finance", event): 1 for event in ("asked", "used")}
    assert desk.rig.metrics.waits == [("finance", 60.0)]


def test_asking_again_finds_the_same_request():
    desk = Desk()
    assert [desk.call().body == desk.call().body for _ in range(2)] == [True, True]
    assert len(desk.requests) == 1


SAME = {
    "progress token": with_params(_meta={"progressToken": 4}),
    "number of the call": with_params(_meta={"claudecode/toolUseId": "t"}),
}
OTHER = {
    "argument": with_params(arguments={"id": 2}),
    "type of a number": with_params(arguments={"id": 1.0}),
    "another argument": with_params(arguments={"id": 1, "all": True}),
    "log level": with_params(_meta={"io.modelcontextprotocol/logLevel": "debug"}),
    "another answer": with_params(inputResponses={"x": {"action": "accept"}}),
    "tool": with_params(name="get_customers"),
    "member of the message": {**build.message(), "urgent": True},
}


@pytest.mark.parametrize("name", SAME)
def test_what_must_differ_when_a_call_is_made_again_does_not_matter(name):
    desk = Desk()
    desk.call()
    desk.decide()
    assert desk.call({**SAME[name], "id": 99}).is_allowed


@pytest.mark.parametrize("name", OTHER)
def test_call_that_differs_from_the_approved_one_is_another_call(name):
    desk = Desk()
    desk.call()
    desk.decide()
    seen = desk.call(OTHER[name])
    assert (seen.is_allowed, seen.reason, desk.statuses) == (False, "approval_required", ["approved", "open"])


HEADERS = {"x-account": "1", "mcp-param-x": "1", "mcp-protocol-version": "2025-06-18"}
FORWARDS = build.resource(forward_headers=frozenset({"x-account", "traceparent"}))


@pytest.mark.parametrize("name", HEADERS)
def test_call_with_another_header_that_its_backend_may_act_upon_is_another_call(name):
    desk = Desk(more={"resources": (FORWARDS,)})
    desk.call()
    desk.decide()
    seen = desk.rig.post(build.message(), headers={name: HEADERS[name]})
    assert (seen.is_allowed, seen.reason, desk.statuses) == (False, "approval_required", ["approved", "open"])


@pytest.mark.parametrize("name", ["x-other", "traceparent", "accept-encoding"])
def test_header_that_changes_nothing_of_a_call_does_not_matter(name):
    desk = Desk(more={"resources": (FORWARDS,)})
    desk.call()
    desk.decide()
    assert desk.rig.post(build.message(), headers={name: "gzip"}).is_allowed


def test_requester_is_known_by_all_names_that_the_token_gives():
    desk = Desk()
    desk.call(sub="p-7", oid="O-1", email="Lou@acme.example", email_verified=False)
    (request,), now = desk.requests, desk.rig.clock.now()
    lou = person("lou", tenant=request.binding.tenant, auth_time=now)
    alike = [replace(lou, aliases=frozenset({name})) for name in ("p-7", "o-1", "lou@acme.example", "x")]
    votes = [vote(request, FINANCE, each, TERMS, approves=True, reason="", now=now) for each in alike]
    assert [each is Refusal.REQUESTER for each in votes] == [True, True, True, False]
    assert request.requester_email == ""


@pytest.mark.parametrize("claims", [{"sub": "bob"}, {"client_id": "other"}], ids=["subject", "client"])
def test_approval_is_good_for_its_own_caller_only(claims):
    desk = Desk()
    desk.call()
    desk.decide()
    assert (desk.call(**claims).reason, desk.statuses) == ("approval_required", ["approved", "open"])
    assert desk.call().is_allowed


def test_policy_that_has_changed_asks_again():
    desk = Desk()
    desk.call()
    desk.decide()
    later = desk.reconfigure(policies=(asks(digest=Digest("other")),))
    assert (later.call().reason, later.statuses) == ("approval_required", ["approved", "open"])


def test_tool_whose_definition_has_changed_is_asked_for_again():
    desk = Desk(more={"catalogue": catalogue(TOOL, approved=(TOOL,)), "pinning": Pinning.ENFORCE})
    desk.call()
    desk.decide()
    later = desk.reconfigure(more={"catalogue": catalogue(REWORDED, approved=(REWORDED,))})
    assert later.call().reason == "approval_required"
    assert [each.binding.definition for each in later.requests] == [seen_of(TOOL).digest, seen_of(REWORDED).digest]
    assert desk.call().is_allowed


def test_all_approved_definitions_of_a_tool_are_part_of_the_call():
    seen = catalogue(TOOL, REWORDED, approved=(TOOL, REWORDED))
    desk = Desk(more={"catalogue": seen, "pinning": Pinning.ENFORCE})
    desk.call()
    assert desk.requests[0].binding.definition not in ("", seen_of(TOOL).digest, seen_of(REWORDED).digest)


def test_rejected_call_is_denied_until_the_time_of_its_approvers_is_over():
    desk = Desk()
    desk.call()
    desk.decide(approves=False)
    seen = desk.call()
    assert (seen.reason, seen.told, desk.statuses) == ("approval_rejected", "approval_rejected", ["rejected"])
    assert desk.events[-1]["decision"] == "deny"
    desk.wait(FINANCE.timeout_s)
    assert (desk.call().reason, desk.statuses) == ("approval_required", ["rejected", "open"])


def test_request_that_was_not_decided_in_time_approves_nothing_and_is_asked_for_again():
    desk = Desk()
    first = desk.call()
    # Until its end is noted, the page of the old one is named.
    desk.rig.clock.advance(FINANCE.timeout_s)
    assert desk.call().body == first.body
    desk.wait(0.0)
    assert (desk.call().reason, desk.statuses) == ("approval_required", ["timed_out", "open"])


def test_grant_lapses():
    desk = Desk()
    desk.call()
    desk.decide()
    desk.rig.clock.advance(900.0)
    assert desk.call().reason == "approval_required"


def test_caller_with_too_many_open_requests_is_refused_and_others_are_not():
    desk = Desk()
    reasons = [desk.call(with_params(arguments={"id": number})).reason for number in range(4)]
    assert reasons == ["approval_required"] * 3 + ["approval_limit"]
    assert len(desk.requests) == 3
    assert desk.call(sub="bob").reason == "approval_required"


def test_call_that_is_too_large_to_be_kept_and_read_cannot_be_approved():
    desk = Desk(more={"limits": BodyLimits(2 * MAX_KEPT_BYTES, 32, json_values=10_000)})
    overhead = len(orjson.dumps(with_params(arguments={"id": ""})["params"]))
    fits, too_large = (with_params(arguments={"id": "x" * (MAX_KEPT_BYTES - overhead + more)}) for more in (0, 1))
    assert [desk.call(each).reason for each in (fits, too_large)] == ["approval_required", "approval_impossible"]
    assert len(desk.requests) == 1


def test_two_flows_are_asked_at_once_and_their_grants_are_used_together():
    desk = Desk(policies=(asks("a"), asks("b", flow="legal", digest=Digest("r"))))
    seen = desk.call(opens_urls(build.modern(params={"name": "get_customer", "arguments": {"id": 1}})))
    assert [each.flow for each in desk.requests] == ["finance", "legal"]
    call = opens_urls(build.modern(params={"name": "get_customer", "arguments": {"id": 1}}))
    assert _page(seen) == PAGE + desk.requests[0].id
    desk.decide(at=0)
    # The page of what is still missing.
    assert _page(desk.call(call)) == PAGE + desk.requests[1].id
    desk.decide(at=1)
    assert desk.call(call).is_allowed
    assert desk.statuses == ["used", "used"]


def _page(seen: Any) -> str:
    asked = seen.json["result"]["inputRequests"]["agen_approval"]
    return str(asked["params"]["url"])


def test_one_rejection_ends_it_though_the_other_flow_approves():
    desk = Desk(policies=(asks("a"), asks("b", flow="legal", digest=Digest("r"))))
    desk.call()
    desk.decide(at=0)
    desk.decide(at=1, approves=False)
    assert (desk.call().reason, desk.statuses) == ("approval_rejected", ["approved", "rejected"])


def test_requests_of_two_flows_are_opened_both_or_none():
    policies = (asks("a"), asks("b", flow="legal", digest=Digest("r")))
    desk = Desk(policies=policies, approval_rules=rules(max_open=1))
    assert (desk.call().reason, desk.requests) == ("approval_limit", [])


@pytest.mark.parametrize("value", [2**53 - 1, -0.5, 1e300, None, "\u202e\u00e9\U0001f600"], ids=ascii)
def test_whatever_json_a_call_holds_can_be_approved(value):
    desk = Desk()
    call = with_params(arguments={"id": value})
    desk.call(call)
    (kept,) = desk.approvals.kept.values()
    assert json.loads(kept.params)["arguments"] == {"id": value}
    desk.decide()
    assert desk.call(call).is_allowed


def test_flow_of_two_people_needs_both():
    desk = Desk(approval_rules=rules(single(quorum=2)))
    desk.call()
    desk.decide()
    assert (desk.call().reason, desk.statuses) == ("approval_required", ["open"])
