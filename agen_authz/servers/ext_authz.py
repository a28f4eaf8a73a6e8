"""Check: every request that Envoy routes is decided here. Read this file first.

`_decide` takes a request from stage to stage (core/stage.py), `_answer` makes the answer and then its event:

    1 read       bytes -> Received            wire/ext_authz.py:read_check
    2 route      Received -> Routed           core/http/route.py:find, core/http/admission.py:admit
    3 identify   Routed -> Known              facts.py:identify
    4 parse      Known -> Read                core/stage.py:read_call, core/message/mcp.py:parse
    5 decide     Read -> Judged               facts.py:gather, core/decide.py:judge
    6 approve    by people, if they must      obligations/approve.py:approve; hardly any other call waits here
    7 discharge  sign, seal for Process       obligations/discharge.py:discharge
    8 render     -> CheckResponse             wire/ext_authz.py:render_check
    9 consume    the grants, once             obligations/approve.py:consume
   10 count      the metrics                  ports/__init__.py:count_decision
   11 record     the event, last (ADR 0018)   obligations/record.py:record

To discharge is to do what an allowed call depends on: it is signed for the backend, and who called what is sealed for
Process, which inspects the response.

A step that cannot continue returns a Refused, which carries the stage that was reached; whatever fails is a denial.
"""

import contextlib
import logging

