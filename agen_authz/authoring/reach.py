"""Whom and what a rule or policy reaches: roles, and the tools, resources and prompts that are known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from agen_authz.authoring.catalogue import Known
from agen_authz.authoring.draft import Draft
from agen_authz.config.sections.access import AccessRule
from agen_authz.core.model import Issuer, Principal, Subject, Target, TargetKind
from agen_authz.core.policy.access import Granted, Unmapped
from agen_authz.core.policy.selector import index_selectors
from agen_authz.core.policy.table import Policy, open_selector, spell_alike

Holder: TypeAlias = tuple[str, ...]
"""Roles (or permissions) that somebody holds together; without any: whoever has a token."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What `policy targets` shows: names of what is touched, by kind, and the roles (or permissions) concerned."""

    name: str
    tools: tuple[str, ...]
    resources: tuple[str, ...]
    prompts: tuple[str, ...]
    roles: tuple[str, ...]


def find_reach(draft: Draft, name: str, known: Sequence[Known]) -> Reach | None:
    """Find what a policy or access rule of this name touches; None where there is none."""
    everything = [*known, *list_named(draft, known)]
    for rule in draft.config.access.rules:
        if rule.name == name:
            touched = [each for each in everything if names_target(selectors_of(rule), each.target)]
            return _sum_up(name, touched, map(spell_holder, _holders_of(rule)))
    policy = draft.policies.get(name)
    if policy is None:
        return None
    touched = [each for each in everything if concerns(policy, each.target)]
    holders = [holder for holder in list_holders(draft) if _may_reach(draft, holder, touched)]
    return _sum_up(name, touched, map(spell_holder, holders))


def _sum_up(name: str, touched: Iterable[Known], roles: Iterable[str]) -> Reach:
    held = list(touched)

    def spell(kind: TargetKind) -> tuple[str, ...]:
        return tuple(sorted(each.spelling for each in held if each.target.kind is kind))

    return Reach(name, spell(TargetKind.TOOL), spell(TargetKind.RESOURCE), spell(TargetKind.PROMPT), tuple(roles))


def _may_reach(draft: Draft, holder: Holder, touched: Iterable[Known]) -> bool:
    return any(may_call(draft, holder, each.target) for each in touched)


def list_named(draft: Draft, known: Sequence[Known]) -> list[Known]:
    """List what rules and policies name by its whole name, where nobody listed what the server has of that kind."""
    listed = {(each.target.server, each.target.kind) for each in known}
    rules = [each for rule in draft.config.access.rules for each in selectors_of(rule)]
    named: dict[tuple[TargetKind, str], Known] = {}
    for kind, selector in [*rules, *(each for policy in draft.policies.values() for each in policy.selectors)]:
        server, _, name = selector.partition("/")
        server = server if server in draft.sets.resources else server.casefold()
        if "*" not in selector and server in draft.sets.resources and (server, kind) not in listed:
            # Policies name without regard to case: what a rule spells comes first.
            named.setdefault((kind, selector.casefold()), Known(Target(kind, server, name)))
    return list(named.values())


def owners_of(draft: Draft) -> dict[str, str]:
    """Say which tenant each policy is of, by the policy's name; those of everybody are left out."""
    return {policy.name: tenant for tenant, held in draft.tenants.items() for policy in held}


def selectors_of(rule: AccessRule) -> list[tuple[TargetKind, str]]:
    """List what an access rule names."""
    written = ((TargetKind.TOOL, rule.tools), (TargetKind.RESOURCE, rule.resources), (TargetKind.PROMPT, rule.prompts))
    return [(kind, selector) for kind, selectors in written for selector in selectors or ()]


def names_target(selectors: Iterable[tuple[TargetKind, str]], target: Target, *, folds: bool = False) -> bool:
    """Say whether one of the selectors matches.

    Args:
        folds: as in policies: case is no matter, nor is how a URI is spelt that a backend opens alike.
    """
    name = f"{target.server}/{target.name}"
    fitting = [selector for kind, selector in selectors if kind is target.kind]
    if not folds:
        return _matches(fitting, name)
    is_named = _matches([selector.casefold() for selector in fitting], name.casefold())
    if is_named or target.kind is not TargetKind.RESOURCE:
        return is_named
    opened = [open_selector(selector) for selector in fitting]
    return any(_matches(opened, spelling) for spelling in spell_alike(target))


def _matches(selectors: Iterable[str], name: str) -> bool:
    return bool(index_selectors((selector, selector) for selector in selectors).find(name))


def concerns(policy: Policy, target: Target) -> bool:
    """Say whether a policy is about a target, whatever its conditions say."""
    return not policy.selectors or names_target(policy.selectors, target, folds=True)


def list_holders(draft: Draft) -> list[Holder]:
    """List everybody whom rules tell apart: nobody in particular, and the least that satisfies each rule, sorted."""
    return sorted({(), *(holder for rule in draft.config.access.rules for holder in _holders_of(rule))})


def _holders_of(rule: AccessRule) -> list[Holder]:
    if rule.allow is not None:
        return [(key,) for key in rule.allow]
    return [tuple(sorted(set(rule.allow_all or ())))]


def spell_holder(holder: Holder) -> str:
    """Spell who somebody is."""
    return " + ".join(holder) or "anybody with a token"


def may_call(draft: Draft, holder: Holder, target: Target) -> bool:
    """Say whether a holder of roles (or permissions) may reach a target, policies aside."""
    verdict = draft.sets.access.check(_invent(holder), target)
    is_admitted = isinstance(verdict, Unmapped) and draft.sets.resources[target.server].admits_unmapped
    return isinstance(verdict, Granted) or is_admitted


def _invent(holder: Holder) -> Principal:
    return Principal(
        provider="", issuer=Issuer(""), subject=Subject("someone"), client="", tenant="", roles=holder,
        permissions=holder, groups=(), scopes=(), email="", email_verified=False, country="", acr="", amr=(),
        auth_time=None, issued_at=None, expires=0.0, token_id="", claims={},
    )  # fmt: skip
