"""What a backend sends, as a message: parsed strictly, told from what is none, and written again.

Bytes that two parsers could read differently are refused (core/strict_json.py), and what leaves is always written from
what was parsed: the client reads exactly what was inspected. A batch is refused: calls are sent one by one, so no
server has one to answer.
"""

import re

import orjson
from msgspec import Struct

from agen_authz.core.errors import Malformed
from agen_authz.core.message.jsonrpc import has_envelope_twin
from agen_authz.core.model import Envelope, Json, Shape
from agen_authz.core.strict_json import parse_json

_MAX_METHOD_CHARS = 128
# Some clients of events end a line here as well (Python's `str.splitlines`; ECMA-262, "line terminators").
_LINE_ENDS = {char.encode("utf-8"): f"\\u{ord(char):04x}".encode("ascii") for char in "\x85\u2028\u2029"}
# How a stream of events may begin: with one of the four fields, or a comment.
_EVENTS = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n]*(?:data|event|id|retry)?(?::|[\r\n])")


class ResponseLimits(Struct, frozen=True):
    """Bounds of what is inspected.

    Args:
        bytes: of a JSON body, and of one event of a stream.
        values: of one message; None for no limit but the size.
    """

    bytes: int
    depth: int
    values: int | None = None


def read_document(raw: bytes, limits: ResponseLimits) -> dict[str, Json] | None:
    """Read one JSON-RPC message as a server sends it; None for anything else. Total.

    Unlike a client's message, an error may have no id, or null: it answers a message that the server could not read.
    """
    document = parse_json(raw, limits.depth, limits.values)
    if isinstance(document, Malformed) or not isinstance(document, dict):
        return None
    return document if _is_message(document) else None


def write_document(document: object) -> bytes:
    """Write a JSON value on one line, whatever its reader takes for the end of a line.

    Otherwise some clients take a text in a message for a separate event, which was never inspected.
    """
    written = orjson.dumps(document)
    if written.isascii():
        return written
    for char, escaped in _LINE_ENDS.items():
        # Beyond ASCII there are only characters of strings.
        written = written.replace(char, escaped)
    return written


def _is_message(document: dict[str, Json]) -> bool:
    if document.get("jsonrpc") != "2.0" or has_envelope_twin(document):
        return False
    has_method, has_result, has_error = (key in document for key in ("method", "result", "error"))
    if has_method + has_result + has_error != 1:
        return False
    if has_method:
        return _is_method(document["method"]) and ("id" not in document or _is_id(document["id"]))
    if has_result:
        return _is_id(document.get("id"))
    return document.get("id") is None or _is_id(document["id"])


def _is_method(method: Json) -> bool:
    return isinstance(method, str) and 0 < len(method) <= _MAX_METHOD_CHARS and method.isprintable()


def _is_id(message_id: Json) -> bool:
    return isinstance(message_id, str | int) and not isinstance(message_id, bool)


def is_answer(document: dict[str, Json], envelope: Envelope) -> bool:
    """True if a message answers the call; the id's type counts, for `1` and `"1"` are two ids."""
    if envelope.shape is not Shape.REQUEST or "method" in document:
        return False
    message_id = document.get("id")
    return type(message_id) is type(envelope.id) and message_id == envelope.id


def looks_like_events(raw: bytes) -> bool:
    """True if a body that is not JSON begins as a stream of events does."""
    return _EVENTS.match(raw) is not None
