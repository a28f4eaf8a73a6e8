"""A serialised CEL expression (cel.expr.CheckedExpr), taken apart by hand.

The library evaluates an expression and does not show its tree, but it serialises it; the few fields that matter
are read from those bytes, by the numbers of cel-spec's `checked.proto` and `syntax.proto`.
"""

from collections.abc import Mapping
from typing import TypeAlias

Fields: TypeAlias = Mapping[int, list[bytes | int]]

# google.protobuf.Any, CheckedExpr, Expr and its kinds, Constant.
_ANY_VALUE, _CHECKED_EXPR = 2, 4
CONST, IDENT, SELECT, CALL, LIST, STRUCT, LOOP = 3, 4, 5, 6, 7, 8, 9
BOOL_VALUE, INT64_VALUE, DOUBLE_VALUE, STRING_VALUE = 2, 3, 5, 6


def read_expression(serialized: bytes) -> Fields:
    """Read the root of a serialised expression (`Expression.serialize()` of cel-expr-python).

    Raises:
        ValueError: these are not the bytes of an expression.
    """
    checked = read_message(read_one(read_fields(serialized), _ANY_VALUE))
    return read_message(read_one(checked, _CHECKED_EXPR))


def read_fields(raw: bytes) -> Fields:
    """Read the fields of a message, by their numbers.

    Raises:
        ValueError: these are not the bytes of a message.
    """
    found: dict[int, list[bytes | int]] = {}
    at = 0
    while at < len(raw):
        tag, at = _varint(raw, at)
        kind, value = tag & 7, b""
        if kind == 0:
            number, at = _varint(raw, at)
            found.setdefault(tag >> 3, []).append(number)
            continue
        size = {1: 8, 5: 4}.get(kind)
        if kind == 2:
            size, at = _varint(raw, at)
        if size is None or at + size > len(raw):
            raise ValueError("not a serialised expression")
        value, at = raw[at : at + size], at + size
        found.setdefault(tag >> 3, []).append(value)
    return found


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(raw) and shift < 64:
        byte, at = raw[at], at + 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("not a serialised expression")


def read_one(fields: Fields, number: int) -> bytes | int:
    """Read a field that is there once; `ValueError` where it is not."""
    values = fields.get(number, [])
    if len(values) != 1:
        raise ValueError("not a serialised expression")
    return values[0]


def read_message(value: bytes | int) -> Fields:
    """Read a field as a message; `ValueError` where it is a number."""
    if isinstance(value, int):
        raise ValueError("not a serialised expression")
    return read_fields(value)


def read_text(fields: Fields, number: int) -> str:
    """Read a text; an absent one is empty, as everywhere in protobuf."""
    value = fields.get(number, [b""])[-1]
    if isinstance(value, int):
        raise ValueError("not a serialised expression")
    return value.decode("utf-8")


def read_constant_text(node: Fields) -> str | None:
    """Read a node that is a constant text; None where it is anything else."""
    for constant in node.get(CONST, []):
        held = read_message(constant)
        if STRING_VALUE in held:
            return read_text(held, STRING_VALUE)
    return None


def write_fields(fields: Fields) -> bytes:
    """Write a message whose fields are numbers, texts and messages: those of an expression, not of a constant."""
    parts = []
    for number, values in fields.items():
        for value in values:
            parts.append(_number(number << 3, value) if isinstance(value, int) else write_field(number, value))
    return b"".join(parts)


def write_field(number: int, content: bytes) -> bytes:
    """Write one field that is a text or a message."""
    return _number(number << 3 | 2, len(content)) + content


def _number(tag: int, value: int) -> bytes:
    return _write_varint(tag) + _write_varint(value)


def _write_varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
