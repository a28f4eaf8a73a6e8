"""The audit event of one decision, as one line of JSON after proto/agen/authz/v1/event.proto.

It names the caller, the call and the steps of the decision; tokens, bodies, arguments and session ids stay
out, digests of the last two are keyed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from agen_authz.core.context import Surroundings, read_context
from agen_authz.core.digest import digest_arguments, digest_text
from agen_authz.core.model import Answer, Call, Context, Decision, Request
from agen_authz.wire.refusal import Asked

_MAX_TEXT_CHARS = 512


@dataclass(frozen=True, slots=True)
class Recording:
    """What every event needs beside the decision; `digest_key` keys the digests."""

    policy_set: str
    digest_key: bytes
    surroundings: Surroundings


def render_event(decision: Decision, asked: Asked, recording: Recording, *, now: float, duration_us: int) -> bytes:
    """Render one event without its line end."""
    event: dict[str, Any] = {
        "time": datetime.fromtimestamp(now, UTC),
        "request_id": asked.request_id,
        "decision": decision.word,
        "reason": str(decision.reason),
        "server": asked.route.resource.name if asked.route is not None else "",
        "policy_set": recording.policy_set,
        "duration_us": duration_us,
    }
    if not isinstance(decision, Answer):
        event["why"] = [
            {"check": step.check, "outcome": step.outcome, "rule": step.rule[:_MAX_TEXT_CHARS]} for step in decision.why
        ]
        if decision.matched:
            event["policies"] = [
                {
                    "name": each.policy,
                    "effect": each.effect.value,
                    "state": each.state.value,
                    "outcome": each.outcome.value,
                }
                for each in decision.matched
            ]
    if asked.caller is not None:
        event["principal"] = asked.caller.event
    if asked.request is not None:
        context = asked.context or read_context(asked.request, recording.surroundings)
        event["context"] = _context(asked.request, context)
    if asked.call is not None:
        event["call"] = _call(asked.call, recording.digest_key)
    return orjson.dumps(event)


def _context(request: Request, context: Context) -> dict[str, Any]:
    # The query stays out: a foreign one may hold anything, tokens included.
    path = request.path.partition("?")[0]
    return {
        "method": request.method[:_MAX_TEXT_CHARS],
        # Userinfo, where somebody sent one, is a secret.
        "authority": request.authority.rpartition("@")[2][:_MAX_TEXT_CHARS],
        "path": path[:_MAX_TEXT_CHARS],
        "peer": request.peer,
        "ip": context.ip or "",
        "networks": context.networks,
        "country": context.country or "",
        "user_agent": context.user_agent,
        "origin": request.headers.get("origin", "")[:_MAX_TEXT_CHARS],
    }


def _call(call: Call, digest_key: bytes) -> dict[str, Any]:
    message_id = call.envelope.id
    if message_id is None:
        identifier = ""
    else:
        identifier = f"{'s' if isinstance(message_id, str) else 'i'}:{message_id}"[:_MAX_TEXT_CHARS]
    return {
        "era": str(call.envelope.era),
        "version": call.version,
        "shape": str(call.envelope.shape),
        "method": call.method,
        "targets": [{"kind": str(target.kind), "name": target.name} for target in call.targets],
        "arguments_digest": digest_arguments(call.arguments, digest_key) if call.arguments else "",
        "session_digest": digest_text(call.session_id, digest_key) if call.session_id is not None else "",
        "id": identifier,
    }
