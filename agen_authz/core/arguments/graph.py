"""A schema, read from JSON into nodes: only what is understood becomes a node, and references lead to nodes.

 1. the whole value is bounded: in depth, in number of values, in characters
 2. the draft is known; `$id` may name the whole, and nothing in it
 3. every keyword of `keyword` has the shape that it must have; all others are left out
 4. `$ref` is a JSON pointer (RFC 6901) or an anchor of this document; no reference leads to itself before it leads to
    a member or an item, and no chain of schemas about one value is longer than 32

What no reference and no keyword leads to is not read.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from agen_authz.core.arguments.keyword import (
    DEFAULT_DRAFT,
    DRAFT_4,
    DRAFTS,
    LISTS,
    MAPS,
    PLAIN,
    REFUSED,
    SAME,
    SAME_LISTS,
    SAME_MAPS,
    SCHEMAS,
)
from agen_authz.core.model import Json
from agen_authz.core.quote import quote

MAX_DEPTH = 64
MAX_VALUES = 20_000
MAX_CHARS = 262_144
MAX_CHAIN = 32
_PERCENT = re.compile(r"%([0-9A-Fa-f]{2})")
_INDEX = re.compile(r"0|[1-9][0-9]{0,5}")

Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BadSchema:
    """A schema that cannot be checked against; `why` is for operators and names no value of a call."""

    why: str


class _BadSchemaError(Exception):
    """Carries an `BadSchema` out of the reader."""


@dataclass(frozen=True, slots=True)
class Subschema:
    """One schema: keywords without schemas, and the numbers of the nodes that the others lead to.

    Args:
        path: where it is in the document.
        always: what a schema that is only `true` or `false` says.
        names: the members of `dependencies` that hold lists of names.
        mirror: its `x-mcp-header`, which is not checked here.
    """

    path: Path
    always: bool | None = None
    plain: dict[str, Json] = field(default_factory=dict)
    schemas: dict[str, int] = field(default_factory=dict)
    lists: dict[str, tuple[int, ...]] = field(default_factory=dict)
    maps: dict[str, dict[str, int]] = field(default_factory=dict)
    names: dict[str, Json] = field(default_factory=dict)
    reference: int | None = None
    mirror: Json = None

    def list_same(self) -> Iterator[int]:
        """List the nodes that are about the same value."""
        if self.reference is not None:
            yield self.reference
        yield from (at for keyword, at in self.schemas.items() if keyword in SAME)
        for keyword, nodes in self.lists.items():
            if keyword in SAME_LISTS:
                yield from nodes
        for keyword, named in self.maps.items():
            if keyword in SAME_MAPS:
                yield from named.values()


@dataclass(frozen=True, slots=True)
class Graph:
    """All nodes of a schema; the first is the whole. `draft` is its `$schema`, `shared` what references lead to."""

    draft: str
    nodes: tuple[Subschema, ...]
    shared: frozenset[int]


def read_graph(schema: Json) -> Graph | BadSchema:
    """Read a schema; total."""
    try:
        return _read(schema)
    except _BadSchemaError as exc:
        return BadSchema(str(exc))


def _read(schema: Json) -> Graph:
    if not isinstance(schema, dict):
        raise _BadSchemaError("`inputSchema` is not an object")
    _check_size(schema)
    draft = schema.get("$schema", DEFAULT_DRAFT)
    if not isinstance(draft, str) or draft.removesuffix("#") not in DRAFTS:
        raise _BadSchemaError("`$schema` is not a draft of JSON Schema from 4 to 2020-12")
    nodes = _Reader(schema, draft).read_all()
    _check_chains(nodes)
    shared = frozenset(node.reference for node in nodes if node.reference is not None)
    return Graph(draft, nodes, shared | {0})


def _check_size(schema: Json) -> None:
    values = chars = depth = 0
    level = [schema]
    while level:
        depth += 1
        values += len(level)
        chars += sum(len(each) for each in level if isinstance(each, str))
        chars += sum(len(key) for each in level if isinstance(each, dict) for key in each)
        if depth > MAX_DEPTH or values > MAX_VALUES or chars > MAX_CHARS:
            bound = f"{MAX_DEPTH} levels, {MAX_VALUES} values or {MAX_CHARS} characters"
            raise _BadSchemaError(f"it is larger than {bound}")
        level = [child for each in level for child in _list_children(each)]


def _list_children(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _is_positive(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


class _Reader:
    """Gives every schema that is reached a number, in the order in which it was reached."""

    def __init__(self, document: dict[str, Json], draft: str) -> None:
        self._document = document
        self._numbers: dict[Path, int] = {(): 0}
        self._pending: list[tuple[Path, dict[str, Json] | bool]] = [((), document)]
        self._refused = REFUSED | {"id" if draft.removesuffix("#") == DRAFT_4 else "$id"}
        self._draft = draft
        self._anchors: dict[str, tuple[Path, Json]] | None = None

    def read_all(self) -> tuple[Subschema, ...]:
        nodes: list[Subschema] = []
        # INVARIANT: a node is read in the order of its number.
        while len(nodes) < len(self._pending):
            nodes.append(self._read_node(*self._pending[len(nodes)]))
        return tuple(nodes)

    def _number(self, path: Path, value: Json) -> int:
        if not isinstance(value, dict | bool):
            raise _BadSchemaError(f"{_spell(path)} is not a schema")
        if path not in self._numbers:
            self._numbers[path] = len(self._pending)
            self._pending.append((path, value))
        return self._numbers[path]

    def _read_node(self, path: Path, schema: dict[str, Json] | bool) -> Subschema:
        if isinstance(schema, bool):
            return Subschema(path, always=schema)
        refused = {keyword for keyword in self._refused & schema.keys() if path or keyword in REFUSED}
        if schema.get("$schema", self._draft) != self._draft:
            refused.add("$schema")
        if refused:
            raise _BadSchemaError(f"{_spell((*path, min(refused)))} is not supported")
        node = Subschema(path, reference=self._find_reference(path, schema), mirror=schema.get("x-mcp-header"))
        for keyword, value in schema.items():
            self._read_keyword(node, keyword, value)
        return node

    def _read_keyword(self, node: Subschema, keyword: str, value: Json) -> None:
        path = (*node.path, keyword)
        if keyword in LISTS and isinstance(value, list):
            numbers = (self._number((*path, str(at)), each) for at, each in enumerate(value))
            node.lists[keyword] = tuple(numbers)
        elif keyword in SCHEMAS:
            node.schemas[keyword] = self._number(path, value)
        elif keyword in MAPS and isinstance(value, dict):
            # Before 2019-09, `dependencies` holds schemas and lists of names.
            lists = {name: each for name, each in value.items() if isinstance(each, list)}
            lists = lists if keyword == "dependencies" else {}
            node.names.update(lists)
            schemas = ((name, each) for name, each in value.items() if name not in lists)
            node.maps[keyword] = {name: self._number((*path, name), each) for name, each in schemas}
        elif keyword in LISTS or keyword in MAPS:
            raise _BadSchemaError(f"{_spell(path)} does not hold schemas")
        elif keyword == "multipleOf" and not _is_positive(value):
            # The library takes -0.0 for a number to divide by.
            raise _BadSchemaError(f"{_spell(path)} is not greater than 0")
        elif keyword in PLAIN:
            node.plain[keyword] = value

    def _find_reference(self, path: Path, schema: Mapping[str, Json]) -> int | None:
        if "$ref" not in schema:
            return None
        reference = schema["$ref"]
        where = _spell((*path, "$ref"))
        if not isinstance(reference, str) or not reference.startswith("#"):
            raise _BadSchemaError(f"{where} leaves the document")
        target = self._resolve(reference[1:])
        if target is None:
            raise _BadSchemaError(f"{where} leads nowhere")
        return self._number(*target)

    def _resolve(self, fragment: str) -> tuple[Path, Json] | None:
        decoded = _decode(fragment)
        if decoded is None:
            return None
        if decoded and not decoded.startswith("/"):
            return self._find_anchor(decoded)
        path: Path = ()
        value: Json = self._document
        for raw in decoded.split("/")[1:]:
            step = raw.replace("~1", "/").replace("~0", "~")
            if isinstance(value, dict) and step in value:
                value = value[step]
            elif isinstance(value, list) and _INDEX.fullmatch(step) and int(step) < len(value):
                value = value[int(step)]
            else:
                return None
            path = (*path, step)
        return path, value

    def _find_anchor(self, name: str) -> tuple[Path, Json] | None:
        if self._anchors is None:
            self._anchors = _list_anchors(self._document)
        return self._anchors.get(name)


def _list_anchors(document: Json) -> dict[str, tuple[Path, Json]]:
    found: dict[str, tuple[Path, Json]] = {}
    pending: list[tuple[Path, Json]] = [((), document)]
    while pending:
        path, value = pending.pop()
        if isinstance(value, dict):
            anchor = value.get("$anchor")
            if isinstance(anchor, str):
                if anchor in found:
                    raise _BadSchemaError(f"the anchor {quote(anchor)} is there twice")
                found[anchor] = path, value
            pending.extend(((*path, key), each) for key, each in value.items())
        elif isinstance(value, list):
            pending.extend(((*path, str(at)), each) for at, each in enumerate(value))
    return found


def _decode(fragment: str) -> str | None:
    """Decode a URI's fragment (RFC 3986 section 2.1)."""
    if "%" not in fragment:
        return fragment
    try:
        plain = _PERCENT.sub(lambda found: chr(int(found[1], 16)), fragment)
        return plain.encode("latin-1").decode("utf-8") if "%" not in _PERCENT.sub("", fragment) else None
    except ValueError:
        return None


def _check_chains(nodes: tuple[Subschema, ...]) -> None:
    lengths: dict[int, int] = {}
    for number in range(len(nodes)):
        _measure_chain(nodes, number, lengths, 1)


def _measure_chain(nodes: tuple[Subschema, ...], number: int, lengths: dict[int, int], depth: int) -> int:
    # INVARIANT: a circle is deeper than any bound.
    if depth > MAX_CHAIN:
        raise _BadSchemaError(f"more than {MAX_CHAIN} schemas in a row are about one value, or they go in a circle")
    known = lengths.get(number)
    if known is None:
        following = (_measure_chain(nodes, each, lengths, depth + 1) for each in nodes[number].list_same())
        known = lengths[number] = 1 + max(following, default=0)
    if depth + known - 1 > MAX_CHAIN:
        raise _BadSchemaError(f"more than {MAX_CHAIN} schemas in a row are about one value, or they go in a circle")
    return known


def _spell(path: Path) -> str:
    return quote("".join("/" + step.replace("~", "~0").replace("/", "~1") for step in path) or "/")
