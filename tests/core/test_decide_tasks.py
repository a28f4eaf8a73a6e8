"""Tasks: only their owner may use them, and only while the tool that made them may be called."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from agen_authz.core.cel.condition import Condition
from agen_authz.core.decide import decide
from agen_authz.core.message.mcp import BodyLimits, parse
from agen_authz.core.message.parameters import CAPABILITIES_KEY
from agen_authz.core.model import (
    NO_TASK,
    Allow,
    BoundTask,
    Call,
    Decision,
    Effect,
    Era,
    Facts,
    Issuer,
    Misread,
    Owner,
    State,
    Subject,
    TargetKind,
)
from agen_authz.core.policy.table import Policy, compile_policies, environment
from agen_authz.core.reason import REFUSALS, Reason
from tests import builders as build
from tests.rules import build_rules

LIMITS = BodyLimits(65536, 32)
ANN = Owner(Issuer(build.ISSUER), Subject("ann"))
MINE = BoundTask(ANN, "get_customer")
ABOUT_ONE = ("tasks/get", "tasks/cancel", "tasks/result")


def read(method: str, params: dict[str, Any]) -> Call:
    request = build.request(build.encode(build.message(method, params)))
    found = parse(request, "crm", LIMITS)
    assert isinstance(found, Call), found
    return found


def read_modern(method: str, params: dict[str, Any], capabilities: Any = None) -> Call | Misread:
    document = build.modern(method, params)
    document["params"]["_meta"][CAPABILITIES_KEY] = {} if capabilities is None else capabilities
    found = parse(build.request(build.encode(document), headers=build.headers_for(None, document)), "crm", LIMITS)
    assert isinstance(found, Call | Misread)
    return found


def policy(condition: str, **changes: Any) -> Policy:
    compiled = environment().compile(condition)
    assert isinstance(compiled, Condition)
    made = Policy("p", State.ENFORCE, Effect.DENY, ((TargetKind.TOOL, "crm/get_*"),), (compiled,))
    return replace(made, **changes)


def decided(call: Call, task: BoundTask | None, *policies: Policy, **principal: Any) -> Decision:
    rules = build_rules([build.resource()], policies=compile_policies(policies))
    return decide(call, build.principal(**principal), Facts(build.NOW, tasks=None if task is None else (task,)), rules)


@pytest.mark.parametrize("method", ABOUT_ONE)
def test_owner_may_use_a_task(method):
    assert isinstance(decided(read(method, {"taskId": "t1"}), MINE), Allow)


@pytest.mark.parametrize("method", ABOUT_ONE)
@pytest.mark.parametrize(
    "task",
    [NO_TASK, BoundTask(Owner(Issuer(build.ISSUER), Subject("bob")), "get_customer"),
     BoundTask(Owner(Issuer("https://other.example.com"), Subject("ann")), "get_customer")],
)  # fmt: skip
def test_unknown_task_and_one_of_another_caller_are_answered_alike(method, task):
    call = read(method, {"taskId": "t1"})
    assert decided(call, task) == decided(call, NO_TASK)
    assert decided(call, task).reason is Reason.TASK_UNKNOWN
    assert (REFUSALS[Reason.TASK_UNKNOWN].status, REFUSALS[Reason.TASK_UNKNOWN].code) == (200, -32602)


def test_task_ends_with_the_right_to_its_tool():
    assert decided(read("tasks/get", {"taskId": "t1"}), MINE, roles=()).reason is Reason.NOT_GRANTED


def test_policy_without_arguments_counts_for_a_task():
    assert decided(read("tasks/get", {"taskId": "t1"}), MINE, policy("true")).reason is Reason.POLICY_DENIED


def test_policy_on_arguments_was_asked_when_the_task_was_made():
    assert isinstance(decided(read("tasks/get", {"taskId": "t1"}), MINE, policy("args.id == 1")), Allow)


def update(answers: Any) -> Call:
    # Modern, which differs in nothing else here.
    asked = read("tasks/get", {"taskId": "t1", "inputResponses": answers})
    return structs.replace(asked, method="tasks/update", envelope=structs.replace(asked.envelope, era=Era.MODERN))


def test_answers_to_a_task_are_held_to_policies():
    answers = update({"a": {"action": "accept"}})
    assert isinstance(decided(answers, MINE), Allow)
    assert decided(answers, MINE, policy("inputs.a.action == 'accept'")).reason is Reason.POLICY_DENIED
    assert decided(answers, MINE, policy("args.id == 1")).reason is Reason.POLICY_ERROR


def test_answers_that_no_policy_can_read_are_held_to_all_of_them():
    assert decided(update(["accept"]), MINE, policy("inputs.a.action == 'accept'")).reason is Reason.POLICY_ERROR


@pytest.mark.parametrize("method", ABOUT_ONE)
def test_task_that_was_not_looked_up_is_unsupported(method):
    assert decided(read(method, {"taskId": "t1"}), None).reason is Reason.TASK_UNSUPPORTED


UNSUPPORTED: dict[str, tuple[str, dict[str, Any]]] = {
    "list": ("tasks/list", {}),
    "list that names one": ("tasks/list", {"taskId": "t1"}),
    "call as a task of no form": ("tools/call", {"name": "get_customer", "task": None}),
    "call as a task that names one": ("tools/call", {"name": "get_customer", "task": {}, "taskId": "t1"}),
    "prompt as a task": ("prompts/get", {"name": "summarize", "task": {}}),
    "list as a task": ("tools/list", {"task": {}}),
    "call that names one": ("tools/call", {"name": "get_customer", "taskId": "t1"}),
    "none named": ("tasks/get", {}),
    "empty": ("tasks/get", {"taskId": ""}),
    "too long": ("tasks/get", {"taskId": "t" * 1025}),
    "no text": ("tasks/get", {"taskId": 1}),
    "several": ("tasks/get", {"taskId": "t1", "taskIds": ["t2"]}),
    "a task as well": ("tasks/get", {"taskId": "t1", "task": {}}),
}


@pytest.mark.parametrize("name", UNSUPPORTED)
def test_other_uses_of_tasks_are_unsupported(name):
    call = read(*UNSUPPORTED[name])
    assert (call.uses_task, call.task_ids) == (True, ())
    assert decided(call, MINE).reason is Reason.TASK_UNSUPPORTED


CALLED = ("tools/call", {"name": "get_customer", "arguments": {"id": 1}, "task": {"ttl": 60000}})


def test_call_that_asks_for_a_task_is_decided_as_any_call():
    call = read(*CALLED)
    assert (call.uses_task, call.makes_task, call.targets) == (False, True, (build.tool(),))
    assert isinstance(decided(call, None), Allow)
    assert decided(call, None, roles=()).reason is Reason.NOT_GRANTED
    assert decided(call, None, policy("args.id == 1")).reason is Reason.POLICY_DENIED


def test_modern_era_knows_no_call_that_asks_for_a_task():
    call = read_modern(*CALLED)
    assert isinstance(call, Call) and (call.uses_task, call.targets) == (True, ())
    assert decided(call, None).reason is Reason.TASK_UNSUPPORTED


EXTENSION = "io.modelcontextprotocol/tasks"


@pytest.mark.parametrize(
    ("capabilities", "declares"),
    [
        ({"extensions": {EXTENSION: {}}}, True), ({"extensions": {EXTENSION: None, "x": {}}}, True),
        ({"extensions": {"io.modelcontextprotocol/ui": {}}}, False), ({"extensions": [EXTENSION]}, False),
        ({"extensions": EXTENSION}, False), ({EXTENSION: {}}, False), ({}, False),
    ],
)  # fmt: skip
def test_modern_call_may_make_a_task_if_its_client_declares_the_extension(capabilities, declares):
    call = read_modern("tools/call", {"name": "get_customer"}, capabilities)
    assert isinstance(call, Call) and call.makes_task is declares
    other = read_modern("tools/list", {}, capabilities)
    assert isinstance(other, Call) and not other.makes_task


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
def test_modern_client_repeats_the_id_of_a_task_in_a_header(method):
    document = build.modern(method, {"taskId": "t1"})
    headers = build.headers_for(None, document)
    sent = [headers, headers | {"mcp-name": "t2"}, {name: headers[name] for name in headers if name != "mcp-name"}]
    found = [parse(build.request(build.encode(document), headers=each), "crm", LIMITS) for each in sent]
    assert isinstance(found[0], Call) and found[0].task_ids == ("t1",)
    reasons = [each.reason for each in found[1:] if isinstance(each, Misread)]
    assert reasons == [Reason.HEADER_MISMATCH, Reason.HEADER_MISSING]


def listen(tasks: Any, **others: Any) -> Call | Misread:
    return read_modern("subscriptions/listen", {"notifications": {"taskIds": tasks, **others}})


def watched(asked: Call | Misread, *tasks: BoundTask, policies: tuple[Policy, ...] = (), **principal: Any) -> Reason:
    assert isinstance(asked, Call)
    rules = build_rules([build.resource()], policies=compile_policies(policies))
    return decide(asked, build.principal(**principal), Facts(build.NOW, tasks=tasks), rules).reason


THEIRS = BoundTask(Owner(Issuer(build.ISSUER), Subject("bob")), "get_customer")


def test_tasks_may_be_watched_if_each_is_the_callers():
    asked = listen(["t1", "t2"])
    assert watched(asked, MINE, MINE) is Reason.ALLOWED
    for tasks in ((MINE, THEIRS), (THEIRS, MINE), (MINE, NO_TASK)):
        assert watched(asked, *tasks) is Reason.TASK_UNKNOWN
    assert watched(asked, MINE) is Reason.TASK_UNSUPPORTED


def test_task_is_watched_while_its_tool_may_be_called():
    asked = listen(["t1"])
    assert watched(asked, MINE, roles=()) is Reason.NOT_GRANTED
    assert watched(asked, MINE, policies=(policy("true"),)) is Reason.POLICY_DENIED
    assert watched(asked, MINE, policies=(policy("args.id == 1"),)) is Reason.ALLOWED


def test_resources_that_are_watched_as_well_are_decided_on():
    asked = listen(["t1"], resourceSubscriptions=["vault://1"])
    assert watched(asked, MINE) in (Reason.UNMAPPED, Reason.NOT_GRANTED)


NO_TASKS: list[Any] = [[], {}, "t1", None, [1], [""], ["t1", "t1"], ["t" * 1025], [f"t{each}" for each in range(21)]]


@pytest.mark.parametrize("tasks", NO_TASKS, ids=str)
def test_watched_tasks_are_few_and_different_ids(tasks):
    found = listen(tasks)
    assert isinstance(found, Misread)
    assert (found.reason, found.detail) == (Reason.PARAMS_MALFORMED, "/params/notifications/taskIds")
    twenty = listen([f"t{i}" for i in range(20)])
    assert isinstance(twenty, Call) and len(twenty.task_ids) == 20
