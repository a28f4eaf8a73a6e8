"""JSON in a text: all of it, or documents between other text, such as one on each line, behind a log line's beginning.

What two parsers would read differently is not refused here, as it would be in a message: a client may read it. It is
read with each of its members, and is written again only if something in it is masked.
"""

import json
import re
from collections.abc import Iterator, Sequence

import orjson

from agen_authz.core.errors import Malformed
from agen_authz.core.masking.rule import Unmaskable
from agen_authz.core.model import Json
from agen_authz.core.reason import Reason
from agen_authz.core.strict_json import parse_json

_MAX_DEPTH = 128
_OPENING, _CLOSING = ("{", "["), ("}", "]")
_START = re.compile(r'\{\s*"')
# Of what may be a document and is none, so many times the text's length is read at most; the rest stays text.
_MAX_WASTE, _LEAST_WASTE = 8, 10_000
# An integer of more digits may be beyond 64 bits, which are all that can be written.
_MAX_DIGITS = 18


def split_nested(text: str) -> list[Json] | None:
    """Split a text into strings and the documents that it holds; None if it holds none.

    Raises:
        Unmaskable: a document is nested too deeply.
    """
    bare = text.strip()
    if bare.startswith(_OPENING) and bare.endswith(_CLOSING):
        document = _read(bare)
        if document is not None:
            start = len(text) - len(text.lstrip())
            return _join_up(text, [(start, start + len(bare), document)])
    found = list(_find_documents(text))
    return _join_up(text, found) if found else None


def _join_up(text: str, found: Sequence[tuple[int, int, Json]]) -> list[Json]:
    """List documents with the text between them."""
    parts: list[Json] = []
    at = 0
    for start, end, document in found:
        parts.extend([text[at:start], document] if start > at else [document])
        at = end
    return [*parts, text[at:]] if at < len(text) else parts


def _find_documents(text: str) -> Iterator[tuple[int, int, Json]]:
    waste = _MAX_WASTE * len(text) + _LEAST_WASTE
    found = _START.search(text)
    while found is not None and waste > 0:
        start = found.start()
        end, wasted = _find_end(text, start)
        document = _read(text[start:end]) if end else None
        if document is not None:
            yield start, end, document
        else:
            waste -= max(wasted, end - start)
            end = start + 1
        found = _START.search(text, end)


def _find_end(text: str, start: int) -> tuple[int, int]:
    """Find where an object ends: 0 if nowhere; and how much was read in vain."""
    try:
        return _FINDER.raw_decode(text, start)[1], 0
    except json.JSONDecodeError as exc:
        # Of a string without an end the beginning is told.
        return 0, (len(text) if "Unterminated" in exc.msg else exc.pos) - start
    except RecursionError:
        return 0, len(text) - start


def _read(text: str) -> Json:
    """Read an object or array; None if it is none."""
    document = parse_json(text.encode("utf-8", "surrogatepass"), _MAX_DEPTH)
    if not isinstance(document, Malformed):
        return document
    if document.reason == Reason.JSON_SYNTAX:
        return None
    if document.reason == Reason.JSON_DEPTH:
        raise Unmaskable("a document in a text is nested too deeply")
    try:
        lenient: Json = _LENIENT.decode(text)
        orjson.dumps(lenient)
    except (ValueError, RecursionError, orjson.JSONEncodeError):
        return None
    return lenient


def _keep_all(members: list[tuple[str, Json]]) -> dict[str, Json]:
    """Make an object; of members with one name the later ones have a number."""
    kept: dict[str, Json] = {}
    for name, value in members:
        free, number = name, 2
        while free in kept:
            free, number = f"{name} {number}", number + 1
        kept[free] = value
    return kept


def _read_integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MAX_DIGITS else digits


# The first only says where an object ends, so that nothing of ours is called for what is in it.
_FINDER = json.JSONDecoder(parse_int=len)
_LENIENT = json.JSONDecoder(object_pairs_hook=_keep_all, parse_int=_read_integer)
