"""What a client reads in place of a message that may not leave: a JSON-RPC error with the Reason and our request id."""

from agen_authz.core.model import Envelope, Shape
from agen_authz.core.reason import HIDDEN, REFUSALS, Reason
from agen_authz.core.response.body import write_document


def write_failure(envelope: Envelope, reason: Reason, request_id: str) -> bytes:
    """Write the error that answers a call; nothing of the backend's answer is in it."""
    shown = Reason.UNKNOWN_TARGET if reason in HIDDEN else reason
    details = {"reason": shown.value, "request_id": request_id}
    error = {"code": REFUSALS[shown].code, "message": REFUSALS[shown].message, "data": details}
    return write_document(bind_error(envelope, error))


def bind_error(envelope: Envelope, error: dict[str, object]) -> dict[str, object]:
    """Bind an error to the call that it answers.

    An id that was not read is left out, never null: MCP has no null id. A posted response's id is the server's.
    """
    bound: dict[str, object] = {"jsonrpc": "2.0"}
    if envelope.id is not None and envelope.shape is Shape.REQUEST:
        bound["id"] = envelope.id
    bound["error"] = error
    return bound
