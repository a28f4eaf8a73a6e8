"""What operators see of tools: the state of each, why, and which one a command names."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from agen_authz.core.pinning.catalogue import Catalogue, KnownTool, build_catalogue, sight
from agen_authz.core.pinning.change import Kind
from agen_authz.core.pinning.definition import INSTRUCTIONS
from agen_authz.core.pinning.drift import Drift, Surroundings, describe_drift, survey
from agen_authz.core.pinning.hidden import find_hidden
from agen_authz.core.pinning.pin import Changed, KeptTool, New, Pinned, name_state
from agen_authz.core.pinning.record import Listing

_INSTRUCTIONS = "(instructions)"
_DIGEST_CHARS = 12


class NoTool(ValueError):
    """A command names what is not known; the message says what is."""


@dataclass(frozen=True, slots=True)
class ToolView:
    """One tool, or a server's `instructions`: what is kept of it, and all that was noticed of what was seen last."""

    tool: KeptTool
    drift: Drift

    @property
    def spelling(self) -> str:
        """Spell it as commands do: `crm/get_customer`, `crm/(instructions)`."""
        return spell_tool(self.tool.server, self.tool.name)

    @property
    def needs_pin(self) -> bool:
        """True if `enforce` would hide it."""
        return isinstance(self.drift.state, New | Changed)


def spell_tool(server: str, name: str) -> str:
    """Spell a tool as commands do."""
    return f"{server}/{_INSTRUCTIONS if name == INSTRUCTIONS else name}"


def view_tools(listing: Listing) -> list[ToolView]:
    """View all that the store keeps, by server and name."""
    catalogue = build_catalogue(listing.version, listing.tools)
    around = {server: survey(catalogue, server) for server in {tool.server for tool in listing.tools}}
    return [
        ToolView(known.tool, _describe(catalogue, known, around[known.tool.server]))
        for known in catalogue.entries.values()
    ]


def _describe(catalogue: Catalogue, known: KnownTool, around: Surroundings) -> Drift:
    tool, last = known.tool, known.tool.last
    seen = None if last is None else sight(last.definition)
    if last is None or seen is None:
        kinds = known.state.kinds if isinstance(known.state, Changed) else (Kind.NEW, Kind.TOO_LONG)
        return Drift(tool.server, tool.name, tool.last_digest, known.state, kinds)
    if isinstance(known.state, Pinned):
        # Who approved it has seen what it looks like; hidden text is shown for good.
        hidden = find_hidden(seen.definition)
        return Drift(
            tool.server, tool.name, seen.digest, known.state, (Kind.HIDDEN_TEXT,) if hidden else (), hidden=hidden
        )
    # What was seen later than this one is still there.
    still = {each.tool.name for each in catalogue.list_server(tool.server) if each.tool.last_seen >= last.first_seen}
    return describe_drift(catalogue, tool.server, seen, around, still)


def select(views: Sequence[ToolView], target: str | None) -> list[ToolView]:
    """Select what a command names: `SERVER`, `SERVER/TOOL`, or everything.

    Raises:
        NoTool: nothing of that name is kept.
    """
    if target is None:
        return list(views)
    server, mark, name = target.partition("/")
    found = [each for each in views if each.tool.server == server]
    if not found:
        known = ", ".join(sorted({each.tool.server for each in views})) or "none"
        raise NoTool(f"nothing was seen of a server `{server}`; servers with known tools: {known}")
    if not mark:
        return found
    found = [each for each in found if each.spelling == target]
    if not found:
        raise NoTool(f"no tool `{name}` of `{server}` was seen; see `agen-authz tools list {server}`")
    return found


def spell_time(seconds: float | None) -> str:
    """Spell a time in UTC, to the second; empty for None."""
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def notes_of(view: ToolView) -> list[str]:
    """List what was noticed of a tool besides its kinds, a sentence each."""
    drift = view.drift
    notes = [f"looks like {spell_tool(each.server, each.tool)}: {each.written}" for each in drift.lookalikes]
    notes += [f"hidden text at {each.path or '/'}: {each.shown}" for each in drift.hidden]
    if drift.former_name is not None:
        notes.append(f"has the schema of {spell_tool(drift.server, drift.former_name)}, which is not listed any longer")
    return notes


def render_list(views: Sequence[ToolView]) -> str:
    """List tools, one a line, and what was noticed below each."""
    if not views:
        return "no tool was seen yet"
    width = max(len(view.spelling) for view in views)
    lines = []
    for view in views:
        last = view.tool.last
        first = "" if last is None else spell_time(last.first_seen)
        seen = f"{view.drift.digest[:_DIGEST_CHARS]}  {first:20}  {spell_time(view.tool.last_seen)}"
        line = f"{view.spelling:{width}}  {name_state(view.drift.state):8}  {seen}  {', '.join(view.drift.kinds)}"
        lines += [line.rstrip(), *(f"    {note}" for note in notes_of(view))]
    head = f"{'TOOL':{width}}  {'STATE':8}  {'DIGEST':12}  {'FIRST SEEN':20}  {'LAST SEEN':20}  KINDS"
    return "\n".join([head, *lines])


def as_json(view: ToolView) -> dict[str, object]:
    """Write one tool down as JSON."""
    drift, last = view.drift, view.tool.last
    return {
        "server": view.tool.server,
        "tool": view.spelling.partition("/")[2],
        "state": name_state(drift.state),
        "digest": drift.digest,
        "first_seen": spell_time(None if last is None else last.first_seen),
        "last_seen": spell_time(view.tool.last_seen),
        "kinds": [kind.value for kind in drift.kinds],
        "former_name": drift.former_name or "",
        "looks_like": [spell_tool(each.server, each.tool) for each in drift.lookalikes],
        "hidden": [{"path": each.path, "shown": each.shown} for each in drift.hidden],
        "approved": [
            {"digest": each.digest, "at": spell_time(each.approved_at), "by": each.approved_by}
            for each in view.tool.approved
        ],
    }


def render_list_json(views: Sequence[ToolView]) -> str:
    """Write tools down as JSON."""
    return json.dumps({"tools": [as_json(view) for view in views]})
