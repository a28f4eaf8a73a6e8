"""Tasks: only their owner may use them, and only while the tool that made them may be called."""

from dataclasses import replace
from typing import Any

import pytest
from msgspec import structs

from agen_authz.core.cel.condition import Condition
from agen_authz.core.decide import decide
from agen_authz.core.message.mcp import BodyLimits, parse
from agen_authz.core.model import (
    NO_TASK,
    Allow,
    BoundTask,
    Call,
    Deny,
    Effect,
    Era,
    Facts,
    Issuer,
    Owner,
    State,
    StepUp,
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


def policy(condition: str, **changes: Any) -> Policy:
    compiled = environment().compile(condition)
    assert isinstance(compiled, Condition)
    made = Policy("p", State.ENFORCE, Effect.DENY, ((TargetKind.TOOL, "crm/get_*"),), (compiled,))
    return replace(made, **changes)


def decided(call: Call, task: BoundTask | None, *policies: Policy, **principal: Any) -> Allow | Deny | StepUp:
    rules = build_rules([build.resource()], policies=compile_policies(policies))
    return decide(call, build.principal(**principal), Facts(build.NOW, task=task), rules)


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
    "call as a task": ("tools/call", {"name": "get_customer", "task": {}}),
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
    assert (call.uses_task, call.task_id) == (True, None)
    assert decided(call, MINE).reason is Reason.TASK_UNSUPPORTED
