"""What a response is inspected by: what Check sealed is opened, and the rules that decided the call are found.

1. what cannot be opened was not sealed by Check: the strictest terms, for a caller who is not known
2. a call that was decided by rules that are not here: the strictest terms, for the caller who is known
3. every other call: its own rules, the tools that are known now, and the time
"""

import logging
from dataclasses import dataclass, field
from functools import partial
from typing import assert_never

from agen_authz.core.errors import Unavailable
from agen_authz.core.identity.token import find_provider
from agen_authz.core.model import BoundTask, Inspection, Owner
from agen_authz.core.reason import Reason
from agen_authz.core.response.body import ResponseLimits
from agen_authz.core.response.message import MadeTask, Note, SawDefinitions
from agen_authz.core.response.terms import Grounds, build_strict_terms, build_terms
from agen_authz.core.ruleset import RuleSet
from agen_authz.obligations.learn import DriftPorts, learn
from agen_authz.ports import TaskStore
from agen_authz.servers.ext_proc import Assignment
from agen_authz.wire.sealed import open_inspection

_LOG = logging.getLogger(__name__)
# A warning of each kind so often, and no more: every response may have its cause.
_QUIET_S = 60.0


@dataclass(slots=True)
class Assigner:
    """Makes assignments under one set of rules, and under the one before it.

    Args:
        rules: the current ones first.
    """

    rules: tuple[RuleSet, ...]
    limits: ResponseLimits
    ports: DriftPorts
    tasks: TaskStore
    _warned: dict[str, float] = field(default_factory=dict)

    def assign(self, sealed: str) -> Assignment:
        """Assign; `servers.ext_proc.ProcessRules.assign`."""
        current = self.rules[0]
        inspection = open_inspection(sealed, current.metadata_key)
        # 1.
        if inspection is None:
            if self._may_warn("sealed"):
                _LOG.warning("what Check told of a call cannot be opened; its lists are shown empty")
            return Assignment(build_strict_terms(None, current.session_key, self.limits), "", None, _write_none)
        expires = inspection.principal.expires
        rules = next((each for each in self.rules if each.version == inspection.version), None)
        # 2.
        if rules is None:
            if self._may_warn("version"):
                _LOG.warning("the rules that decided a call are not here; its lists are shown empty")
            terms = build_strict_terms(inspection, current.session_key, self.limits)
            return Assignment(terms, inspection.server, expires, _write_none)
        # 3.
        grounds = Grounds(inspection, rules, self.ports.current.snapshot, self.ports.clock.now())
        terms = build_terms(grounds, self.limits)
        # Check believes a token for its provider's leeway after it has expired; so does the stream.
        provider = find_provider(rules.resources[inspection.server], inspection.principal.issuer)
        expires += 0.0 if provider is None else provider.leeway_s
        return Assignment(terms, inspection.server, expires, partial(self._write_notes, inspection))

    async def _write_notes(self, inspection: Inspection, notes: tuple[Note, ...]) -> None:
        for note in notes:
            match note:
                case SawDefinitions():
                    await learn(note, inspection.request_id, inspection.version, self.ports)
                case MadeTask(server, task_id, tool):
                    await self._bind(inspection, server, task_id, tool)
                case _:
                    assert_never(note)

    async def _bind(self, inspection: Inspection, server: str, task_id: str, tool: str) -> None:
        owner = Owner(inspection.principal.issuer, inspection.principal.subject)
        if not await self.tasks.bind(server, task_id, BoundTask(owner, tool), self.ports.clock.now()):
            # Another caller has it: this one must not learn the id.
            raise Unavailable(Reason.TASK_UNKNOWN, "task")

    def _may_warn(self, kind: str) -> bool:
        now = self.ports.clock.elapsed()
        if now - self._warned.get(kind, -_QUIET_S) < _QUIET_S:
            return False
        self._warned[kind] = now
        return True


async def _write_none(_: tuple[Note, ...]) -> None:
    """Nothing is noted of a call that is not known."""
