"""An immutable snapshot of all that is known of tools, for lookups by server and name.

Check asks it whether a call may pass, Process whether a listed definition may be shown. Both are pure and look nothing
up elsewhere. A snapshot that was never read refuses every call and shows nothing in `enforce`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from msgspec import Struct

from agen_authz.core.model import Digest, Json, Target, TargetKind
from agen_authz.core.pinning.definition import (
    MAX_DEFINITION_BYTES,
    Definition,
    define_instructions,
    digest_canonical,
    is_callable,
    name_of,
    spell_canonical,
    spell_value,
)
from agen_authz.core.pinning.lookalike import Named, index_names, list_titles
from agen_authz.core.pinning.pin import KeptTool, New, Pinning, PinState, judge, refuse
from agen_authz.core.policy.access import AccessTable
from agen_authz.core.reason import Reason


class Sighting(Struct, frozen=True):
    """One definition as it was listed: its name and digest, and its canonical JSON unless that is too long."""

    name: str
    digest: Digest
    text: str | None
    definition: Definition


class Approved(Struct, frozen=True):
    """One approved definition, and the parts of it that calls are decided by; a part that is not an object is empty."""

    digest: Digest
    definition: Definition
    input_schema: Mapping[str, Json]
    annotations: Mapping[str, Json]


class KnownTool(Struct, frozen=True):
    """What is known of one tool; `state` is that of the definition that was seen last.

    `approved` has every approved definition that is kept, the one that was seen last first. `annotations` are those of
    all approved definitions; None if none is approved, if they differ, or if one of the definitions is not kept.
    """

    tool: KeptTool
    state: PinState
    approved: tuple[Approved, ...]
    annotations: Mapping[str, Json] | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is known of every server's tools, as of one version of the store; build it with `build_catalogue`."""

    version: int
    is_read: bool
    entries: Mapping[tuple[str, str], KnownTool]
    names: Mapping[str, Sequence[tuple[Named, str]]] = field(default_factory=dict)

    def find(self, server: str, name: str) -> KnownTool | None:
        """Find what is known of a tool; None if it was never seen."""
        return self.entries.get((server, name))

    def find_annotations(self, server: str, name: str) -> Mapping[str, Json] | None:
        """Find what conditions may read of a tool's annotations; None if that is not known for sure."""
        known = self.find(server, name)
        return None if known is None else known.annotations

    def list_server(self, server: str) -> list[KnownTool]:
        """List what is known of a server's tools and of its `instructions`."""
        return [entry for (home, _), entry in self.entries.items() if home == server]

    def refuse_call(self, server: str, name: str, mode: Pinning) -> Reason | None:
        """Say why a call of this tool is denied; None if pinning lets it pass. The definition seen last decides."""
        if mode is not Pinning.ENFORCE:
            return None
        if not self.is_read:
            return Reason.STORE_UNAVAILABLE
        entry = self.find(server, name)
        return Reason.TOOL_UNPINNED if entry is None else refuse(entry.state, mode)

    def judge_listed(self, server: str, definition: Json) -> PinState:
        """Judge a definition as a server lists it; one that cannot be called or has no name is never approved."""
        sighting = sight(definition)
        return New() if sighting is None else self.judge_sighting(server, sighting)

    def judge_sighting(self, server: str, sighting: Sighting) -> PinState:
        """Judge a definition whose digest is known already."""
        entry = self.find(server, sighting.name)
        # INVARIANT: a list is judged as the call is, so what cannot be kept cannot be compared.
        definition = None if sighting.text is None else sighting.definition
        return judge(sighting.digest, definition, () if entry is None else entry.tool.approved)

    def refuse_listed(self, server: str, definition: Json, mode: Pinning) -> Reason | None:
        """Say why a listed definition is hidden; None if pinning shows it."""
        if mode is not Pinning.ENFORCE:
            return None
        if not self.is_read:
            return Reason.STORE_UNAVAILABLE
        return refuse(self.judge_listed(server, definition), mode)

    def refuse_instructions(self, server: str, text: str, mode: Pinning) -> Reason | None:
        """Say why a server's `instructions` are hidden; None if pinning shows them."""
        return self.refuse_listed(server, define_instructions(text), mode)


UNREAD = Catalogue(-1, False, MappingProxyType({}))
"""Before the store was read for the first time."""


def build_catalogue(version: int, tools: Iterable[KeptTool]) -> Catalogue:
    """Build a snapshot of what the store keeps."""
    entries = {(tool.server, tool.name): _enter(tool) for tool in tools}
    names = index_names(
        Named(server, name, _titles(known)) for (server, name), known in entries.items() if is_callable(name)
    )
    return Catalogue(version, True, MappingProxyType(entries), MappingProxyType(dict(names)))


def list_unmapped(catalogue: Catalogue, access: AccessTable, server: str) -> list[str]:
    """List the tools of a server that no access rule names, so that no caller may call them."""
    return [
        known.tool.name
        for known in catalogue.list_server(server)
        if is_callable(known.tool.name) and not access.names(Target(TargetKind.TOOL, server, known.tool.name))
    ]


def sight(definition: Json) -> Sighting | None:
    """Read a definition as it was listed; None if it has no name."""
    name = name_of(definition)
    if name is None or not isinstance(definition, dict):
        return None
    text = spell_canonical(definition)
    return Sighting(name, digest_canonical(text), text if len(text) <= MAX_DEFINITION_BYTES else None, definition)


def _enter(tool: KeptTool) -> KnownTool:
    last = tool.last
    state = judge(tool.last_digest, None if last is None else last.definition, tool.approved)
    approved = tuple(
        Approved(each.digest, known, _part(known, "inputSchema"), _part(known, "annotations"))
        for each in tool.approved
        if (known := each.definition) is not None
    )
    return KnownTool(tool, state, approved, _agree(tool, approved))


def _agree(tool: KeptTool, approved: tuple[Approved, ...]) -> Mapping[str, Json] | None:
    """Return what all approved definitions say of the tool: which of them a caller saw is not known.

    A member that only some of them have is not left out of the others: `has()` would say that the tool lacks it.
    """
    if not approved or len(approved) < len(tool.approved):
        return None
    first = spell_value(dict(approved[0].annotations))
    same = all(spell_value(dict(each.annotations)) == first for each in approved[1:])
    return approved[0].annotations if same else None


def _part(definition: Definition, key: str) -> Mapping[str, Json]:
    part = definition.get(key)
    return part if isinstance(part, dict) else {}


def _titles(known: KnownTool) -> tuple[str, ...]:
    last = known.tool.last
    shown = [*(each.definition for each in known.approved), None if last is None else last.definition]
    return tuple(dict.fromkeys(title for each in shown if each is not None for title in list_titles(each)))
