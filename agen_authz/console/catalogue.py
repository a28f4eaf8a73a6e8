"""Pages about what is configured and known: tools, policies, health. They change nothing."""

import asyncio
import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from agen_authz.console.chart import Chart, draw
from agen_authz.console.console import Console
from agen_authz.console.history import POLICY_MATCHES, STEPS, History
from agen_authz.console.pins import find_approvable, find_place, find_tool, spell_name
from agen_authz.console.session import ConsoleSession
from agen_authz.console.spelling import Line, list_json, list_paragraphs
from agen_authz.console.visit import for_admins
from agen_authz.core.pinning.catalogue import Catalogue, KnownTool
from agen_authz.core.pinning.definition import Definition
from agen_authz.core.pinning.hidden import find_hidden
from agen_authz.core.pinning.pin import Changed, Reworded, name_state

# To compare lines in their order may take cubic time: of more lines that differ, the old come before the new.
_MAX_COMPARED = 300
_FINE = frozenset({"ok", "ready"})


class ToolRow(Struct, frozen=True):
    """A tool in the list; `state` is `pinned`, `reworded`, `changed` or `new`."""

    server: str
    name: str
    state: str
    kinds: tuple[str, ...]
    last_seen: float
    is_unmapped: bool
    has_hidden: bool
    place: str


class DiffLine(Struct, frozen=True):
    """A line of a comparison; `kind` is `same`, `gone` or `new`."""

    kind: str
    pieces: Line


@dataclass(frozen=True, slots=True)
class CataloguePages:
    """The pages that only show."""

    console: Console

    @for_admins
    async def tools(self, _request: Request, session: ConsoleSession) -> Response:
        """List the tools of every server."""
        rules, catalogue = self.console.ports.rules(), self.console.ports.catalogue()
        servers: dict[str, list[ToolRow]] = {}
        for row in list_tools(catalogue, rules.unmapped):
            servers.setdefault(row.server, []).append(row)
        values = {
            "servers": servers,
            "pinning": rules.pinning,
            "is_read": catalogue.is_read,
            "may_pin": self.console.ports.pin is not None,
            "here": "/tools",
        }
        return self.console.page("tools.html", values, session=session)

    @for_admins
    async def tool(self, request: Request, session: ConsoleSession) -> Response:
        """Show one tool: what is approved, what was seen last, and every line that differs."""
        server, name = request.path_params["server"], request.path_params["name"]
        catalogue = self.console.ports.catalogue()
        known = find_tool(catalogue, server, name)
        if known is None:
            return self.console.not_found(session)
        # A server chooses how long its definitions are, and other pages must not wait for it.
        described = await asyncio.to_thread(_describe, known)
        values = {
            **described,
            "approvable": find_approvable(catalogue, known),
            "may_pin": self.console.ports.pin is not None,
            "is_fresh": self.console.is_fresh(session),
            "place": find_place(known),
            "here": "/tools",
        }
        return self.console.page("tool.html", values, session=session)

    @for_admins
    async def policies(self, _request: Request, session: ConsoleSession) -> Response:
        """List the policies as people wrote them."""
        rules = self.console.ports.rules()
        history, now = self.console.ports.history(), self.console.ports.clock.now()
        values = {
            "policies": rules.policies,
            "flows": rules.flows,
            "charts": {} if history is None else _draw_matches(history, [each.name for each in rules.policies], now),
            "since": None if history is None else history.since,
            "here": "/policies",
        }
        return self.console.page("policies.html", values, session=session)

    @for_admins
    async def health(self, _request: Request, session: ConsoleSession) -> Response:
        """Show the state of each part."""
        parts = await self.console.ports.health()
        rows = [(name, state, state in _FINE or state.startswith("ok")) for name, state in parts.items()]
        values = {"rows": rows, "is_fine": all(fine for *_, fine in rows), "here": "/health"}
        return self.console.page("health.html", values, session=session)


