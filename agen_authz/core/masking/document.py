"""A JSON document taken apart into what is searched: its strings, numbers and the names of its members.

1. What the protocol needs as it is (`id`, cursors, `requestState`, progress tokens, ids of tasks) is left out, at the
   places where the protocol has it and nowhere else.
2. JSON in a string is taken apart as well, to a depth of `MAX_NESTED`; with text around it, and a document on
   each line. What is nested deeper is withheld whole.
3. A blob is decoded: if it is text it is searched like one; if not, it is binary, as images and audio are.
4. A number is searched by its digits in full, whatever its notation.
5. Documents of rows repeat the names of their members: those of one kind of object are looked at once, and a list of
   them is read member by member.
"""

from collections.abc import Mapping
from itertools import repeat
from typing import Any

from agen_authz.core.masking.blob import read_base64, read_text
from agen_authz.core.masking.layout import Layout, Layouts, Names
from agen_authz.core.masking.nested import split_nested
from agen_authz.core.masking.node import BINARY_TYPES, DocumentNode, DocumentSpot, NodeKind, Table
from agen_authz.core.masking.number import MIN_NUMBER, NUMBER_BEGINS, read_number, write_number
from agen_authz.core.masking.rule import Unmaskable
from agen_authz.core.masking.trail import Trail
from agen_authz.core.masking.view import SEPARATOR
from agen_authz.core.model import Json

MAX_NESTED = 4
# Shorter texts, and shorter words of letters, are nothing, unless their member's name says so.
_MIN_CHARS, _MIN_WORD_CHARS = 4, 12
# Fewer objects of one kind are walked over one by one.
_MIN_ROWS = 4
_SMALL, _SKIPPED = frozenset({int, float}), frozenset({int, str})
_TEXT, _NUMBER, _NAME = range(3)
_NOTHING: frozenset[str] = frozenset()
_ENVELOPE = frozenset({"jsonrpc", "id", "method"})
_META = frozenset({"progressToken", "taskId", "io.modelcontextprotocol/subscriptionId"})
_RELATED = "io.modelcontextprotocol/related-task"
# What a result, or the parameters of a notification or request, have that the client sends back or goes by.
_BODY = frozenset(
    {
        "nextCursor", "cursor", "requestState", "resultType", "taskId", "progressToken", "requestId", "elicitationId",
        "sessionId", "protocolVersion", "cacheScope", "lastUpdatedAt", "createdAt", "pollInterval", "ttl", "ttlMs",
    }
)  # fmt: skip
# Its members that have members, and what is skipped in each.
_PARTS = {"_meta": _META, "task": _BODY, "tasks": _BODY, "structuredContent": _NOTHING}
_OUTER = frozenset({"result", "params"})
# What taking a document apart may cost; a unit is about two microseconds.
_MAX_UNITS, _UNITS_BY_NAME, _UNITS_BY_DOCUMENT = 120_000, 5, 10