from agen_authz.core.decide import judge
from agen_authz.core.errors import Malformed, Unavailable
from agen_authz.core.http.admission import admit
from agen_authz.core.http.context import read_context
from agen_authz.core.model import Answer, Deny, Envelope, Owner, Step
from agen_authz.core.reason import Reason
from agen_authz.core.ruleset import RuleSet
from agen_authz.core.stage import (
    Arrived,
    Ended,
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
from agen_authz.facts import gather, identify, recognize
from agen_authz.obligations.approve import approve, consume, is_about_approval, needs_grants
from agen_authz.obligations.discharge import discharge
from agen_authz.obligations.record import record
from agen_authz.outside import Ports
from agen_authz.waiting import Deadline, finish
from agen_authz.wire.challenge import render_metadata
from agen_authz.wire.ext_authz import read_check, render_check
from agen_authz.wire.glance import find_credential

_LOG = logging.getLogger(__name__)
_REQUEST_ID_BYTES = 16
# Envoy began to count before the call arrived here, and must have the answer before it has counted to the end.
_SHARE_TO_WAIT = 0.8


class CheckServicer:
    """Answers `envoy.service.auth.v3.Authorization/Check`; never fails, and denies when anything else does."""

    def __init__(self, rules: RuleSet, ports: Ports) -> None:
        self._current = rules, ports
        self._is_draining = False

    @property
    def ports(self) -> Ports:
        """What requests that begin now are decided with."""
        return self._current[1]

    def swap(self, rules: RuleSet, ports: Ports) -> None:
        """Decide every new call by other rules; calls that have begun keep theirs."""
        self._current = rules, ports

    def drain(self) -> None:
        """Refuse every call from now on."""
        self._is_draining = True

    def find_caller(self, raw: bytes) -> Owner | None:
        """Find the caller without reading the call; None for a token that was not seen before."""
        return recognize(find_credential(raw), self.ports)

    async def refuse(self, reason: Reason) -> bytes:
        """Refuse a request without reading it."""
        rules, ports = self._current
        arrived = self._arrive(None, rules, ports)
        if isinstance(arrived, Arrived):
            arrived = Refused(arrived, Deny(reason, (Step("server", reason.value),)))
        return await _answer(arrived, ports)

    async def check(self, raw: bytes, remaining_s: float | None) -> bytes:
        """Decide one request, then answer it.

        Args:
            raw: a serialised CheckRequest.
            remaining_s: seconds until Envoy stops waiting; None if it set no deadline.
        """
        rules, ports = self._current
        arrived = self._arrive(remaining_s, rules, ports)
        ended = arrived if isinstance(arrived, Refused) else await _decide(raw, arrived, ports)
        return await _answer(ended, ports)

    def _arrive(self, remaining_s: float | None, rules: RuleSet, ports: Ports) -> Arrived | Refused:
        timeout_s, started = rules.timeout_s, 0.0
        bound_s = timeout_s if remaining_s is None else min(remaining_s * _SHARE_TO_WAIT, timeout_s)
        try:
            started = ports.clock.elapsed()
            arrived = Arrived(rules, ports.entropy.draw(_REQUEST_ID_BYTES).hex(), started, started + bound_s)
        except Exception:  # noqa: BLE001 as in `_decide`
            return _fail(Arrived(rules, "", started, started))
        if self._is_draining:
            return Refused(arrived, Deny(Reason.DRAINING, (Step("server", "draining"),)))
        if bound_s <= 0:
            return Refused(arrived, Deny(Reason.DEADLINE, (Step("server", "late"),)))
        return arrived


async def _decide(raw: bytes, arrived: Arrived, ports: Ports) -> Ended:
    """Take a request from stage to stage; it ends at the first step that does not return the next one."""
    rules = arrived.rules
    stage: Stage = arrived
    try:
        # 1.
        request = read_check(raw)
        if isinstance(request, Malformed):
            return Refused(arrived, Deny(request.reason, (Step("request", "malformed", request.detail),)))
        stage = received = Received(arrived, request)
        # 2.
        route = rules.routes.find(request.authority, request.path)
        if isinstance(route, Malformed):
            return Refused(received, Deny(route.reason, (Step("route", "unknown"),)))
        stage = routed = Routed(received, route)
        admitted = admit(request, route) or render_metadata(request, route)
        if admitted is not None:
            return _end(routed, admitted)
        # 3.
        known = await identify(routed, ports, Deadline(ports.clock, arrived.until))
        if isinstance(known, Refused):
            return known
        stage = known
        # 4.
        read = read_call(known, read_context(request, rules.perimeter))
        if isinstance(read, Refused):
            return read
        stage = read
        # 5.
        facts = await gather(read, ports)
        judged = judge(read, facts)
        # 6.
        return await approve(judged, facts, ports) if is_about_approval(judged) else judged
    except (Unavailable, TimeoutError) as exc:
        return refuse_late(stage, exc)
    except Exception:  # noqa: BLE001 a defect denies, whatever it is
        return _fail(stage)


async def _answer(ended: Ended, ports: Ports) -> bytes:
    """Make the answer, then write its event; nothing that can fail comes after that (ADR 0018)."""
    if needs_grants(ended):
        # INVARIANT: a grant that was used has its event, though Envoy may stop waiting meanwhile.
        return await finish(_conclude(ended, ports))
    return await _conclude(ended, ports)


async def _conclude(ended: Ended, ports: Ports) -> bytes:
    clock = ports.clock
    try:
        now = clock.now()
        # 7. 8.
        ended = discharge(ended, ports, now)
        answer = render_check(ended, ports.templates)
        # 9.
        if needs_grants(ended):
            ended = await consume(ended, ports, now)
            answer = render_check(ended, ports.templates)
        # 10.
        _count(ended, ports)
        # 11.
        try:
            deadline = Deadline(clock, get_arrived(ended.stage).until)
            await record(ended, ports, now, deadline)
        except Unavailable as exc:
            if not isinstance(ended.decision, Deny):
                ended = refuse(ended, exc.reason, Step("audit", exc.reason.value))
                _count(ended, ports)
                answer = render_check(ended, ports.templates)
            ports.crowd.count(ended, now)
        return answer
    except Exception:  # noqa: BLE001 as in `_decide`
        return await _deny_failed(ended, ports)


def _count(ended: Ended, ports: Ports) -> None:
    decision = ended.decision
    if not isinstance(decision, Answer) and decision.matched:
        ports.metrics.count_matches(decision.matched)
    seconds = ports.clock.elapsed() - get_arrived(ended.stage).started
    ports.metrics.count_decision(decision.word, decision.reason, name_server(ended.stage), seconds)


async def _deny_failed(ended: Ended, ports: Ports) -> bytes:
    """Deny after a defect, with an event of all that was known; the answer is the same whatever else fails."""
    arrived = get_arrived(ended.stage)
    _LOG.exception("a defect ended an answer; the request is denied", extra={"request_id": arrived.request_id})
    denied = refuse(ended, Reason.INTERNAL_ERROR, Step("check", "failed"))
    # Nothing of the request, which may be what broke.
    answer = render_check(Refused(arrived, Deny(Reason.INTERNAL_ERROR)), ports.templates)
    with contextlib.suppress(Exception):
        _count(denied, ports)
    with contextlib.suppress(Exception):
        now, deadline = ports.clock.now(), Deadline(ports.clock, ports.clock.elapsed())
        await record(denied, ports, now, deadline)
    return answer


def _end(routed: Routed, ending: Malformed | Answer) -> Refused:
    if isinstance(ending, Malformed):
        return Refused(routed, Deny(ending.reason, (Step("admission", "refused"),)))
    return Refused(routed, ending)


def _fail(stage: Stage) -> Refused:
    extra = {"request_id": get_arrived(stage).request_id}
    _LOG.exception("a defect ended a decision; the request is denied", extra=extra)
    envelope = stage.call.envelope if isinstance(stage, Read) else Envelope()
    return Refused(stage, Deny(Reason.INTERNAL_ERROR, (Step("check", "failed"),), envelope))
