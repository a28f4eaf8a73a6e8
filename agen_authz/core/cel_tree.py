"""What a compiled CEL condition reads: its syntax tree (cel.expr.CheckedExpr), taken apart by hand.

The library evaluates and does not show its tree, but it serialises it; the few fields that matter here are read
from those bytes, by the numbers of cel-spec's `checked.proto` and `syntax.proto`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

ANY = "*"
"""One step of a path that may be any: an element of a list, a value of an object, a key that is computed."""

Path: TypeAlias = tuple[str, ...]
_Fields: TypeAlias = Mapping[int, list[bytes | int]]

# google.protobuf.Any, CheckedExpr, Expr and its kinds.
_ANY_VALUE, _CHECKED_EXPR = 2, 4
_CONST, _IDENT, _SELECT, _CALL, _LIST, _STRUCT, _LOOP = 3, 4, 5, 6, 7, 8, 9
_STRING_VALUE = 6
_INDEX_FUNCTION, _IN_FUNCTION = "_[_]", "@in"


@dataclass(frozen=True, slots=True)
class Tree:
    """What one condition reads.

    Args:
        paths: each from the variable on, as far as it only selects.
        loose: names of members that are selected from something whose path is not known, or looked for in it.
        calls: (function, constant text among its operands).
    """

    paths: frozenset[Path]
    loose: frozenset[str]
    calls: frozenset[tuple[str, str]]


def read_tree(serialized: bytes) -> Tree:
    """Read a serialised expression (`Expression.serialize()` of cel-expr-python).

    Raises:
        ValueError: these are not the bytes of an expression.
    """
    checked = _message(_only(_fields(serialized), _ANY_VALUE))
    reader = _Reader()
    reader.note(reader.walk(_message(_only(checked, _CHECKED_EXPR)), {}))
    return Tree(frozenset(reader.paths), frozenset(reader.loose), frozenset(reader.calls))


class _Reader:
    """One walk over a tree. A sub-expression is a path as long as it only selects; anything else ends the path."""

    def __init__(self) -> None:
        self.paths: set[Path] = set()
        self.loose: set[str] = set()
        self.calls: set[tuple[str, str]] = set()

    def note(self, path: Path | None) -> None:
        if path:
            self.paths.add(path)

    def walk(self, node: _Fields, names: Mapping[str, Path]) -> Path | None:
        """Walk a node; returns the path that it is, which nobody has noted yet, or None.

        Args:
            names: what the variables of the loops around this node stand for; () for one that stands for nothing.
        """
        if _IDENT in node:
            name = _text(_message(_only(node, _IDENT)), 1)
            return names.get(name, (name,))
        if _SELECT in node:
            return self._select(_message(_only(node, _SELECT)), names)
        if _CALL in node:
            return self._call(_message(_only(node, _CALL)), names)
        if _LOOP in node:
            return self._loop(_message(_only(node, _LOOP)), names)
        for inner in _children(node):
            self.note(self.walk(inner, names))
        return None

    def _select(self, node: _Fields, names: Mapping[str, Path]) -> Path | None:
        return self._step(self.walk(_message(_only(node, 1)), names), _text(node, 2))

    def _step(self, operand: Path | None, member: str) -> Path | None:
        if operand:
            return (*operand, member)
        if member != ANY:
            self.loose.add(member)
        return None

    def _call(self, node: _Fields, names: Mapping[str, Path]) -> Path | None:
        function = _text(node, 2)
        arguments = [_message(each) for each in node.get(3, [])]
        if function == _INDEX_FUNCTION and len(arguments) == 2:
            operand = self.walk(arguments[0], names)
            self.note(self.walk(arguments[1], names))
            key = _constant_text(arguments[1])
            return self._step(operand, ANY if key is None else key)
        target = [_message(each) for each in node.get(1, [])]
        for each in (*target, *arguments):
            self.note(self.walk(each, names))
        for text in filter(None, map(_constant_text, arguments)):
            self.calls.add((function, text))
            if function == _IN_FUNCTION:
                self.loose.add(text)
        return None

    def _loop(self, node: _Fields, names: Mapping[str, Path]) -> Path | None:
        source = self.walk(_message(_only(node, 2)), names)
        self.note(source)
        element = (*source, ANY) if source else ()
        inner = {**names, _text(node, 1): element, _text(node, 3): ()}
        for number in (4, 5, 6, 7):
            for part in node.get(number, []):
                self.note(self.walk(_message(part), inner))
        return None


def _children(node: _Fields) -> Iterator[_Fields]:
    for each in node.get(_LIST, []):
        yield from map(_message, _message(each).get(1, []))
    for each in node.get(_STRUCT, []):
        for entry in map(_message, _message(each).get(2, [])):
            yield from map(_message, (*entry.get(3, []), *entry.get(4, [])))


def _constant_text(node: _Fields) -> str | None:
    for constant in node.get(_CONST, []):
        held = _message(constant)
        if _STRING_VALUE in held:
            return _text(held, _STRING_VALUE)
    return None


# ---- protobuf's wire format ----------------------------------------------------------------------------------


def _fields(raw: bytes) -> _Fields:
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


def _only(fields: _Fields, number: int) -> bytes | int:
    values = fields.get(number, [])
    if len(values) != 1:
        raise ValueError("not a serialised expression")
    return values[0]


def _message(value: bytes | int) -> _Fields:
    if isinstance(value, int):
        raise ValueError("not a serialised expression")
    return _fields(value)


def _text(fields: _Fields, number: int) -> str:
    value = fields.get(number, [b""])[-1]
    if isinstance(value, int):
        raise ValueError("not a serialised expression")
    return value.decode("utf-8")