def _draw_matches(history: History, names: Iterable[str], now: float) -> dict[str, Chart]:
    """Draw for each policy how often it applied, or could not be evaluated: enforced, and in shadow."""
    counts = {each: {"enforced": (0,) * STEPS, "in shadow": (0,) * STEPS} for each in names}
    for track in history.read(POLICY_MATCHES, "policy", "state", now=now):
        name, state = track.labels
        if name in counts:
            counts[name]["in shadow" if state == "shadow" else "enforced"] = track.counts
    return {name: draw("Matches", each, now) for name, each in counts.items()}


def list_tools(catalogue: Catalogue, unmapped: Mapping[str, tuple[str, ...]]) -> Iterator[ToolRow]:
    """List the tools that are known, by server and name."""
    for (server, name), known in sorted(catalogue.entries.items()):
        definition = None if known.tool.last is None else known.tool.last.definition
        shown = spell_name(name)
        yield ToolRow(
            server=server,
            name=shown,
            state=name_state(known.state),
            kinds=tuple(map(str, known.state.kinds)) if isinstance(known.state, Changed) else (),
            last_seen=known.tool.last_seen,
            is_unmapped=name in unmapped.get(server, ()),
            has_hidden=definition is not None and bool(find_hidden(definition)),
            place=find_place(known),
        )


def _describe(known: KnownTool) -> dict[str, Any]:
    tool, state = known.tool, known.state
    since = state.since if isinstance(state, Reworded | Changed) else None
    approved = [each for each in tool.approved if each.definition is not None]
    nearest = next((each for each in approved if each.digest == since), approved[0] if approved else None)
    last = tool.last
    definition = None if last is None else last.definition
    description = None if definition is None else definition.get("description", definition.get("instructions"))
    return {
        "server": tool.server,
        "name": spell_name(tool.name),
        "state": name_state(state),
        "kinds": tuple(map(str, state.kinds)) if isinstance(state, Changed) else (),
        "tool": tool,
        "nearest": nearest,
        "last": last,
        "description": list_paragraphs(description) if isinstance(description, str) else (),
        "hidden": () if definition is None else find_hidden(definition),
        "lines": () if definition is None else compare(None if nearest is None else nearest.definition, definition),
        "is_compared": nearest is not None and nearest.digest != tool.last_digest,
    }


def compare(before: Definition | None, after: Definition) -> tuple[DiffLine, ...]:
    """Compare two definitions line by line; if there is no first, or it is the same, all lines are the same."""
    new = list_json(after)
    old = new if before is None else list_json(before)
    old_texts, new_texts = ([_join(line) for line in lines] for lines in (old, new))
    head = _count_equal(old_texts, new_texts)
    tail = _count_equal(old_texts[head:][::-1], new_texts[head:][::-1])
    return (
        *(DiffLine("same", each) for each in new[:head]),
        *_compare_middle(old[head : len(old) - tail], new[head : len(new) - tail]),
        *(DiffLine("same", each) for each in new[len(new) - tail :]),
    )


def _count_equal(first: Sequence[str], second: Sequence[str]) -> int:
    """Count the lines that both begin with."""
    pairs = zip(first, second, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one != other), min(len(first), len(second)))


def _compare_middle(old: Sequence[Line], new: Sequence[Line]) -> tuple[DiffLine, ...]:
    if max(len(old), len(new)) > _MAX_COMPARED:
        return (*(DiffLine("gone", each) for each in old), *(DiffLine("new", each) for each in new))
    old_texts, new_texts = ([_join(line) for line in lines] for lines in (old, new))
    matcher = difflib.SequenceMatcher(None, old_texts, new_texts, autojunk=False)
    found: list[DiffLine] = []
    for word, from_old, to_old, from_new, to_new in matcher.get_opcodes():
        if word == "equal":
            found += [DiffLine("same", each) for each in new[from_new:to_new]]
        else:
            found += [DiffLine("gone", each) for each in old[from_old:to_old]]
            found += [DiffLine("new", each) for each in new[from_new:to_new]]
    return tuple(found)


def _join(line: Line) -> str:
    return "".join(piece.text for piece in line)
