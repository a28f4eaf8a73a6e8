"""By what Process inspects: what Check sealed and the rules that decided the call, or else the strictest."""

import asyncio
import json
import logging
from typing import Any

import pytest

from agen_authz.app.worker.assign import Assigner
from agen_authz.catalogue import CurrentCatalogue
from agen_authz.core.approval.continuing import name_place, name_state
from agen_authz.core.arguments.approved import SchemaCompiler
from agen_authz.core.errors import Unavailable
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.rule import Rule
from agen_authz.core.masking.selection import Detectors
from agen_authz.core.masking.style import MaskingKeys
from agen_authz.core.message.parameters import CAPABILITIES_KEY
from agen_authz.core.model import (
    NOWHERE,
    Digest,
    Envelope,
    Era,
    Inspection,
    Issuer,
    Owner,
    Shape,
    Subject,
    Target,
    TargetKind,
)
from agen_authz.core.pinning.pin import Pinning
from agen_authz.core.response.body import ResponseLimits
from agen_authz.core.response.message import MadeTask, MaskedValues, Passed, SawDefinitions, SentState
from agen_authz.core.response.passage import Copy
from agen_authz.obligations.learn import DriftPorts
from agen_authz.obligations.mask import MaskingPorts
from agen_authz.obligations.watch import Watcher
from agen_authz.servers.ext_proc import Assignment, Observation
from agen_authz.wire.sealed import open_inspection, seal_inspection
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

    def __init__(self, *versions: str, **changes: Any) -> None:
        self.clock, self.catalogue, self.tasks = FakeClock(build.NOW), MemoryCatalogue(), MemoryTasks()
        self.audit = ListSink()
        current = CurrentCatalogue(self.catalogue, self.clock)
        self.metrics = CountingMetrics()
        ports = DriftPorts(current, self.catalogue, self.audit, self.metrics, self.clock)
        masking = MaskingPorts(self.audit, self.metrics, self.clock)
        values: dict[str, Any] = {"filters_lists": True, "pinning": Pinning.OBSERVE} | changes
        rules = [build_rules((build.resource(),), **(values | {"version": version})) for version in versions or ("v1",)]
        self.watcher, outputs = Watcher(masking), SchemaCompiler(part="outputSchema")
        limits = ResponseLimits(1 << 20, 32)
        self.assigner = Assigner(tuple(rules), limits, ports, self.tasks, masking, self.watcher, outputs)

    def assign(self, text: str) -> Assignment:
        assigned = self.assigner.assign(text)
        assert isinstance(assigned, Assignment)
        return assigned


def shown(assignment: Any) -> list[str]:
    passed = assignment.terms.inspect(ANSWER)
    assert isinstance(passed, Passed) and isinstance(passed.message, dict)
    result: Any = passed.message["result"]
    return [each["name"] for each in result["tools"]]


def test_call_is_inspected_by_the_rules_that_decided_it():
    assignment = Bench().assign(sealed())
    assert (shown(assignment), assignment.server, assignment.expires) == (
        ["get_customer"], "crm", build.principal().expires + build.provider().leeway_s,
    )  # fmt: skip
    assert (assignment.terms.envelope.id, assignment.terms.request_id) == (7, "r1")


def test_call_that_the_rules_before_decided_is_inspected_by_them():
    bench = Bench("v2", "v1")
    assert [shown(bench.assign(sealed(version=version))) for version in ("v2", "v1")] == [["get_customer"]] * 2


@pytest.mark.parametrize("text", ["", "x", sealed(b"o" * 32), sealed()[:-4]])
def test_call_that_check_did_not_seal_is_not_known_and_sees_nothing(text):
    assignment = Bench().assign(text)
    assert (shown(assignment), assignment.server, assignment.expires) == ([], "", None)
    assert (assignment.terms.envelope.id, assignment.terms.mark_session("s1")) == (None, None)


def test_call_of_rules_that_are_not_here_sees_nothing_but_is_known():
    assignment = Bench("v3", "v2").assign(sealed(method="initialize"))
    assert (shown(assignment), assignment.server, assignment.terms.envelope.id) == ([], "crm", 7)
    assert assignment.expires == build.principal().expires
    assert assignment.terms.mark_session("s1") == build.session("s1")


def test_what_cannot_be_assigned_is_logged_once_a_minute(caplog):
    bench = Bench("v2")
    with caplog.at_level(logging.WARNING):
        for seconds in (0, 30, 31):
            bench.clock.advance(seconds)
            bench.assign("x")
            bench.assign(sealed())
    assert len(caplog.records) == 4


