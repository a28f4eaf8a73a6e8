"""What a backend lists is noted and reported, once; an ordinary list costs nothing."""

import pytest

from agen_authz.catalogue import CurrentCatalogue
from agen_authz.core.errors import Unavailable
from agen_authz.core.model import NOBODY, TargetKind
from agen_authz.core.pinning.definition import define_instructions, digest_definition
from agen_authz.core.pinning.pin import Pinning
from agen_authz.core.pinning.record import MAX_OF_TOOL, SETTLED_S
from agen_authz.core.policy.access import AccessRule
from agen_authz.core.reason import Reason
from agen_authz.core.response.message import SawDefinitions
from agen_authz.obligations.learn import DriftPorts, learn, report_unmapped, tell_pins
from tests import builders as build
from tests.core.pinning.rig import tool
from tests.fakes import CountingMetrics, FakeClock, ListSink, MemoryCatalogue
from tests.rules import build_rules

CHANGED, REWORDED = tool(inputSchema={}), tool(description="Returns a customer.")


class Rig:
    def __init__(self):
        self.store, self.audit, self.metrics, self.clock = MemoryCatalogue(), ListSink(), CountingMetrics(), FakeClock()
        self.current = CurrentCatalogue(self.store, self.clock)
        self.ports = DriftPorts(self.current, self.store, self.audit, self.metrics, self.clock)

    async def list(self, *definitions, instructions=None, server="crm"):
        await learn(SawDefinitions(server, definitions, instructions), "r1", "v1", self.ports)

    async def approve(self, *definitions):
        for each in definitions:
            await self.store.approve("crm", each.get("name", ""), digest_definition(each), "ann", self.clock.now())
        await self.current.refresh()

    def refuse(self, name="get_customer"):
        return self.current.snapshot.refuse_call("crm", name, Pinning.ENFORCE)


@pytest.fixture
async def rig():
    made = Rig()
    await made.current.refresh()
    return made


async def test_first_list_is_noted_counted_and_reported_in_one_event(rig):
    await rig.list(tool(), tool("other"), instructions="Be brief.")
    assert rig.metrics.counts == {("agen_tool_drift_total", "crm", "new"): 3}
    (event,) = rig.audit.events
    assert (event["decision"], event["request_id"], event["server"], event["policy_set"]) == (
        "drift",
        "r1",
        "crm",
        "v1",
    )
    assert [(each["name"], each["state"], each["kinds"]) for each in event["drift"]["tools"]] == [
        ("get_customer", "new", ["new"]),
        ("other", "new", ["new"]),
        ("", "new", ["new"]),
    ]
    assert rig.current.snapshot.find("crm", "") is not None


async def test_same_list_again_costs_nothing(rig):
    for _ in range(3):
        await rig.list(tool(), tool("other"))
    assert (rig.store.noted, len(rig.audit.lines)) == ([("crm", 2)], 1)


async def test_list_after_a_minute_is_noted_and_not_reported(rig):
    await rig.list(tool())
    rig.clock.advance(SETTLED_S)
    await rig.list(tool())
    await rig.list(tool())
    assert (rig.store.noted, len(rig.audit.lines)) == ([("crm", 1)] * 2, 1)


async def test_changed_definition_decides_calls_at_once_and_so_does_the_approved_one_again(rig):
    await rig.list(tool())
    assert rig.refuse() is Reason.TOOL_UNPINNED
    await rig.approve(tool())
    for listed, reason in ((tool(), None), (CHANGED, Reason.TOOL_CHANGED), (tool(), None), (REWORDED, None)):
        await rig.list(listed)
        assert rig.refuse() is reason
    assert rig.metrics.counts["agen_tool_drift_total", "crm", "schema"] == 1
    assert rig.metrics.counts["agen_tool_drift_total", "crm", "wording"] == 1
    assert [event["drift"]["tools"][0]["kinds"] for event in rig.audit.events] == [["new"], ["schema"], ["wording"]]


async def test_approved_definitions_that_are_listed_in_turn_are_noted_once_a_minute(rig):
    await rig.list(tool())
    await rig.list(CHANGED)
    await rig.approve(tool(), CHANGED)
    before = len(rig.store.noted)
    for _ in range(5):
        await rig.list(tool())
        await rig.list(CHANGED)
    assert (len(rig.store.noted) - before, rig.refuse()) == (0, None)


async def test_another_process_that_wrote_it_has_reported_it(rig):
    other = DriftPorts(CurrentCatalogue(rig.store, rig.clock), rig.store, ListSink(), CountingMetrics(), rig.clock)
    await learn(SawDefinitions("crm", (tool(),)), "r0", "v1", other)
    await rig.list(tool())
    assert (rig.store.noted, rig.audit.lines, rig.metrics.counts) == ([("crm", 1)] * 2, [], {})


async def test_store_that_does_not_answer_withholds_what_is_new_and_nothing_else(rig):
    await rig.list(tool())
    rig.store.is_broken = True
    await rig.list(tool())
    with pytest.raises(Unavailable) as refused:
        await rig.list(CHANGED)
    assert refused.value.reason is Reason.STORE_UNAVAILABLE


@pytest.mark.parametrize("flaw", ["is_broken", "is_full"])
async def test_event_that_cannot_be_written_withholds_the_list(rig, flaw):
    setattr(rig.audit, flaw, True)
    with pytest.raises(Unavailable) as refused:
        await rig.list(tool())
    assert refused.value.reason is Reason.AUDIT_UNAVAILABLE


async def test_event_waits_for_its_turn(rig):
    rig.audit.others_wait = True
    await rig.list(tool())
    assert (len(rig.audit.lines), rig.audit.waited) == (1, [NOBODY])


async def test_definitions_that_had_to_go_are_counted(rig):
    for number in range(MAX_OF_TOOL + 2):
        rig.clock.advance(1)
        await rig.list(tool(description=f"{number}"))
    assert rig.metrics.counts["agen_tool_drift_total", "crm", "pushed_out"] == 2
    assert sum(event["drift"]["pushed_out"] for event in rig.audit.events) == 2


async def test_definition_without_a_name_is_not_noted(rig):
    await rig.list({"description": "x"}, 1, None)
    assert (rig.store.noted, rig.audit.lines) == ([], [])


async def test_what_operators_pinned_is_told_once(rig):
    await rig.list(tool())
    await rig.approve(tool())
    rig.audit.lines.clear()
    for _ in range(2):
        await tell_pins("v1", rig.ports)
    (event,) = rig.audit.events
    assert event["pin"] == {
        "id": 1, "time": "2027-01-15T08:00:00+00:00", "action": "approve", "by": "ann", "name": "get_customer",
        "digest": digest_definition(tool()),
    }  # fmt: skip


async def test_pin_that_cannot_be_told_is_told_later(rig):
    await rig.list(tool(), instructions="Be brief.")
    await rig.approve(tool(), define_instructions("Be brief."))
    rig.audit.lines.clear()
    rig.audit.is_broken = True
    with pytest.raises(Unavailable):
        await tell_pins("v1", rig.ports)
    rig.audit.is_broken = False
    await tell_pins("v1", rig.ports)
    assert [event["pin"]["id"] for event in rig.audit.events] == [1, 2]


async def test_tools_that_no_rule_names_are_shown_by_server(rig):
    await rig.list(tool(), tool("other"), tool("not callable"), instructions="x")
    access = build.access(AccessRule("r", ((TargetKind.TOOL, "crm/get_*"),), frozenset({"analyst"})))
    report_unmapped(build_rules((build.resource(),), access), rig.ports)
    assert rig.metrics.unmapped["crm"] == 1
