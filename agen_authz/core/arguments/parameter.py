"""Arguments that a schema wants repeated in headers (`x-mcp-header`), and whether a call's headers repeat them.

MCP 2026-07-28, Streamable HTTP, "Custom Headers from Tool Parameters":
 1. the annotation is a field name, unlike any other but in case, of a parameter that is a string, an integer or a
    boolean, and that only `properties` lead to; any other annotation makes the definition invalid
 2. a header is there if and only if its argument is there and is not null; only modern clients know that they must
    send it
 3. it has the argument's value, decoded; integers are compared as numbers
A header that the schema does not name is not recognised: `mirror` alone judges it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from agen_authz.core.arguments.graph import BadSchema, Graph, Path, Subschema
from agen_authz.core.header import PARAMETER_PREFIX, is_field_name
from agen_authz.core.message.mirror import repeats
from agen_authz.core.model import Json, Mirrored
from agen_authz.core.quote import quote

_TYPES = frozenset({"string", "integer", "boolean"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument that a header repeats: the header's name, in lower case, and the argument's place."""

    header: str
    path: Path


def read_parameters(graph: Graph) -> tuple[Parameter, ...] | BadSchema:
    """Read the annotations of a schema."""
    found: dict[str, Parameter] = {}
    for node in graph.nodes:
        if node.mirror is None:
            continue
        name = node.mirror
        # 1.
        if not isinstance(name, str) or not _is_token(name) or not _may_be_repeated(node):
            return BadSchema(f"`x-mcp-header` of {quote('/'.join(node.path))} is not valid there")
        header = PARAMETER_PREFIX + name.lower()
        if header in found:
            return BadSchema(f"two parameters have {quote(name)} as their `x-mcp-header`")
        found[header] = Parameter(header, node.path[1::2])
    return tuple(found.values())


def _is_token(name: str) -> bool:
    # With an underscore it is one, though no header arrives that has one: then the argument's header is missing.
    return is_field_name(name.lower().replace("_", "-"))


def _may_be_repeated(node: Subschema) -> bool:
    # A reference may lead to where a parameter is, which changes nothing about how `properties` lead there.
    is_reachable = len(node.path) >= 2 and len(node.path) % 2 == 0 and set(node.path[::2]) == {"properties"}
    kind = node.plain.get("type")
    return is_reachable and isinstance(kind, str) and kind in _TYPES


def find_lie(
    parameters: tuple[Parameter, ...], arguments: dict[str, Json], mirrored: Mirrored | None, *, is_modern: bool
) -> str | None:
    """Find a header that does not repeat its argument, or is missing; None if there is none."""
    headers: Mapping[str, str] = {} if mirrored is None else mirrored.headers
    for parameter in parameters:
        value, header = _find_value(arguments, parameter.path), headers.get(parameter.header)
        # 2.
        if header is None:
            if value is not None and is_modern:
                return parameter.header
        # 3.
        elif value is None or not repeats(header, value):
            return parameter.header
    return None


def _find_value(arguments: dict[str, Json], path: Path) -> Json:
    value: Json = arguments
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
