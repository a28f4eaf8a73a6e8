"""A schema, written again from its nodes: the library compiles nothing that was not read.

Whatever a reference leads to is written once, in `$defs`; all references are ours, so none leaves the document.
"""

from agen_authz.core.arguments.graph import Graph
from agen_authz.core.model import Json


def write_document(graph: Graph) -> dict[str, Json]:
    """Write a schema."""
    definitions: dict[str, Json] = {str(number): _write(graph, number) for number in sorted(graph.shared)}
    return {"$schema": graph.draft, **_refer(0), "$defs": definitions}


def _refer(number: int) -> dict[str, Json]:
    return {"$ref": f"#/$defs/{number}"}


def _write(graph: Graph, number: int) -> Json:
    # INVARIANT: a schema is at most as deep as it was, since what references lead to is not written here.
    node = graph.nodes[number]
    if node.always is not None:
        return node.always
    written: dict[str, Json] = dict(node.plain)
    if node.reference is not None:
        written.update(_refer(node.reference))
    for keyword, child in node.schemas.items():
        written[keyword] = _place(graph, child)
    for keyword, children in node.lists.items():
        written[keyword] = [_place(graph, child) for child in children]
    for keyword, named in node.maps.items():
        names = node.names if keyword == "dependencies" else {}
        written[keyword] = {**names, **{name: _place(graph, child) for name, child in named.items()}}
    return written


def _place(graph: Graph, number: int) -> Json:
    return _refer(number) if number in graph.shared else _write(graph, number)
