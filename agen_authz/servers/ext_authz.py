"""Check: every request that Envoy routes is decided here. Read this file first.

`CheckServicer.check` is the recipe; each step is one function of its own:
 1 `read_check`          bytes -> Request              wire/ext_authz.py
 2 `find`, `admit`       Request -> Route              core/http/route.py, core/http/admission.py
 3 `identify`            Request -> Principal          facts.py
 4 `parse`               Request -> Call               core/message/mcp.py
 5 `gather`, `decide`    Call -> Facts -> Decision     facts.py, core/decide.py
 6 `discharge`           Decision -> Decision          obligations/discharge.py
 7 `render_check`        Decision -> CheckResponse     wire/ext_authz.py
 8 `record`              Decision -> its event         obligations/record.py
Whatever fails turns the answer into a denial. The event is written last, so it says what was answered (ADR 0018).
"""

import contextlib
import logging
from dataclasses import dataclass

from agen_authz.core.decide import PolicySet, decide
from agen_authz.core.errors import Malformed, Rejected, Unavailable
from agen_authz.core.http.admission import admit
from agen_authz.core.http.route import RouteTable
from agen_authz.core.identity.token import missing_scopes
from agen_authz.core.message.mcp import BodyLimits, parse
from agen_authz.core.model import Answer, Decision, Deny, Misread, Owner, Step
from agen_authz.core.reason import Reason
from agen_authz.facts import Sources, gather, identify, recognize
from agen_authz.obligations import Duties, Outlets, discharge, refuse
from agen_authz.obligations.record import record
from agen_authz.ports import DecisionMetrics
from agen_authz.waiting import Deadline
from agen_authz.wire.challenge import render_metadata
from agen_authz.wire.ext_authz import read_check, render_check
from agen_authz.wire.glance import find_credential
from agen_authz.wire.refusal import Asked
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
        current, asked, clock = self._current, Asked(""), self._outlets.clock
        denied: Decision = Deny(reason, (Step("server", reason.value),))
        try:
            asked.request_id = self._outlets.entropy.draw(_REQUEST_ID_BYTES).hex()
            asked.started = clock.elapsed()
            return await self._finish(denied, asked, current, Deadline(clock, asked.started))
        except Exception:  # noqa: BLE001 as in `check`
            return await self._deny_failed(denied, asked, current)

    async def check(self, raw: bytes, remaining_s: float | None) -> bytes:
        """Decide one request.

        Args:
            raw: a serialised CheckRequest.
            remaining_s: seconds until Envoy stops waiting; None if it set no deadline.
        """
        current, asked, clock = self._current, Asked(""), self._outlets.clock
        decision: Decision = Answer(Reason.INTERNAL_ERROR, 500)
        try:
            asked.request_id = self._outlets.entropy.draw(_REQUEST_ID_BYTES).hex()
            asked.started = clock.elapsed()
            timeout_s = current.settings.timeout_s
            bound_s = timeout_s if remaining_s is None else min(remaining_s * _SHARE_TO_WAIT, timeout_s)
            deadline = Deadline(clock, asked.started + bound_s)
            if self._is_draining:
                decision = Deny(Reason.DRAINING, (Step("server", "draining"),))
            elif bound_s <= 0:
                decision = Deny(Reason.DEADLINE, (Step("server", "late"),))
            else:
                decision = await _decide_in_time(raw, asked, deadline, current)
            return await self._finish(decision, asked, current, deadline)
        except Exception:  # noqa: BLE001 the one catch-all of Check: it denies
            return await self._deny_failed(decision, asked, current)

    async def _finish(self, decision: Decision, asked: Asked, current: CheckSet, deadline: Deadline) -> bytes:
        """Make the answer, then write its event; nothing that can fail comes after that."""
        settings, outlets = current.settings, self._outlets
        now = outlets.clock.now()
        decision = discharge(decision, asked, settings.duties, outlets, now)
        answer = render_check(decision, asked, settings.templates)
        self._count(decision, asked)
        try:
            await record(decision, asked, settings.duties, outlets, now=now, deadline=deadline)
        except Unavailable as exc:
            if not isinstance(decision, Deny):
                decision = refuse(decision, exc.reason, Step("audit", exc.reason.value), asked)
                self._count(decision, asked)
                answer = render_check(decision, asked, settings.templates)
            outlets.crowd.count(decision, asked, settings.duties.recording, now)
        return answer

    def _count(self, decision: Decision, asked: Asked) -> None:
        if not isinstance(decision, Answer) and decision.matched:
            self._metrics.count_matches(decision.matched)
        server = asked.route.resource.name if asked.route is not None else ""
        seconds = self._outlets.clock.elapsed() - asked.started
        self._metrics.count_decision(decision.word, decision.reason, server, seconds)

    async def _deny_failed(self, decision: Decision, asked: Asked, current: CheckSet) -> bytes:
        """Deny after a defect, with an event of all that was known; the answer stands whatever else fails as well."""
        _LOG.exception("check failed", extra={"request_id": asked.request_id})
        settings, outlets = current.settings, self._outlets
        denied = refuse(decision, Reason.INTERNAL_ERROR, Step("check", "failed"), asked)
        # Nothing of the request, which may be what broke.
        answer = render_check(Deny(Reason.INTERNAL_ERROR), Asked(asked.request_id), settings.templates)
        with contextlib.suppress(Exception):
            self._count(denied, asked)
        with contextlib.suppress(Exception):
            now, deadline = outlets.clock.now(), Deadline(outlets.clock, outlets.clock.elapsed())
            await record(denied, asked, settings.duties, outlets, now=now, deadline=deadline)
        return answer


