"""A call that must be approved, as a task (SEP-2663, extension `io.modelcontextprotocol/tasks` of 2026-07-28).

    how it stands          the task       what the client reads
    waiting                working        `statusMessage` names the page; nothing is asked of the client itself
    approved               completed      a result with `isError`: the call was not made, make it again, by when
    made, over             completed      a result with `isError` that says so
    rejected, timed out    failed         an error
    withdrawn              cancelled

`tasks/cancel` withdraws the request; `tasks/update` is acknowledged, since nothing was asked.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import orjson

from agen_authz.core.approval.request import ApprovalRequest
from agen_authz.core.approval.task import TaskStanding, find_task_standing
from agen_authz.core.http.admission import cors_headers
from agen_authz.core.model import Answer, Step
from agen_authz.core.reason import REFUSALS, Reason
from agen_authz.core.stage import Read, get_arrived
from agen_authz.wire.refusal import JSON_TYPE, NO_STORE

_POLL_EVERY_MS = 5000
_COMPLETE: Final = {"resultType": "complete"}
_STATUSES: Mapping[TaskStanding, str] = {
    TaskStanding.WAITING: "working",
    TaskStanding.APPROVED: "completed",
    TaskStanding.MADE: "completed",
    TaskStanding.OVER: "completed",
    TaskStanding.REJECTED: "failed",
    TaskStanding.TIMED_OUT: "failed",
    TaskStanding.WITHDRAWN: "cancelled",
}
_SENTENCES: Mapping[TaskStanding, str] = {
    TaskStanding.MADE: "This call was approved and has been made: the answer to that call has its result.",
    TaskStanding.OVER: REFUSALS[Reason.APPROVAL_SPENT].message + " Make the call again to ask for another one.",
    TaskStanding.REJECTED: REFUSALS[Reason.APPROVAL_REJECTED].message,
    TaskStanding.TIMED_OUT: "No decision was made in time. Make the call again to ask once more.",
    TaskStanding.WITHDRAWN: "The request for approval was withdrawn.",
}
_ERRORS: Mapping[TaskStanding, Reason] = {
    TaskStanding.REJECTED: Reason.APPROVAL_REJECTED,
    TaskStanding.TIMED_OUT: Reason.APPROVAL_SPENT,
}


def render_new_task(task_id: str, requests: Sequence[ApprovalRequest], read: Read) -> dict[str, Any]:
    """Render the result of a call that waits, and is answered with a task (CreateTaskResult)."""
    return {"resultType": "task", **_describe(task_id, requests, read, TaskStanding.WAITING)}


def answer_task(task_id: str, requests: Sequence[ApprovalRequest], read: Read, now: float) -> Answer:
    """Answer `tasks/get`: how the task of these requests stands.

    Args:
        requests: as they are now (`settle`); at least one.
    """
    standing = find_task_standing(requests, now)
    details = _describe(task_id, requests, read, standing)
    if _STATUSES[standing] == "completed":
        text = {"type": "text", "text": details["statusMessage"]}
        details["result"] = {**_COMPLETE, "content": [text], "isError": True}
    elif standing in _ERRORS:
        reason = _ERRORS[standing]
        named = {"reason": reason.value, "request_id": get_arrived(read).request_id}
        details["error"] = {"code": REFUSALS[reason].code, "message": details["statusMessage"], "data": named}
    return _answer({**_COMPLETE, **details}, read, Step("approval", standing.value, task_id))


def acknowledge(task_id: str, read: Read, outcome: str) -> Answer:
    """Answer `tasks/update` and `tasks/cancel` (SEP-2663: an empty result)."""
    return _answer(_COMPLETE, read, Step("approval", outcome, task_id))


def _answer(result: Mapping[str, Any], read: Read, step: Step) -> Answer:
    routed = read.known.routed
    headers = (JSON_TYPE, NO_STORE, *cors_headers(routed.received.request, routed.route))
    document = {"jsonrpc": "2.0", "id": read.call.envelope.id, "result": result}
    return Answer(Reason.APPROVAL_TASK, 200, headers, orjson.dumps(document), (step,))


def _describe(task_id: str, requests: Sequence[ApprovalRequest], read: Read, standing: TaskStanding) -> dict[str, Any]:
    created = min(each.created_at for each in requests)
    return {
        "taskId": task_id,
        "status": _STATUSES[standing],
        "statusMessage": _SENTENCES.get(standing) or _tell(standing, requests, read),
        "createdAt": _spell(created),
        "lastUpdatedAt": _spell(max(map(_find_change, requests))),
        # The state of a task that has ended can be read for as long as the record is there.
        "ttlMs": None,
        "pollIntervalMs": _POLL_EVERY_MS,
    }


def _tell(standing: TaskStanding, requests: Sequence[ApprovalRequest], read: Read) -> str:
    if standing is TaskStanding.APPROVED:
        until = min(each.grant_until for each in requests if each.grant_until is not None)
        return f"This call is approved. Make the same call again by {_spell(until)}; it can then be made once."
    links = " and ".join(get_arrived(read).rules.approvals.link(each.id) for each in requests)
    return f"{REFUSALS[Reason.APPROVAL_REQUIRED].message} The request: {links}"


def _find_change(request: ApprovalRequest) -> float:
    votes = (each.time for each in request.votes)
    return max(request.created_at, request.decided_at or 0.0, request.used_at or 0.0, *votes)


def _spell(time: float) -> str:
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
