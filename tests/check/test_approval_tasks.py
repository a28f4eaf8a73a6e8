"""A call that waits for approvers, as a task: who can use tasks gets one, polls it, and may withdraw the request."""

import asyncio
import json
from typing import Any

import pytest
from msgspec.structs import replace

from agen_authz.core.errors import Unavailable
from agen_authz.core.http.route import Route
from agen_authz.core.model import Allow, BoundTask, Digest, Issuer, Owner, Subject
from agen_authz.core.reason import Reason
from agen_authz.core.stage import Judged, Read, Refused
from agen_authz.obligations.approval_task import tell_task
from agen_authz.wire.identity import render_principal
from tests import builders as build
from tests.approval_fakes import MemoryApprovals
from tests.check.approval_rig import FINANCE, PAGE, Desk, asks, opens_urls, rules
from tests.check.rig import Seen
from tests.reached import reach

TASKS = "io.modelcontextprotocol/tasks"
CALL = {"name": "get_customer", "arguments": {"id": 1}}


def uses_tasks(document: dict[str, Any]) -> dict[str, Any]:
    """Let a modern request say that its client can use tasks."""
    meta = document["params"]["_meta"]
    key = next(each for each in meta if each.endswith("clientCapabilities"))
    meta[key] = {**meta[key], "extensions": {TASKS: {}}}
    return document


def open_desk(**changes: Any) -> Desk:
    return Desk(**{"approval_rules": rules(answers_with_tasks=True), **changes})


def call(desk: Desk) -> Seen:
    return desk.call(uses_tasks(build.modern(params=CALL)))


def begin(desk: Desk) -> str:
    task: dict[str, Any] = call(desk).json["result"]
    return str(task["taskId"])


def ask(desk: Desk, method: str, task_id: str, **claims: Any) -> Seen:
    params: dict[str, Any] = {"taskId": task_id, **({"inputResponses": {}} if method == "tasks/update" else {})}
    return desk.call(build.modern(method, params), **claims)


def get(desk: Desk, task_id: str) -> dict[str, Any]:
    seen = ask(desk, "tasks/get", task_id)
    assert (seen.status, seen.reason) == (200, "approval_task")
    result: dict[str, Any] = seen.json["result"]
    return result


def test_client_that_can_use_tasks_gets_one():
    desk = open_desk()
    seen = call(desk)
    (request,) = desk.requests
    assert (seen.status, seen.reason) == (200, "approval_required")
    assert seen.json == {
        "jsonrpc": "2.0",
        "id": 7,
        "result": {
            "resultType": "task",
            "taskId": f"agen-approval-{request.id}",
            "status": "working",
            "statusMessage": f"A person must approve this call. The request: {PAGE}{request.id}",
            "createdAt": "2027-01-15T08:00:00Z",
            "lastUpdatedAt": "2027-01-15T08:00:00Z",
            "ttlMs": None,
            "pollIntervalMs": 5000,
        },
    }


