"""JSON in a text: all of it, or documents between other text, such as one on each line, behind a log line's beginning.

What two parsers would read differently is not refused here, as it would be in a message: a client may read it. It is
read with each of its members, and is written again only if something in it is masked.
"""

import json
import re
from collections import Counter
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
# A document is searched for in so many characters first, then in sixteen times as many: an error costs all before it.
_LEAST_WINDOW, _GROWTH = 256, 16
# How far before a window's end an error may be that only the end causes: `"\\u12`, `fals`, `-1.5e+`.
_CUT = 32
# Of what may be a document and is none, so many times the text's length is read at most; the rest stays text.
_MAX_WASTE, _LEAST_WASTE = 4, 20_000
_WASTE_EACH = 256
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
        if start > at:
            parts.append(text[at:start])
        parts.append(document)
        at = end
    return [*parts, text[at:]] if at < len(text) else parts


def _find_documents(text: str) -> Iterator[tuple[int, int, Json]]:
    waste = _MAX_WASTE * len(text) + _LEAST_WASTE
    found = _START.search(text)
    while found is not None and waste > 0:
        start = found.start()
        document, end = _decode_at(text, start)
        if document is not None and _is_writable(document, text[start:end]):
            yield start, end, document
        else:
            waste -= end - start + _WASTE_EACH
            end = start + 1
        found = _START.search(text, end)


def _decode_at(text: str, start: int) -> tuple[Json, int]:
    """Read the object that begins at a place: None if there is none; and where it ends, or how far was read."""
    size = _LEAST_WINDOW
    while True:
        window = text[start : start + size]
        try:
            document, length = _LENIENT.raw_decode(window)
        except json.JSONDecodeError as exc:
            is_cut = exc.pos > len(window) - _CUT or "Unterminated" in exc.msg
            if not is_cut or start + size >= len(text):
                return None, start + (len(window) if is_cut else exc.pos)
        except RecursionError:
            return None, start + len(window)
        else:
            return document, start + length
        size *= _GROWTH


def _is_writable(document: Json, text: str) -> bool:
    """True if a document can be written again.

    Raises:
        Unmaskable: it is nested too deeply to be searched.
    """
    if text.count("{") + text.count("[") > _MAX_DEPTH:
        strict = parse_json(text.encode("utf-8", "surrogatepass"), _MAX_DEPTH)
        if isinstance(strict, Malformed) and strict.reason == Reason.JSON_DEPTH:
            raise Unmaskable("a document in a text is nested too deeply")
    return "\\u" not in text or _can_write(document)


def _can_write(document: Json) -> bool:
    try:
        orjson.dumps(document)
    except orjson.JSONEncodeError:
        return False
    return True


def _read(text: str) -> Json:
    """Read an object or array; None if it is none."""
    document = parse_json(text.encode("utf-8", "surrogatepass"), _MAX_DEPTH)
    if not isinstance(document, Malformed):
        return document
    if document.reason == Reason.JSON_SYNTAX:
        return None
    try:
        lenient: Json = _LENIENT.decode(text)
    except (ValueError, RecursionError):
        return None
    return lenient if _is_writable(lenient, text) and _can_write(lenient) else None


def _keep_all(members: list[tuple[str, Json]]) -> dict[str, Json]:
    """Make an object; of members with one name the later ones have a number."""
    kept = dict(members)
    if len(kept) == len(members):
        return kept
    kept, counts = {}, Counter[str]()
    for name, value in members:
        counts[name] += 1
        free = name if counts[name] == 1 else f"{name} {counts[name]}"
        while free in kept:
            free += "_"
        kept[free] = value
    return kept


def _read_integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MAX_DIGITS else digits


_LENIENT = json.JSONDecoder(object_pairs_hook=_keep_all, parse_int=_read_integer)
