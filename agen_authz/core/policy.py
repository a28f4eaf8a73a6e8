"""Policies: what is denied or asks for more, under conditions; compiled into one index by what they name.

A policy whose conditions cannot be evaluated is an error, whatever its effect; a condition that is false beside
one that errs means that the policy does not apply. Selectors are matched without regard to case.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from msgspec import Struct

from agen_authz.core.ambiguity import has_nul, is_ambiguous
from agen_authz.core.attribute import ATTRIBUTES, VARIABLES, Attribute, Situation
from agen_authz.core.cel import Activation, Condition, Environment
from agen_authz.core.cel_tree import Path
from agen_authz.core.model import Call, Effect, Outcome, State, Target, TargetKind
from agen_authz.core.selector import SelectorIndex, index_selectors
from agen_authz.core.stepup import Demand

_MAX_SEEN = 4096
_MAX_GROUPS = 256
_CHOSEN_BY_CALLERS = ("args", "inputs")


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """One policy; without selectors it names every tool, resource and prompt."""

    name: str
    state: State
    effect: Effect
    selectors: tuple[tuple[TargetKind, str], ...] = ()
    conditions: tuple[Condition, ...] = ()
    message: str | None = None
    demand: Demand | None = None


class Match(Struct, frozen=True):
    """A policy that applies to a call, or that could not be evaluated for it."""

    policy: Policy
    outcome: Outcome


@dataclass(frozen=True, slots=True, eq=False)
class _Reader:
    """A condition, and what it reads of `args` and `inputs`: paths below each."""

    condition: Condition
    chosen_by_callers: tuple[tuple[str, tuple[Path, ...]], ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """The policies that name one target with their conditions, and every variable that these read."""

    policies: tuple[tuple[Policy, tuple[_Reader, ...]], ...]
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PolicyTable:
    """Policies of the configuration and of each tenant, compiled; build it with `compile_policies`."""

    _indexes: Mapping[str, Mapping[TargetKind, SelectorIndex[tuple[int, Policy]]]]
    # Every variable that a condition reads.
    reads: frozenset[str] = frozenset()
    _seen: dict[tuple[str, TargetKind, str, str], _Group] = field(default_factory=dict)
    # Callers choose names without end, but these share few groups.
    _groups: dict[tuple[int, ...], _Group] = field(default_factory=dict)

    def evaluate(self, situation: Situation) -> tuple[Match, ...]:
        """List the policies that apply to a situation or cannot be evaluated in it, in their order; total."""
        group = self._find(situation.principal.tenant, situation.target)
        if not group.policies:
            return ()
        activation = environment().activate(_read(group.attributes, situation))
        matches = []
        for policy, readers in group.policies:
            outcome = _try(readers, situation.call, activation)
            if outcome is not None:
                matches.append(Match(policy, outcome))
        return tuple(matches)

    def list_for(self, tenant: str, target: Target) -> tuple[Policy, ...]:
        """List the policies that name a target, whatever their conditions say."""
        return tuple(policy for policy, _ in self._find(tenant, target).policies)

    def _find(self, tenant: str, target: Target) -> _Group:
        # A tenant without policies of its own has those of everybody.
        tenant = tenant if tenant in self._indexes else ""
        key = (tenant, target.kind, target.server, target.name)
        known = self._seen.get(key)
        if known is None:
            known = self._gather(tenant, target)
            if len(self._seen) >= _MAX_SEEN:
                self._seen.clear()
            self._seen[key] = known
        return known

    def _gather(self, tenant: str, target: Target) -> _Group:
        name = f"{target.server}/{target.name}".casefold()
        found = {
            position: policy
            for owner in dict.fromkeys(("", tenant))
            for position, policy in self._indexes[owner][target.kind].find(name)
        }
        positions = tuple(sorted(found))
        known = self._groups.get(positions)
        if known is None:
            if len(self._groups) >= _MAX_GROUPS:
                self._groups.clear()
                self._seen.clear()
            known = self._groups[positions] = _group([found[position] for position in positions])
        return known


def _group(policies: list[Policy]) -> _Group:
    names = dict.fromkeys(name for policy in policies for name in list_reads(policy))
    ready = tuple((policy, tuple(map(_prepare, policy.conditions))) for policy in policies)
    return _Group(ready, tuple(ATTRIBUTES[name] for name in names))


@cache
def environment() -> Environment:
    """Return the one environment of all conditions."""
    return Environment(VARIABLES)


def list_reads(policy: Policy) -> list[str]:
    """List the variables that a policy's conditions read, each once."""
    roots = {path[0] for condition in policy.conditions for path in condition.tree.paths}
    return [name for name in ATTRIBUTES if name in roots]


def ask(condition: Condition, situation: Situation) -> bool | None:
    """Say what one condition says in a situation, by itself; None where it cannot be evaluated."""
    roots = {path[0] for path in condition.tree.paths}
    read = _read(tuple(attribute for name, attribute in ATTRIBUTES.items() if name in roots), situation)
    reader = _prepare(condition)
    return None if _is_fooled(reader, situation.call) else condition.evaluate(environment().activate(read))


def is_two_sided(condition: Condition, situation: Situation) -> bool:
    """Say whether arguments that a condition reads could mean two things to two readers."""
    return _is_fooled(_prepare(condition), situation.call)


def _prepare(condition: Condition) -> _Reader:
    chosen = {
        root: tuple(sorted(path[1:] for path in condition.tree.paths if path[0] == root)) for root in _CHOSEN_BY_CALLERS
    }
    return _Reader(condition, tuple((root, paths) for root, paths in chosen.items() if paths))


def _read(attributes: tuple[Attribute, ...], situation: Situation) -> dict[str, object]:
    values = {}
    for attribute in attributes:
        found = attribute.read(situation)
        # cel-cpp's binding ends a string at its first NUL: what holds one is left out, so that it cannot be read.
        if found is not None and not (attribute.may_hold_nul(situation) and has_nul(found)):
            values[attribute.name] = found
    return values


def _try(readers: tuple[_Reader, ...], call: Call, activation: Activation) -> Outcome | None:
    has_error = False
    for reader in readers:
        is_fooled = reader.chosen_by_callers and _is_fooled(reader, call)
        said = None if is_fooled else reader.condition.evaluate(activation)
        if said is False:
            return None
        has_error = has_error or said is None
    return Outcome.ERROR if has_error else Outcome.APPLIES


def _is_fooled(reader: _Reader, call: Call) -> bool:
    for root, paths in reader.chosen_by_callers:
        given = (call.arguments if root == "args" else call.inputs) or {}
        if is_ambiguous(given, paths, reader.condition.tree.loose):
            return True
    return False


def compile_policies(policies: Iterable[Policy], tenants: Mapping[str, Iterable[Policy]] | None = None) -> PolicyTable:
    """Compile policies and what tenants add to them; disabled ones are left out."""
    position = 0
    indexes = {}
    reads: set[str] = set()
    for owner, held in {"": policies, **(tenants or {})}.items():
        by_kind: dict[TargetKind, list[tuple[str, tuple[int, Policy]]]] = {kind: [] for kind in TargetKind}
        for policy in held:
            position += 1
            if policy.state is not State.DISABLED:
                reads.update(list_reads(policy))
                for kind, selector in policy.selectors or [(kind, "**") for kind in TargetKind]:
                    by_kind[kind].append((selector.casefold(), (position, policy)))
        indexes[owner] = {kind: index_selectors(entries) for kind, entries in by_kind.items()}
    return PolicyTable(indexes, frozenset(reads))
