"""Tasks through a real Envoy: a server makes one for a caller, and no other caller may use it or learn of it."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tests.e2e.told import EVENTS, Got, Told, chunked, dump, event, rpc, told_world, whole
from tests.stage.scripted import Asked, Step
from tests.stage.world import VERSION

pytestmark = pytest.mark.envoy

META = {
    "io.modelcontextprotocol/protocolVersion": VERSION,
    "io.modelcontextprotocol/clientCapabilities": {"extensions": {"io.modelcontextprotocol/tasks": {}}},
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with told_world(tmp_path_factory.mktemp("tasks")) as running:
        yield running


def made(task_id: str) -> dict[str, Any]:
    return rpc(id=7, result={"resultType": "task", "taskId": task_id, "status": "working", "ttlSeconds": 60})


def made_before(task_id: str) -> dict[str, Any]:
    return rpc(id=7, result={"task": {"taskId": task_id, "status": "working", "ttl": 60000}})


def state(task_id: str) -> dict[str, Any]:
    done = {"content": [{"type": "text", "text": f"of {task_id}"}]}
    return rpc(id=7, result={"resultType": "complete", "taskId": task_id, "status": "completed", "result": done})


def notice(task_id: str) -> dict[str, Any]:
    return rpc(method="notifications/tasks", params={"taskId": task_id, "status": "working"})


def ask(told: Told, method: str, sub: str = "u-1", **params: Any) -> Got:
    name = params.get("name", params.get("taskId", ""))
    headers = {"mcp_protocol_version": VERSION, "mcp_method": method, **({"mcp_name": name} if name else {})}
    token = told.world.one.mint(told.world.crm, sub=sub)
    return told.ask(rpc(id=7, method=method, params=params | {"_meta": META}), token=token, **headers)


def ask_before(told: Told, method: str, sub: str = "u-1", **params: Any) -> Got:
    return told.ask(rpc(id=7, method=method, params=params), token=told.world.one.mint(told.world.crm, sub=sub))


@pytest.mark.parametrize("form", ["json", "events"])
def test_task_of_a_caller_is_used_by_no_other(told, form):
    task_id = f"t-{form}"
    answer = made(task_id)
    told.tell(whole(dump(answer)) if form == "json" else chunked(event(answer), media=EVENTS))
    assert ask(told, "tools/call", name="get_customer").messages == [answer]
    told.tell(whole(dump(state(task_id))))
    assert ask(told, "tasks/get", taskId=task_id).messages == [state(task_id)]
    told.backend.asked.clear()
    for method in ("tasks/get", "tasks/update", "tasks/cancel"):
        assert ask(told, method, "u-2", taskId=task_id).outcomes == ["7: task_unknown"]
        assert ask(told, method, taskId="t-other").outcomes == ["7: task_unknown"]
    listened = ask(told, "subscriptions/listen", "u-2", notifications={"taskIds": [task_id]})
    assert (listened.outcomes, told.backend.asked) == (["7: task_unknown"], [])


def test_task_that_a_legacy_client_asks_for_is_used_by_no_other(told):
    told.tell(whole(dump(made_before("t-legacy"))))
    called = ask_before(told, "tools/call", name="get_customer", task={"ttl": 60000})
    assert called.messages == [made_before("t-legacy")]
    result = rpc(id=7, result={"content": []})
    told.tell(whole(dump(result)))
    assert ask_before(told, "tasks/result", taskId="t-legacy").messages == [result]
    assert ask_before(told, "tasks/result", "u-2", taskId="t-legacy").outcomes == ["7: task_unknown"]
    assert ask_before(told, "tasks/list").outcomes == ["7: task_unsupported"]


def test_id_that_another_caller_has_does_not_leave(told):
    told.tell(whole(dump(made("t-taken"))))
    assert ask(told, "tools/call", name="get_customer").messages == [made("t-taken")]
    again = ask(told, "tools/call", "u-2", name="get_customer")
    assert (again.outcomes, b"t-taken" in again.raw) == (["7: store_unavailable"], False)


def test_server_tells_of_the_tasks_that_were_asked_for_and_of_no_others(told):
    told.tell(whole(dump(made("t-own"))))
    ask(told, "tools/call", name="get_customer")
    sent = [notice("t-own"), notice("t-alien"), rpc(id=1, method="tasks/get", params={"taskId": "t-alien"})]

    def script(asked: Asked) -> Iterable[Step]:
        is_get = json.loads(asked.body)["method"] == "tasks/get"
        answer = state("t-own") if is_get else rpc(id=7, result={"resultType": "complete"})
        return [chunked(*map(event, [*sent, answer]), media=EVENTS)]

    told.backend.script = script
    got = ask(told, "tasks/get", taskId="t-own")
    assert (got.messages, b"t-alien" in got.raw) == ([notice("t-own"), state("t-own")], False)
    watched = ask(told, "subscriptions/listen", notifications={"taskIds": ["t-own"]})
    assert (watched.messages[0], b"t-alien" in watched.raw) == (notice("t-own"), False)
    told.tell(whole(dump(state("t-alien"))))
    wrong = ask(told, "tasks/get", taskId="t-own")
    assert (wrong.outcomes, b"t-alien" in wrong.raw) == (["7: task_unbound"], False)
