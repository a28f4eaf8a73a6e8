"""What a response may tell of tasks: one that was made for its call, and those that its call is about.

A task is found by its structure, whatever method is answered: a stream that is resumed repeats answers too.

1. A new task (SEP-2663: `resultType: "task"`; MCP 2025-11-25: `task.taskId`) passes as the answer to a call that may
   make one. Its id is bound to the caller and the tool before it leaves.
2. The state of a task and notifications about one pass if the call names this task, so it is its caller's.
3. Everything else is withheld: lists of tasks, and what a server asks about tasks of the client.
"""

from collections.abc import Mapping
from typing import TypeAlias

from msgspec import Struct

from agen_authz.core.approval.task import is_own_task
from agen_authz.core.message.parameters import is_task_id
from agen_authz.core.model import Envelope, Json
from agen_authz.core.reason import Reason
from agen_authz.core.response.body import is_answer
from agen_authz.core.response.message import MadeTask, Withheld


class TaskScope(Struct, frozen=True):
    """What the response to one call may tell of tasks.

    Args:
        tool: what a new task is bound to; None if the call may make none.
        known: the tasks that the call is about.
    """

    server: str
    envelope: Envelope
    tool: str | None = None
    known: tuple[str, ...] = ()


_Found: TypeAlias = MadeTask | Withheld | None
_NOTIFICATIONS = "notifications/tasks"
_REQUESTS = "tasks/"


def find_task(message: Json, scope: TaskScope) -> MadeTask | Withheld | None:
    """Find the task that a message tells of: made for this call, withheld, or None if nothing is in the way; total."""
    if not isinstance(message, dict):
        return None
    method, result = message.get("method"), message.get("result")
    if isinstance(method, str):
        return _check_told(method, message.get("params"), scope)
    if not isinstance(result, dict):
        return None
    inner = result.get("task")
    is_made = result.get("resultType") == "task"
    if isinstance(inner, dict) and "taskId" in inner:
        # Only one of the two forms: a client of the other era would read another id.
        return _withhold("a task in two forms") if is_made else _check_made(message, inner, scope)
    return _check_made(message, result, scope) if is_made else _check_state(result, scope)


def _check_told(method: str, params: Json, scope: TaskScope) -> _Found:
    if method.startswith(_REQUESTS):
        return _withhold("a request about tasks of the client")
    if not method.startswith(_NOTIFICATIONS):
        return None
    task_id = params.get("taskId") if isinstance(params, dict) else None
    return None if task_id in scope.known else _withhold("a notification about another task")


def _check_made(message: dict[str, Json], made: Mapping[str, Json], scope: TaskScope) -> _Found:
    task_id = made.get("taskId")
    if scope.tool is None or not is_answer(message, scope.envelope) or not is_task_id(task_id) or is_own_task(task_id):
        return _withhold("a new task that cannot be bound")
    return MadeTask(scope.server, task_id, scope.tool)


def _check_state(result: Mapping[str, Json], scope: TaskScope) -> _Found:
    if "taskId" in result and "status" in result and result["taskId"] not in scope.known:
        return _withhold("the state of another task")
    listed = result.get("tasks")
    if isinstance(listed, list) and any(isinstance(each, dict) and "taskId" in each for each in listed):
        return _withhold("a list of tasks")
    return None


def _withhold(detail: str) -> Withheld:
    return Withheld(Reason.TASK_UNBOUND, detail)