async def test_definitions_are_kept_before_the_list_leaves():
    bench = Bench()
    await bench.assign(sealed()).write_notes((SawDefinitions("crm", tuple(TOOLS)),))
    kept = await bench.catalogue.list_tools({})
    assert sorted(each.name for each in kept.tools) == ["delete_customer", "get_customer"]
    assert bench.audit.events[-1]["request_id"] == "r1"


async def test_task_is_bound_to_its_caller_and_no_other_gets_its_id():
    bench = Bench()
    note = (MadeTask("crm", "t1", "get_customer"),)
    await bench.assign(sealed()).write_notes(note)
    bound = await bench.tasks.find("crm", "t1", build.NOW)
    assert bound is not None
    assert (bound.owner, bound.tool) == (Owner(Issuer(build.ISSUER), Subject("ann")), "get_customer")
    with pytest.raises(Unavailable):
        await bench.assign(sealed(principal=build.principal(subject="eve"))).write_notes(note)


async def test_store_that_does_not_answer_lets_no_list_out():
    bench = Bench()
    bench.catalogue.is_broken = bench.tasks.is_broken = True
    for note in (SawDefinitions("crm", tuple(TOOLS)), MadeTask("crm", "t1", "x")):
        with pytest.raises(Unavailable):
            await bench.assign(sealed()).write_notes((note,))


def test_nothing_is_noted_of_a_call_that_is_not_known():
    for text in ("x", sealed(version="other")):
        passed = Bench().assign(text).terms.inspect(ANSWER)
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
    assignment = bench.assign(called.sealed)
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
    assert isinstance(bench.assign(seen[0].sealed).terms.inspect(told), Passed)


def test_store_that_does_not_answer_lets_no_task_be_used():
    tasks = MemoryTasks()
    tasks.is_broken = True
    assert ask(Rig(tasks=tasks), "tasks/get", {"taskId": "t1"}).reason == "store_unavailable"


# ---- data protection -------------------------------------------------------------------------------------

MAIL = "ann.miller@example.com"
TOLD: Any = {"jsonrpc": "2.0", "id": 7, "result": {"content": [{"type": "text", "text": f"write to {MAIL}"}]}}
MAILS = Detectors.of("email")
RULES = {
    "mails": Rule("mails", MAILS, default=Style.REDACT),
    "joined": Rule("joined", MAILS, default=Style.HASH),
    "new": Rule("new", MAILS, is_enforced=False),
    "lenient": Rule("lenient", MAILS, passes_unreadable=True),
}
MASKING: dict[str, Any] = {
    "protection_rules": RULES, "masking_keys": MaskingKeys((("m1", b"k" * 32),)), "filters_lists": False,
    "pinning": Pinning.OFF,
}  # fmt: skip
CALLED = Target(TargetKind.TOOL, "crm", "get_customer")


def called(*protections: str, **changes: Any) -> str:
    values: dict[str, Any] = {"method": "tools/call", "target": CALLED, "protections": protections}
    return sealed(**(values | changes))


def told(assignment: Assignment, message: Any = TOLD) -> tuple[str, Passed]:
    passed = assignment.terms.inspect(message)
    assert isinstance(passed, Passed)
    return json.dumps(passed.message), passed


async def test_call_is_masked_by_its_rules_and_leaves_one_event():
    bench = Bench(**MASKING)
    assignment = bench.assign(called("mails"))
    text, passed = told(assignment)
    await write(assignment, passed)
    assert MAIL not in text and "[EMAIL]" in text
    (event,) = bench.audit.events
    assert (event["decision"], event["request_id"], event["principal"]["subject"]) == ("mask", "r1", "ann")
    assert event["masking"]["receipts"] == [
        {"rule": "mails", "detector": "email", "style": "redact", "pointer": "/result/content/0/text", "count": 1}
    ]
    assert bench.metrics.counts == {("agen_masked_total", "email", "redact", "crm"): 1}


def test_call_without_rules_is_not_masked():
    assert MAIL in told(Bench(**MASKING).assign(called()))[0]


@pytest.mark.parametrize("text", ["", "x", sealed(b"o" * 32), sealed(version="other")])
async def test_call_that_is_not_known_is_masked_by_every_preset(text: str):
    bench = Bench(**MASKING)
    assignment = bench.assign(text)
    message: Any = {"jsonrpc": "2.0", "id": 7, "result": {"a": f"{MAIL} 4111 1111 1111 1111 AKIAIOSFODNN7EXAMPLQ"}}
    masked, passed = told(assignment, message)
    await assignment.write_notes(passed.notes)
    assert not [each for each in (MAIL, "4111", "AKIA") if each in masked]
    assert {row["rule"] for row in bench.audit.events[0]["masking"]["receipts"]} == {""}


