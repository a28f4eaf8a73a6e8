"""A call that waits for approvers, as a task, through a real Envoy: polled, made again once, withdrawn."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.approved import CUSTOMER, PAGE, SECTIONS, People, encrypt
from tests.stage.world import VERSION, World, modern, running_world

pytestmark = pytest.mark.envoy

META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("approval-tasks")


@pytest.fixture(scope="module")
def world(folder: Path) -> Iterator[World]:
    more = SECTIONS.replace("approvals:\n", "approvals:\n  tasks: true\n")
    with running_world(folder, more=more, changed=lambda text: encrypt(folder, text)) as running:
        yield running


def send(world: World, method: str, sub: str, **params: Any) -> dict[str, Any]:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": META}}
    answer = world.post(
        world.one.mint(world.crm, sub=sub), body, **modern(params.get("name") or params["taskId"], method)
    )
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def call(world: World, sub: str) -> dict[str, Any]:
    asked = send(world, "tools/call", sub, name="get_customer", arguments=CUSTOMER)
    result: dict[str, Any] = asked["result"]
    return result


def about(world: World, method: str, task_id: str, sub: str) -> dict[str, Any]:
    return send(world, method, sub, taskId=task_id)


def get(world: World, task_id: str, sub: str) -> dict[str, Any]:
    result: dict[str, Any] = about(world, "tasks/get", task_id, sub)["result"]
    return result


async def test_task_is_completed_by_approval_and_the_call_is_then_made_once(world, folder):
    world.received()
    task = call(world, "polls")
    task_id, page = task["taskId"], PAGE + task["taskId"].removeprefix("agen-approval-")
    assert (task["resultType"], task["status"], page in task["statusMessage"]) == ("task", "working", True)
    assert get(world, task_id, "polls")["status"] == "working"
    await People(folder).decide(page)
    done = get(world, task_id, "polls")
    assert (done["status"], done["result"]["isError"]) == ("completed", True)
    assert world.received() == []
    made = call(world, "polls")
    assert (made["resultType"], made.get("isError", False)) == ("complete", False)
    again = call(world, "polls")
    assert (again["resultType"], again["taskId"] != task_id, len(world.received())) == ("task", True, 1)


async def test_task_of_another_caller_is_not_there(world):
    task_id = call(world, "owner")["taskId"]
    world.received()
    for method in ("tasks/get", "tasks/cancel"):
        assert about(world, method, task_id, "stranger")["error"]["data"]["reason"] == "task_unknown"
    assert (get(world, task_id, "owner")["status"], world.received()) == ("working", [])


async def test_cancelled_task_withdraws_the_request(world, folder):
    task_id = call(world, "withdraws")["taskId"]
    since = len(world.events())
    assert about(world, "tasks/cancel", task_id, "withdraws")["result"] == {"resultType": "complete"}
    assert get(world, task_id, "withdraws")["status"] == "cancelled"
    (request,) = [each for each in await People(folder).list() if each.id in task_id]
    assert request.status.value == "cancelled"
    told = [each["approval"]["event"] for each in world.events()[since:] if each["decision"] == "approval"]
    assert told == ["cancelled"]


async def test_rejected_call_fails_its_task(world, folder):
    task_id = call(world, "rejected")["taskId"]
    await People(folder).decide(PAGE + task_id.removeprefix("agen-approval-"), approves=False)
    task = get(world, task_id, "rejected")
    assert (task["status"], task["error"]["data"]["reason"]) == ("failed", "approval_rejected")
