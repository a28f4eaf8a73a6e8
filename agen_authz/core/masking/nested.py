"""JSON in a text: all of it, between other text, or a document on each line."""

from agen_authz.core.errors import Malformed
from agen_authz.core.model import Json
from agen_authz.core.strict_json import parse_json

_MAX_DEPTH = 128
_OPENING, _CLOSING = "{[", "}]"
_MAX_LINES = 20_000


def split_nested(text: str) -> list[Json] | None:
    """Split a text into strings and the documents (objects and arrays) that it holds; None if it holds none.

    A document that two parsers could read differently is left as text, and searched as text.
    """
    whole = _split(text)
    if whole is not None:
        return whole
    lines = text.splitlines(keepends=True)
    if not 1 < len(lines) <= _MAX_LINES:
        return None
    parts: list[Json] = []
    for line in lines:
        parts.extend(_split(line) or [line])
    return parts if any(not isinstance(each, str) for each in parts) else None


def _split(text: str) -> list[Json] | None:
    starts = [at for at in map(text.find, _OPENING) if at >= 0]
    end = max(map(text.rfind, _CLOSING)) + 1
    if not starts or end <= min(starts):
        return None
    start = min(starts)
    document = parse_json(text[start:end].encode("utf-8", "surrogatepass"), _MAX_DEPTH)
    if isinstance(document, Malformed) or not isinstance(document, dict | list):
        return None
    return [*([text[:start]] if start else []), document, *([text[end:]] if end < len(text) else [])]
