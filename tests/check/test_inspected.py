"""Which responses are inspected, what Process is told, and what a call that nothing inspects keeps."""

import asyncio
from typing import Any

import pytest

from agen_authz.core.message.parameters import CAPABILITIES_KEY
from agen_authz.core.model import BoundTask, Envelope, Era, Issuer, Owner, Shape, Subject
from agen_authz.core.pinning.pin import Pinning
from agen_authz.wire.sealed import open_inspection
from tests import builders as build
from tests.builders import claims, sign
from tests.check.rig import Rig, Seen

LISTS = ["tools/list", "prompts/list", "resources/list", "resources/templates/list"]
CALLS = {
    "ping": {}, "logging/setLevel": {"level": "info"}, "tools/call": {"name": "get_customer"},
    "prompts/get": {"name": "summarize"}, "resources/read": {"uri": "customer://1"},
    "resources/subscribe": {"uri": "customer://1"}, "resources/unsubscribe": {"uri": "customer://1"},
    "completion/complete": {"ref": {"type": "ref/prompt", "name": "summarize"}, "argument": {"name": "a", "value": ""}},
}  # fmt: skip


def told(seen: Seen):
    assert seen.is_allowed
    return open_inspection(seen.sealed, b"m" * 32) if seen.sealed else None


def stream(rig: Rig, method: str = "GET") -> Seen:
    headers = build.headers_for(sign(claims()), None) | {"mcp-session-id": build.session()}
    return rig.check(build.check_request(headers, b"", method=method))


@pytest.mark.parametrize("method", LISTS)
@pytest.mark.parametrize(
    ("changes", "is_inspected"),
    [
        ({}, False),
        ({"filters_lists": True}, True),
        ({"pinning": Pinning.OBSERVE}, True),
        ({"pinning": Pinning.ENFORCE}, True),
    ],
)
def test_list_is_inspected_if_it_is_filtered_or_pinned(method, changes, is_inspected):
    assert (told(Rig(**changes).post(build.message(method, {}))) is not None) == is_inspected


@pytest.mark.parametrize("method", CALLS)
def test_call_that_answers_no_list_opens_no_stream(method):
    seen = Rig(filters_lists=True, pinning=Pinning.OBSERVE).post(build.message(method, CALLS[method]))
    assert (seen.is_allowed, seen.sealed) == (True, "")


@pytest.mark.parametrize("method", [each for each in CALLS if each != "tools/call"])
def test_every_answer_is_inspected_where_pins_are_enforced(method):
    # A server could answer a list that the client waits for on any of them.
    assert told(Rig(pinning=Pinning.ENFORCE).post(build.message(method, CALLS[method]))) is not None


def test_method_that_configuration_allows_is_inspected():
    rig = Rig(resources=(build.resource(methods={"invented/method": True}),), filters_lists=True)
    assert told(rig.post(build.message("invented/method", {}))) is not None


@pytest.mark.parametrize("changes", [{}, {"filters_lists": True}])
def test_initialize_and_streams_are_always_inspected(changes):
    rig = Rig(**changes)
    initialize = build.message("initialize", {"protocolVersion": build.LEGACY, "capabilities": {}})
    listen = build.modern("subscriptions/listen", {"notifications": {}})
    seen = [told(rig.post(initialize)), told(rig.post(listen)), told(stream(rig))]
    assert [each and each.method for each in seen] == ["initialize", "subscriptions/listen", "GET"]


def test_end_of_a_session_notifications_and_answers_open_no_stream():
    rig = Rig(filters_lists=True)
    note, answer = {"jsonrpc": "2.0", "method": "notifications/initialized"}, {"jsonrpc": "2.0", "id": 1, "result": {}}
    session = {"mcp-session-id": build.session()}
    assert [rig.post(each, headers=session).sealed for each in (note, answer)] == ["", ""]
    assert stream(rig, "DELETE").sealed == ""


