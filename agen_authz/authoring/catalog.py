"""What a server offers, from saved answers to `tools/list`, `resources/list` and `prompts/list`."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from agen_authz.core.model import Target, TargetKind

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
_KINDS = (
    ("tools", TargetKind.TOOL, "name"),
    ("resources", TargetKind.RESOURCE, "uri"),
    ("resourceTemplates", TargetKind.RESOURCE, "uriTemplate"),
    ("prompts", TargetKind.PROMPT, "name"),
)


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One tool, resource or prompt that a server offers; `is_read_only` is what the server says of it."""

    target: Target
    is_read_only: bool = False

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
        """True if its name says that it deletes, pays or configures."""
        if self.target.kind is not TargetKind.TOOL or not self.writes:
            return False
        return not words_of(self.target.name).isdisjoint(_DELETES | _PAYS | _CONFIGURES)


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
                hints = entry.get("annotations")
                is_read_only = isinstance(hints, dict) and hints.get("readOnlyHint") is True
                yield CatalogEntry(Target(kind, server, entry[name]), is_read_only)
