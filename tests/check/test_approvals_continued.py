"""Calls that continue another and must be approved: only what their server sent to this caller, for the same call."""

import asyncio
from typing import Any

import pytest

from agen_authz.core.approval.continuing import name_arguments, name_place, name_state
from agen_authz.core.model import BoundTask, Issuer, Owner, State, Subject, TargetKind
from agen_authz.wire.sealed import open_inspection
from tests import builders as build
from tests.check.approval_rig import Desk, asks, with_params
from tests.properties.policy_strategy import compiled

NEVER = (compiled("args.id == 2"),)
OTHERS = ((TargetKind.TOOL, "crm/list_*"),)
STATE = "s-1"
ANN = Owner(Issuer(build.ISSUER), Subject("ann"))


def continued(state: Any = STATE, **inputs: Any) -> dict[str, Any]:
    """Write a modern call that answers what the backend asked."""
    return build.modern(
        params={"name": "get_customer", "arguments": {"id": 1}, "inputResponses": inputs, "requestState": state}
    )


def send(desk: Desk, owner: Owner = ANN, name: str = "get_customer", server: str = "crm", **sent: Any) -> None:
    """Let Process note a state that a backend has sent."""
    arguments = name_arguments(build.call("tools/call", arguments=sent.get("arguments", {"id": 1})), b"k")
    state = name_state(owner, build.tool(name), arguments, sent.get("state", STATE))
    assert asyncio.run(desk.rig.tasks.bind(name_place(server), state, BoundTask(owner, name), build.NOW))


def test_call_that_continues_one_that_its_backend_sent_is_asked_for_and_made_once():
    desk = Desk()
    send(desk)
    assert desk.call(continued(amount={"action": "accept"})).reason == "approval_required"
    desk.decide()
    # New inputs ask again.
    assert desk.call(continued(amount={"action": "decline"})).reason == "approval_required"
    assert desk.call(continued(amount={"action": "accept"})).is_allowed
    assert desk.statuses == ["used", "open"]


EVE = Owner(Issuer(build.ISSUER), Subject("eve"))


@pytest.mark.parametrize("policy", [asks(), asks(conditions=NEVER)], ids=["applies", "does not apply"])
@pytest.mark.parametrize(
    "sent",
    [None, {"owner": EVE}, {"name": "get_orders"}, {"server": "billing"}, {"state": "s-2"}, {"arguments": {"id": 2}}],
    ids=["never", "another caller", "another tool", "another backend", "another state", "other arguments"],
)
def test_call_that_continues_what_its_backend_did_not_send_to_it_is_refused(sent, policy):
    desk = Desk(policies=(policy,))
    if sent is not None:
        send(desk, **sent)
    seen = desk.call(continued())
    assert (seen.status, seen.told, desk.requests) == (200, "approval_state_unknown", [])


def test_call_that_continues_what_its_backend_sent_is_allowed_if_no_policy_applies():
    desk = Desk(policies=(asks(conditions=NEVER),), approvals=None)
    send(desk)
    assert desk.call(continued()).is_allowed


def test_state_is_noted_for_the_arguments_that_it_was_sent_for():
    desk = Desk(policies=(asks(conditions=NEVER),))
    opened = [
        open_inspection(desk.call(build.modern(params={"name": name, "arguments": {"id": 1}})).sealed, b"m" * 32)
        for name in ("get_customer", "get_orders")
    ]
    named = name_arguments(build.call("tools/call", arguments={"id": 1}), b"k")
    assert [each is not None and each.arguments for each in opened] == [named] * 2


@pytest.mark.parametrize("state", [None, 1, {"a": 1}, ""])
def test_state_that_is_none_is_refused(state):
    desk = Desk()
    assert desk.call(continued(state)).reason == "approval_state_unknown"


@pytest.mark.parametrize("policy", [asks(), asks(conditions=NEVER)], ids=["applies", "does not apply"])
def test_legacy_call_cannot_carry_a_state(policy):
    desk = Desk(policies=(policy,))
    send(desk)
    assert desk.call(with_params(requestState=STATE)).reason == "approval_state_unknown"


@pytest.mark.parametrize("policy", [asks(), asks(conditions=NEVER)], ids=["applies", "does not apply"])
def test_state_cannot_be_looked_up_while_the_store_is_down(policy):
    desk = Desk(policies=(policy,))
    desk.rig.tasks.is_broken = True
    assert desk.call(continued()).reason == "store_unavailable"


def test_call_that_no_one_must_approve_carries_what_it_likes():
    assert Desk(policies=(asks(selectors=OTHERS),)).call(continued()).is_allowed


@pytest.mark.parametrize(
    ("document", "policies", "is_told"),
    [
        (build.modern(), (asks(),), True),
        (build.modern(), (asks(conditions=NEVER),), True),
        (build.modern(), (asks(state=State.SHADOW),), False),
        (build.modern(), (asks(selectors=OTHERS),), False),
        (build.message(), (asks(conditions=NEVER),), False),
    ],
    ids=["asked for", "perhaps later", "in shadow", "of another tool", "legacy"],
)
def test_process_notes_states_where_a_policy_may_want_the_next_call_approved(document, policies, is_told):
    desk = Desk(policies=policies)
    if desk.call(document).reason == "approval_required":
        desk.decide()
    seen = desk.call(document)
    opened = open_inspection(seen.sealed, b"m" * 32) if seen.sealed else None
    assert (seen.is_allowed, opened is not None and opened.may_be_continued) == (True, is_told)


@pytest.mark.parametrize("number", ["9007199254740993.0", "1e-400", "-0"])
@pytest.mark.parametrize("policy", [asks(), asks(conditions=NEVER)], ids=["applies", "does not apply"])
def test_call_with_a_number_that_is_not_read_as_it_is_written_cannot_be_approved(number, policy):
    desk, document = Desk(policies=(policy,)), continued()
    send(desk)
    raw = build.encode(document).replace(b'"id": 1}', b'"id": 1, "b": ' + number.encode() + b"}")
    assert number.encode() in raw
    seen = desk.rig.check(build.check_request(build.headers_for(build.sign(build.claims()), document), raw))
    assert (seen.told, desk.requests) == ("approval_impossible", [])
