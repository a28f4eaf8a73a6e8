"""What a compiled CEL condition reads: the paths of its syntax tree."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from agen_authz.core.cel.function import FIXED
from agen_authz.core.cel.wire import (
    CALL,
    IDENT,
    LIST,
    LOOP,
    SELECT,
    STRUCT,
    Fields,
    read_constant_text,
    read_message,
    read_one,
    read_text,
)

ANY = "*"
"""One step of a path that may be any: an element of a list, a value of an object, a key that is computed."""

Path: TypeAlias = tuple[str, ...]

_INDEX_FUNCTION, _IN_FUNCTION = "_[_]", "@in"
_COMPARISONS = ("_==_", "_!=_", _IN_FUNCTION)


@dataclass(frozen=True, slots=True)
class ConditionTree:
    """What one condition reads.

    Args:
        paths: each from the variable on, as far as it only selects.
        loose: names of members that are selected from something whose path is not known, or searched for in it.
        calls: (function, constant text among its operands).
        compared: (path, constant text that it is compared with by `==`, `!=` or `in`).
        open_texts: functions of `function.FIXED` whose text is known only when the condition is evaluated.
    """

    paths: frozenset[Path]
    loose: frozenset[str]
    calls: frozenset[tuple[str, str]]
    compared: frozenset[tuple[Path, str]] = frozenset()
    open_texts: frozenset[str] = frozenset()


def spell_path(path: Path) -> str:
    """Spell a path as a condition would."""
    return path[0] + "".join("[*]" if step == ANY else f".{step}" for step in path[1:])


def read_tree(root: Fields) -> ConditionTree:
    """Read the tree below the root of an expression (`cel_wire.read_expression`).

    Raises:
        ValueError: this is not an expression.
    """
    reader = _Reader()
    reader.note(reader.walk(root, {}))
    loose, calls, compared = frozenset(reader.loose), frozenset(reader.calls), frozenset(reader.compared)
    return ConditionTree(frozenset(reader.paths), loose, calls, compared, frozenset(reader.open_texts))


class _Reader:
    """One walk over a tree. A sub-expression is a path as long as it only selects; anything else ends the path."""

    def __init__(self) -> None:
        self.paths: set[Path] = set()
        self.loose: set[str] = set()
        self.calls: set[tuple[str, str]] = set()
        self.compared: set[tuple[Path, str]] = set()
        self.open_texts: set[str] = set()

    def note(self, path: Path | None) -> None:
        if path:
            self.paths.add(path)

    def walk(self, node: Fields, names: Mapping[str, Path]) -> Path | None:
        """Walk a node; returns the path that it is, if it was not noted yet, or None.

        Args:
            names: what the variables of the loops around this node stand for; () for one that stands for nothing.
        """
        if IDENT in node:
            name = read_text(read_message(read_one(node, IDENT)), 1)
            return names.get(name, (name,))
        if SELECT in node:
            return self._select(read_message(read_one(node, SELECT)), names)
        if CALL in node:
            return self._call(read_message(read_one(node, CALL)), names)
        if LOOP in node:
            return self._loop(read_message(read_one(node, LOOP)), names)
        for inner in _children(node):
            self.note(self.walk(inner, names))
        return None

    def _select(self, node: Fields, names: Mapping[str, Path]) -> Path | None:
        return self._step(self.walk(read_message(read_one(node, 1)), names), read_text(node, 2))

    def _step(self, operand: Path | None, member: str) -> Path | None:
        if operand:
            return (*operand, member)
        if member != ANY:
            self.loose.add(member)
        return None

    def _call(self, node: Fields, names: Mapping[str, Path]) -> Path | None:
        function = read_text(node, 2)
        arguments = [read_message(each) for each in node.get(3, [])]
        if function == _INDEX_FUNCTION and len(arguments) == 2:
            operand = self.walk(arguments[0], names)
            self.note(self.walk(arguments[1], names))
            key = read_constant_text(arguments[1])
            return self._step(operand, ANY if key is None else key)
        target = [read_message(each) for each in node.get(1, [])]
        paths = [self.walk(each, names) for each in (*target, *arguments)]
        for path in paths:
            self.note(path)
        if function in FIXED and any(read_constant_text(each) is None for each in [*target, *arguments][1:]):
            self.open_texts.add(function)
        if function in _COMPARISONS:
            texts = [text for each in arguments for text in _texts_of(each)]
            self.compared.update((path, text) for path in paths if path for text in texts)
        for text in filter(None, map(read_constant_text, arguments)):
            self.calls.add((function, text))
            if function == _IN_FUNCTION:
                self.loose.add(text)
        return None

    def _loop(self, node: Fields, names: Mapping[str, Path]) -> Path | None:
        source = self.walk(read_message(read_one(node, 2)), names)
        self.note(source)
        element = (*source, ANY) if source else ()
        inner = {**names, read_text(node, 1): element, read_text(node, 3): ()}
        for number in (4, 5, 6, 7):
            for part in node.get(number, []):
                self.note(self.walk(read_message(part), inner))
        return None


def _texts_of(node: Fields) -> Iterator[str]:
    """List the constant texts that a node is, or that a list spells out."""
    for each in (node, *_children(node)):
        text = read_constant_text(each)
        if text is not None:
            yield text


def _children(node: Fields) -> Iterator[Fields]:
    for each in node.get(LIST, []):
        yield from map(read_message, read_message(each).get(1, []))
    for each in node.get(STRUCT, []):
        for entry in map(read_message, read_message(each).get(2, [])):
            yield from map(read_message, (*entry.get(3, []), *entry.get(4, [])))
