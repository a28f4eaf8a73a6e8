"""One JSON-RPC 2.0 message: its shape, id, method and parameters, with every known key spelt exactly.

A key that some backend would take for a known one (another case, a look-alike letter, a NUL at the end) is
refused: GHSA-wvj2-96wp-fq3f and GHSA-q382-vc8q-7jhj show backends that do.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec import Struct

from agen_authz.core.errors import Malformed
from agen_authz.core.model import Envelope, Era, Json, MessageId, Shape
from agen_authz.core.reason import Reason
from agen_authz.core.twin import fold_message_keys

_MAX_ID_CHARS = 1024
_MAX_METHOD_CHARS = 128


class Message(Struct, frozen=True):
    """A request, notification or posted response.

    `meta` is `params._meta`, empty if there is none; `document` is the whole message.
    """

    shape: Shape
    id: MessageId | None
    method: str
    params: Mapping[str, Json]
    meta: Mapping[str, Json]
    document: Mapping[str, Json]

    def list_keys(self) -> tuple[str, ...]:
        """List the keys that decide what the message means."""
        nested = (key for members, _ in _nested_in(self.params) for key in members)
        return (*self.document, *self.params, *self.meta, *nested)


@dataclass(frozen=True, slots=True)
class _Known:
    exact: frozenset[str]
    folded: frozenset[str]


def _known(*keys: str) -> _Known:
    return _Known(frozenset(keys), frozenset(fold_message_keys(keys)))


_ENVELOPE = _known("jsonrpc", "id", "method", "params", "result", "error")
_PARAMS = _known(
    "_meta", "argument", "arguments", "capabilities", "clientInfo", "context", "cursor", "inputResponses", "level",
    "message", "name", "notifications", "progress", "progressToken", "protocolVersion", "reason", "ref", "requestId",
    "requestState", "task", "taskId", "taskIds", "total", "uri",
)  # fmt: skip
_META = _known(
    "io.modelcontextprotocol/clientCapabilities",
    "io.modelcontextprotocol/clientInfo",
    "io.modelcontextprotocol/protocolVersion",
    "progressToken",
)
_REFERENCE = _known("type", "name", "uri")
_NOTIFICATIONS = _known(
    "promptsListChanged", "resourceSubscriptions", "resourcesListChanged", "taskIds", "toolsListChanged"
)
_NESTED = {"ref": _REFERENCE, "notifications": _NOTIFICATIONS}
_ANSWER = frozenset({"result", "error"})
SUBSCRIPTION_KEYS = _NOTIFICATIONS.exact


def envelope_of(document: Json, malformed: Malformed, era: Era) -> Envelope:
    """Find the id for the refusal of a message that cannot be read, if the id is certain."""
    if malformed.reason not in (Reason.PARAMS_MALFORMED, Reason.JSON_KEY_TWIN) or not isinstance(document, dict):
        return Envelope(era)
    return Envelope(era, Shape.REQUEST, _id_of(document) if _is_id(document.get("id")) else None)


def read_message(document: Json) -> Message | Malformed:
    """Read one JSON-RPC message from a parsed body; total."""
    if isinstance(document, list):
        return Malformed(Reason.BATCH)
    if not isinstance(document, dict):
        return Malformed(Reason.NOT_A_MESSAGE)
    if has_envelope_twin(document):
        return Malformed(Reason.JSON_KEY_TWIN)
    if document.get("jsonrpc") != "2.0":
        return Malformed(Reason.NOT_A_MESSAGE)
    if "id" in document and not _is_id(document["id"]):
        return Malformed(Reason.ID_MALFORMED)
    return _read_call(document) if "method" in document else _read_response(document)


def has_envelope_twin(document: dict[str, Json]) -> bool:
    """True if a message has a key that some reader takes for `method`, `result` or another that makes a message."""
    return _has_twin(document, _ENVELOPE)


def _read_response(document: dict[str, Json]) -> Message | Malformed:
    if "id" not in document or "params" in document or ("result" in document) == ("error" in document):
        return Malformed(Reason.NOT_A_MESSAGE)
    return Message(Shape.RESPONSE, _id_of(document), "response", {}, {}, document)


def _read_call(document: dict[str, Json]) -> Message | Malformed:
    method, params = document["method"], document.get("params")
    if not isinstance(method, str) or not 0 < len(method) <= _MAX_METHOD_CHARS or not method.isprintable():
        return Malformed(Reason.NOT_A_MESSAGE)
    if not _ANSWER.isdisjoint(document):
        return Malformed(Reason.NOT_A_MESSAGE)
    if params is None:
        # Servers take null for absent or refuse it (Python's official SDK the former, TypeScript's the latter).
        params = {}
    if not isinstance(params, dict):
        return Malformed(Reason.PARAMS_MALFORMED, "/params")
    meta = params.get("_meta", {})
    if not isinstance(meta, dict):
        return Malformed(Reason.PARAMS_MALFORMED, "/params/_meta")
    if _has_twin(params, _PARAMS) or _has_twin(meta, _META) or _has_nested_twin(params):
        return Malformed(Reason.JSON_KEY_TWIN)
    shape = Shape.REQUEST if "id" in document else Shape.NOTIFICATION
    return Message(shape, _id_of(document), method, params, meta, document)


def _has_nested_twin(params: dict[str, Json]) -> bool:
    if _NESTED.keys().isdisjoint(params):
        return False
    return any(_has_twin(members, known) for members, known in _nested_in(params))


def _nested_in(params: Mapping[str, Json]) -> list[tuple[dict[str, Json], _Known]]:
    found = [(params[key], known) for key, known in _NESTED.items() if key in params]
    return [(members, known) for members, known in found if isinstance(members, dict)]


def _has_twin(members: dict[str, Json], known: _Known) -> bool:
    if members.keys() <= known.exact:
        return False
    others = members.keys() - known.exact
    joined = "".join(others)
    # No key of MCP leaves printable ASCII; one that does may fold or be cut into a known one.
    if not (joined.isascii() and joined.isprintable()):
        return True
    # All at once: callers choose how many there are, and this is asked before anybody knows what they may do.
    return not known.folded.isdisjoint(fold_message_keys(others))


def _is_id(value: Json) -> bool:
    if isinstance(value, str):
        return len(value) <= _MAX_ID_CHARS
    return isinstance(value, int) and not isinstance(value, bool)


def _id_of(document: dict[str, Json]) -> MessageId | None:
    value = document.get("id")
    return value if isinstance(value, str | int) else None
