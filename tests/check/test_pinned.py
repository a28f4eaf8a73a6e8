"""Calls of tools whose definitions are pinned: what is not approved cannot be called, and arguments must fit."""

import asyncio
from typing import Any

import pytest

from agen_authz.core.model import (
    NOWHERE,
    BoundTask,
    Effect,
    Envelope,
    Era,
    Inspection,
    Issuer,
    Owner,
    Shape,
    State,
    Subject,
)
from agen_authz.core.pinning.catalogue import Sighting, sight
from agen_authz.core.pinning.pin import Pinning
from agen_authz.core.policy.table import Policy, compile_policies
from agen_authz.core.response.body import ResponseLimits
from agen_authz.core.response.message import Passed
from agen_authz.core.response.terms import Grounds, build_terms
from tests import builders as build
from tests.check.rig import Rig
from tests.fakes import MemoryCatalogue, MemoryTasks
from tests.properties.policy_strategy import compiled

SCHEMA = {
    "type": "object",
    "properties": {"id": {"type": "integer"}},
    "required": ["id"],
    "additionalProperties": False,
}
TOOL: dict[str, Any] = {"name": "get_customer", "description": "Reads.", "inputSchema": SCHEMA}
CHANGED = {**TOOL, "inputSchema": {"type": "object"}}
REWORDED = {**TOOL, "description": "Reads a customer."}


def seen_of(definition: Any) -> Sighting:
    sighting = sight(definition)
    assert sighting is not None
    return sighting


def catalogue(*seen: Any, approved: tuple[Any, ...] = ()) -> MemoryCatalogue:
    """Fill a store with what was listed, one list after the other, and what of it was approved."""
    store = MemoryCatalogue()

    async def fill() -> None:
        for at, definition in enumerate(seen):
            await store.note_seen("crm", [seen_of(definition)], build.NOW + at)
            if definition in approved and definition not in seen[:at]:
                sighting = seen_of(definition)
                assert await store.approve("crm", sighting.name, sighting.digest, "ann", build.NOW)

    asyncio.run(fill())
    return store


def call(store: MemoryCatalogue, arguments: Any = None, pinning: Pinning = Pinning.ENFORCE, **changes: Any) -> Rig:
    rig = Rig(catalogue=store, pinning=pinning, **changes)
    rig.post(build.message("tools/call", {"name": "get_customer", "arguments": arguments or {"id": 1}}))
    return rig


def reason(rig: Rig) -> str:
    return str(rig.audit.events[-1]["reason"])


STORES = {
    "never listed": (catalogue, "tool_unpinned"),
    "listed": (lambda: catalogue(TOOL), "tool_unpinned"),
    "approved": (lambda: catalogue(TOOL, approved=(TOOL,)), "allowed"),
    "reworded": (lambda: catalogue(TOOL, REWORDED, approved=(TOOL,)), "allowed"),
    "changed": (lambda: catalogue(TOOL, CHANGED, approved=(TOOL,)), "tool_changed"),
    "changed and back": (lambda: catalogue(TOOL, CHANGED, TOOL, approved=(TOOL,)), "allowed"),
}


@pytest.mark.parametrize(("fill", "expected"), STORES.values(), ids=STORES)
def test_call_in_enforce_is_decided_by_the_definition_that_was_seen_last(fill, expected):
    assert reason(call(fill())) == expected


@pytest.mark.parametrize("pinning", [Pinning.OFF, Pinning.OBSERVE])
@pytest.mark.parametrize("fill", [each[0] for each in STORES.values()], ids=STORES)
def test_pinning_denies_nothing_before_it_is_enforced(fill, pinning):
    assert reason(call(fill(), pinning=pinning)) == "allowed"


def test_answer_of_a_tool_is_inspected_where_pins_are_enforced():
    rig = Rig(catalogue=catalogue(TOOL, approved=(TOOL,)), pinning=Pinning.ENFORCE)
    assert rig.post(build.message("tools/call", {"name": "get_customer", "arguments": {"id": 1}})).sealed


def test_client_cannot_tell_a_hidden_tool_from_one_that_is_not_granted():
    rig = Rig(catalogue=catalogue(TOOL), pinning=Pinning.ENFORCE)
    told = [rig.post(build.message("tools/call", {"name": name})) for name in ("get_customer", "delete_customer")]
    assert [(each.status, each.code, each.told) for each in told] == [(200, -32602, "unknown_target")] * 2
    step = {"check": "pinning", "outcome": "tool_unpinned", "rule": "get_customer"}
    assert [each["reason"] for each in rig.audit.events] == ["tool_unpinned", "not_granted"]
    assert rig.audit.events[0]["why"][-1] == step


def test_store_that_never_answered_denies_calls_that_pinning_decides_and_no_others():
    store = catalogue(TOOL, approved=(TOOL,))
    store.is_broken = True
    rig = Rig(catalogue=store, pinning=Pinning.ENFORCE)
    call_seen, read_seen = rig.post(build.message()), rig.post(build.message("resources/read", {"uri": "customer://1"}))
    assert ((call_seen.status, call_seen.told), read_seen.is_allowed) == ((503, "store_unavailable"), True)


