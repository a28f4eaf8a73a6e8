"""What makes two calls the same call to an approver: the whole message, but for what must differ when it is made again.

Headers count too if the backend gets them and may act upon them (`core.header.may_change_call`). Left out are, besides
`jsonrpc`, the id and the method, which is bound by itself, and nothing else:
 1. `_meta` keys that the protocol wants to be new for each request, and that say nothing of what is to be done: the
    progress token, which no other active request may have (MCP 2026-07-28, progress), and the trace that the request
    is part of (W3C Trace Context; SEP-414): only strings and numbers.
 2. `_meta` keys by which widespread clients number their calls. Without this their users would be asked forever.
 3. The answer to our own elicitation, which the client adds when it makes the call again (MCP 2026-07-28, multi
    round-trip requests): only if it holds nothing that a form or a model could have answered.
 4. `_meta` and `inputResponses` if nothing is left in them.

All else stays, because a backend may act upon it: the protocol version and what the client can do (a backend that
cannot ask the user may go on without), `clientInfo`, `logLevel` (what is shown), the task that a call is part of,
`requestState`, other answers, and `baggage`, which carries properties of applications (W3C Baggage).
"""

import json
from collections.abc import Callable, Mapping

from agen_authz.core.mac import authenticate
from agen_authz.core.model import Digest, Json

ANSWER_KEY = "agen_approval"
"""The key of our elicitation among `inputRequests`, and of its answer among `inputResponses`."""

_LABEL = b"agen.approval.parameters\n"
_ENVELOPE, _PARAMS = frozenset({"jsonrpc", "id", "method"}), "params"
_META, _ANSWERS = "_meta", "inputResponses"
_PROTOCOL_KEYS = frozenset({"progressToken", "traceparent", "tracestate"})
# Claude Code; Visual Studio Code. Each is the number of a call or of a turn, and nothing else.
_CLIENT_KEYS = frozenset({"claudecode/toolUseId", "vscode.requestId"})
_VOLATILE_KEYS = _PROTOCOL_KEYS | _CLIENT_KEYS
_ACTIONS = ("accept", "decline", "cancel")


def digest_call(document: Mapping[str, Json], headers: Mapping[str, str], key: bytes) -> Digest:
    """Digest a message, as the strict parser gave it, and headers: HMAC-SHA256 as hex; equal values, equal digest.

    Numbers are equal if their type is, too: 1 and 1.0 are different calls, 1e2 and 100.0 are the same.

    Args:
        headers: those that may change the call.
    """
    members: dict[str, Json] = {name: value for name, value in document.items() if name not in _ENVELOPE}
    params = members.get(_PARAMS)
    if isinstance(params, dict):
        members[_PARAMS] = _reduce(params)
    return Digest(authenticate(_LABEL + _write([members, dict(headers)]), key).hex())


def _reduce(params: Mapping[str, Json]) -> dict[str, Json]:
    meta = _leave_out(params.get(_META), lambda name, value: name in _VOLATILE_KEYS and isinstance(value, str | int))
    answers = _leave_out(params.get(_ANSWERS), lambda name, answer: name == ANSWER_KEY and _is_ours(answer))
    kept = {_META: meta, _ANSWERS: answers}
    rest = {name: value for name, value in params.items() if name not in kept}
    return rest | {name: value for name, value in kept.items() if name in params and value != {}}


def _leave_out(value: Json, is_left_out: Callable[[str, Json], bool]) -> Json:
    if not isinstance(value, dict):
        return value
    return {name: each for name, each in value.items() if not is_left_out(name, each)}


def _is_ours(answer: Json) -> bool:
    """True if an answer says no more than that the page was opened, or was not (`ElicitResult` of mode `url`)."""
    if not isinstance(answer, dict):
        return False
    said = {name: value for name, value in answer.items() if value not in (None, {})}
    return any(said in ({"action": action}, {"action": action, "resultType": "complete"}) for action in _ACTIONS)


def _write(value: Json) -> bytes:
    """Write JSON in one way only, with sorted keys.

    Not orjson: it refuses integers beyond 64 bits and lone surrogates, and takes NaN for null.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "surrogatepass")