def test_process_is_told_who_called_what_under_which_rules():
    rig = Rig(filters_lists=True)
    inspection = told(rig.post(build.modern("tools/list", {})))
    assert inspection is not None
    assert (inspection.version, inspection.server, inspection.method, inspection.target) == (
        "v1",
        "crm",
        "tools/list",
        None,
    )
    assert (inspection.principal.subject, inspection.principal.roles) == ("ann", ("analyst",))
    assert (inspection.envelope, inspection.host) == (Envelope(Era.MODERN, Shape.REQUEST, 7), "mcp.example.com")
    assert inspection.request_id == rig.audit.events[-1]["request_id"]


@pytest.mark.parametrize(
    ("capabilities", "declares"),
    [
        ({"elicitation": {"url": {}}}, True), ({"elicitation": {"form": {}, "url": {}}}, True),
        ({"elicitation": {}}, False),
        ({"elicitation": {"url": True}}, False), ({"elicitation": True}, False), ({}, False), (None, False),
    ],
)  # fmt: skip
def test_client_that_opens_urls_is_known_from_what_it_declares(capabilities, declares):
    inspection = told(Rig().post(build.message("initialize", {"protocolVersion": "x", "capabilities": capabilities})))
    assert inspection is not None and inspection.declares_url is declares


def test_backend_is_not_asked_to_compress_what_is_inspected():
    rig = Rig(filters_lists=True)
    compressed = {"accept-encoding": "gzip"}
    listed, called = (rig.post(each, headers=compressed) for each in (build.message("tools/list", {}), build.message()))
    assert ("accept-encoding" in listed.removed, "accept-encoding" in called.removed) == (True, False)


def test_refusal_is_never_inspected():
    seen = Rig(filters_lists=True).post(build.message("tools/list", {}), sign(claims(exp=1)))
    assert (seen.is_allowed, seen.sealed) == (False, "")


TASKS: Any = {"extensions": {"io.modelcontextprotocol/tasks": {}}}


def task_call(era: Era) -> dict[str, Any]:
    if era is Era.LEGACY:
        return build.message("tools/call", {"name": "get_customer", "task": {"ttl": 1}})
    document = build.modern("tools/call", {"name": "get_customer"})
    document["params"]["_meta"][CAPABILITIES_KEY] = TASKS
    return document


@pytest.mark.parametrize("era", Era)
def test_call_that_may_make_a_task_is_inspected_and_no_other_call_is(era):
    rig = Rig()
    inspection = told(rig.post(task_call(era)))
    assert inspection is not None and inspection.makes_task
    assert (inspection.target, inspection.task_ids) == (build.tool(), ())
    other = build.modern("tools/call", {"name": "get_customer"}) if era is Era.MODERN else build.message()
    assert told(rig.post(other)) is None


def own_task(rig: Rig, task_id: str, subject: str = "ann") -> None:
    task = BoundTask(Owner(Issuer(build.ISSUER), Subject(subject)), "get_customer")
    assert asyncio.run(rig.tasks.bind("crm", task_id, task, build.NOW))


@pytest.mark.parametrize("method", ["tasks/get", "tasks/update", "tasks/cancel"])
def test_process_is_told_whose_task_a_call_is_about_and_of_which_tool(method):
    rig = Rig()
    own_task(rig, "t1")
    inspection = told(rig.post(build.modern(method, {"taskId": "t1"})))
    assert inspection is not None and not inspection.makes_task
    assert (inspection.target, inspection.task_ids) == (build.tool(), ("t1",))
    assert rig.audit.events[-1]["call"]["targets"] == [{"kind": "tool", "name": "get_customer"}]


def test_tool_of_another_callers_task_is_in_no_event():
    rig = Rig()
    own_task(rig, "t1", "bob")
    assert rig.post(build.modern("tasks/get", {"taskId": "t1"})).reason == "task_unknown"
    assert "get_customer" not in str(rig.audit.events[-1])


def test_subscription_to_own_tasks_is_inspected_with_their_ids():
    rig = Rig()
    own_task(rig, "t1")
    own_task(rig, "t2")
    own_task(rig, "t3", "bob")
    asked = [
        build.modern("subscriptions/listen", {"notifications": {"taskIds": ids}}) for ids in (["t1", "t2"], ["t3"])
    ]
    inspection = told(rig.post(asked[0]))
    assert inspection is not None and inspection.task_ids == ("t1", "t2")
    assert rig.post(asked[1]).reason == "task_unknown"