def test_plan_is_made_once_for_the_same_rules_and_tenant_and_ends_with_the_rules():
    bench = Bench(**MASKING)
    rules, masks = bench.assigner.rules[0], bench.assigner.masks
    asked = [open_inspection(each, KEY) for each in (called("joined"), called("joined"), called("joined", "mails"))]
    for each in asked:
        assert each is not None
        masks.of_call(each, rules)
    assert masks.count_plans() == 2
    tenants = [build.principal(tenant=tenant) for tenant in ("acme", "other", "acme")]
    seen = [told(bench.assign(called("joined", principal=each)))[0] for each in tenants]
    assert (seen[0] == seen[2], seen[0] == seen[1], MAIL in "".join(seen)) == (True, False, False)


def test_terms_let_pass_unread_what_the_rules_do():
    bench = Bench(**MASKING)
    passes = [bench.assign(called(*names)).terms.passes_unread for names in (("lenient",), ("lenient", "mails"))]
    assert passes == [True, False]


RAW = json.dumps(TOLD).encode()
WATCHED = {
    "a sample": (called(is_sampled=True), "sample", "unruled_sample"),
    "a sample of rules that are not here": (called(is_sampled=True, version="other"), "sample", "unruled_sample"),
    "rules in shadow": (called("new"), "mask", "new"),
}


@pytest.mark.parametrize(("text", "word", "rule"), WATCHED.values(), ids=WATCHED)
async def test_call_that_nothing_is_enforced_for_passes_and_a_copy_is_read(text: str, word: str, rule: str):
    bench = Bench(**MASKING)
    observation = bench.assigner.assign(text)
    assert isinstance(observation, Observation)
    assert (observation.server, observation.max_bytes) == ("crm", 1 << 20)
    observation.take(Copy((), RAW))
    reading = asyncio.create_task(bench.watcher.run())
    while not bench.audit.events:
        await asyncio.sleep(0)
    reading.cancel()
    (event,) = bench.audit.events
    assert (event["decision"], event["principal"]["subject"]) == (word, "ann")
    assert [(row["rule"], row["detector"], row["shadow"]) for row in event["masking"]["receipts"]] == [
        (rule, "email", True)
    ]


def test_rules_in_shadow_are_read_with_the_others_if_the_response_is_inspected_anyway():
    for text, masked in ((called("new", method="initialize"), False), (called("new", "mails"), True)):
        _, passed = told(Bench(**MASKING).assign(text))
        (note,) = passed.notes
        assert isinstance(note, MaskedValues)
        assert [each.is_enforced for each in note.receipts].count(False) == 1
        assert (passed.message is not TOLD) is masked


# ---- states that come with questions ---------------------------------------------------------------------

ONE, TWO = Digest("1"), Digest("2")
ASKED = sealed(method="tools/call", target=build.tool(), may_be_continued=True, arguments=ONE)
ANN = Owner(Issuer(build.ISSUER), Subject("ann"))
EVE = Owner(Issuer(build.ISSUER), Subject("eve"))


async def test_state_is_kept_for_its_caller_its_target_and_its_arguments():
    bench = Bench()
    await bench.assign(ASKED).write_notes((SentState("crm", build.tool(), "s-1"),))
    found = {
        (owner.subject, name, arguments, state): await bench.tasks.find(
            name_place("crm"), name_state(owner, build.tool(name), arguments, state), bench.clock.now()
        )
        for owner in (ANN, EVE)
        for name in ("get_customer", "get_orders")
        for arguments in (ONE, TWO)
        for state in ("s-1", "s-2")
    }
    assert [key for key, each in found.items() if each is not None] == [("ann", "get_customer", ONE, "s-1")]


async def test_callers_may_be_sent_the_same_state():
    bench = Bench()
    theirs = sealed(
        method="tools/call",
        target=build.tool(),
        may_be_continued=True,
        arguments=ONE,
        principal=build.principal(subject="eve"),
    )
    for each in (ASKED, theirs):
        await bench.assign(each).write_notes((SentState("crm", build.tool(), "s-1"),))
    names = [name_state(owner, build.tool(), ONE, "s-1") for owner in (ANN, EVE)]
    found = [await bench.tasks.find(name_place("crm"), name, bench.clock.now()) for name in names]
    assert [each is not None and each.owner for each in found] == [ANN, EVE]


async def test_state_that_cannot_be_kept_does_not_leave():
    bench = Bench()
    bench.tasks.is_broken = True
    with pytest.raises(Unavailable):
        await bench.assign(ASKED).write_notes((SentState("crm", build.tool(), "s-1"),))


def test_response_that_may_ask_is_inspected_though_only_rules_in_shadow_are_about_it():
    assert isinstance(Bench().assigner.assign(ASKED), Assignment)
