"""Selectors such as `crm/get_*`, compiled into one index: a look-up walks the name, not the rules.

`*` matches any characters within one part (none of them `/`), `**` any rest; everything else stands for
itself. Plain selectors are one dictionary look-up; patterns share a trie, so 10,000 of them cost what the
name's length and the few that overlap cost.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Generic, TypeVar

T = TypeVar("T")

_TOKEN = re.compile(r"\*\*|\*|.", re.DOTALL)


class _Loop(IntEnum):
    """Which characters a node of the trie swallows without moving on."""

    NONE = 0
    PART = 1
    ANY = 2


@dataclass(slots=True)
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

    def reached(self) -> Iterator["_Node[T]"]:
        """This node and those that a wildcard matching nothing leads to."""
        yield self
        for node in self.wild:
            yield from node.reached()


@dataclass(frozen=True, slots=True)
class SelectorIndex(Generic[T]):
    """All values whose selector matches a name; build it with `index_selectors`."""

    _plain: dict[str, list[T]]
    _root: _Node[T]

    def find(self, name: str) -> list[T]:
        """List the values of every selector that matches `name`, plain ones first."""
        found = list(self._plain.get(name, ()))
        active = list(self._root.reached())
        if len(active) == 1 and not active[0].children:
            return found
        for char in name:
            active = _advance(active, char)
            if not active:
                return found
        for node in active:
            found.extend(node.values)
        return found


def _advance(active: list[_Node[T]], char: str) -> list[_Node[T]]:
    following: dict[int, _Node[T]] = {}
    for node in active:
        if node.loop is _Loop.ANY or (node.loop is _Loop.PART and char != "/"):
            for reached in node.reached():
                following[id(reached)] = reached
        child = node.children.get(char)
        if child is not None:
            for reached in child.reached():
                following[id(reached)] = reached
    return list(following.values())


def index_selectors(entries: Iterable[tuple[str, T]]) -> SelectorIndex[T]:
    """Compile (selector, value) pairs; the order of values of one selector is kept."""
    plain: dict[str, list[T]] = {}
    root = _Node[T]()
    for selector, value in entries:
        if "*" not in selector:
            plain.setdefault(selector, []).append(value)
            continue
        node = root
        for token in _TOKEN.findall(selector):
            if token == "**":
                node = node.find_or_add_wild(_Loop.ANY)
            elif token == "*":
                node = node.find_or_add_wild(_Loop.PART)
            else:
                node = node.children.setdefault(token, _Node[T]())
        node.values.append(value)
    return SelectorIndex(plain, root)
