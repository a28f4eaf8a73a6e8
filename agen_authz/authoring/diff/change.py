"""What changes from one configuration to another: who gains or loses what, and what policies do otherwise."""

import fnmatch
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from agen_authz.authoring.catalog import CatalogEntry
from agen_authz.authoring.diff.setting import compare_settings
from agen_authz.authoring.draft import Draft
from agen_authz.authoring.reach import Holder, list_holders, list_named, may_call, owners_of, selectors_of, spell_holder
from agen_authz.core.model import Effect, State, Target, TargetKind
from agen_authz.core.policy.table import Policy

_STRENGTH = {State.DISABLED: 0, State.SHADOW: 0, State.ENFORCE: 1}
_WEIGHT = {Effect.STEP_UP: 1, Effect.REQUIRE_APPROVAL: 2, Effect.DENY: 3}


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the table; `widens` if a caller may do more than before."""

    who: str
    what: str
    change: str
    widens: bool


def list_changes(old: Draft, new: Draft, known: Sequence[CatalogEntry]) -> list[Change]:
    """List every change, of access first, then of policies and what they lean on."""
    settings = (Change(*each) for each in compare_settings(old, new))
    return [*_list_access(old, new, known), *_list_policies(old, new), *settings]


def _list_access(old: Draft, new: Draft, known: Sequence[CatalogEntry]) -> Iterator[Change]:
    probes = _list_probes(old, new, known)
    for holder in sorted({*list_holders(old), *list_holders(new)}):
        for (_, spelling), target in probes.items():
            before, after = (_may_call(draft, holder, target) for draft in (old, new))
            if before != after:
                yield Change(spell_holder(holder), spelling, "gains access" if after else "loses access", after)


def _list_probes(old: Draft, new: Draft, known: Sequence[CatalogEntry]) -> dict[tuple[TargetKind, str], Target]:
    """List what is asked for: everything known, and every pattern of a rule, standing for all that it names.

    A pattern is asked for as if it were a name: nothing but a pattern at least as wide matches its asterisks.
    """
    named = [each for draft in (old, new) for each in list_named(draft, known)]
    probes = {(each.target.kind, each.spelling): each.target for each in (*known, *named)}
    rules = [rule for draft in (old, new) for rule in draft.config.access.rules]
    servers = sorted({*old.rules.resources, *new.rules.resources})
    for kind, selector in (each for rule in rules for each in selectors_of(rule)):
        if "*" not in selector:
            continue
        owner, _, name = selector.partition("/")
        for server in fnmatch.filter(servers, owner):
            # What `**` stands for goes over parts, which `*` does not match.
            probes.setdefault((kind, f"{server}/{name}"), Target(kind, server, name.replace("**", "*/**")))
    return probes


def _may_call(draft: Draft, holder: Holder, target: Target) -> bool:
    return target.server in draft.rules.resources and may_call(draft, holder, target)


def _list_policies(old: Draft, new: Draft) -> Iterator[Change]:
    owners = owners_of(old), owners_of(new)
    for name in sorted({*old.policies, *new.policies}):
        before, after = old.policies.get(name), new.policies.get(name)
        if before is None or after is None:
            added = "added" if before is None else "removed"
            yield Change("policy", name, added, before is not None and _is_in_force(before))
            continue
        was, is_now = (held.get(name, "") for held in owners)
        if was != is_now:
            change = f"of {_spell_owner(was)} -> of {_spell_owner(is_now)}"
            yield Change("policy", name, change, _is_in_force(before) and is_now != "")
        yield from _compare(name, before, after)


def _spell_owner(tenant: str) -> str:
    return f"tenant {tenant}" if tenant else "everybody"


def _compare(name: str, before: Policy, after: Policy) -> Iterator[Change]:
    if before.state is not after.state:
        change = f"state {before.state.value} -> {after.state.value}"
        yield Change("policy", name, change, _STRENGTH[after.state] < _STRENGTH[before.state])
    if before.effect is not after.effect:
        change = f"effect {before.effect.value} -> {after.effect.value}"
        yield Change("policy", name, change, _WEIGHT[after.effect] < _WEIGHT[before.effect] and _is_in_force(before))
    # If it cannot be computed whether other words let more through, the change counts as widening.
    if [each.text for each in before.conditions] != [each.text for each in after.conditions]:
        yield Change("policy", name, "conditions changed", _is_in_force(before))
    if before.selectors != after.selectors:
        yield Change("policy", name, "selectors changed", _is_in_force(before) and bool(after.selectors))
    if before.demand != after.demand and before.effect is after.effect:
        yield Change("policy", name, "step-up changed", _is_in_force(before))


def _is_in_force(policy: Policy) -> bool:
    return policy.state is State.ENFORCE


def render_text(changes: Sequence[Change]) -> str:
    """List changes, one a line: `+` widens."""
    lines = [f"{'+' if each.widens else '-'} {each.who}: {each.what}: {each.change}" for each in changes]
    return "\n".join([*lines, f"{len(changes)} changes, {sum(each.widens for each in changes)} of them widen"])


def render_markdown(changes: Sequence[Change]) -> str:
    """Write changes down as a table for a pull request."""
    lines = ["| who | what | change | widens |\n|---|---|---|---|"]
    for each in changes:
        who, what, change = (_cell(text) for text in (each.who, each.what, each.change))
        lines.append(f"| {who} | `{what}` | {change} | {'**yes**' if each.widens else 'no'} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    # Names are free text: one must not end its cell, or its code.
    return text.replace("|", "\\|").replace("`", "'")


def render_json(changes: Sequence[Change]) -> str:
    """Write changes down as JSON."""
    return json.dumps([asdict(each) for each in changes])
