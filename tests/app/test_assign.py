"""By what Process inspects: what Check sealed and the rules that decided the call, or else the strictest."""

import asyncio
import logging
from typing import Any

import pytest

from agen_authz.app.worker.assign import Assigner
from agen_authz.catalogue import CurrentCatalogue
from agen_authz.core.errors import Unavailable
from agen_authz.core.message.parameters import CAPABILITIES_KEY
from agen_authz.core.model import NOWHERE, Envelope, Era, Inspection, Issuer, Owner, Shape, Subject
from agen_authz.core.pinning.pin import Pinning
from agen_authz.core.response.body import ResponseLimits
from agen_authz.core.response.message import MadeTask, Passed, SawDefinitions
from agen_authz.obligations.learn import DriftPorts
from agen_authz.servers.ext_proc import Assignment
from agen_authz.wire.sealed import seal_inspection
from tests import builders as build
from tests.check.rig import Rig, Seen
from tests.fakes import CountingMetrics, FakeClock, ListSink, MemoryCatalogue, MemoryTasks
from tests.rules import build_rules

KEY = b"m" * 32
TOOLS: list[Any] = [{"name": "get_customer"}, {"name": "delete_customer"}]
ANSWER: Any = {"jsonrpc": "2.0", "id": 7, "result": {"tools": TOOLS}}


def sealed(key: bytes = KEY, **changes: Any) -> str:
    values: dict[str, Any] = {
        "version": "v1", "request_id": "r1", "server": "crm", "envelope": Envelope(Era.LEGACY, Shape.REQUEST, 7),
        "mcp_version": build.LEGACY, "method": "tools/list", "target": None, "principal": build.principal(),
        "context": NOWHERE, "host": "h",
    }  # fmt: skip
    return seal_inspection(Inspection(**(values | changes)), key, b"n" * 12)


class Bench:
    """An assigner with everything it uses, in memory."""

    def __init__(self, *versions: str) -> None:
        self.clock, self.catalogue, self.tasks = FakeClock(build.NOW), MemoryCatalogue(), MemoryTasks()
        self.audit = ListSink()
        current = CurrentCatalogue(self.catalogue, self.clock)
        ports = DriftPorts(current, self.catalogue, self.audit, CountingMetrics(), self.clock)
        rules = [
            build_rules((build.resource(),), version=version, filters_lists=True, pinning=Pinning.OBSERVE)
            for version in versions or ("v1",)
        ]
        self.assigner = Assigner(tuple(rules), ResponseLimits(1 << 20, 32), ports, self.tasks)


def shown(assignment: Any) -> list[str]:
    passed = assignment.terms.inspect(ANSWER)
    assert isinstance(passed, Passed) and isinstance(passed.message, dict)
    result: Any = passed.message["result"]
    return [each["name"] for each in result["tools"]]


def test_call_is_inspected_by_the_rules_that_decided_it():
    assignment = Bench().assigner.assign(sealed())
    assert (shown(assignment), assignment.server, assignment.expires) == (
        ["get_customer"], "crm", build.principal().expires + build.provider().leeway_s,
    )  # fmt: skip
    assert (assignment.terms.envelope.id, assignment.terms.request_id) == (7, "r1")


def test_call_that_the_rules_before_decided_is_inspected_by_them():
    bench = Bench("v2", "v1")
    assert [shown(bench.assigner.assign(sealed(version=version))) for version in ("v2", "v1")] == [["get_customer"]] * 2


@pytest.mark.parametrize("text", ["", "x", sealed(b"o" * 32), sealed()[:-4]])
def test_call_that_check_did_not_seal_is_not_known_and_sees_nothing(text):
    assignment = Bench().assigner.assign(text)
    assert (shown(assignment), assignment.server, assignment.expires) == ([], "", None)
    assert (assignment.terms.envelope.id, assignment.terms.mark_session("s1")) == (None, None)


def test_call_of_rules_that_are_not_here_sees_nothing_but_is_known():
    assignment = Bench("v3", "v2").assigner.assign(sealed(method="initialize"))
    assert (shown(assignment), assignment.server, assignment.terms.envelope.id) == ([], "crm", 7)
    assert assignment.expires == build.principal().expires
    assert assignment.terms.mark_session("s1") == build.session("s1")


