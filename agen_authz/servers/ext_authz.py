"""Check: every request that Envoy routes is decided here. Read this file first.

`CheckServicer.check` is the recipe; each step is one function of its own:
 1 `read_check`          bytes -> Request              wire/ext_authz.py
 2 `find`, `admit`       Request -> Route              core/http/route.py, core/http/admission.py
 3 `identify`            Request -> Principal          facts.py
 4 `parse`               Request -> Call               core/message/mcp.py
 5 `gather`, `decide`    Call -> Facts -> Decision     facts.py, core/decide.py
 6 `discharge`           Decision -> Decision          obligations/
 7 `render_check`        Decision -> CheckResponse     wire/ext_authz.py
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
from agen_authz.obligations import Duties, Outlets, discharge
from agen_authz.ports import Metrics
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
        metrics: Metrics,
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
        try:
            asked = Asked(self._outlets.entropy.draw(_REQUEST_ID_BYTES).hex())
            started = self._outlets.clock.elapsed()
            denied = Deny(reason, (Step("server", reason.value),))
            return await self._finish(denied, asked, current, started=started, until=started)
        except Exception:  # noqa: BLE001 as in `check`
            return await self._deny_failed(Asked(""), current.settings)

    async def check(self, raw: bytes, remaining_s: float | None) -> bytes:
        """Decide one request.

        Args:
            raw: a serialised CheckRequest.
            remaining_s: seconds until Envoy stops waiting; None if it set no deadline.
        """
        current, request_id = self._current, ""
        try:
            request_id = self._outlets.entropy.draw(_REQUEST_ID_BYTES).hex()
            return await self._answer(raw, Asked(request_id), remaining_s, current)
        except Exception:  # noqa: BLE001 the one catch-all of Check: it denies
            return await self._deny_failed(Asked(request_id), current.settings)

    async def _answer(self, raw: bytes, asked: Asked, remaining_s: float | None, current: CheckSet) -> bytes:
        clock, timeout_s = self._outlets.clock, current.settings.timeout_s
        started = clock.elapsed()
        bound_s = timeout_s if remaining_s is None else min(remaining_s * _SHARE_TO_WAIT, timeout_s)
        if self._is_draining:
            decision: Decision = Deny(Reason.DRAINING, (Step("server", "draining"),))
        else:
            decision = await _decide_in_time(raw, asked, bound_s, current)
        return await self._finish(decision, asked, current, started=started, until=started + bound_s)

    async def _finish(
        self, decision: Decision, asked: Asked, current: CheckSet, *, started: float, until: float
    ) -> bytes:
        settings, outlets = current.settings, self._outlets
        decision = await discharge(decision, asked, settings.duties, outlets, started=started, until=until)
        if not isinstance(decision, Answer) and decision.matched:
            self._metrics.count_matches(decision.matched)
        server = asked.route.resource.name if asked.route is not None else ""
        seconds = outlets.clock.elapsed() - started
        self._metrics.count_decision(decision.word, decision.reason, server, seconds)
        return render_check(decision, asked, settings.templates)

    async def _deny_failed(self, asked: Asked, settings: CheckSettings) -> bytes:
        """Deny after a defect; the answer stands whatever else fails as well."""
        _LOG.exception("check failed", extra={"request_id": asked.request_id})
        denied = Deny(Reason.INTERNAL_ERROR, (Step("check", "failed"),))
        answer = render_check(denied, asked, settings.templates)
        with contextlib.suppress(Exception):
            self._metrics.count_decision("deny", Reason.INTERNAL_ERROR, "", 0.0)
        with contextlib.suppress(Exception):
            started = self._outlets.clock.elapsed()
            await discharge(denied, asked, settings.duties, self._outlets, started=started, until=started)
        return answer


async def _decide_in_time(raw: bytes, asked: Asked, bound_s: float, current: CheckSet) -> Decision:
    if bound_s <= 0:
        return Deny(Reason.DEADLINE, (Step("server", "late"),))
    refused = _receive(raw, asked, current.settings.routes)
    if refused is not None:
        return refused
    try:
        return await _decide(asked, bound_s, current)
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


async def _decide(asked: Asked, bound_s: float, current: CheckSet) -> Decision:
    """Take the steps from the caller to the decision; `asked` comes from `_receive`."""
    request, route = asked.request, asked.route
    assert request is not None and route is not None  # noqa: S101 `_receive` has set both
    resource, settings, sources = route.resource, current.settings, current.sources
    caller = await identify(request, resource, sources, bound_s)
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
    facts = gather(call, request, sources)
    asked.context = facts.context
    return decide(call, caller.principal, facts, settings.policies)
