"""Definitions and what a store keeps of them, as the tests of pinning name them."""

from typing import Any

from agen_authz.core.model import Json
from agen_authz.core.pinning.catalogue import Catalogue, build_catalogue
from agen_authz.core.pinning.definition import Definition, digest_definition, name_of
from agen_authz.core.pinning.pin import Kept, KeptTool
from tests.builders import NOW

SCHEMA: dict[str, Json] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "description": "The customer's number."},
        "fields": {"type": "array", "items": {"type": "string", "enum": ["name", "city"]}, "default": ["name"]},
    },
    "required": ["id"],
}


def tool(name: str = "get_customer", **changes: Any) -> Definition:
    """Define a tool; a change to None leaves the member out."""
    made: Definition = {
        "name": name,
        "title": "Customer",
        "description": "Returns one customer.",
        "inputSchema": SCHEMA,
        "annotations": {"readOnlyHint": True, "title": "Customer"},
    }
    return {key: value for key, value in (made | changes).items() if value is not None}


def kept(definition: Definition, at: float = NOW, by: str | None = "ann") -> Kept:
    """Keep a definition, approved unless `by` is None."""
    approved_at = None if by is None else at
    return Kept(digest_definition(definition), at, at, definition, approved_at, by or "")


def kept_tool(*definitions: Kept, server: str = "crm", last: Kept | None = None) -> KeptTool:
    """Keep a tool whose last definition was seen last, unless `last` names another."""
    seen = last or definitions[-1]
    name = name_of(definitions[0].definition)
    assert name is not None
    return KeptTool(server, name, seen.digest, seen.last_seen, definitions)


def catalogue(*tools: KeptTool) -> Catalogue:
    """Build a snapshot."""
    return build_catalogue(1, tools)
