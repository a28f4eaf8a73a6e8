"""What a response may tell of tasks: one that was made for its call, and those that its call is about."""

from typing import Any

import pytest

from agen_authz.core.model import Envelope, Era, Shape
from agen_authz.core.reason import Reason
from agen_authz.core.response.message import MadeTask, Withheld
from agen_authz.core.response.tasks import TaskScope, find_task

ENVELOPE = Envelope(Era.MODERN, Shape.REQUEST, 7)
CALL = TaskScope("crm", ENVELOPE, tool="export")
ABOUT = TaskScope("crm", ENVELOPE, known=("t1", "t2"))
NEITHER = TaskScope("crm", ENVELOPE)
MODERN = {"resultType": "task", "taskId": "t1", "status": "working", "ttlSeconds": 60}
LEGACY = {"task": {"taskId": "t1", "status": "working", "ttl": 60000}}


def answer(result: Any, message_id: Any = 7) -> Any:
    return {"jsonrpc": "2.0", "id": message_id, "result": result}


def told(method: str, **params: Any) -> Any:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def is_withheld(message: Any, scope: TaskScope) -> bool:
    found = find_task(message, scope)
    assert not isinstance(found, Withheld) or found.reason is Reason.TASK_UNBOUND
    return isinstance(found, Withheld)


@pytest.mark.parametrize("result", [MODERN, LEGACY], ids=["modern", "legacy"])
def test_new_task_is_bound_to_the_tool_that_was_called(result):
    assert find_task(answer(result), CALL) == MadeTask("crm", "t1", "export")


@pytest.mark.parametrize("result", [MODERN, LEGACY], ids=["modern", "legacy"])
@pytest.mark.parametrize("scope", [NEITHER, ABOUT], ids=["no call", "about it"])
def test_new_task_of_no_call_that_may_make_one_is_withheld(result, scope):
    assert is_withheld(answer(result), scope)


@pytest.mark.parametrize("message_id", [8, "7", None, 7.0])
def test_new_task_in_the_answer_to_another_call_is_withheld(message_id):
    assert is_withheld(answer(MODERN, message_id), CALL)
    assert is_withheld(answer(LEGACY, message_id), CALL)


@pytest.mark.parametrize(
    "task_id", [None, "", 1, ["t1"], {"taskId": "t1"}, "t" * 1025], ids=lambda value: str(value)[:9]
)
def test_new_task_without_an_id_that_can_be_kept_is_withheld(task_id):
    assert is_withheld(answer({"resultType": "task", "taskId": task_id}), CALL)
    assert is_withheld(answer({"task": {"taskId": task_id}}), CALL)


@pytest.mark.parametrize("task_id", ["agen-approval-", "agen-approval-" + "0" * 32])
def test_new_task_with_an_id_like_those_of_our_own_is_withheld(task_id):
    assert is_withheld(answer({**MODERN, "taskId": task_id}), CALL)
    assert is_withheld(answer({"task": {"taskId": task_id}}), CALL)


def test_new_task_in_both_forms_is_withheld():
    assert is_withheld(answer({**MODERN, **LEGACY}), CALL)
    assert is_withheld(answer({"resultType": "task"}), CALL)


RESULTS: dict[str, Any] = {
    "of a tool": {"content": [{"type": "text", "text": "t1"}], "structuredContent": {"task": {"taskId": "t9"}}},
    "with a task of no id": {"task": {"name": "x"}, "content": []},
    "with a task that is text": {"task": "t9"},
    "with tasks of no id": {"tasks": [{"name": "x"}, "t9"]},
    "with tasks that are no list": {"tasks": {"taskId": "t9"}},
    "with an id alone": {"taskId": "t9", "resultType": "complete"},
    "complete": {"resultType": "complete", "content": []},
}


@pytest.mark.parametrize("name", RESULTS)
@pytest.mark.parametrize("scope", [CALL, ABOUT, NEITHER], ids=["call", "about", "neither"])
def test_result_that_tells_of_no_task_passes(name, scope):
    assert find_task(answer(RESULTS[name]), scope) is None


@pytest.mark.parametrize(
    "message", [None, 7, [], {}, answer(None), answer([]), told("notifications/progress", taskId="t9")]
)
def test_message_that_tells_of_no_task_passes(message):
    assert find_task(message, NEITHER) is None


def test_state_of_a_task_passes_if_the_call_is_about_it():
    state = {"resultType": "complete", "taskId": "t2", "status": "completed", "result": {"content": []}}
    assert find_task(answer(state), ABOUT) is None
    assert is_withheld(answer(state), CALL)
    assert is_withheld(answer(state), NEITHER)
    assert is_withheld(answer({**state, "taskId": "t3"}), ABOUT)
    assert is_withheld(answer({**state, "taskId": ["t2"]}), ABOUT)


@pytest.mark.parametrize("scope", [CALL, ABOUT, NEITHER], ids=["call", "about", "neither"])
def test_list_of_tasks_is_withheld(scope):
    assert is_withheld(answer({"tasks": ["x", {"taskId": "t1", "status": "working"}]}), scope)


@pytest.mark.parametrize(
    "method", ["notifications/tasks", "notifications/tasks/status", "notifications/tasks/invented"]
)
def test_notification_about_a_task_passes_if_the_call_is_about_it(method):
    assert find_task(told(method, taskId="t1", status="completed"), ABOUT) is None
    assert is_withheld(told(method, taskId="t3"), ABOUT)
    assert is_withheld(told(method, taskId="t1"), CALL)
    for params in ({}, {"taskId": None}, {"taskId": ["t1"]}, {"task": {"taskId": "t1"}}):
        assert is_withheld(told(method, **params), ABOUT)
    assert is_withheld({"jsonrpc": "2.0", "method": method}, ABOUT)


@pytest.mark.parametrize("method", ["tasks/get", "tasks/result", "tasks/list", "tasks/invented"])
def test_question_about_tasks_of_the_client_is_withheld(method):
    assert is_withheld({**told(method, taskId="t1"), "id": 1}, ABOUT)
