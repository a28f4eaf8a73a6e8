"""What changes from one configuration to another: who gains or loses what, and what policies do otherwise."""

import fnmatch
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agen_authz.authoring.catalogue import Known
from agen_authz.authoring.draft import Draft
from agen_authz.authoring.reach import Holder, list_holders, list_named, may_call, owners_of, selectors_of, spell_holder
from agen_authz.core.model import Effect, Resource, State, Target, TargetKind
from agen_authz.core.policy import Policy, list_reads

_STRENGTH = {State.DISABLED: 0, State.SHADOW: 0, State.ENFORCE: 1}
_WEIGHT = {Effect.STEP_UP: 1, Effect.REQUIRE_APPROVAL: 2, Effect.DENY: 3}


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the table; `widens` where somebody may do more than before."""

    who: str
    what: str
    change: str
    widens: bool


def _methods_widen(before: Mapping[str, bool], after: Mapping[str, bool]) -> bool:
    # What is denied by name and then no longer named may be allowed by default.
    is_allowed = any(after[name] and not before.get(name) for name in after)
    return is_allowed or any(not before[name] and name not in after for name in before)


# What a resource says of its callers: how it is read, and whether another value lets more in.
_ASPECTS: dict[str, tuple[Callable[[Resource], Any], Callable[[Any, Any], bool]]] = {
    "unmapped": (lambda each: each.admits_unmapped, lambda _, after: bool(after)),
    "require_tenant": (lambda each: each.require_tenant, lambda _, after: not after),
    "scopes": (lambda each: frozenset(each.scopes), lambda before, after: not before <= after),
    "clients": (
        lambda each: each.clients,
        lambda before, after: before is not None and (after is None or not after <= before),
    ),
    "providers": (lambda each: frozenset(each.providers), lambda before, after: not after <= before),
    "audiences": (lambda each: each.audiences, lambda before, after: not after <= before),
    "methods": (lambda each: dict(each.methods), _methods_widen),
}


def list_changes(old: Draft, new: Draft, known: Sequence[Known]) -> list[Change]:
    """List every change, of access first, then of policies and what they lean on."""
    return [*_list_access(old, new, known), *_list_policies(old, new), *_list_surroundings(old, new)]


def _list_access(old: Draft, new: Draft, known: Sequence[Known]) -> Iterator[Change]:
    probes = _list_probes(old, new, known)
    for holder in sorted({*list_holders(old), *list_holders(new)}):
        for (_, spelling), target in probes.items():
            before, after = (_may_call(draft, holder, target) for draft in (old, new))
            if before != after:
                yield Change(spell_holder(holder), spelling, "gains access" if after else "loses access", after)


def _list_probes(old: Draft, new: Draft, known: Sequence[Known]) -> dict[tuple[TargetKind, str], Target]:
    """List what is asked for: everything known, and every pattern of a rule, standing for all that it names.

    A pattern is asked for as if it were a name: nothing but a pattern at least as wide matches its asterisks.
    """
    named = [each for draft in (old, new) for each in list_named(draft, known)]
    probes = {(each.target.kind, each.spelling): each.target for each in (*known, *named)}
    rules = [rule for draft in (old, new) for rule in draft.config.access.rules]
    servers = sorted({*old.sets.resources, *new.sets.resources})
    for kind, selector in (each for rule in rules for each in selectors_of(rule)):
        if "*" not in selector:
            continue
        owner, _, name = selector.partition("/")
        for server in fnmatch.filter(servers, owner):
            # What `**` stands for goes over parts, which `*` does not match.
            probes.setdefault((kind, f"{server}/{name}"), Target(kind, server, name.replace("**", "*/**")))
    return probes


def _may_call(draft: Draft, holder: Holder, target: Target) -> bool:
    return target.server in draft.sets.resources and may_call(draft, holder, target)


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


def _list_surroundings(old: Draft, new: Draft) -> Iterator[Change]:
    for name in sorted(old.sets.resources.keys() & new.sets.resources.keys()):
        for aspect, (read, widens) in _ASPECTS.items():
            was, is_now = read(old.sets.resources[name]), read(new.sets.resources[name])
            if was != is_now:
                yield Change("resource", name, f"{aspect} changed", widens(was, is_now))
    # What a condition then says of a caller nobody can tell from the words: it is taken to widen.
    leans = {name for policy in old.policies.values() if _is_in_force(policy) for name in list_reads(policy)}
    before, after = old.config.networks, new.config.networks
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield Change("network", name, "changed", "request.networks" in leans)


def _compare(name: str, before: Policy, after: Policy) -> Iterator[Change]:
    if before.state is not after.state:
        change = f"state {before.state.value} -> {after.state.value}"
        yield Change("policy", name, change, _STRENGTH[after.state] < _STRENGTH[before.state])
    if before.effect is not after.effect:
        change = f"effect {before.effect.value} -> {after.effect.value}"
        yield Change("policy", name, change, _WEIGHT[after.effect] < _WEIGHT[before.effect] and _is_in_force(before))
    # Whether other words let more through nobody can tell from the words: it is taken to widen.
    if [each.text for each in before.conditions] != [each.text for each in after.conditions]:
        yield Change("policy", name, "conditions changed", _is_in_force(before))
    if before.selectors != after.selectors:
        yield Change("policy", name, "selectors changed", _is_in_force(before) and bool(after.selectors))
    if before.demand != after.demand and before.effect is after.effect:
        yield Change("policy", name, "step-up changed", _is_in_force(before))


def _is_in_force(policy: Policy) -> bool:
    return policy.state is State.ENFORCE
