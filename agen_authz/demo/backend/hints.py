"""What tools say about themselves: the annotations of MCP, which clients show and no one may trust."""

from mcp.types import ToolAnnotations


def reading() -> ToolAnnotations:
    """Changes nothing."""
    return ToolAnnotations(read_only_hint=True, open_world_hint=False)


def adding() -> ToolAnnotations:
    """Adds something, each time it is asked to."""
    return ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False)


def overwriting() -> ToolAnnotations:
    """Replaces or deletes something; the second time changes nothing more."""
    return ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)


def moving_money() -> ToolAnnotations:
    """Reaches beyond our systems, and does so again when asked again."""
    return ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=True)
