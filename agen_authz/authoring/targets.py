"""Whom and what a rule or policy reaches: roles, and the tools, resources and prompts that are known."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from agen_authz.authoring.catalog import CatalogEntry
from agen_authz.authoring.draft import Draft
from agen_authz.authoring.reach import (
    Holder,
    concerns,
    holders_of,
    list_holders,
    list_named,
    may_call,
    names_target,
    selectors_of,
    spell_holder,
)
from agen_authz.core.model import TargetKind


@dataclass(frozen=True, slots=True)
class Reach:
    """What `policy targets` shows: names of what is touched, by kind, and the roles (or permissions) concerned."""

    name: str
    tools: tuple[str, ...]
    resources: tuple[str, ...]
    prompts: tuple[str, ...]
    roles: tuple[str, ...]


def find_reach(draft: Draft, name: str, known: Sequence[CatalogEntry]) -> Reach | None:
    """Find what a policy or access rule of this name touches; None if there is none."""
    everything = [*known, *list_named(draft, known)]
    for rule in draft.config.access.rules:
        if rule.name == name:
            touched = [each for each in everything if names_target(selectors_of(rule), each.target)]
            return _sum_up(name, touched, map(spell_holder, holders_of(rule)))
    policy = draft.policies.get(name)
    if policy is None:
        return None
    touched = [each for each in everything if concerns(policy, each.target)]
    holders = [holder for holder in list_holders(draft) if _may_reach(draft, holder, touched)]
    return _sum_up(name, touched, map(spell_holder, holders))


def _sum_up(name: str, touched: Iterable[CatalogEntry], roles: Iterable[str]) -> Reach:
    held = list(touched)

    def spell(kind: TargetKind) -> tuple[str, ...]:
        return tuple(sorted(each.spelling for each in held if each.target.kind is kind))

    return Reach(name, spell(TargetKind.TOOL), spell(TargetKind.RESOURCE), spell(TargetKind.PROMPT), tuple(roles))


def _may_reach(draft: Draft, holder: Holder, touched: Iterable[CatalogEntry]) -> bool:
    return any(may_call(draft, holder, each.target) for each in touched)


def render_text(reach: Reach) -> str:
    """List what is touched, one kind a line."""
    kinds = ("tools", "resources", "prompts", "roles")
    return "\n".join(f"{kind}: {', '.join(getattr(reach, kind)) or 'none known'}" for kind in kinds)


def render_json(reach: Reach) -> str:
    """Write it down as JSON."""
    return json.dumps(asdict(reach))
