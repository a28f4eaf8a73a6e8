"""Strict JSON: bytes that two parsers could read differently are refused (RFC 8259, RFC 7493).

What strict means, in the order it is checked:
 1. UTF-8 without byte order mark, nothing but one value
 2. no key twice in one object, compared after unescaping
 3. no NaN, Infinity, number that overflows a double, integer beyond 64 bits
 4. nesting within the limit
 5. no lone surrogate, in keys and values
 6. no key that a JavaScript object takes for its prototype once it is copied or merged: `__proto__`, and
    `prototype` in a `constructor`

Most bodies are written in the one plain way in which their value is written; they need none of it (`parse_plain`).
"""

import json
import math
import re
from typing import NoReturn

import orjson

from agen_authz.core.errors import Malformed
from agen_authz.core.model import Json
from agen_authz.core.reason import Reason

_INT64_MIN, _UINT64_MAX = -(2**63), 2**64 - 1
_MAX_INTEGER_DIGITS = 21
# `copy[key] = ...` with this key sets what the copy inherits from (ECMA-262 annex B.3.1): members that no other
# parser sees there.
_PROTO, _CONSTRUCTOR, _PROTOTYPE = "__proto__", "constructor", "prototype"
_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


class _Refused(Exception):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def _read_object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Refused(Reason.JSON_DUPLICATE_KEY)
    if _PROTO in members or (_CONSTRUCTOR in members and _has_prototype(members[_CONSTRUCTOR])):
        raise _Refused(Reason.JSON_KEY_TWIN)
    return members


def _has_prototype(value: Json) -> bool:
    return isinstance(value, dict) and _PROTOTYPE in value


def _read_integer(text: str) -> int:
    # The length is looked at first: int() of a million digits is an attack of its own.
    if len(text) > _MAX_INTEGER_DIGITS:
        raise _Refused(Reason.JSON_NUMBER)
    number = int(text)
    if not _INT64_MIN <= number <= _UINT64_MAX:
        raise _Refused(Reason.JSON_NUMBER)
    return number


def _read_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Refused(Reason.JSON_NUMBER)
    return number


def _refuse_constant(_: str) -> NoReturn:
    raise _Refused(Reason.JSON_NUMBER)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_read_object,
    parse_int=_read_integer,
    parse_float=_read_float,
    parse_constant=_refuse_constant,
)


def parse_json(raw: bytes, max_depth: int) -> Json | Malformed:
    """Parse one JSON value; total: any bytes give a value or a Malformed.

    Args:
        max_depth: how many arrays and objects may be nested, at most.
    """
    # Counting brackets costs nothing and spares most bodies the walk; brackets inside strings only
    # make the count too high, which the walk then settles.
    may_be_deep = raw.count(b"[") + raw.count(b"{") > max_depth
    # A plain body escapes no letter, so that the bytes say whether such a key may be there.
    may_name_prototype = b'"__proto__"' in raw or b'"prototype"' in raw
    plain = None if may_name_prototype else parse_plain(raw)
    if plain is None:
        return parse_strictly(raw, max_depth if may_be_deep else None)
    if may_be_deep and _is_deeper(plain[0], max_depth):
        return Malformed(Reason.JSON_DEPTH)
    return plain[0]


def parse_plain(raw: bytes) -> tuple[Json] | None:
    """Parse what is written exactly as its value is written, but for spaces; else None.

    A lenient parser is enough here: a key that it dropped, a number that it rounded, an escape that it resolved
    would be missing or written otherwise. Taking every space away on both sides hides none of that: outside of
    strings no space stands between two tokens that would become one, and inside it is no quote and no escape, so
    equal texts are the same tokens, but for spaces within strings. As many members in each object, the same
    numbers and the same escapes: what they were read as is their only reading.
    """
    try:
        value: Json = orjson.loads(raw)
        written = orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        # The second: it writes fewer levels than it reads.
        return None
    is_plain = written == raw or written.replace(b" ", b"") == raw.replace(b" ", b"")
    return (value,) if is_plain else None


def _is_deeper(value: Json, max_depth: int) -> bool:
    level: list[Json] = [value]
    for _ in range(max_depth + 1):
        nested = [each for each in level if isinstance(each, dict | list)]
        if not nested:
            return False
        level = [inner for each in nested for inner in (each.values() if isinstance(each, dict) else each)]
    return True


def parse_strictly(raw: bytes, max_depth: int | None) -> Json | Malformed:
    """Parse one JSON value by the list above; None in `max_depth` where depth is no question."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return Malformed(Reason.JSON_ENCODING)
    if text.startswith("\ufeff"):
        return Malformed(Reason.JSON_ENCODING)
    if max_depth is not None and _nests_deeper(text, max_depth):
        return Malformed(Reason.JSON_DEPTH)
    try:
        value: Json = _DECODER.decode(text)
    except _Refused as refused:
        return Malformed(refused.reason)
    except ValueError:
        return Malformed(Reason.JSON_SYNTAX)
    if _ESCAPED_SURROGATE.search(raw) and _has_lone_surrogate(value):
        return Malformed(Reason.JSON_SURROGATE)
    return value


# An unterminated string matches up to the end: a failing match would be tried again at every quote.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)


def _nests_deeper(text: str, max_depth: int) -> bool:
    """Look at brackets outside of strings only, so that no parser recurses before the limit is known."""
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        mark = match[0]
        if mark in "[{":
            depth += 1
            if depth > max_depth:
                return True
        elif mark in "]}":
            depth -= 1
    return False


def _has_lone_surrogate(value: Json) -> bool:
    pending: list[Json] = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, str):
            if any("\ud800" <= char <= "\udfff" for char in item):
                return True
        elif isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, dict):
            pending.extend(item.keys())
            pending.extend(item.values())
    return False
