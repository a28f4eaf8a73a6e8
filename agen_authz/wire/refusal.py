"""What a refused caller gets: HTTP status, challenge, and a JSON-RPC error bound to the message's own id.

A refusal says the Reason, one sentence and our request id; nothing about rules, backends or other callers.
"""

from dataclasses import dataclass

import orjson

from agen_authz.core.message.version import OFFERED_TO_MODERN, SUPPORTED_VERSIONS
from agen_authz.core.model import Deny, Era, Shape, StepUp, Target, TargetKind
from agen_authz.core.reason import HIDDEN, REFUSALS, Reason
from agen_authz.core.response.failure import bind_error
from agen_authz.core.stage import Read, Stage, find_known, find_routed, get_arrived
from agen_authz.wire.challenge import describe_demand, render_challenge, render_demand

JSON_TYPE = ("content-type", "application/json")
NO_STORE = ("cache-control", "no-store")
_METHODS_WITHOUT_ANSWER = 404
_TARGET_WORD = {TargetKind.TOOL: "tool", TargetKind.PROMPT: "prompt", TargetKind.RESOURCE: "resource"}
# What a server would say, so that a hidden target looks like one that does not exist; as in MCP's own servers.
_LATER = frozenset({Reason.UNKNOWN_METHOD, Reason.METHOD_DENIED, Reason.TASK_UNSUPPORTED})


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One HTTP response that we write ourselves."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str


def render_step_up(decision: StepUp, read: Read) -> HttpAnswer:
    """Render what a stronger token would be, in the challenge for clients and in the message for people.

    A missing scope is 403 (MCP authorization, "Scope Challenge Handling"); where only the authentication falls
    short it is 401 (RFC 9470 section 3), because a client that gets 403 merely refreshes its token.
    """
    wanted = decision.challenge
    demand = render_demand(wanted, read.known.routed.route.resource, read.known.principal)
    details: dict[str, object] = {"reason": Reason.STEP_UP_REQUIRED.value, "request_id": get_arrived(read).request_id}
    error = {"code": REFUSALS[Reason.STEP_UP_REQUIRED].code, "message": describe_demand(wanted), "data": details}
    body = orjson.dumps(bind_error(decision.envelope, error)).decode("utf-8")
    headers = (JSON_TYPE, NO_STORE, ("www-authenticate", demand))
    return HttpAnswer(403 if wanted.lacks_scope else 401, headers, body)


def render_refusal(denied: Deny, stage: Stage) -> HttpAnswer:
    """Render a denial for the caller, by the one table of `core.reason`."""
    refusal = REFUSALS[denied.reason]
    envelope = denied.envelope
    if envelope.shape is Shape.NOTIFICATION and (refusal.status == 200 or denied.reason is Reason.ID_MISSING):
        # JSON-RPC 2.0 section 4.1: a notification has no answer. It is accepted, and not forwarded.
        return HttpAnswer(202, (), "")
    status = refusal.status
    if denied.reason in _LATER and envelope.era is Era.MODERN:
        status = _METHODS_WITHOUT_ANSWER
    body = _render_error(denied, get_arrived(stage).request_id)
    return HttpAnswer(status, (JSON_TYPE, NO_STORE, *_headers_of(denied, status, stage)), body)


def _headers_of(denied: Deny, status: int, stage: Stage) -> tuple[tuple[str, str], ...]:
    if status == 503:
        return (("retry-after", "1"),)
    routed, known = find_routed(stage), find_known(stage)
    if status == 405:
        is_metadata = routed is not None and routed.route.is_metadata
        return (("allow", "GET, OPTIONS" if is_metadata else "POST, GET, DELETE, OPTIONS"),)
    if routed is None:
        return ()
    challenge = render_challenge(denied.reason, routed.route.resource, None if known is None else known.principal)
    return (("www-authenticate", challenge),) if challenge is not None else ()


def _render_error(denied: Deny, request_id: str) -> str:
    refusal = REFUSALS[denied.reason]
    reason, message = denied.reason, denied.message or refusal.message
    if reason in HIDDEN:
        reason, message = Reason.UNKNOWN_TARGET, _unknown_target(denied.target)
    details: dict[str, object] = {"reason": reason.value, "request_id": request_id}
    if denied.reason is Reason.VERSION_UNSUPPORTED:
        offered = OFFERED_TO_MODERN if denied.envelope.era is Era.MODERN else SUPPORTED_VERSIONS
        details |= {"supported": list(offered), "requested": denied.requested_version or ""}
    error = {"code": refusal.code, "message": message, "data": details}
    return orjson.dumps(bind_error(denied.envelope, error)).decode("utf-8")


def _unknown_target(target: Target | None) -> str:
    if target is None:
        return REFUSALS[Reason.UNKNOWN_TARGET].message
    return f"Unknown {_TARGET_WORD[target.kind]}: {target.name}"
