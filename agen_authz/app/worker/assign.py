"""What a response is inspected by: what Check sealed is opened, and the rules that decided the call are found.

1. what cannot be opened was not sealed by Check: the strictest terms, for a caller who is not known
2. a call that Check sealed as one that nothing inspects: it passes as it is, and a copy may be read afterwards
3. a call that was decided by rules that are not here: the strictest terms, for the caller who is known
4. a call that only rules in shadow are about: as 2., for a rule in shadow changes nothing
5. every other call: its own rules, the tools that are known now, and the time
"""

import logging
from dataclasses import dataclass, field
from functools import partial
from typing import assert_never

from agen_authz.app.worker.masks import Masks
from agen_authz.core.approval.continuing import name_place, name_state
from agen_authz.core.arguments.approved import SchemaCompiler
from agen_authz.core.errors import Unavailable
from agen_authz.core.identity.token import find_provider
from agen_authz.core.model import BoundTask, Inspection, Owner
from agen_authz.core.reason import Reason
from agen_authz.core.response.body import ResponseLimits
from agen_authz.core.response.message import MadeTask, MaskedValues, Note, SawDefinitions, SentState, Uninspected
from agen_authz.core.response.protect import Mask
from agen_authz.core.response.terms import Grounds, build_strict_terms, build_terms
from agen_authz.core.response.unread import is_watched
from agen_authz.core.ruleset import RuleSet
from agen_authz.obligations.learn import DriftPorts, learn
from agen_authz.obligations.mask import MaskingLedger, MaskingPorts
from agen_authz.obligations.watch import Watched, Watcher
from agen_authz.ports import TaskStore
from agen_authz.servers.ext_proc import Assignment, Observation
from agen_authz.wire.masked import Origin
from agen_authz.wire.sealed import open_inspection

_LOG = logging.getLogger(__name__)
# A warning of each kind so often, and no more: every response may have its cause.
_QUIET_S = 60.0


@dataclass(slots=True)
class Assigner:
    """Makes assignments under one set of rules, and under the one before it.

    Args:
        rules: the current ones first.
        watcher: reads copies of what passes as it is.
        outputs: compiles what results of tools must fit.
        masks: belongs to these rules.
    """

    rules: tuple[RuleSet, ...]
    limits: ResponseLimits
    ports: DriftPorts
    tasks: TaskStore
    masking: MaskingPorts
    watcher: Watcher
    outputs: SchemaCompiler
    masks: Masks = field(default_factory=Masks)
    _warned: dict[str, float] = field(default_factory=dict)

    def assign(self, sealed: str) -> Assignment | Observation:
        """Assign; `servers.ext_proc.ProcessRules.assign`."""
        current = self.rules[0]
        inspection = open_inspection(sealed, current.metadata_key)
        # 1.
        if inspection is None:
            if self._may_warn("sealed"):
                _LOG.warning("what Check told of a call cannot be opened; its lists are shown empty")
            return self._assign_strictly(None)
        # 2.
        if inspection.is_sampled:
            return self._observe(inspection, self.masks.of_samples(), is_sample=True)
        rules = next((each for each in self.rules if each.version == inspection.version), None)
        # 3.
        if rules is None:
            if self._may_warn("version"):
                _LOG.warning("the rules that decided a call are not here; its lists are shown empty")
            return self._assign_strictly(inspection)
        mask = self.masks.of_call(inspection, rules)
        # 4.
        if mask is not None and is_watched(inspection, rules):
            return self._observe(inspection, mask, is_sample=False)
        # 5.
        grounds = Grounds(
            inspection, rules, self.ports.current.snapshot, self.ports.clock.now(), mask, outputs=self.outputs
        )
        terms = build_terms(grounds, self.limits)
        # Check believes a token for its provider's leeway after it has expired; so does the stream.
        provider = find_provider(rules.resources[inspection.server], inspection.principal.issuer)
        expires = inspection.principal.expires + (0.0 if provider is None else provider.leeway_s)
        ledger = MaskingLedger(_origin_of(inspection), self.masking)
        return Assignment(terms, inspection.server, expires, partial(self._write_notes, inspection, ledger))

    def _assign_strictly(self, inspection: Inspection | None) -> Assignment:
        current = self.rules[0]
        terms = build_strict_terms(inspection, current.session_key, self.limits, self.masks.of_unknown())
        if inspection is None:
            ledger = MaskingLedger(Origin("", "", current.version), self.masking)
            return Assignment(terms, "", None, partial(_write_masked, ledger))
        ledger = MaskingLedger(_origin_of(inspection), self.masking)
        return Assignment(terms, inspection.server, inspection.principal.expires, partial(_write_masked, ledger))

    def _observe(self, inspection: Inspection, mask: Mask, *, is_sample: bool) -> Observation:
        watched = Watched(_origin_of(inspection), is_sample, mask, self.limits)
        return Observation(inspection.server, self.limits.bytes, partial(self.watcher.offer, watched))

    async def _write_notes(
        self, inspection: Inspection, ledger: MaskingLedger, notes: tuple[Note, ...], *, is_last: bool = True
    ) -> None:
        for note in notes:
            match note:
                case SawDefinitions():
                    await learn(note, inspection.request_id, inspection.version, self.ports)
                case MadeTask(server, task_id, tool):
                    await self._bind(inspection, server, task_id, tool)
                case SentState():
                    await self._note_state(inspection, note)
                case MaskedValues() | Uninspected():
                    pass
                case _:
                    assert_never(note)
        # Last: a message that is withheld for another reason was not masked.
        await _write_masked(ledger, notes, is_last=is_last)

    async def _bind(self, inspection: Inspection, server: str, task_id: str, tool: str) -> None:
        owner = Owner(inspection.principal.issuer, inspection.principal.subject)
        if not await self.tasks.bind(server, task_id, BoundTask(owner, tool), self.ports.clock.now()):
            # Another caller has it: this one must not learn the id.
            raise Unavailable(Reason.TASK_UNKNOWN, "task")

    async def _note_state(self, inspection: Inspection, note: SentState) -> None:
        owner = Owner(inspection.principal.issuer, inspection.principal.subject)
        place, name = name_place(note.server), name_state(owner, note.target, inspection.arguments, note.state)
        if not await self.tasks.bind(place, name, BoundTask(owner, note.target.name), self.ports.clock.now()):
            raise Unavailable(Reason.STORE_UNAVAILABLE, "states")

    def _may_warn(self, kind: str) -> bool:
        now = self.ports.clock.elapsed()
        if now - self._warned.get(kind, -_QUIET_S) < _QUIET_S:
            return False
        self._warned[kind] = now
        return True


async def _write_masked(ledger: MaskingLedger, notes: tuple[Note, ...], *, is_last: bool = True) -> None:
    """Write what was masked; nothing else is noted of a call that is not known."""
    await ledger.note([each for each in notes if isinstance(each, MaskedValues | Uninspected)], is_last=is_last)


def _origin_of(inspection: Inspection) -> Origin:
    return Origin(inspection.request_id, inspection.server, inspection.version, inspection.principal)
