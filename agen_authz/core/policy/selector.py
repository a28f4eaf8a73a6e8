"""Selectors such as `crm/get_*`, compiled into one index: a look-up walks the name, not the rules.

`*` matches any characters within one part (none of them `/`), `**` any rest; everything else stands for
itself. Plain selectors are one dictionary look-up; patterns share a trie, so 10,000 of them cost what the
name's length and the few that overlap cost.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Generic, TypeVar

T = TypeVar("T")

_PIECE = re.compile(r"\*\*|\*|.", re.DOTALL)


class _Loop(IntEnum):
    """Which characters a node of the trie swallows without moving on."""

    NONE = 0
    PART = 1
    ANY = 2


@dataclass(slots=True, eq=False)
class _Node(Generic[T]):
    loop: _Loop = _Loop.NONE
    children: dict[str, "_Node[T]"] = field(default_factory=dict)
    wild: list["_Node[T]"] = field(default_factory=list)
    values: list[T] = field(default_factory=list)

    def find_or_add_wild(self, loop: _Loop) -> "_Node[T]":
        for node in self.wild:
            if node.loop is loop:
                return node
        node = _Node[T](loop)
        self.wild.append(node)
        return node

    @property
    def is_last(self) -> bool:
        return not self.children and not self.wild


@dataclass(frozen=True, slots=True)
class SelectorIndex(Generic[T]):
    """All values whose selector matches a name; build it with `index_selectors`."""

    _plain: dict[str, list[T]]
    _root: _Node[T]

    def find(self, name: str) -> list[T]:
        """List the values of every selector that matches `name`, plain ones first."""
        found = list(self._plain.get(name, ()))
        node, position = self._root, 0
        # As long as no wildcard is met there is one way to go.
        for position, char in enumerate(name):  # noqa: B007 the walk continues from here
            if node.wild:
                break
            child = node.children.get(char)
            if child is None:
                return found
            node = child
        else:
            position = len(name)
        _Walk(name, found).go_on(node, position)
        return found


class _Walk(Generic[T]):
    """The part of a look-up behind the first wildcard: all ways at once, each node once a step."""

    def __init__(self, name: str, found: list[T]) -> None:
        self._name = name
        self._found = found
        self._settled: set[int] = set()

    def go_on(self, node: _Node[T], position: int) -> None:
        active: dict[int, _Node[T]] = {}
        self._enter(node, position, active)
        for index in range(position, len(self._name)):
            if not active:
                return
            active = self._advance(active, index)
        for node in active.values():
            self._found.extend(node.values)

    def _advance(self, active: dict[int, _Node[T]], index: int) -> dict[int, _Node[T]]:
        char = self._name[index]
        following: dict[int, _Node[T]] = {}
        for node in active.values():
            if node.loop is _Loop.ANY or (node.loop is _Loop.PART and char != "/"):
                self._enter(node, index + 1, following)
            child = node.children.get(char)
            if child is not None:
                self._enter(child, index + 1, following)
        return following

    def _enter(self, node: _Node[T], position: int, active: dict[int, _Node[T]]) -> None:
        """Make a node active, and with it what a wildcard that matches nothing leads to."""
        if id(node) in active:
            return
        if node.loop and node.is_last:
            self._settle(node, position)
            return
        active[id(node)] = node
        for wild in node.wild:
            self._enter(wild, position, active)

    def _settle(self, node: _Node[T], position: int) -> None:
        # A wildcard at the selector's end matches the rest at once, or never.
        if id(node) not in self._settled and (node.loop is _Loop.ANY or "/" not in self._name[position:]):
            self._settled.add(id(node))
            self._found.extend(node.values)


def index_selectors(entries: Iterable[tuple[str, T]]) -> SelectorIndex[T]:
    """Compile (selector, value) pairs; the order of values of one selector is kept."""
    plain: dict[str, list[T]] = {}
    root = _Node[T]()
    for selector, value in entries:
        if "*" not in selector:
            plain.setdefault(selector, []).append(value)
            continue
        node = root
        for piece in _PIECE.findall(selector):
            if piece == "**":
                node = node.find_or_add_wild(_Loop.ANY)
            elif piece == "*":
                node = node.find_or_add_wild(_Loop.PART)
            else:
                node = node.children.setdefault(piece, _Node[T]())
        node.values.append(value)
    return SelectorIndex(plain, root)
