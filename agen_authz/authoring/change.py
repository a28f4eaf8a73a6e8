"""What changes from one configuration to another: who gains or loses what, and what policies do otherwise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agen_authz.authoring.catalogue import Known
from agen_authz.authoring.draft import Draft
from agen_authz.authoring.reach import list_keys, may_call
from agen_authz.core.model import Effect, State
from agen_authz.core.policy import Policy

_STRENGTH = {State.DISABLED: 0, State.SHADOW: 0, State.ENFORCE: 1}
_WEIGHT = {Effect.STEP_UP: 1, Effect.REQUIRE_APPROVAL: 2, Effect.DENY: 3}


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the table; `widens` where somebody may do more than before."""

    who: str
    what: str
    change: str
    widens: bool


def list_changes(old: Draft, new: Draft, known: Sequence[Known]) -> list[Change]:
    """List every change, of access first, then of policies."""
    return [*_list_access(old, new, known), *_list_policies(old, new)]


def _list_access(old: Draft, new: Draft, known: Sequence[Known]) -> Iterator[Change]:
    for key in sorted({*list_keys(old), *list_keys(new)}):
        for each in known:
            before, after = (_may_call(draft, key, each) for draft in (old, new))
            if before != after:
                yield Change(key, each.spelling, "gains access" if after else "loses access", after)


def _may_call(draft: Draft, key: str, known: Known) -> bool:
    return known.target.server in draft.sets.resources and may_call(draft, key, known.target)


def _list_policies(old: Draft, new: Draft) -> Iterator[Change]:
    for name in sorted({*old.policies, *new.policies}):
        before, after = old.policies.get(name), new.policies.get(name)
        if before is None or after is None:
            added = after if before is None else None
            yield Change("policy", name, "added" if added else "removed", before is not None and _is_in_force(before))
            continue
        yield from _compare(name, before, after)


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
    if before.demand != after.demand:
        yield Change("policy", name, "step-up changed", _is_in_force(before))


def _is_in_force(policy: Policy) -> bool:
    return policy.state is State.ENFORCE
