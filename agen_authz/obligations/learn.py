"""What a backend listed is noted before the list leaves: in the store, in metrics, and in one event if any is new.

1. What the snapshot knows already is not written: an ordinary list costs no I/O.
2. The store says which definitions were never seen before. They are reported by the one process that wrote them.
3. What cannot be written is Unavailable, and the list is withheld. If only the event fails, the definitions are in the
   store by then: the next list passes, and `agen-authz tools list` shows what no event tells.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from agen_authz.catalogue import CurrentCatalogue
from agen_authz.core.pinning.catalogue import Catalogue, KnownTool, Sighting, list_unmapped, sight
from agen_authz.core.pinning.definition import define_instructions
from agen_authz.core.pinning.drift import Drift, describe_drift, survey
from agen_authz.core.pinning.record import SETTLED_S, Noted
from agen_authz.core.response.message import SawDefinitions
from agen_authz.core.ruleset import RuleSet
from agen_authz.obligations.evidence import write_evidence
from agen_authz.ports import AuditSink, CatalogueStore, Clock, DriftMetrics
from agen_authz.wire.drift import render_drift, render_pin

PUSHED_OUT = "pushed_out"
"""The kind under which the metric counts definitions that had to leave the store."""


@dataclass(frozen=True, slots=True)
class DriftPorts:
    """What is needed to note definitions and to report them."""

    current: CurrentCatalogue
    store: CatalogueStore
    audit: AuditSink
    metrics: DriftMetrics
    clock: Clock


async def learn(saw: SawDefinitions, request_id: str, policy_set: str, ports: DriftPorts) -> None:
    """Note what a backend listed, and report what was never seen before.

    Raises:
        Unavailable: it could not be written.
    """
    before, now = ports.current.snapshot, ports.clock.now()
    listed = list_sightings(saw)
    # 1.
    due = [each for each in listed if _is_due(before.find(saw.server, each.name), each, now)]
    if not due:
        return
    # 2.
    noted = await ports.store.note_seen(saw.server, due, now)
    await ports.current.refresh()
    if noted.pushed_out:
        ports.metrics.count_tool_drift(saw.server, PUSHED_OUT, noted.pushed_out)
    drifts = _describe(saw.server, listed, noted, before) if noted.new else []
    for kind, count in Counter(kind for each in drifts for kind in each.kinds).items():
        ports.metrics.count_tool_drift(saw.server, kind.value, count)
    if drifts:
        line = render_drift(drifts, noted.pushed_out, request_id=request_id, policy_set=policy_set, now=now)
        # 3.
        await write_evidence(line, ports.audit)


def _describe(server: str, listed: Collection[Sighting], noted: Noted, before: Catalogue) -> list[Drift]:
    around, names = survey(before, server, listed), {each.name for each in listed}
    return [
        describe_drift(before, server, each, around, names) for each in listed if (each.name, each.digest) in noted.new
    ]


async def tell_pins(policy_set: str, ports: DriftPorts) -> None:
    """Write the events of what operators pinned; call it by the clock, in one process.

    A record is marked once its event is written, so an event may be repeated and is never lost; its `id` tells.

    Raises:
        Unavailable: the store or the sink did not answer; the next time tells the rest.
    """
    for record in await ports.store.list_untold():
        await write_evidence(render_pin(record, policy_set=policy_set, now=ports.clock.now()), ports.audit)
        await ports.store.mark_told([record.id])


def report_unmapped(rules: RuleSet, ports: DriftPorts) -> None:
    """Show for each resource how many of its known tools no access rule names; call it by the clock."""
    for server in rules.resources:
        ports.metrics.set_tools_unmapped(server, len(list_unmapped(ports.current.snapshot, rules.access, server)))


def list_sightings(saw: SawDefinitions) -> list[Sighting]:
    """List what a message shows; a definition without a name cannot be called, and nothing is kept of it."""
    definitions = list(saw.definitions)
    if saw.instructions is not None:
        definitions.append(define_instructions(saw.instructions))
    return [seen for each in definitions if (seen := sight(each)) is not None]


def _is_due(known: KnownTool | None, seen: Sighting, now: float) -> bool:
    kept = None if known is None else known.tool.find(seen.digest)
    if known is None or kept is None:
        return True
    last = known.tool.last
    if known.tool.last_digest != seen.digest and not (kept.is_approved and last is not None and last.is_approved):
        # Another definition decides calls from now on.
        return True
    # Two approved ones, listed in turn, decide alike.
    return kept.last_seen <= now - SETTLED_S
