"""Least privilege: a call is allowed when at least one rule that names its target is satisfied.

Rules compile into one index per kind of target. Within it the caller's own roles (or permissions) are looked
up, so neither the number of rules nor the number of roles they name makes a call slower.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from agen_authz.core.memory import Memory
from agen_authz.core.model import Principal, Target, TargetKind
from agen_authz.core.policy.selector import SelectorIndex, index_selectors


class Basis(StrEnum):
    """What rules ask for; permanent for a store (`access.mapping`)."""

    ROLES = "roles"
    PERMISSIONS = "permissions"


@dataclass(frozen=True, slots=True)
class AccessRule:
    """One rule: what it names, and who may use it: holders of any, or of all, of `keys`."""

    name: str
    selectors: tuple[tuple[TargetKind, str], ...]
    keys: frozenset[str]
    needs_all: bool = False


class Granted(Struct, frozen=True):
    """At least one rule lets the caller in; `rule` names the first."""

    rule: str


class NotGranted(Struct, frozen=True):
    """Rules name the target, but none of them is satisfied."""


class Unmapped(Struct, frozen=True):
    """No rule names the target."""


_MAX_SEEN = 4096

Access: TypeAlias = Granted | NotGranted | Unmapped


@dataclass(frozen=True, slots=True)
class _Grantees:
    """All rules of one selector: by a key that is enough, and by one key of a set that is needed completely."""

    by_key: Mapping[str, str]
    by_set: Mapping[str, tuple[tuple[frozenset[str], str], ...]]

    def find_rule(self, held: tuple[str, ...]) -> str | None:
        for key in held:
            rule = self.by_key.get(key)
            if rule is not None:
                return rule
        return self._find_set(held) if self.by_set else None

    def _find_set(self, held: tuple[str, ...]) -> str | None:
        held_set = frozenset(held)
        for key in held:
            for needed, rule in self.by_set.get(key, ()):
                if needed <= held_set:
                    return rule
        return None


@dataclass(frozen=True, slots=True)
class AccessTable:
    """All rules, compiled; build it with `compile_access`."""

    basis: Basis
    _indexes: Mapping[TargetKind, SelectorIndex[_Grantees]]
    _seen: Memory[tuple[TargetKind, str, str], list[_Grantees]] = field(
        default_factory=lambda: Memory(_MAX_SEEN), compare=False
    )

    def check(self, principal: Principal, target: Target) -> Access:
        """True if a rule lets this caller reach this target; case matters."""
        held = principal.roles if self.basis is Basis.ROLES else principal.permissions
        matching = self._find(target)
        for grantees in matching:
            rule = grantees.find_rule(held)
            if rule is not None:
                return Granted(rule)
        return NotGranted() if matching else Unmapped()

    def names(self, target: Target) -> bool:
        """True if a rule names this target."""
        return bool(self._find(target))

    def _find(self, target: Target) -> list[_Grantees]:
        # The same few targets are asked for again and again; what is remembered is what rules name, not an answer.
        key = (target.kind, target.server, target.name)
        known = self._seen.find(key)
        if known is not None:
            return known
        return self._seen.keep(key, self._indexes[target.kind].find(f"{target.server}/{target.name}"))


def compile_access(basis: Basis, rules: Iterable[AccessRule]) -> AccessTable:
    """Compile rules, in their order: if several are satisfied, the first of a selector is named."""
    by_selector: dict[TargetKind, dict[str, list[AccessRule]]] = {kind: {} for kind in TargetKind}
    for rule in rules:
        for kind, selector in rule.selectors:
            by_selector[kind].setdefault(selector, []).append(rule)
    indexes = {
        kind: index_selectors((selector, _gather_grantees(group)) for selector, group in selectors.items())
        for kind, selectors in by_selector.items()
    }
    return AccessTable(basis, indexes)


def _gather_grantees(rules: list[AccessRule]) -> _Grantees:
    by_key: dict[str, str] = {}
    by_set: dict[str, list[tuple[frozenset[str], str]]] = {}
    for rule in rules:
        if rule.needs_all and rule.keys:
            by_set.setdefault(min(rule.keys), []).append((rule.keys, rule.name))
        else:
            # An empty list of keys grants nothing: it adds nothing here.
            for key in rule.keys:
                by_key.setdefault(key, rule.name)
    return _Grantees(by_key, {key: tuple(sets) for key, sets in by_set.items()})
