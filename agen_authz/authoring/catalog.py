"""What a server offers: from saved answers to `tools/list`, `resources/list` and `prompts/list`, and from the store.

A list that an author saved comes before what the store knows of the same server: a server may list its tools to callers
differently, and the store keeps tools that are listed no longer.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from agen_authz.core.arguments.graph import BadSchema, Graph, Subschema, read_graph
from agen_authz.core.model import Json, Target, TargetKind
from agen_authz.core.pinning.catalogue import KnownTool, build_catalogue
from agen_authz.core.pinning.definition import is_callable
from agen_authz.core.pinning.record import Listing

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# Verbs in tools' names; `export` moves data out, which writes to another place.
_PAYS = frozenset(
    {
        "pay", "payout", "refund", "charge", "transfer", "withdraw", "purchase"
    }
)  # fmt: skip
_DELETES = frozenset(
    {
        "delete", "remove", "drop", "purge", "destroy", "erase", "wipe", "truncate", "terminate"
    }
)  # fmt: skip
_CONFIGURES = frozenset(
    {
        "configure", "grant", "revoke", "enable", "disable", "install", "uninstall"
    }
)  # fmt: skip
_WRITES = frozenset(
    {
        "add", "approve", "archive", "assign", "cancel", "clear", "close", "commit", "create", "deploy", "edit",
        "execute", "export", "import", "insert", "invite", "merge", "modify", "move", "patch", "post", "publish",
        "push", "put", "reject", "rename", "replace", "reset", "restore", "run", "save", "schedule", "send", "set",
        "share", "start", "stop", "submit", "sync", "unlock", "update", "upload", "upsert", "write"
    }
)  # fmt: skip
_OTHERS = ("additionalProperties", "unevaluatedProperties")
_KINDS = (
    ("tools", TargetKind.TOOL, "name"),
    ("resources", TargetKind.RESOURCE, "uri"),
    ("resourceTemplates", TargetKind.RESOURCE, "uriTemplate"),
    ("prompts", TargetKind.PROMPT, "name"),
)


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One tool, resource or prompt that a server offers.

    Args:
        is_read_only: the server says that it changes nothing.
        is_destructive: the server says that it may destroy something.
        arguments: the names that its schema has; None if it takes others, or if that is not known.
    """

    target: Target
    is_read_only: bool = False
    is_destructive: bool = False
    arguments: frozenset[str] | None = None

    @property
    def spelling(self) -> str:
        """Spell it as selectors do."""
        return f"{self.target.server}/{self.target.name}"

    @property
    def writes(self) -> bool:
        """True if it must be taken to write: unless the server denies it and its name does too."""
        if self.target.kind is not TargetKind.TOOL:
            return False
        return not self.is_read_only or not words_of(self.target.name).isdisjoint(
            _WRITES | _DELETES | _PAYS | _CONFIGURES
        )

    @property
    def is_sensitive(self) -> bool:
        """True if its name says that it deletes, pays or configures, or if the server says that it is destructive."""
        if self.target.kind is not TargetKind.TOOL or not (self.writes or self.is_destructive):
            return False
        return self.is_destructive or not words_of(self.target.name).isdisjoint(_DELETES | _PAYS | _CONFIGURES)


def words_of(name: str) -> set[str]:
    """Split a tool's name into lower-case words."""
    return {word.lower() for word in _WORD.findall(name)}


def read_catalog(files: Iterable[str], servers: Iterable[str]) -> list[CatalogEntry]:
    """Read saved lists; each is `FILE`, if there is one server, or `SERVER=FILE`.

    Raises:
        ValueError: a file is not such a list, or does not say whose it is; the message names it.
    """
    known = list(servers)
    return [entry for written in files for entry in _read(written, known)]