OTHERS = {
    "a client that cannot use tasks": (rules(answers_with_tasks=True), build.modern(params=CALL)),
    "tasks are not configured": (rules(), uses_tasks(build.modern(params=CALL))),
    "an earlier version": (
        rules(answers_with_tasks=True),
        build.message(params={**CALL, "task": {"ttl": 60000}}),
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_clients_are_answered_as_before(name):
    by, document = OTHERS[name]
    result = Desk(approval_rules=by).call(document).json["result"]
    assert (result["isError"], "taskId" in result) == (True, False)


def test_task_comes_before_a_page_that_the_client_could_open():
    desk = open_desk()
    assert desk.call(uses_tasks(opens_urls(build.modern(params=CALL)))).json["result"]["resultType"] == "task"


def test_task_names_every_request_of_the_call():
    desk = open_desk(policies=(asks(), asks("contracts", flow="legal", digest=Digest("l"))))
    task_id = begin(desk)
    assert task_id == "agen-approval-" + ".".join(each.id for each in desk.requests)
    desk.decide(at=0)
    assert get(desk, task_id)["status"] == "working"
    desk.decide(at=1)
    assert get(desk, task_id)["status"] == "completed"


def test_call_of_an_approved_task_is_made_again_once():
    desk = open_desk()
    task_id = begin(desk)
    assert get(desk, task_id)["status"] == "working"
    desk.wait(60.0)
    desk.decide()
    task = get(desk, task_id)
    text = "This call is approved. Make the same call again by 2027-01-15T08:16:00Z; it can then be made once."
    assert task == {
        "resultType": "complete",
        "taskId": task_id,
        "status": "completed",
        "statusMessage": text,
        "createdAt": "2027-01-15T08:00:00Z",
        "lastUpdatedAt": "2027-01-15T08:01:00Z",
        "ttlMs": None,
        "pollIntervalMs": 5000,
        "result": {"resultType": "complete", "content": [{"type": "text", "text": text}], "isError": True},
    }
    assert call(desk).is_allowed
    assert "has been made" in get(desk, task_id)["result"]["content"][0]["text"]
    assert call(desk).json["result"]["taskId"] != task_id


def test_task_of_a_rejected_call_has_failed():
    desk = open_desk()
    task_id = begin(desk)
    desk.decide(approves=False)
    task = get(desk, task_id)
    assert (task["status"], task["error"]["data"]["reason"]) == ("failed", "approval_rejected")


@pytest.mark.parametrize("is_noted", [True, False])
def test_task_ends_with_the_time_of_its_request_noted_or_not(is_noted):
    desk = open_desk()
    task_id = begin(desk)
    if is_noted:
        desk.wait(FINANCE.timeout_s)
    else:
        desk.rig.clock.advance(FINANCE.timeout_s)
    task = get(desk, task_id)
    assert (task["status"], task["error"]["message"]) == (
        "failed",
        "No decision was made in time. Make the call again to ask once more.",
    )


def test_approval_that_was_not_used_in_time_leaves_its_task_completed():
    desk = open_desk()
    task_id = begin(desk)
    desk.decide()
    desk.wait(900.0)
    task = get(desk, task_id)
    assert (task["status"], "Make the call again" in task["statusMessage"]) == ("completed", True)


@pytest.mark.parametrize("is_approved", [False, True])
def test_cancelled_task_withdraws_its_request_and_its_grant(is_approved):
    desk = open_desk()
    task_id = begin(desk)
    if is_approved:
        desk.decide()
    seen = ask(desk, "tasks/cancel", task_id)
    assert (seen.status, seen.json["result"]) == (200, {"resultType": "complete"})
    assert desk.statuses == ["cancelled"]
    assert get(desk, task_id)["status"] == ("completed" if is_approved else "cancelled")
    told = [each["approval"] for each in desk.events if each["decision"] == "approval"]
    assert [(each["event"], each["id"], each["status"]) for each in told] == [
        ("cancelled", desk.requests[0].id, "cancelled")
    ]
    occasions = [each.message.occasion.value for each in desk.approvals.outbox.kept.values()]
    assert occasions.count("cancelled") == 2
    assert call(desk).reason == "approval_required"


def test_cancelling_a_task_that_has_ended_changes_nothing():
    desk = open_desk()
    task_id = begin(desk)
    desk.decide(approves=False)
    assert ask(desk, "tasks/cancel", task_id).status == 200
    assert desk.statuses == ["rejected"]


class Busy(MemoryApprovals):
    """Lets another one change a request first, so many times."""

    others = 1

    async def change(self, before: Any, after: Any, messages: Any = ()) -> bool:
        if self.others:
            self.others -= 1
            return False
        return await super().change(before, after, messages)


def test_request_that_others_change_at_the_same_time_is_withdrawn_nevertheless():
    desk = open_desk(approvals=Busy())
    task_id = begin(desk)
    assert ask(desk, "tasks/cancel", task_id).status == 200
    assert desk.statuses == ["cancelled"]


def test_answers_of_a_client_that_was_asked_nothing_are_acknowledged():
    desk = open_desk()
    task_id = begin(desk)
    assert ask(desk, "tasks/update", task_id).json["result"] == {"resultType": "complete"}
    assert desk.statuses == ["open"]


def test_what_is_told_of_a_task_is_recorded():
    desk = open_desk()
    task_id = begin(desk)
    get(desk, task_id)
    event = desk.events[-1]
    assert (event["decision"], event["reason"], event["call"]["method"]) == ("answer", "approval_task", "tasks/get")
    assert event["why"] == [{"check": "approval", "outcome": "waiting", "rule": task_id}]


@pytest.mark.parametrize("method", ["tasks/get", "tasks/cancel", "tasks/update"])
def test_task_of_another_caller_does_not_exist(method):
    desk = open_desk()
    task_id = begin(desk)
    unknown = ask(desk, method, "agen-approval-" + "f" * 32)
    other = ask(desk, method, task_id, sub="bob")
    assert (other.status, other.reason) == (unknown.status, "task_unknown")
    assert other.json["error"] == _like(unknown, other)
    assert desk.statuses == ["open"]


def _like(seen: Seen, like: Seen) -> Any:
    """The error of one answer, with the request id of another."""
    error = seen.json["error"]
    return {**error, "data": {**error["data"], "request_id": like.json["error"]["data"]["request_id"]}}


@pytest.mark.parametrize("other", ["f" * 32, "another caller's"], ids=["none", "another caller's"])
def test_id_that_names_a_request_that_is_not_the_callers_is_no_task(other):
    desk = open_desk()
    task_id = begin(desk)
    if other == "another caller's":
        desk.call(uses_tasks(build.modern(params=CALL)), sub="bob")
        other = desk.requests[-1].id
    assert ask(desk, "tasks/cancel", f"{task_id}.{other}").reason == "task_unknown"
    assert set(desk.statuses) == {"open"}


def test_task_of_another_server_does_not_exist():
    desk = open_desk()
    task_id = begin(desk)
    (request,) = desk.requests
    moved = replace(request, binding=replace(request.binding, server="billing"))
    desk.approvals.requests[request.id] = moved
    assert ask(desk, "tasks/get", task_id).reason == "task_unknown"


@pytest.mark.parametrize("task_id", ["agen-approval-", "agen-approval-x", "agen-approval-" + "0" * 31])
def test_what_looks_like_a_task_of_ours_is_never_forwarded(task_id):
    desk = open_desk()
    ann = Owner(Issuer(build.ISSUER), Subject("ann"))
    asyncio.run(desk.rig.tasks.bind("crm", task_id, BoundTask(ann, "list_customers"), build.NOW))
    assert ask(desk, "tasks/get", task_id).reason == "task_unknown"


OTHER_USES = {
    "an earlier version": build.message("tasks/get", {"taskId": "TASK"}),
    "its result": build.message("tasks/result", {"taskId": "TASK"}),
    "a subscription": build.modern("subscriptions/listen", {"notifications": {"taskIds": ["TASK"]}}),
}


@pytest.mark.parametrize("name", OTHER_USES)
def test_other_uses_of_a_task_of_ours_are_not_supported(name):
    desk = open_desk()
    task_id = begin(desk)
    document = json.loads(json.dumps(OTHER_USES[name]).replace("TASK", task_id))
    assert desk.call(document).reason == "task_unsupported"


@pytest.mark.parametrize("method", ["tasks/get", "tasks/cancel"])
def test_notification_does_nothing_with_a_task(method):
    desk = open_desk()
    document = build.modern(method, {"taskId": begin(desk)})
    del document["id"]
    assert (desk.call(document).reason, desk.statuses) == ("id_missing", ["open"])


def test_store_that_is_down_is_said():
    desk = open_desk()
    task_id = begin(desk)

    async def get_nothing(_id: str) -> None:
        raise Unavailable(Reason.STORE_UNAVAILABLE, "approvals")

    desk.approvals.get = get_nothing
    assert (ask(desk, "tasks/get", task_id).status, ask(desk, "tasks/get", task_id).reason) == (
        503,
        "store_unavailable",
    )


def test_sidecar_without_approvals_knows_no_such_task():
    desk = Desk(policies=(), approvals=None)
    assert ask(desk, "tasks/get", "agen-approval-" + "0" * 32).reason == "task_unknown"


def test_page_of_an_allowed_origin_may_read_the_answer():
    desk = open_desk(more={"resources": (build.resource(origins=frozenset({"https://app.example.com"})),)})
    task_id, now = begin(desk), desk.rig.clock.now()
    token = build.sign(build.claims(iat=now, exp=now + 60))
    headers = {"origin": "https://app.example.com"}
    seen = desk.rig.post(build.modern("tasks/get", {"taskId": task_id}), token, headers=headers)
    assert (seen.header("access-control-allow-origin"), seen.header("cache-control")) == (
        "https://app.example.com",
        "no-store",
    )


def test_call_about_a_task_of_ours_is_refused_though_it_were_allowed():
    # The decision never allows one, since no server's task has such an id: this is the second lock.
    desk = open_desk()
    about = build.call("tasks/get", task_ids=(f"agen-approval-{'0' * 32}",), uses_task=True)
    route, rendered = Route(build.resource(), is_metadata=False), render_principal(build.principal())
    read = reach(build.request(), route, rendered, about, rules=desk.rig.rules)
    assert isinstance(read, Read)
    ended = asyncio.run(tell_task(Judged(read, Allow(())), build.NOW, desk.rig.ports))
    assert isinstance(ended, Refused) and ended.decision.reason is Reason.TASK_UNKNOWN
