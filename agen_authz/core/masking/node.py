"""Where a value is in a document, and how the document is written again with what is masked.

Nothing of the document is changed: what is on the way to a masked value is copied.
"""

from base64 import b64encode
from enum import Enum, auto
from typing import Any

import orjson

from agen_authz.core.model import Json

BINARY_TYPES = frozenset({"image", "audio"})
"""Types of content that are not text (MCP, tools: image and audio content)."""


# Members of the protocol that are numbers (MCP: errors, progress, resources, annotations).
_NUMBERS = frozenset({"code", "progress", "total", "size", "priority"})


class NodeKind(Enum):
    """What a node is written as: NESTED parts become one string, BLOB ones a string in base64."""

    OBJECT = auto()
    LIST = auto()
    NESTED = auto()
    BLOB = auto()
    ALONE = auto()


class _Dropped:
    """Stands for a member that is left out."""


DROPPED = _Dropped()


class DocumentNode:
    """An object or array of a document.

    Attributes:
        may_drop: True if its members may be left out: what the protocol has there may not.
        depth: how many strings it is nested in.
    """

    __slots__ = ("_edits", "_renamed", "depth", "key", "kind", "may_drop", "parent", "value")

    def __init__(
        self,
        parent: "DocumentNode | None",
        key: str | int,
        value: Any,
        kind: NodeKind,
        *,
        may_drop: bool = False,
        depth: int = -1,
    ) -> None:
        self.parent, self.key, self.value, self.kind = parent, key, value, kind
        self.may_drop: bool = may_drop or (parent is not None and parent.may_drop)
        self.depth: int = depth if depth >= 0 else (0 if parent is None else parent.depth)
        self._edits: dict[str | int, Any] | None = None
        self._renamed: dict[str, str] | None = None

    def edit(self, key: str | int, value: object) -> None:
        """Put another value in a member's place."""
        if self._edits is None:
            self._edits = {}
            if self.parent is not None:
                self.parent.edit(self.key, self)
        self._edits[key] = value

    def add(self, name: str, value: Json) -> None:
        """Add a member to an object."""
        self.value = {**self.value, name: value}
        self.edit(name, value)

    def become(self, value: dict[str, Json]) -> None:
        """Put another object in this one's place."""
        self.value = value
        self.edit(next(iter(value)), next(iter(value.values())))

    def rename(self, name: str, other: str) -> None:
        """Give a member another name; a number is added if it is taken."""
        if self._renamed is None:
            self._renamed = {}
            if self.parent is not None:
                self.parent.edit(self.key, self)
        self._renamed[name] = other

    def write(self) -> Any:
        """Write it with every edit; the value itself if there is none."""
        if self._edits is None and self._renamed is None:
            return self.value
        if self.kind is NodeKind.OBJECT:
            return self._write_object()
        parts = [self._write_member(place, item) for place, item in enumerate(self.value)]
        match self.kind:
            case NodeKind.ALONE:
                return parts[0]
            case NodeKind.NESTED:
                return join_nested(parts)
            case NodeKind.BLOB:
                return b64encode(join_nested(parts).encode("utf-8")).decode("ascii")
            case _:
                return parts

    def _write_object(self) -> dict[str, Json]:
        written: dict[str, Json] = {}
        renamed = self._renamed or {}
        for key, item in self.value.items():
            value = self._write_member(key, item)
            if value is not DROPPED:
                written[_choose_free(renamed.get(key, key), written)] = value
        return written

    def _write_member(self, key: str | int, item: Any) -> Any:
        edit = item if self._edits is None else self._edits.get(key, item)
        return edit.write() if isinstance(edit, DocumentNode) else edit

    def list_steps(self) -> list[str | int]:
        """List the names and places that lead here; what is nested in a string is below the string's own."""
        steps: list[str | int] = []
        node: DocumentNode | None = self
        while node is not None and node.parent is not None:
            if node.parent.kind not in (NodeKind.NESTED, NodeKind.BLOB, NodeKind.ALONE):
                steps.append(node.key)
            node = node.parent
        return steps[::-1]


class Table:
    """A list of objects; each becomes a node when it is asked for.

    Attributes:
        rows: the objects.
    """

    __slots__ = ("_nodes", "_parent", "rows")

    def __init__(self, parent: DocumentNode, rows: list[Any]) -> None:
        self.rows = rows
        self._parent = parent
        self._nodes: dict[int, DocumentNode] = {}

    def node(self, place: int) -> DocumentNode:
        """Return the node of a row."""
        known = self._nodes.get(place)
        if known is None:
            known = self._nodes[place] = DocumentNode(self._parent, place, self.rows[place], NodeKind.OBJECT)
        return known


class DocumentSpot:
    """A member of a node: its value, or its name.

    Attributes:
        is_name: True if the name is meant.
        is_text: False for a number, or true and false.
    """

    __slots__ = ("is_name", "is_text", "key", "node")

    def __init__(self, node: DocumentNode, key: str | int, *, is_name: bool = False, is_text: bool = True) -> None:
        self.node, self.key, self.is_name, self.is_text = node, key, is_name, is_text

    def list_steps(self) -> list[str | int]:
        """List the names and places that lead here."""
        steps = self.node.list_steps()
        return steps if self.node.kind in (NodeKind.NESTED, NodeKind.BLOB, NodeKind.ALONE) else [*steps, self.key]

    def put(self, text: str, *, drops: bool) -> None:
        """Put a text in its place; what is dropped is left out, or empty where it may not be."""
        if self.is_name:
            self.node.rename(str(self.key), text)
        elif drops and not text and self.node.may_drop and self.node.kind is NodeKind.OBJECT:
            self.node.edit(self.key, DROPPED)
        elif not self.is_text and not self.node.may_drop and self.key in _NUMBERS:
            # A client reads nothing but a number there.
            self.node.edit(self.key, 0)
        else:
            self.node.edit(self.key, text)

    def put_whole(self, text: str) -> None:
        """Put a text in the place of what cannot be searched: of a blob, an image or audio as well."""
        if self.key == "blob":
            # A resource is text or a blob (MCP, resources).
            self.node.edit("blob", DROPPED)
            self.node.add("text", text)
        elif self.key == "data" and self.node.value.get("type") in BINARY_TYPES:
            self.node.become({"type": "text", "text": text})
        else:
            self.node.edit(self.key, text)


def join_nested(parts: list[Json]) -> str:
    """Write parts of a text: strings as they are, documents as JSON."""
    return "".join(each if isinstance(each, str) else orjson.dumps(each).decode("utf-8") for each in parts)


def _choose_free(name: str, taken: dict[str, Json]) -> str:
    if name not in taken:
        return name
    number = 2
    while f"{name} {number}" in taken:
        number += 1
    return f"{name} {number}"