@pytest.mark.parametrize("arguments", [{"id": "1"}, {}, {"id": 1, "extra": 2}])
def test_arguments_must_fit_the_approved_schema(arguments):
    store = catalogue(TOOL, approved=(TOOL,))
    rig = Rig(catalogue=store, pinning=Pinning.ENFORCE, checks_arguments=True)
    seen = rig.post(build.message("tools/call", {"name": "get_customer", "arguments": arguments}))
    assert (seen.status, seen.code, seen.told) == (200, -32602, "invalid_arguments")
    unchecked = Rig(catalogue=store, pinning=Pinning.ENFORCE)
    assert unchecked.post(build.message("tools/call", {"name": "get_customer", "arguments": arguments})).is_allowed


def test_arguments_of_a_tool_without_an_approved_definition_are_not_checked_where_pinning_is_not_enforced():
    assert reason(call(catalogue(TOOL), {"id": "x"}, Pinning.OBSERVE, checks_arguments=True)) == "allowed"


# name: (what is approved, whether a policy on the read-only hint lets the tool be called)
ANNOTATIONS: dict[str, Any] = {
    "read-only": ([{"readOnlyHint": True}], "allowed"),
    "one that changes something": ([{"readOnlyHint": False}], "policy_denied"),
    "the hint is missing": ([{}], "policy_denied"),
    "no annotations": ([None], "policy_denied"),
    "two that agree": ([{"readOnlyHint": True}, {"readOnlyHint": True}], "allowed"),
    "two that differ in the hint": ([{"readOnlyHint": True}, {"readOnlyHint": False}], "policy_error"),
    "two that differ in another": ([{"readOnlyHint": True}, {"readOnlyHint": True, "title": "T"}], "policy_error"),
    "of two one has none": ([{"readOnlyHint": True}, None], "policy_error"),
    "nothing": ([], "policy_error"),
}
READ_ONLY = "!has(tool.annotations.readOnlyHint) || tool.annotations.readOnlyHint == false"


def annotated(*approved: Any) -> MemoryCatalogue:
    """Fill a store with definitions that say different things, and approve each."""
    told = [{"annotations": each} if each is not None else {} for each in approved]
    definitions = [{**TOOL, **each, "description": f"{at}"} for at, each in enumerate(told)]
    return catalogue(*(definitions or [TOOL]), approved=tuple(definitions))


def shows(rig: Rig) -> bool:
    """True if the list shows the tool to the caller who makes the calls."""
    asked = Inspection(
        version="", request_id="r", server="crm", envelope=Envelope(Era.MODERN, Shape.REQUEST, 1),
        mcp_version=build.MODERN, method="tools/list", target=None, principal=build.principal(), context=NOWHERE,
        host="",
    )  # fmt: skip
    grounds = Grounds(asked, rig.rules, rig.ports.catalogue.snapshot, build.NOW)
    answer: Any = {"jsonrpc": "2.0", "id": 1, "result": {"tools": [TOOL]}}
    passed = build_terms(grounds, ResponseLimits(1 << 20, 32)).inspect(answer)
    assert isinstance(passed, Passed) and isinstance(passed.message, dict)
    return passed.message["result"] == {"tools": [TOOL]}


@pytest.mark.parametrize("approved, expected", ANNOTATIONS.values(), ids=ANNOTATIONS)
def test_condition_reads_the_annotations_on_which_all_approved_definitions_agree(approved, expected):
    held = Policy("p", State.ENFORCE, Effect.DENY, (), (compiled(READ_ONLY),))
    rig = call(annotated(*approved), pinning=Pinning.OBSERVE, policies=compile_policies([held]), filters_lists=True)
    assert (reason(rig), shows(rig)) == (expected, expected == "allowed")


def test_what_a_server_lists_now_changes_no_annotation_that_conditions_read():
    store = catalogue(
        {**TOOL, "annotations": {"readOnlyHint": False}},
        {**TOOL, "annotations": {"readOnlyHint": True}},
        approved=({**TOOL, "annotations": {"readOnlyHint": False}},),
    )
    held = Policy("p", State.ENFORCE, Effect.DENY, (), (compiled(READ_ONLY),))
    assert reason(call(store, pinning=Pinning.OBSERVE, policies=compile_policies([held]))) == "policy_denied"


def test_policy_on_annotations_cannot_be_evaluated_for_resources():
    held = Policy("p", State.ENFORCE, Effect.DENY, (), (compiled(READ_ONLY),))
    rig = Rig(catalogue=annotated({"readOnlyHint": True}), pinning=Pinning.OBSERVE, policies=compile_policies([held]))
    rig.post(build.message("resources/read", {"uri": "customer://1"}))
    assert reason(rig) == "policy_error"


@pytest.mark.parametrize(("is_read_only", "expected"), [(True, "allowed"), (False, "policy_denied")])
def test_task_is_decided_by_the_annotations_of_the_tool_that_made_it(is_read_only, expected):
    tasks, held = MemoryTasks(), Policy("p", State.ENFORCE, Effect.DENY, (), (compiled(READ_ONLY),))
    owner = Owner(Issuer(build.ISSUER), Subject("ann"))
    asyncio.run(tasks.bind("crm", "t1", BoundTask(owner, "get_customer"), build.NOW))
    rig = Rig(
        catalogue=annotated({"readOnlyHint": is_read_only}),
        tasks=tasks,
        pinning=Pinning.OBSERVE,
        policies=compile_policies([held]),
    )
    rig.post(build.message("tasks/get", {"taskId": "t1"}))
    assert reason(rig) == expected