def _read(written: str, servers: list[str]) -> list[CatalogEntry]:
    server, mark, file = written.partition("=")
    if not mark:
        if len(servers) != 1:
            raise ValueError(f"{written}: say whose list it is, such as {min(servers, default='crm')}={written}")
        server, file = servers[0], written
    if server not in servers:
        raise ValueError(f"{written}: no resource is called `{server}`")
    try:
        document = orjson.loads(Path(file).read_bytes())
    except (OSError, orjson.JSONDecodeError) as exc:
        raise ValueError(f"{file}: cannot be read as JSON") from exc
    listed = document.get("result", document) if isinstance(document, dict) else None
    listed = listed if isinstance(listed, dict) else {}
    held = [listed[key] for key, _, _ in _KINDS if key in listed]
    if not held or not all(isinstance(each, list) for each in held):
        raise ValueError(f"{file}: holds no `tools`, `resources` or `prompts`")
    return list(_entries(listed, server))


def _entries(listed: Mapping[str, Any], server: str) -> Iterator[CatalogEntry]:
    for key, kind, name in _KINDS:
        for entry in listed.get(key, ()):
            if isinstance(entry, dict) and isinstance(entry.get(name), str):
                yield _enter(Target(kind, server, entry[name]), entry)


def _enter(target: Target, definition: Mapping[str, Any]) -> CatalogEntry:
    hints = definition.get("annotations")
    hints = hints if isinstance(hints, dict) and target.kind is TargetKind.TOOL else {}
    return CatalogEntry(
        target,
        is_read_only=hints.get("readOnlyHint") is True,
        is_destructive=hints.get("destructiveHint") is True,
        arguments=list_arguments(definition.get("inputSchema")),
    )


def add_kept(known: Sequence[CatalogEntry], listing: Listing, servers: Iterable[str]) -> list[CatalogEntry]:
    """Add the tools that the store knows of servers whose tools no saved list has."""
    open_to = set(servers) - {each.target.server for each in known if each.target.kind is TargetKind.TOOL}
    entries = build_catalogue(listing.version, listing.tools).entries.values()
    held = [each for each in entries if each.tool.server in open_to and is_callable(each.tool.name)]
    return [*known, *map(_enter_kept, held)]


def _enter_kept(known: KnownTool) -> CatalogEntry:
    """Sum up what is approved and what was listed last: a hint that makes a tool harmless must be in all of them."""
    target = Target(TargetKind.TOOL, known.tool.server, known.tool.name)
    last = known.tool.last
    listed = [] if last is None or last.definition is None else [_enter(target, last.definition)]
    approved = [_enter(target, each.definition) for each in known.approved]
    entries = [*approved, *listed]
    named = [each.arguments for each in approved or listed]
    is_open = not named or None in named
    return CatalogEntry(
        target,
        is_read_only=bool(entries) and all(each.is_read_only for each in entries),
        is_destructive=any(each.is_destructive for each in entries),
        arguments=None if is_open else frozenset().union(*(each for each in named if each is not None)),
    )


def list_arguments(schema: Json) -> frozenset[str] | None:
    """List the names that an `inputSchema` has; None if it says that there may be others, or cannot be read.

    A schema that does not say so may take others as well (JSON Schema's default), but no tool is known to read them.
    """
    graph = read_graph(schema)
    if isinstance(graph, BadSchema):
        return None
    found: set[str] = set()
    seen: set[int] = set()
    pending = [0]
    while pending:
        at = pending.pop()
        if at in seen:
            continue
        seen.add(at)
        node = graph.nodes[at]
        if _takes_others(graph, node):
            return None
        required = node.plain.get("required")
        found.update(node.maps.get("properties", ()))
        found.update(each for each in (required if isinstance(required, list) else ()) if isinstance(each, str))
        pending.extend(node.list_same())
    return frozenset(found)


def _takes_others(graph: Graph, node: Subschema) -> bool:
    others = [graph.nodes[node.schemas[each]] for each in _OTHERS if each in node.schemas]
    return bool(node.maps.get("patternProperties")) or any(each.always is not False for each in others)
