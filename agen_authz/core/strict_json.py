"""Strict JSON: bytes that two parsers could read differently are refused (RFC 8259, RFC 7493).

What strict means, in the order it is checked:
 1. nesting and the number of values within their limits, both counted in the bytes before a parser runs
 2. UTF-8 without byte order mark, nothing but one value
 3. no NaN, Infinity, number that overflows a double, integer beyond 64 bits
 4. no lone surrogate, in keys and values
 5. no key twice in one object, compared after unescaping
 6. no key that a JavaScript object takes for its prototype once it is copied or merged: `__proto__`, and
    `prototype` in a `constructor`

Callers choose the bytes, so every step is linear and runs in C: nothing of ours is called for each value, except for
a fraction, for an integer where one may be too long, and where a prototype is named (`bench/bodies.py`).
"""

import json
import math
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import NoReturn

import orjson

from agen_authz.core.errors import Malformed
from agen_authz.core.model import Json
from agen_authz.core.reason import Reason

_MAX_INTEGER_DIGITS = 21
# As deep as orjson writes.
_MAX_DEPTH = 250
# `copy[key] = ...` with this key sets what the copy inherits from (ECMA-262 annex B.3.1): members that no other
# parser sees there.
_CONSTRUCTOR, _PROTOTYPE = "constructor", "prototype"
# Without a run of digits that is longer, no integer is long enough to take time.
_LONG_RUN, _DIGITS_AS_ZERO = b"0" * (_MAX_INTEGER_DIGITS + 1), bytes.maketrans(b"123456789", b"0" * 9)
# Some clients of events end a line here as well (Python's `str.splitlines`; ECMA-262, "line terminators").
_LINE_ENDS = {char.encode("utf-8"): f"\\u{ord(char):04x}".encode("ascii") for char in "\x85\u2028\u2029"}
_BRACES_AS_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))


class _Refused(Exception):
    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def _read_integer(text: str) -> int:
    # The length is looked at first: int() of a million digits is an attack by itself.
    if len(text) > _MAX_INTEGER_DIGITS:
        raise _Refused(Reason.JSON_NUMBER)
    return int(text)


def _read_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise _Refused(Reason.JSON_NUMBER)
    return number


def _read_exact_integer(text: str) -> int:
    if text == "-0":
        raise _Refused(Reason.JSON_NUMBER)
    return int(text)


def _read_exact_float(text: str) -> float:
    number = float(text)
    try:
        is_exact = Decimal(text) == Decimal(repr(number))
    except InvalidOperation:
        # An exponent of more digits than any number has.
        is_exact = False
    if not is_exact:
        raise _Refused(Reason.JSON_NUMBER)
    return number


def _refuse_constant(_: str) -> NoReturn:
    raise _Refused(Reason.JSON_NUMBER)


# Without hooks for objects: a call for each of a million empty ones would be most of the time.
_DECODER = json.JSONDecoder(parse_float=_read_float, parse_constant=_refuse_constant)
_WARY_DECODER = json.JSONDecoder(parse_int=_read_integer, parse_float=_read_float, parse_constant=_refuse_constant)

_EXACT_DECODER = json.JSONDecoder(parse_int=_read_exact_integer, parse_float=_read_exact_float)


def parse_json(raw: bytes, max_depth: int, max_values: int | None = None) -> Json | Malformed:
    """Parse one JSON value; total: any bytes give a value or a Malformed.

    Args:
        max_depth: how many arrays and objects may be nested, at most; never more than 250.
        max_values: how many elements and members there may be, at most; None for no limit but the size.
    """
    bare = drop_backslashes(raw)
    refused = _check_bounds(bare, min(max_depth, _MAX_DEPTH), max_values)
    if refused is not None:
        return Malformed(refused)
    plain = None if _is_never_plain(bare) else parse_plain(raw)
    if plain is None:
        return parse_strictly(raw, bare)
    value, written = plain
    return Malformed(Reason.JSON_KEY_TWIN) if _names_prototype(value, written) else value


def keeps_numbers(raw: bytes) -> bool:
    """True if every number of a body that `parse_json` has read is read as it is written, and not only close to it.

    Otherwise other parsers may read another number: no double is `9007199254740993.0` or `1e-400`.
    """
    if parse_plain(raw) is not None:
        return True
    try:
        _EXACT_DECODER.decode(raw.decode("utf-8"))
    except _Refused:
        return False
    return True


def write_json(value: object) -> bytes:
    """Write a JSON value on one line, whatever its reader takes for the end of a line.

    Otherwise some clients take a text in a message for a separate event, which was never inspected.
    """
    written = orjson.dumps(value)
    if written.isascii():
        return written
    for char, escaped in _LINE_ENDS.items():
        # Beyond ASCII there are only characters of strings.
        written = written.replace(char, escaped)
    return written


def drop_backslashes(raw: bytes) -> bytes:
    """Remove every escaped backslash, so that each remaining backslash escapes what follows it."""
    first = raw.find(b"\\")
    return raw if first < 0 else raw[:first] + raw[first:].replace(b"\\\\", b"")


def _is_never_plain(bare: bytes) -> bool:
    # orjson writes no line break between two values, no `\\/`, and no `\\u` but for control characters.
    first = bare.find(b"\\")
    return b"\n" in bare or (first >= 0 and (bare[first + 1 : first + 2] in b"u/" or b"\\u" in bare))


