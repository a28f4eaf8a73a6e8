"""Check: every request that Envoy routes is decided here. Read this file first.

`_decide` takes a request from stage to stage (core/stage.py), `_answer` makes the answer and then its event:

    1 read       bytes -> Received            wire/ext_authz.py:read_check
    2 route      Received -> Routed           core/http/route.py:find, core/http/admission.py:admit
    3 identify   Routed -> Known              facts.py:identify
    4 parse      Known -> Read                core/stage.py:read_call, core/message/mcp.py:parse
    5 decide     Read -> Judged               facts.py:gather, core/decide.py:decide
    6 discharge  every write but the event    obligations/discharge.py:discharge
    7 render     -> CheckResponse             wire/ext_authz.py:render_check
    8 count      the metrics                  ports.py:count_decision
    9 record     the event, last (ADR 0018)   obligations/record.py:record

A step that cannot go on returns a Refused, which carries the stage that was reached; whatever fails is a denial.
"""

import contextlib
import logging
from dataclasses import dataclass

from agen_authz.core.decide import PolicySet, decide
from agen_authz.core.errors import Malformed, Unavailable
from agen_authz.core.http.admission import admit
from agen_authz.core.http.context import read_context
from agen_authz.core.http.route import RouteTable
from agen_authz.core.message.mcp import BodyLimits
from agen_authz.core.model import Answer, Deny, Envelope, Owner, Step
from agen_authz.core.reason import Reason
from agen_authz.core.stage import (
    Arrived,
    Ended,
    Judged,
    Read,
    Received,
    Refused,
    Routed,
    Stage,
    get_arrived,
    name_server,
    read_call,
    refuse,
    refuse_late,
)
from agen_authz.facts import Sources, gather, identify, recognize
from agen_authz.obligations import Duties, Outlets, discharge
from agen_authz.obligations.record import record
from agen_authz.ports import DecisionMetrics
from agen_authz.waiting import Deadline
from agen_authz.wire.challenge import render_metadata
from agen_authz.wire.ext_authz import read_check, render_check
from agen_authz.wire.glance import find_credential
from agen_authz.wire.template import Templates

_LOG = logging.getLogger(__name__)
_REQUEST_ID_BYTES = 16
# Envoy began to count before the call arrived here, and must have the answer before it has counted to the end.
_SHARE_TO_WAIT = 0.8


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """Everything that configuration says about Check, as one value."""

    policies: PolicySet
    routes: RouteTable
    limits: BodyLimits
    duties: Duties
    templates: Templates
    timeout_s: float


@dataclass(frozen=True, slots=True)
class CheckSet:
    """What one call is decided by from its first step to its last; a reload swaps it whole."""

    settings: CheckSettings
    sources: Sources


