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

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from itertools import repeat
from typing import Any, TypeAlias

from agen_authz.core.masking.catalog.person import BARE_NAME_KEYS, PERSON_SIBLINGS
from agen_authz.core.masking.nested import split_nested
from agen_authz.core.masking.node import BINARY_TYPES, Kind, Node, Spot, Table
from agen_authz.core.masking.rule import Unmaskable
from agen_authz.core.masking.scanner import Scanner
from agen_authz.core.masking.trail import Trail, split_key
from agen_authz.core.masking.view import SEPARATOR
from agen_authz.core.memory import Memory
from agen_authz.core.model import Json

MAX_NESTED = 4
# Shorter texts and smaller numbers are nothing, unless their member's name says so.
_MIN_CHARS, _MIN_NUMBER = 4, 10_000
_MIN_WORD_CHARS, _MIN_VALUE_CHARS = 12, 16
_MAX_NUMBER_CHARS = 40
_BEGINS_NUMBER = frozenset("+-0123456789")
_NUMBER_TEXT = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30}(?:[eE][+-]?[0-9]{1,2})?|[eE][+-]?[0-9]{1,2})")
# How a number begins that is written as a text, in texts with separators between.
_NUMBER_BEGINS = re.compile(r"(?:^|\x1e)[+-]?[0-9]{1,30}(?:\.[0-9]|[eE])")
# Fewer objects of one kind are walked over one by one.
_MIN_ROWS = 4
_SMALL, _SKIPPED = frozenset({int, float}), frozenset({int, str})
_TEXT, _NUMBER, _NAME = range(3)
_MIN_FLOAT = 1e11
_NAMES: TypeAlias = tuple[str, ...]
_NOTHING: frozenset[str] = frozenset()
_ENVELOPE = frozenset({"jsonrpc", "id", "method"})
_META = frozenset({"progressToken", "taskId"})
# What a result, or the parameters of a notification or request, have that the client sends back or goes by.
_BODY = frozenset(
    {
        "nextCursor", "cursor", "requestState", "resultType", "taskId", "progressToken", "requestId", "elicitationId",
        "sessionId", "protocolVersion", "cacheScope", "lastUpdatedAt", "createdAt", "pollInterval", "ttl", "ttlMs",
    }
)  # fmt: skip
_STANDARD = str.maketrans("-_", "+/")
_OUTER = frozenset({"result", "params"})


class _Shape:
    """An object's member names, looked at once.

    Attributes:
        trails: of the members, in their order.
        is_clean: True once the names were searched and nothing was found.
        has_blob: True if it may hold a blob, an image or audio.
    """

    __slots__ = ("has_blob", "is_clean", "suspects", "trails")

    def __init__(self, trails: tuple[Trail, ...], suspects: tuple[str, ...], *, has_blob: bool) -> None:
        self.trails, self.suspects, self.has_blob = trails, suspects, has_blob
        self.is_clean = not suspects


_MAX_SHAPES = 16_384
# A unit is about two microseconds.
_MAX_UNITS, _UNITS_BY_NAME, _UNITS_BY_DOCUMENT = 120_000, 5, 10


class Shapes:
    """The shapes of objects that one scanner has seen.

    Attributes:
        root: the trail of a whole document.
        has_customs: True if there are patterns that may match anything.
    """

    __slots__ = ("_known", "_scanner", "has_customs", "root")

    def __init__(self, scanner: Scanner) -> None:
        self.root, self.has_customs = scanner.fields.root, bool(scanner.customs)
        self._known: Memory[tuple[Trail, _NAMES], _Shape] = Memory(_MAX_SHAPES)
        self._scanner = scanner

    def find(self, trail: Trail, names: _NAMES) -> _Shape | None:
        """Find the shape of an object with these names, if there was one before."""
        return self._known.find((trail, names))

    def keep(self, trail: Trail, names: _NAMES) -> _Shape:
        """Make the shape of an object with these names."""
        return self._known.keep((trail, names), self._make(trail, names))

    def _make(self, trail: Trail, names: _NAMES) -> _Shape:
        fields = self._scanner.fields
        is_person = "person_name" in self._scanner.held and any(_tells_of_person(name) for name in names)
        trails = tuple(
            Trail(child.words, ("person_name", *child.fields))
            if is_person and name.lower() in BARE_NAME_KEYS
            else child
            for name, child in ((name, fields.step(trail, name)) for name in names)
        )
        suspects = tuple(name for name in names if is_suspect(name))
        has_blob = "blob" in names or ("data" in names and "type" in names)
        return _Shape(trails, suspects, has_blob=has_blob)