def _check_bounds(bare: bytes, max_depth: int, max_values: int | None) -> Reason | None:
    # Counting costs next to nothing, and spares most bodies the rest: marks inside strings make it too high only.
    opened = _count(bare, b"[") + _count(bare, b"{")
    has_many = max_values is not None and opened + _count(bare, b",") > max_values
    if opened <= max_depth and not has_many:
        return None
    # Then every quote that is left begins or ends a string.
    bare = bare.replace(b'\\"', b"") if b"\\" in bare else bare
    # Each string is a member's key or value, or an element: no body has more than two for each of its values.
    if max_values is not None and bare.count(b'"') > 4 * (max_values + 1):
        return Reason.JSON_VALUES
    # Exact up to the first mistake.
    marks = b"".join(bare.split(b'"')[::2])
    opened = marks.count(b"[") + marks.count(b"{")
    if max_values is not None and opened + marks.count(b",") > max_values:
        return Reason.JSON_VALUES
    return _check_nesting(marks, max_depth) if opened > max_depth else None


def _count(text: bytes, mark: bytes) -> int:
    # To find that there is none takes a thirtieth of the time.
    return text.count(mark) if mark in text else 0


def _check_nesting(marks: bytes, max_depth: int) -> Reason | None:
    """Find out how deep brackets are nested: each round removes the innermost pairs.

    INVARIANT: where brackets have no partner, no parser gets deeper than twice `max_depth` before it finds out.
    """
    left = marks.translate(_BRACES_AS_BRACKETS, _NO_BRACKETS)
    opened, closed = left.count(b"["), left.count(b"]")
    if opened - closed > max_depth:
        return Reason.JSON_DEPTH
    if opened != closed:
        # Each round would walk over a million that have no partner.
        return Reason.JSON_SYNTAX
    for _ in range(max_depth):
        before, left = len(left), left.replace(b"[]", b"")
        if len(left) == before:
            break
    return Reason.JSON_DEPTH if b"[]" in left or left.count(b"[") > max_depth else None


def parse_plain(raw: bytes) -> tuple[Json, bytes] | None:
    """Parse what is written exactly as its value is written, but for spaces; else None. Also how it is written.

    A lenient parser is enough here: a key that it dropped, a number that it rounded, an escape that it resolved
    would be missing or written otherwise. Taking every space away on both sides hides none of that: outside of
    strings no space is between two tokens that would become one, and it contains neither a quote nor an escape, so
    equal texts are the same tokens, but for spaces within strings. As many members in each object, the same
    numbers and the same escapes: what they were read as is their only reading.
    """
    try:
        value: Json = orjson.loads(raw)
        written = orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        # The second: it writes fewer levels than it reads.
        return None
    is_plain = written == raw or written.translate(None, b" ") == raw.translate(None, b" ")
    return (value, written) if is_plain else None


def parse_strictly(raw: bytes, bare: bytes) -> Json | Malformed:
    """Parse one JSON value by the list above, but for its first row; `bare` is from `drop_backslashes`."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return Malformed(Reason.JSON_ENCODING)
    if text.startswith("\ufeff"):
        return Malformed(Reason.JSON_ENCODING)
    decoder = _WARY_DECODER if _LONG_RUN in raw.translate(_DIGITS_AS_ZERO) else _DECODER
    try:
        value: Json = decoder.decode(text)
    except _Refused as refused:
        return Malformed(refused.reason)
    except ValueError:
        return Malformed(Reason.JSON_SYNTAX)
    try:
        written = orjson.dumps(value)
    except orjson.JSONEncodeError:
        return Malformed(Reason.JSON_SURROGATE if _has_lone_surrogate(value) else Reason.JSON_NUMBER)
    if _loses_member(bare, written):
        return Malformed(Reason.JSON_DUPLICATE_KEY)
    return Malformed(Reason.JSON_KEY_TWIN) if _names_prototype(value, written) else value


def _has_lone_surrogate(value: Json) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def _loses_member(bare: bytes, written: bytes) -> bool:
    """True if a key appears twice in one object: of its members only the last is in what is written.

    Each member has a colon outside of strings. Those inside are as many on both sides, but for lost members and for
    escaped ones (U+003A), which are written as they are.
    """
    colons = _count(bare, b":")
    if b"u003" in bare:
        colons += bare.count(b"\\u003a") + bare.count(b"\\u003A")
    return colons != _count(written, b":")


def _names_prototype(value: Json, written: bytes) -> bool:
    if b"proto" not in written:
        return False
    # A quote within a string is escaped: behind a brace or a comma it begins a key, and with a colon one ends.
    if b'{"__proto__":' in written or b',"__proto__":' in written:
        return True
    return b'"constructor":{' in written and b'"prototype":' in written and _finds_prototype(value)


def _finds_prototype(value: Json) -> bool:
    level = [value]
    while level:
        objects = [each for each in level if isinstance(each, dict)]
        makers = [each[_CONSTRUCTOR] for each in objects if _CONSTRUCTOR in each]
        if any(isinstance(maker, dict) and _PROTOTYPE in maker for maker in makers):
            return True
        lists = [each for each in level if isinstance(each, list)]
        level = [*chain.from_iterable(map(dict.values, objects)), *chain.from_iterable(lists)]
    return False
