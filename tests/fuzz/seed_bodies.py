"""Seeds that are bodies to be masked; the first letter says of what kind a body is, and in which style it is masked."""

import json
from base64 import b64encode
from collections.abc import Mapping

from agen_authz.core.masking.row import Style

_JSON, _EVENTS, _TEXT = range(3)
_CARD = "4111 1111 1111 1111"


def _first(kind: int, style: Style | None) -> bytes:
    styles = (*Style, None)
    return bytes([kind + 3 * styles.index(style)])


def _body(document: object, style: Style | None = None) -> bytes:
    return _first(_JSON, style) + json.dumps(document).encode()


def _text(text: str, style: Style | None = Style.REDACT) -> bytes:
    return _first(_TEXT, style) + text.encode()


_RECORD = {"first_name": "Ann", "ssn": "536-22-1234", "dob": "1987-04-23", "zip": "10115", "cvv": 737, "n": 4.111e15}
_CONTENT = [{"type": "text", "text": json.dumps(_RECORD)}, {"type": "image", "data": "AAAA", "mimeType": "image/png"}]
_RESULT = {
    "jsonrpc": "2.0",
    "id": 1,
    "result": {"content": _CONTENT, "structuredContent": _RECORD, "nextCursor": _CARD},
}
_BLOB = {"contents": [{"uri": "crm://a", "blob": b64encode(_CARD.encode()).decode()}]}

BODIES: Mapping[str, bytes] = {
    "result": _body(_RESULT),
    "result-dropped": _body(_RESULT, Style.DROP),
    "result-hashed": _body(_RESULT, Style.HASH),
    "result-with-a-blob": _body({"jsonrpc": "2.0", "id": 1, "result": _BLOB}, Style.TOKENIZE),
    "error": _body({"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": _CARD, "data": [_CARD]}}, Style.LAST4),
    "member-names": _body([{_CARD: {"jane@example.com": 1}}, {"\uff14111111111111111": 2}], Style.PARTIAL),
    "bare-text": _body("hello"),
    "event": _first(_EVENTS, None) + b"id: 1\ndata: " + json.dumps(_RESULT).encode() + b"\n\n: ping\n\n",
    "log-line": _text(f"[INFO] {json.dumps(_RECORD)} (see [2])"),
    "two-documents": _text('{"a":1}\n{"a":NaN,"a":2} {"b":"\\u0034111111111111111"', None),
    "escapes": _text("%34%31 &#52;&#49 \\u0034\\x31 %2534 \\n4111111111111111"),
    "base64": _text(f"?data={b64encode(_CARD.encode()).decode()} and aGVsbG8gd29ybGQgaGVsbG8/jane@example.com"),
    "numbers": _text(
        "+49 30 901820, (1) 192.168.4.17, 12/27, 52.52, 13.40, DE89 3704 0044 0532 0130 00", Style.PARTIAL
    ),
    "words": _text("password: hunter2 born 1990-01-02 Dear Ann Miller, ssn 536221234", Style.GENERALIZE),
}
