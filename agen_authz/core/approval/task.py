"""The task that stands for a call which people must approve (SEP-2663): its id, and how it stands.

The id names the call's requests, so nothing is kept for the task. Its state is theirs: it makes no call. A task whose
call is approved is completed, and its result says to make the same call again.
"""

import re
from collections.abc import Collection, Sequence
from enum import StrEnum

from agen_authz.core.approval.request import ApprovalRequest, Progress
from agen_authz.core.approval.table import is_usable

_PREFIX = "agen-approval-"
_MAX_REQUESTS = 8
_REQUESTS = re.compile(rf"[0-9a-f]{{32}}(?:\.[0-9a-f]{{32}}){{0,{_MAX_REQUESTS - 1}}}")


class TaskStanding(StrEnum):
    """How a task stands. The first is the only one that is not final for the client."""

    WAITING = "waiting"
    APPROVED = "approved"
    MADE = "made"  # the grants were used: the call was made
    OVER = "over"  # approved, and not to be made any more
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    TIMED_OUT = "timed_out"


def name_task(requests: Collection[str]) -> str | None:
    """Name the task of these requests, by their ids; None if there are too many for one task."""
    return _PREFIX + ".".join(requests) if 0 < len(requests) <= _MAX_REQUESTS else None


def is_own_task(task_id: str) -> bool:
    """True if no server may give a task this id: it is one of ours, or looks like one."""
    return task_id.startswith(_PREFIX)


def list_requests(task_id: str) -> tuple[str, ...]:
    """List the ids of the requests of a task; none if the id is not one of ours."""
    named = task_id.removeprefix(_PREFIX)
    return tuple(named.split(".")) if is_own_task(task_id) and _REQUESTS.fullmatch(named) else ()


def find_task_standing(requests: Sequence[ApprovalRequest], now: float) -> TaskStanding:
    """Find how the task of these requests stands; what has ended by now must be noted in them (`settle`).

    A task that is final stays so: once all requests were approved, nothing else becomes of it.
    """
    statuses = {each.status for each in requests}
    if all(each.grant_until is not None for each in requests):
        if all(is_usable(each, now) for each in requests):
            return TaskStanding.APPROVED
        return TaskStanding.MADE if statuses == {Progress.USED} else TaskStanding.OVER
    if Progress.REJECTED in statuses:
        return TaskStanding.REJECTED
    if Progress.CANCELLED in statuses:
        return TaskStanding.WITHDRAWN
    return TaskStanding.TIMED_OUT if Progress.TIMED_OUT in statuses else TaskStanding.WAITING