class Document:
    """A document that is taken apart.

    Attributes:
        texts: what is searched; `trails` are the ways to them.
        pending: layouts whose names are among the texts; they are clean if nothing is found there.
        deep: spots that are nested too deeply to be taken apart.
        binary: spots of what is not text.
        objects: every object, with the names of its members.
        root: the document.
    """

    __slots__ = (
        "_has_customs",
        "_layouts",
        "_left",
        "_places",
        "binary",
        "deep",
        "objects",
        "pending",
        "root",
        "texts",
        "trails",
    )

    def __init__(self, value: Json, layouts: Layouts, root: Trail, *, is_message: bool) -> None:
        """Take a value apart.

        Args:
            is_message: True if it is a message of JSON-RPC.

        Raises:
            Unmaskable: it costs too much.
        """
        self.texts: list[str] = []
        self.trails: list[Trail] = []
        # Where each text is: its node, or table and row, the member's name, and what it is. Most are never asked for.
        self._places: list[tuple[Any, ...]] = []
        self.pending: list[Layout] = []
        self.deep: list[DocumentSpot] = []
        self.objects: list[tuple[DocumentNode | Table, Names]] = []
        self.binary: list[DocumentSpot] = []
        self._layouts, self._has_customs = layouts, layouts.has_customs
        # What taking it apart may still cost beyond a walk: for JSON in texts, and names that were not seen before.
        self._left = _MAX_UNITS
        kind = NodeKind.LIST if isinstance(value, list) else NodeKind.OBJECT
        self.root = DocumentNode(None, "", value, kind, may_drop=not is_message)
        if is_message and isinstance(value, dict):
            self._walk_message(value, root)
        elif isinstance(value, dict):
            self._walk_object(value, self.root, root, _NOTHING)
        elif isinstance(value, list):
            self._walk_list(value, self.root, root)
        else:
            self.root = DocumentNode(None, "", [value], NodeKind.ALONE, may_drop=True)
            self._walk_list([value], self.root, root)

    def _walk_message(self, message: dict[str, Json], root: Trail) -> None:
        # 1.
        for key, value in message.items():
            if key in _OUTER and isinstance(value, dict):
                self._walk_body(value, DocumentNode(self.root, key, value, NodeKind.OBJECT), root)
            elif key not in _ENVELOPE or not isinstance(value, str | int):
                self._walk(value, self.root, key, root)
                self.add_name(self.root, key)

    def _walk_body(self, body: dict[str, Json], node: DocumentNode, root: Trail) -> None:
        rest = {key: value for key, value in body.items() if key not in _PARTS}
        self._walk_object(rest, node, root, _BODY)
        for key, skipped in _PARTS.items():
            value = body.get(key)
            if key == "_meta" and isinstance(value, dict):
                self._walk_meta(value, DocumentNode(node, key, value, NodeKind.OBJECT), root)
            elif key == "tasks" and isinstance(value, list):
                self._walk_tasks(value, DocumentNode(node, key, value, NodeKind.LIST), root)
            elif isinstance(value, dict):
                child = DocumentNode(node, key, value, NodeKind.OBJECT, may_drop=key == "structuredContent")
                self._walk_object(value, child, root, skipped)
            elif value is not None:
                self._walk(value, node, key, root)

    def _walk_meta(self, meta: dict[str, Json], node: DocumentNode, root: Trail) -> None:
        related = meta.get(_RELATED)
        if not isinstance(related, dict):
            self._walk_object(meta, node, root, _META)
            return
        self._walk_object({key: value for key, value in meta.items() if key != _RELATED}, node, root, _META)
        self._walk_object(related, DocumentNode(node, _RELATED, related, NodeKind.OBJECT), root, _META)

    def _walk_tasks(self, tasks: list[Json], node: DocumentNode, root: Trail) -> None:
        for place, task in enumerate(tasks):
            if isinstance(task, dict):
                self._walk_object(task, DocumentNode(node, place, task, NodeKind.OBJECT), root, _BODY)
            else:
                self._walk(task, node, place, root)

    def _walk(self, value: Json, node: DocumentNode, key: str | int, trail: Trail) -> None:
        if isinstance(value, str):
            self._add_text(value, node, key, trail)
        elif isinstance(value, dict):
            self._walk_object(value, DocumentNode(node, key, value, NodeKind.OBJECT), trail, _NOTHING)
        elif isinstance(value, list):
            self._walk_list(value, DocumentNode(node, key, value, NodeKind.LIST), trail)
        elif value is not None:
            self._add_number(value, node, key, trail)

    def _walk_object(
        self, value: Mapping[str, Json], node: DocumentNode, trail: Trail, skipped: frozenset[str]
    ) -> None:
        names = tuple(value)
        self.objects.append((node, names))
        layout = self._get_layout(trail, names)
        if layout.suspects and not layout.is_clean:
            self._add_names(layout, node)
        if layout.has_blob:
            value = self._take_binary(value, node, trail)
        is_usual = not self._has_customs
        # This loop sees every value there is: what is nothing for certain ends here.
        for key, item, child in zip(value, value.values(), layout.trails, strict=True):
            kind = type(item)
            if kind in _SMALL and is_usual and not child.fields and -MIN_NUMBER < item < MIN_NUMBER:  # type: ignore[operator]
                continue
            if kind is str and self._is_nothing(item, child):  # type: ignore[arg-type]
                continue
            if not (skipped and key in skipped and kind in _SKIPPED):
                self._walk(item, node, key, child)

    def _walk_list(self, value: list[Json], node: DocumentNode, trail: Trail) -> None:
        # 5.
        if len(value) >= _MIN_ROWS and self._walk_table(value, node, trail):
            return
        for place, item in enumerate(value):
            if type(item) is not str or not self._is_nothing(item, trail):
                self._walk(item, node, place, trail)

    def _walk_table(self, rows: list[Json], node: DocumentNode, trail: Trail) -> bool:
        """Walk over objects that all have the same members, member by member; False if these are not."""
        first = rows[0]
        names = tuple(first) if isinstance(first, dict) else ()
        if not names or any(type(row) is not dict or tuple(row) != names for row in rows):
            return False
        layout = self._get_layout(trail, names)
        if layout.has_blob or not layout.is_clean:
            return False
        table = Table(node, rows)
        self.objects.append((table, names))
        for key, child in zip(names, layout.trails, strict=True):
            column = [row[key] for row in rows]  # type: ignore[index, call-overload]
            kinds = set(map(type, column))
            if kinds == {str}:
                self._add_column(column, table, key, child)  # type: ignore[arg-type]
            elif kinds == {list} and self._are_nothing(column, child):  # type: ignore[arg-type]
                continue
            elif kinds <= _SMALL:
                self._add_numbers(column, table, key, child)  # type: ignore[arg-type]
            else:
                for place, item in enumerate(column):
                    self._walk(item, table.node(place), key, child)
        return True

    def _get_layout(self, trail: Trail, names: Names) -> Layout:
        known = self._layouts.find(trail, names)
        if known is not None:
            return known
        self._spend(_UNITS_BY_NAME * len(names))
        return self._layouts.keep(trail, names)

    def _spend(self, units: int) -> None:
        self._left -= units
        if self._left < 0:
            raise Unmaskable("taking it apart costs too much: too much JSON in texts, or too many names of members")

    def _are_nothing(self, column: list[list[Json]], trail: Trail) -> bool:
        """True if lists hold single words only."""
        words = [item for row in column for item in row]
        if trail.fields or self._has_customs or not words or set(map(type, words)) != {str}:
            return not words
        texts: list[str] = [str(word) for word in words]
        return max(map(len, texts)) < _MIN_WORD_CHARS and "".join(texts).isalpha()

    def _add_numbers(self, column: list[float], table: Table, key: str, trail: Trail) -> None:
        is_usual = not trail.fields and not self._has_customs
        if is_usual and max(column) < MIN_NUMBER and min(column) > -MIN_NUMBER:
            return
        for place, number in enumerate(column):
            written = write_number(number, trail, is_any=self._has_customs)
            if written is not None:
                self.texts.append(written)
                self.trails.append(trail)
                self._places.append((table, place, key, _NUMBER))

    def _add_column(self, column: list[str], table: "Table", key: str, trail: Trail) -> None:
        whole = SEPARATOR.join(column)
        is_free = not trail.fields and not self._has_customs
        if is_free and max(map(len, column)) < _MIN_WORD_CHARS and "".join(column).isalpha():
            return
        if any(sign in whole for sign in '"{[') or NUMBER_BEGINS.search(whole) is not None:
            for place, text in enumerate(column):
                if text and not self._is_nothing(text, trail):
                    self._add_text(text, table.node(place), key, trail)
            return
        count = len(column)
        self.texts.extend(column)
        self.trails.extend(repeat(trail, count))
        self._places.extend(zip(repeat(table), range(count), repeat(key), repeat(_TEXT)))

    def _is_nothing(self, text: str, trail: Trail) -> bool:
        # INVARIANT: one word of letters is nothing: it has no digit, no sign, and is too short for an encoding.
        is_short = len(text) < _MIN_WORD_CHARS and (text.isalpha() or len(text) < _MIN_CHARS)
        return is_short and not trail.fields and not self._has_customs

    # ---- leaves --------------------------------------------------------------------------------------------

    def spot(self, leaf: int) -> DocumentSpot:
        """Return where a text is."""
        owner, *row, key, kind = self._places[leaf]
        node = owner.node(row[0]) if isinstance(owner, Table) else owner
        return DocumentSpot(node, key, is_name=kind == _NAME, is_text=kind != _NUMBER)

    def is_name(self, leaf: int) -> bool:
        """True if a text is a member's name."""
        return bool(self._places[leaf][-1] == _NAME)

    def _add(self, text: str, trail: Trail, node: DocumentNode, key: str | int, kind: int) -> None:
        self.texts.append(text)
        self.trails.append(trail)
        self._places.append((node, key, kind))

    def add_name(self, node: "DocumentNode | Table", name: str) -> None:
        """Add a member's name to the texts; of a table, of each row."""
        if isinstance(node, Table):
            for place in range(len(node.rows)):
                self.add_name(node.node(place), name)
            return
        self._add(read_number(name) or name, self._layouts.root, node, name, _NAME)

    def _add_names(self, layout: Layout, node: DocumentNode) -> None:
        self.pending.append(layout)
        for name in layout.suspects:
            self.add_name(node, name)

    def _add_text(self, text: str, node: DocumentNode, key: str | int, trail: Trail) -> None:
        if not text:
            return
        # 2.
        if (text[0] in "{[" or '"' in text) and ("{" in text or "[" in text):
            parts = split_nested(text)
            if parts is not None:
                self._add_nested(parts, node, key, trail)
                return
        number = read_number(text)
        if number is None:
            self._add(text, trail, node, key, _TEXT)
        else:
            self._add(number, trail, node, key, _NUMBER)

    def _add_nested(self, parts: list[Json], node: DocumentNode, key: str | int, trail: Trail) -> None:
        self._spend(_UNITS_BY_DOCUMENT)
        inner = DocumentNode(node, key, parts, NodeKind.NESTED, may_drop=True, depth=node.depth + 1)
        if inner.depth > MAX_NESTED:
            self.deep.append(DocumentSpot(node, key))
            return
        self._walk_list(parts, inner, trail)

    def _add_number(self, number: float, node: DocumentNode, key: str | int, trail: Trail) -> None:
        # 4.
        written = write_number(number, trail, is_any=self._has_customs)
        if written is not None:
            self._add(written, trail, node, key, _NUMBER)

    # ---- blobs ---------------------------------------------------------------------------------------------

    def _take_binary(self, value: Mapping[str, Json], node: DocumentNode, trail: Trail) -> Mapping[str, Json]:
        # 3.
        taken = value
        for key in ("data", "blob"):
            held = value.get(key)
            if isinstance(held, str) and (key == "blob" or value.get("type") in BINARY_TYPES):
                taken = {**taken, key: None}
                self._add_binary(held, node, key, trail)
        return taken

    def _add_binary(self, held: str, node: DocumentNode, key: str, trail: Trail) -> None:
        raw = read_base64(held)
        if raw is None:
            # It is not what it should be, but may be a text.
            self._add_text(held, node, key, trail)
            return
        text = read_text(raw)
        if text is None:
            self.binary.append(DocumentSpot(node, key))
        else:
            parts: list[Json] = split_nested(text) or [text]
            self._walk_list(parts, DocumentNode(node, key, parts, NodeKind.BLOB, depth=node.depth + 1), trail)