async def _decide_in_time(raw: bytes, asked: Asked, deadline: Deadline, current: CheckSet) -> Decision:
    refused = _receive(raw, asked, current.settings.routes)
    if refused is not None:
        return refused
    try:
        return await _decide(asked, deadline, current)
    except Unavailable as exc:
        return Deny(exc.reason, (Step("facts", "unavailable", exc.name),))
    except TimeoutError:
        return Deny(Reason.DEADLINE, (Step("facts", "late"),))


def _receive(raw: bytes, asked: Asked, routes: RouteTable) -> Decision | None:
    """Take the steps that need no identity: what is asked, of which resource, and may anybody ask so."""
    request = read_check(raw)
    if isinstance(request, Malformed):
        return Deny(request.reason, (Step("request", "malformed", request.detail),))
    asked.request = request
    route = routes.find(request.authority, request.path)
    if isinstance(route, Malformed):
        return Deny(route.reason, (Step("route", "unknown"),))
    asked.route = route
    admitted = admit(request, route)
    if isinstance(admitted, Malformed):
        return Deny(admitted.reason, (Step("admission", "refused"),))
    if admitted is None and route.is_metadata:
        return render_metadata(request, route)
    return admitted


async def _decide(asked: Asked, deadline: Deadline, current: CheckSet) -> Decision:
    """Take the steps from the caller to the decision; `asked` comes from `_receive`."""
    request, route = asked.request, asked.route
    assert request is not None and route is not None  # noqa: S101 `_receive` has set both
    resource, settings, sources = route.resource, current.settings, current.sources
    caller = await identify(request, resource, sources, deadline)
    if isinstance(caller, Rejected):
        return Deny(caller.reason, (Step("token", "rejected", caller.detail),))
    asked.caller = caller
    missing = missing_scopes(caller.principal, resource)
    if missing:
        return Deny(Reason.SCOPE_MISSING, (Step("scope", "missing", " ".join(missing)),))
    call = parse(request, resource.name, settings.limits)
    if isinstance(call, Misread):
        step = Step("message", "misread", call.detail)
        return Deny(call.reason, (step,), call.envelope, requested_version=call.requested_version)
    asked.call = call
    facts = await gather(call, request, sources)
    asked.context = facts.context
    return decide(call, caller.principal, facts, settings.policies)