class CheckServicer:
    """Answers `envoy.service.auth.v3.Authorization/Check`; never fails, and denies when anything else does."""

    def __init__(
        self,
        settings: CheckSettings,
        *,
        sources: Sources,
        outlets: Outlets,
        metrics: DecisionMetrics,
    ) -> None:
        self._current = CheckSet(settings, sources)
        self._outlets = outlets
        self._metrics = metrics
        self._is_draining = False

    def swap(self, current: CheckSet) -> None:
        """Decide every call that begins from now on by another set; those under way keep theirs."""
        self._current = current

    def drain(self) -> None:
        """Refuse every call from now on."""
        self._is_draining = True

    def find_caller(self, raw: bytes) -> Owner | None:
        """Find out at a glance whose call it is; None for a token that was not seen before."""
        return recognize(find_credential(raw), self._current.sources)

    async def refuse(self, reason: Reason) -> bytes:
        """Refuse a request of which nothing is read."""
        current = self._current
        arrived = self._arrive(None, current)
        if isinstance(arrived, Arrived):
            arrived = Refused(arrived, Deny(reason, (Step("server", reason.value),)))
        return await self._answer(arrived, current)

    async def check(self, raw: bytes, remaining_s: float | None) -> bytes:
        """Decide one request, then answer it.

        Args:
            raw: a serialised CheckRequest.
            remaining_s: seconds until Envoy stops waiting; None if it set no deadline.
        """
        current = self._current
        arrived = self._arrive(remaining_s, current)
        ended = arrived if isinstance(arrived, Refused) else await self._decide(raw, arrived, current)
        return await self._answer(ended, current)

    def _arrive(self, remaining_s: float | None, current: CheckSet) -> Arrived | Refused:
        timeout_s, started = current.settings.timeout_s, 0.0
        bound_s = timeout_s if remaining_s is None else min(remaining_s * _SHARE_TO_WAIT, timeout_s)
        try:
            started = self._outlets.clock.elapsed()
            arrived = Arrived(self._outlets.entropy.draw(_REQUEST_ID_BYTES).hex(), started, started + bound_s)
        except Exception:  # noqa: BLE001 as in `_decide`
            return _fail(Arrived("", started, started))
        if self._is_draining:
            return Refused(arrived, Deny(Reason.DRAINING, (Step("server", "draining"),)))
        if bound_s <= 0:
            return Refused(arrived, Deny(Reason.DEADLINE, (Step("server", "late"),)))
        return arrived

    async def _decide(self, raw: bytes, arrived: Arrived, current: CheckSet) -> Ended:
        """Take a request from stage to stage; it ends at the first step that does not return the next one."""
        settings = current.settings
        stage: Stage = arrived
        try:
            # 1.
            request = read_check(raw)
            if isinstance(request, Malformed):
                return Refused(arrived, Deny(request.reason, (Step("request", "malformed", request.detail),)))
            stage = received = Received(arrived, request)
            # 2.
            route = settings.routes.find(request.authority, request.path)
            if isinstance(route, Malformed):
                return Refused(received, Deny(route.reason, (Step("route", "unknown"),)))
            stage = routed = Routed(received, route)
            admitted = admit(request, route) or render_metadata(request, route)
            if admitted is not None:
                return _end(routed, admitted)
            # 3.
            known = await identify(routed, current.sources, Deadline(self._outlets.clock, arrived.until))
            if isinstance(known, Refused):
                return known
            stage = known
            # 4.
            context = read_context(request, current.sources.surroundings)
            read = read_call(known, settings.limits, context)
            if isinstance(read, Refused):
                return read
            stage = read
            # 5.
            facts = await gather(read, current.sources)
            return Judged(read, decide(read.call, known.caller.principal, facts, settings.policies))
        except (Unavailable, TimeoutError) as exc:
            return refuse_late(stage, exc)
        except Exception:  # noqa: BLE001 a defect denies, whatever it is
            return _fail(stage)

    async def _answer(self, ended: Ended, current: CheckSet) -> bytes:
        """Make the answer, then write its event; nothing that can fail comes after that (ADR 0018)."""
        settings, clock = current.settings, self._outlets.clock
        try:
            now = clock.now()
            # 6. 7.
            ended = discharge(ended, settings.duties, self._outlets, now)
            answer = render_check(ended, settings.templates)
            # 8.
            self._count(ended)
            # 9.
            try:
                deadline = Deadline(clock, get_arrived(ended.stage).until)
                await record(ended, settings.duties, self._outlets, now, deadline)
            except Unavailable as exc:
                if not isinstance(ended.decision, Deny):
                    ended = refuse(ended, exc.reason, Step("audit", exc.reason.value))
                    self._count(ended)
                    answer = render_check(ended, settings.templates)
                self._outlets.crowd.count(ended, settings.duties.recording, now)
            return answer
        except Exception:  # noqa: BLE001 as in `_decide`
            return await self._deny_failed(ended, current)

    def _count(self, ended: Ended) -> None:
        decision = ended.decision
        if not isinstance(decision, Answer) and decision.matched:
            self._metrics.count_matches(decision.matched)
        seconds = self._outlets.clock.elapsed() - get_arrived(ended.stage).started
        self._metrics.count_decision(decision.word, decision.reason, name_server(ended.stage), seconds)

    async def _deny_failed(self, ended: Ended, current: CheckSet) -> bytes:
        """Deny after a defect, with an event of all that was known; the answer stands whatever else fails as well."""
        arrived, outlets = get_arrived(ended.stage), self._outlets
        _LOG.exception("check failed", extra={"request_id": arrived.request_id})
        denied = refuse(ended, Reason.INTERNAL_ERROR, Step("check", "failed"))
        # Nothing of the request, which may be what broke.
        answer = render_check(Refused(arrived, Deny(Reason.INTERNAL_ERROR)), current.settings.templates)
        with contextlib.suppress(Exception):
            self._count(denied)
        with contextlib.suppress(Exception):
            now, deadline = outlets.clock.now(), Deadline(outlets.clock, outlets.clock.elapsed())
            await record(denied, current.settings.duties, outlets, now, deadline)
        return answer


def _end(routed: Routed, ending: Malformed | Answer) -> Refused:
    if isinstance(ending, Malformed):
        return Refused(routed, Deny(ending.reason, (Step("admission", "refused"),)))
    return Refused(routed, ending)


def _fail(stage: Stage) -> Refused:
    _LOG.exception("check failed", extra={"request_id": get_arrived(stage).request_id})
    envelope = stage.call.envelope if isinstance(stage, Read) else Envelope()
    return Refused(stage, Deny(Reason.INTERNAL_ERROR, (Step("check", "failed"),), envelope))
