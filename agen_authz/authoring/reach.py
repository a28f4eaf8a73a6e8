"""Whom and what rules and policies reach: what lint, targets and diff share."""

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from agen_authz.authoring.catalog import CatalogEntry
from agen_authz.authoring.draft import Draft
from agen_authz.config.sections.access import AccessRule
from agen_authz.core.model import Issuer, Principal, Subject, Target, TargetKind
from agen_authz.core.policy.access import Granted, Unmapped
from agen_authz.core.policy.selector import index_selectors
from agen_authz.core.policy.table import Policy, open_selector, spell_alike
from agen_authz.core.twin import fold_selector

Holder: TypeAlias = tuple[str, ...]
"""Roles (or permissions) that one caller has; without any: every caller with a token."""


def list_named(draft: Draft, known: Sequence[CatalogEntry]) -> list[CatalogEntry]:
    """List what rules and policies name by its whole name, if the server's targets of that kind are not listed.

    Data-protection rules are among them: what is masked is known, though perhaps no rule grants it.
    """
    listed = {(each.target.server, each.target.kind) for each in known}
    rules = [each for rule in draft.config.access.rules for each in selectors_of(rule)]
    named: dict[tuple[TargetKind, str], CatalogEntry] = {}
    held = [*draft.policies.values(), *draft.protections.values()]
    for kind, selector in [*rules, *(each for policy in held for each in policy.selectors)]:
        server, _, name = selector.partition("/")
        server = server if server in draft.rules.resources else fold_selector(server)
        if "*" not in selector and server in draft.rules.resources and (server, kind) not in listed:
            # Policies name without regard to case: what a rule spells comes first.
            named.setdefault((kind, fold_selector(selector)), CatalogEntry(Target(kind, server, name)))
    return list(named.values())


def owners_of(draft: Draft) -> dict[str, str]:
    """Say which tenant each policy is of, by the policy's name; those of everybody are left out."""
    return {policy.name: tenant for tenant, held in draft.tenants.items() for policy in held}


def selectors_of(rule: AccessRule) -> list[tuple[TargetKind, str]]:
    """List what an access rule names."""
    written = ((TargetKind.TOOL, rule.tools), (TargetKind.RESOURCE, rule.resources), (TargetKind.PROMPT, rule.prompts))
    return [(kind, selector) for kind, selectors in written for selector in selectors or ()]


def names_target(selectors: Iterable[tuple[TargetKind, str]], target: Target, *, folds: bool = False) -> bool:
    """True if one of the selectors matches.

    Args:
        folds: as in policies: case does not matter, nor does the spelling of a URI that a backend opens alike.
    """
    name = f"{target.server}/{target.name}"
    fitting = [selector for kind, selector in selectors if kind is target.kind]
    if not folds:
        return _matches(fitting, name)
    is_named = _matches([fold_selector(selector) for selector in fitting], fold_selector(name))
    if is_named or target.kind is not TargetKind.RESOURCE:
        return is_named
    opened = [open_selector(selector) for selector in fitting]
    return any(_matches(opened, spelling) for spelling in spell_alike(target))


def _matches(selectors: Iterable[str], name: str) -> bool:
    return bool(index_selectors((selector, selector) for selector in selectors).find(name))


def concerns(policy: Policy, target: Target) -> bool:
    """True if a policy is about a target, whatever its conditions say."""
    return not policy.selectors or names_target(policy.selectors, target, folds=True)


def list_holders(draft: Draft) -> list[Holder]:
    """List the callers whom rules tell apart: one without roles, and the least that satisfies each rule, sorted."""
    return sorted({(), *(holder for rule in draft.config.access.rules for holder in holders_of(rule))})


def holders_of(rule: AccessRule) -> list[Holder]:
    """List who a rule lets in: each is enough."""
    if rule.allow is not None:
        return [(key,) for key in rule.allow]
    return [tuple(sorted(set(rule.allow_all or ())))]


def spell_holder(holder: Holder) -> str:
    """Spell who a caller is."""
    return " + ".join(holder) or "anybody with a token"


def may_call(draft: Draft, holder: Holder, target: Target) -> bool:
    """True if a holder of roles (or permissions) may reach a target, policies aside."""
    found = draft.rules.access.check(_invent(holder), target)
    is_admitted = isinstance(found, Unmapped) and draft.rules.resources[target.server].admits_unmapped
    return isinstance(found, Granted) or is_admitted


def _invent(holder: Holder) -> Principal:
    return Principal(
        provider="", issuer=Issuer(""), subject=Subject("someone"), client="", tenant="", roles=holder,
        permissions=holder, groups=(), scopes=(), email="", email_verified=False, country="", acr="", amr=(),
        auth_time=None, issued_at=None, expires=0.0, token_id="", claims={},
    )  # fmt: skip