def _name_person(trail: Trail, name: str, *, is_person: bool) -> Trail:
    """Let a bare `name` be a person's, next to what only a person has."""
    if not is_person or name.lower() not in BARE_NAME_KEYS:
        return trail
    return Trail(trail.words, ("person_name", *trail.fields))


def _tells_of_person(name: str) -> bool:
    words = split_key(name)
    return " ".join(words) in PERSON_SIBLINGS or not PERSON_SIBLINGS.isdisjoint(words)


def is_suspect(name: str) -> bool:
    """True if a member's name may be a value: it is searched; one that is not is a short word."""
    if len(name) < _MIN_CHARS:
        return False
    return len(name) >= _MIN_VALUE_CHARS or not (name.isascii() and name.replace("_", "").isalpha())


class Document:
    """A document that is taken apart.

    Attributes:
        texts: what is searched; `trails` are the ways to them.
        pending: shapes whose names are among the texts; they are clean if nothing is found there.
        deep: spots that are nested too deeply to be taken apart.
        binary: spots of what is not text.
        objects: every object, with the names of its members.
        root: the document.
    """

    __slots__ = (
        "_has_customs",
        "_left",
        "_places",
        "_shapes",
        "binary",
        "deep",
        "objects",
        "pending",
        "root",
        "texts",
        "trails",
    )

    def __init__(self, value: Json, shapes: Shapes, root: Trail, *, is_message: bool) -> None:
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
        self.pending: list[_Shape] = []
        self.deep: list[Spot] = []
        self.objects: list[tuple[Node | Table, _NAMES]] = []
        self.binary: list[Spot] = []
        self._shapes, self._has_customs = shapes, shapes.has_customs
        # What taking it apart may still cost beyond a walk: for JSON in texts, and names that were not seen before.
        self._left = _MAX_UNITS
        self.root = Node(None, "", value, Kind.LIST if isinstance(value, list) else Kind.OBJECT)
        if is_message and isinstance(value, dict):
            self._walk_message(value, root)
        elif isinstance(value, dict):
            self._walk_object(value, self.root, root, _NOTHING)
        elif isinstance(value, list):
            self._walk_list(value, self.root, root)
        else:
            self.root = Node(None, "", [value], Kind.ALONE)
            self._walk_list([value], self.root, root)

    def _walk_message(self, message: dict[str, Json], root: Trail) -> None:
        # 1.
        for key, value in message.items():
            if key in _OUTER and isinstance(value, dict):
                self._walk_body(value, Node(self.root, key, value, Kind.OBJECT), root)
            elif key not in _ENVELOPE or not isinstance(value, str | int):
                self._walk(value, self.root, key, root)
                self.add_name(self.root, key)

    def _walk_body(self, body: dict[str, Json], node: Node, root: Trail) -> None:
        rest = {key: value for key, value in body.items() if key not in ("_meta", "structuredContent", "task")}
        self._walk_object(rest, node, root, _BODY)
        for key, skipped in (("_meta", _META), ("task", _BODY), ("structuredContent", _NOTHING)):
            value = body.get(key)
            if isinstance(value, dict):
                child = Node(node, key, value, Kind.OBJECT, may_drop=key == "structuredContent")
                self._walk_object(value, child, root, skipped)
            elif value is not None:
                self._walk(value, node, key, root)

    def _walk(self, value: Json, node: Node, key: str | int, trail: Trail) -> None:
        if isinstance(value, str):
            self._add_text(value, node, key, trail)
        elif isinstance(value, dict):
            self._walk_object(value, Node(node, key, value, Kind.OBJECT), trail, _NOTHING)
        elif isinstance(value, list):
            self._walk_list(value, Node(node, key, value, Kind.LIST), trail)
        elif value is not None:
            self._add_number(value, node, key, trail)

    def _walk_object(self, value: Mapping[str, Json], node: Node, trail: Trail, skipped: frozenset[str]) -> None:
        names = tuple(value)
        self.objects.append((node, names))
        shape = self._get_shape(trail, names)
        if shape.suspects and not shape.is_clean:
            self._add_names(shape, node)
        if shape.has_blob:
            value = self._take_binary(value, node, trail)
        # This loop sees every value there is: what is nothing for certain ends here.
        for key, item, child in zip(value, value.values(), shape.trails, strict=True):
            kind = type(item)
            if kind in _SMALL and not child.fields and -_MIN_NUMBER < item < _MIN_NUMBER:  # type: ignore[operator]
                continue
            if kind is str and self._is_nothing(item, child):  # type: ignore[arg-type]
                continue
            if not (skipped and key in skipped and kind in _SKIPPED):
                self._walk(item, node, key, child)

    def _walk_list(self, value: list[Json], node: Node, trail: Trail) -> None:
        # 5.
        if len(value) >= _MIN_ROWS and self._walk_table(value, node, trail):
            return
        for place, item in enumerate(value):
            if type(item) is not str or not self._is_nothing(item, trail):
                self._walk(item, node, place, trail)

    def _walk_table(self, rows: list[Json], node: Node, trail: Trail) -> bool:
        """Walk over objects that all have the same members, member by member; False if these are not."""
        first = rows[0]
        names = tuple(first) if isinstance(first, dict) else ()
        if not names or any(type(row) is not dict or tuple(row) != names for row in rows):
            return False
        shape = self._get_shape(trail, names)
        if shape.has_blob or not shape.is_clean:
            return False
        table = Table(node, rows)
        self.objects.append((table, names))
        for key, child in zip(names, shape.trails, strict=True):
            column = [row[key] for row in rows]  # type: ignore[index, call-overload]
            kinds = set(map(type, column))
            if kinds == {str}:
                self._add_column(column, table, key, child)  # type: ignore[arg-type]
            elif kinds == {list} and self._are_nothing(column, child):  # type: ignore[arg-type]
                continue
            elif child.fields or not kinds <= _SMALL or max(column) >= _MIN_NUMBER or min(column) <= -_MIN_NUMBER:  # type: ignore[type-var, operator]
                for place, item in enumerate(column):
                    self._walk(item, table.node(place), key, child)
        return True

    def _get_shape(self, trail: Trail, names: _NAMES) -> _Shape:
        known = self._shapes.find(trail, names)
        if known is not None:
            return known
        self._spend(_UNITS_BY_NAME * len(names))
        return self._shapes.keep(trail, names)

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

    def _add_column(self, column: list[str], table: "Table", key: str, trail: Trail) -> None:
        whole = SEPARATOR.join(column)
        is_free = not trail.fields and not self._has_customs
        if is_free and max(map(len, column)) < _MIN_WORD_CHARS and "".join(column).isalpha():
            return
        if any(sign in whole for sign in '"{[') or _NUMBER_BEGINS.search(whole) is not None:
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

    def spot(self, leaf: int) -> Spot:
        """Return where a text is."""
        owner, *row, key, kind = self._places[leaf]
        node = owner.node(row[0]) if isinstance(owner, Table) else owner
        return Spot(node, key, is_name=kind == _NAME, is_text=kind != _NUMBER)

    def is_name(self, leaf: int) -> bool:
        """True if a text is a member's name."""
        return bool(self._places[leaf][-1] == _NAME)

    def _add(self, text: str, trail: Trail, node: Node, key: str | int, kind: int) -> None:
        self.texts.append(text)
        self.trails.append(trail)
        self._places.append((node, key, kind))

    def add_name(self, node: "Node | Table", name: str) -> None:
        """Add a member's name to the texts; of a table, of each row."""
        if isinstance(node, Table):
            for place in range(len(node.rows)):
                self.add_name(node.node(place), name)
            return
        self._add(_read_number(name) or name, self._shapes.root, node, name, _NAME)

    def _add_names(self, shape: _Shape, node: Node) -> None:
        self.pending.append(shape)
        for name in shape.suspects:
            self.add_name(node, name)

    def _add_text(self, text: str, node: Node, key: str | int, trail: Trail) -> None:
        if not text:
            return
        # 2.
        if (text[0] in "{[" or '"' in text) and ("{" in text or "[" in text):
            parts = split_nested(text)
            if parts is not None:
                self._add_nested(parts, node, key, trail)
                return
        number = _read_number(text)
        if number is None:
            self._add(text, trail, node, key, _TEXT)
        else:
            self._add(number, trail, node, key, _NUMBER)

    def _add_nested(self, parts: list[Json], node: Node, key: str | int, trail: Trail) -> None:
        self._spend(_UNITS_BY_DOCUMENT)
        inner = Node(node, key, parts, Kind.NESTED, may_drop=True, depth=node.depth + 1)
        if inner.depth > MAX_NESTED:
            self.deep.append(Spot(node, key))
            return
        self._walk_list(parts, inner, trail)

    def _add_number(self, number: float, node: Node, key: str | int, trail: Trail) -> None:
        # 4.
        if type(number) is bool:
            if trail.fields:
                self._add("true" if number else "false", trail, node, key, _NUMBER)
        elif type(number) is int:
            if trail.fields or number >= _MIN_NUMBER or number <= -_MIN_NUMBER:
                self._add(str(abs(number)), trail, node, key, _NUMBER)
        elif trail.fields or abs(number) >= _MIN_FLOAT:
            self._add(_write_float(abs(number)), trail, node, key, _NUMBER)

    # ---- blobs ---------------------------------------------------------------------------------------------

    def _take_binary(self, value: Mapping[str, Json], node: Node, trail: Trail) -> Mapping[str, Json]:
        # 3.
        taken = value
        for key in ("data", "blob"):
            held = value.get(key)
            if isinstance(held, str) and (key == "blob" or value.get("type") in BINARY_TYPES):
                taken = {**taken, key: None}
                self._add_binary(held, node, key, trail)
        return taken

    def _add_binary(self, held: str, node: Node, key: str, trail: Trail) -> None:
        raw = _read_base64(held)
        if raw is None:
            # It is not what it should be, but may be a text.
            self._add_text(held, node, key, trail)
            return
        text = _read_text(raw)
        if text is None:
            self.binary.append(Spot(node, key))
        else:
            parts: list[Json] = split_nested(text) or [text]
            self._walk_list(parts, Node(node, key, parts, Kind.BLOB, depth=node.depth + 1), trail)


def _read_base64(text: str) -> bytes | None:
    """Read base64 in any of its spellings: with line ends, without padding, for URLs (RFC 4648, RFC 2045)."""
    word = "".join(text.split()).rstrip("=").translate(_STANDARD)
    try:
        return b64decode(word + "=" * (-len(word) % 4), validate=True)
    except (ValueError, Base64Error):
        return None


def _read_text(raw: bytes) -> str | None:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text


def _read_number(text: str) -> str | None:
    """Read a number that is written as a text, with a fraction or an exponent; None if it is none of these."""
    if text[:1] not in _BEGINS_NUMBER or len(text) > _MAX_NUMBER_CHARS or _NUMBER_TEXT.fullmatch(text) is None:
        return None
    return _write_float(abs(float(text)))


def _write_float(number: float) -> str:
    return str(int(number)) if number.is_integer() and number < 1e30 else repr(number)
