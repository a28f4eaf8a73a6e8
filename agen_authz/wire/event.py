"""The audit event of one decision, as one line of JSON after proto/agen/authz/v1/event.proto.

It names the caller, the call and the steps of the decision; tokens, bodies, arguments and session ids stay
out, digests of the last two are keyed. Its size is bounded, whatever a caller sends.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from agen_authz.core.digest import digest_arguments, digest_text
from agen_authz.core.http.context import read_context
from agen_authz.core.model import Allow, Answer, AwaitApproval, Call, Context, Decision, Request, State
from agen_authz.core.stage import Read, Stage, find_known, find_received, get_arrived, name_server
from agen_authz.wire.line import render_line
from agen_authz.wire.shorten import Room, Row, Shortener, fit

# With the line's end. Container runtimes cut longer lines (Docker and containerd, 16 KiB).
MAX_EVENT_BYTES = 16 * 1024
# Of an event that no verified caller answers for: a pipe takes it whole or not at all (PIPE_BUF on Linux).
MAX_STRANGER_EVENT_BYTES = 4096

_POLICY = ("name", "effect", "state", "outcome", "cause")
_SHADOW = State.SHADOW.value
_GRANTING = frozenset({"allowed", "granted", "unmapped_admitted", State.ENFORCE.value})


def render_event(decision: Decision, stage: Stage, *, now: float, duration_us: int) -> bytes:
    """Render one event without its line end."""
    limit = MAX_STRANGER_EVENT_BYTES if find_known(stage) is None else MAX_EVENT_BYTES
    # It fits: tests/properties/test_events.py.
    return fit(lambda room: _render(room, decision, stage, now=now, duration_us=duration_us), limit)


def _render(room: Room, decision: Decision, stage: Stage, *, now: float, duration_us: int) -> bytes:
    brief, arrived = Shortener(room), get_arrived(stage)
    event: dict[str, Any] = {
        "time": datetime.fromtimestamp(now, UTC),
        "request_id": arrived.request_id,
        "decision": decision.word,
        "reason": str(decision.reason),
        "server": name_server(stage),
        "policy_set": arrived.rules.version,
        "duration_us": duration_us,
    }
    if decision.why or not isinstance(decision, Answer):
        steps = brief.rows("why", [(step.check, step.outcome, step.rule) for step in decision.why], _choose_steps)
        event["why"] = [{"check": check, "outcome": outcome, "rule": rule} for check, outcome, rule in steps]
        if not isinstance(decision, Answer) and decision.matched:
            matched = [
                (each.policy, each.effect.value, each.state.value, each.outcome.value, each.cause)
                for each in decision.matched
            ]
            event["policies"] = [_policy(each) for each in brief.rows("policies", matched, _choose_policies)]
        approvals = _approvals(decision, brief)
        if approvals:
            event["approvals"] = approvals
    known, received = find_known(stage), find_received(stage)
    if known is not None:
        event["principal"] = known.rendered.event
    if received is not None:
        request = received.request
        context = stage.context if isinstance(stage, Read) else read_context(request, arrived.rules.perimeter)
        event["context"] = _context(request, context, brief)
    if isinstance(stage, Read):
        event["call"] = _call(stage.call, arrived.rules.digest_key, brief)
    if brief.shortened:
        event["shortened"] = brief.shortened
    return render_line(event)


def _approvals(decision: Decision, brief: Shortener) -> list[dict[str, str]]:
    """Name what is waited for, or was used for the call that is allowed."""
    approvals = decision.wanted if isinstance(decision, AwaitApproval) else ()
    if isinstance(decision, Allow):
        approvals = decision.grants
    rows = brief.rows("approvals", [(each.policy, each.flow, each.request) for each in approvals])
    return [{"policy": policy, "flow": flow, "id": request} for policy, flow, request in rows]


def _choose_steps(steps: Sequence[Row], room: int) -> list[Row]:
    """Keep the steps that explain a refusal; each kind in its order."""
    return _keep(steps, room, [_rank(outcome) for _, outcome, _ in steps])


def _rank(outcome: str) -> int:
    if outcome.startswith(_SHADOW):
        return 2
    return 1 if outcome in _GRANTING else 0


def _choose_policies(policies: Sequence[Row], room: int) -> list[Row]:
    """Name each policy once, and enforced ones first: what only watches decides nothing."""
    distinct = list({policy[:-1]: policy for policy in reversed(policies)}.values())[::-1]
    return _keep(distinct, room, [int(state == _SHADOW) for _, _, state, _, _ in distinct])


def _policy(row: Row) -> dict[str, str]:
    # What applied has no cause.
    return dict(zip(_POLICY, row if row[-1] else row[:-1], strict=False))


def _keep(rows: Sequence[Row], room: int, ranks: Sequence[int]) -> list[Row]:
    first = sorted(range(len(rows)), key=ranks.__getitem__)[:room]
    return [rows[at] for at in sorted(first)]


def _context(request: Request, context: Context, brief: Shortener) -> dict[str, Any]:
    # The query stays out: a foreign one may hold anything, tokens included.
    path = request.path.partition("?")[0]
    # Userinfo, if a client sent it, is a secret.
    authority = request.authority.rpartition("@")[2]
    return {
        "method": brief.text("context.method", request.method),
        "authority": brief.text("context.authority", authority),
        "path": brief.text("context.path", path),
        "peer": brief.text("context.peer", request.peer),
        "ip": context.ip or "",
        "networks": brief.texts("context.networks", context.networks),
        "country": context.country or "",
        "user_agent": brief.text("context.user_agent", context.user_agent),
        "origin": brief.text("context.origin", request.headers.get("origin", "")),
    }


def _call(call: Call, digest_key: bytes, brief: Shortener) -> dict[str, Any]:
    message_id = call.envelope.id
    identifier = "" if message_id is None else f"{'s' if isinstance(message_id, str) else 'i'}:{message_id}"
    targets = brief.rows("call.targets", [(target.kind.value, target.name) for target in call.targets])
    return {
        "era": str(call.envelope.era),
        "version": brief.text("call.version", call.version),
        "shape": str(call.envelope.shape),
        "method": brief.text("call.method", call.method),
        "targets": [{"kind": kind, "name": name} for kind, name in targets],
        "arguments_digest": digest_arguments(call.arguments, digest_key) if call.arguments else "",
        "session_digest": digest_text(call.session_id, digest_key) if call.session_id is not None else "",
        "id": brief.text("call.id", identifier),
    }