def test_what_cannot_be_assigned_is_logged_once_a_minute(caplog):
    bench = Bench("v2")
    with caplog.at_level(logging.WARNING):
        for seconds in (0, 30, 31):
            bench.clock.advance(seconds)
            bench.assigner.assign("x")
            bench.assigner.assign(sealed())
    assert len(caplog.records) == 4


async def test_definitions_are_kept_before_the_list_leaves():
    bench = Bench()
    await bench.assigner.assign(sealed()).write_notes((SawDefinitions("crm", tuple(TOOLS)),))
    kept = await bench.catalogue.list_tools({})
    assert sorted(each.name for each in kept.tools) == ["delete_customer", "get_customer"]
    assert bench.audit.events[-1]["request_id"] == "r1"


async def test_task_is_bound_to_its_caller_and_no_other_gets_its_id():
    bench = Bench()
    note = (MadeTask("crm", "t1", "get_customer"),)
    await bench.assigner.assign(sealed()).write_notes(note)
    bound = await bench.tasks.find("crm", "t1", build.NOW)
    assert bound is not None
    assert (bound.owner, bound.tool) == (Owner(Issuer(build.ISSUER), Subject("ann")), "get_customer")
    with pytest.raises(Unavailable):
        await bench.assigner.assign(sealed(principal=build.principal(subject="eve"))).write_notes(note)


async def test_store_that_does_not_answer_lets_no_list_out():
    bench = Bench()
    bench.catalogue.is_broken = bench.tasks.is_broken = True
    for note in (SawDefinitions("crm", tuple(TOOLS)), MadeTask("crm", "t1", "x")):
        with pytest.raises(Unavailable):
            await bench.assigner.assign(sealed()).write_notes((note,))


def test_nothing_is_noted_of_a_call_that_is_not_known():
    for text in ("x", sealed(version="other")):
        passed = Bench().assigner.assign(text).terms.inspect(ANSWER)
        assert isinstance(passed, Passed) and passed.notes == ()


async def write(assignment: Assignment, passed: Passed) -> None:
    await assignment.write_notes(passed.notes)


MADE: dict[Era, Any] = {
    Era.MODERN: {"resultType": "task", "taskId": "t1", "status": "working"},
    Era.LEGACY: {"task": {"taskId": "t1", "status": "working"}},
}


def ask(rig: Rig, method: str, params: Any, subject: str = "ann") -> Seen:
    document = build.modern(method, params)
    document["params"]["_meta"][CAPABILITIES_KEY] = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
    return rig.post(document, build.sign(build.claims(sub=subject)))


@pytest.mark.parametrize("era", Era)
def test_task_that_a_server_makes_is_its_callers_and_no_other_may_use_it(era):
    bench = Bench()
    rig = Rig(tasks=bench.tasks)
    called = ask(rig, "tools/call", {"name": "get_customer"})
    assert called.is_allowed
    assignment = bench.assigner.assign(called.sealed)
    passed = assignment.terms.inspect({"jsonrpc": "2.0", "id": 7, "result": MADE[era]})
    assert isinstance(passed, Passed)
    # Not before it is bound.
    assert ask(rig, "tasks/get", {"taskId": "t1"}).reason == "task_unknown"
    asyncio.run(write(assignment, passed))
    for method in ("tasks/get", "tasks/update", "tasks/cancel"):
        assert ask(rig, method, {"taskId": "t1"}).is_allowed
        assert ask(rig, method, {"taskId": "t1"}, "eve").reason == "task_unknown"
    watched = {"notifications": {"taskIds": ["t1"]}}
    seen = [ask(rig, "subscriptions/listen", watched, subject) for subject in ("ann", "eve")]
    assert [each.reason for each in seen] == ["allowed", "task_unknown"]
    told: Any = {"jsonrpc": "2.0", "method": "notifications/tasks", "params": {"taskId": "t1", "status": "working"}}
    assert isinstance(bench.assigner.assign(seen[0].sealed).terms.inspect(told), Passed)


def test_store_that_does_not_answer_lets_no_task_be_used():
    tasks = MemoryTasks()
    tasks.is_broken = True
    assert ask(Rig(tasks=tasks), "tasks/get", {"taskId": "t1"}).reason == "store_unavailable"
