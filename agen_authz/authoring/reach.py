"""Whom and what a rule or policy reaches: roles, and the tools, resources and prompts that are known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agen_authz.authoring.catalogue import Known
from agen_authz.authoring.draft import Draft
from agen_authz.config.access import AccessRule
from agen_authz.core.access import Granted
from agen_authz.core.model import Issuer, Principal, Subject, Target, TargetKind
from agen_authz.core.policy import Policy
from agen_authz.core.selector import index_selectors


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
    for rule in draft.config.access.rules:
        if rule.name == name:
            touched = [each for each in known if names_target(selectors_of(rule), each.target)]
            return _sum_up(name, touched, rule.allow or rule.allow_all or ())
    policy = draft.policies.get(name)
    if policy is None:
        return None
    touched = [each for each in known if concerns(policy, each.target)]
    return _sum_up(name, touched, [key for key in list_keys(draft) if _may_reach(draft, key, touched)])


def _sum_up(name: str, touched: Iterable[Known], roles: Iterable[str]) -> Reach:
    held = list(touched)

    def spell(kind: TargetKind) -> tuple[str, ...]:
        return tuple(sorted(each.spelling for each in held if each.target.kind is kind))

    return Reach(name, spell(TargetKind.TOOL), spell(TargetKind.RESOURCE), spell(TargetKind.PROMPT), tuple(roles))


def _may_reach(draft: Draft, key: str, touched: Iterable[Known]) -> bool:
    return any(may_call(draft, key, each.target) for each in touched)


def selectors_of(rule: AccessRule) -> list[tuple[TargetKind, str]]:
    """List what an access rule names."""
    written = ((TargetKind.TOOL, rule.tools), (TargetKind.RESOURCE, rule.resources), (TargetKind.PROMPT, rule.prompts))
    return [(kind, selector) for kind, selectors in written for selector in selectors or ()]


def names_target(selectors: Iterable[tuple[TargetKind, str]], target: Target, *, folds: bool = False) -> bool:
    """Say whether one of the selectors matches; `folds` where case is no matter, as in policies."""
    name = f"{target.server}/{target.name}"
    fitting = [selector for kind, selector in selectors if kind is target.kind]
    if folds:
        name, fitting = name.casefold(), [selector.casefold() for selector in fitting]
    return bool(index_selectors((selector, selector) for selector in fitting).find(name))


def concerns(policy: Policy, target: Target) -> bool:
    """Say whether a policy is about a target, whatever its conditions say."""
    return not policy.selectors or names_target(policy.selectors, target, folds=True)


def list_keys(draft: Draft) -> list[str]:
    """List every role (or permission) that a rule names, sorted."""
    rules = draft.config.access.rules
    return sorted({key for rule in rules for key in (*(rule.allow or ()), *(rule.allow_all or ()))})


def may_call(draft: Draft, key: str, target: Target) -> bool:
    """Say whether holders of one role (or permission) may reach a target, policies aside."""
    verdict = draft.sets.access.check(holder_of(key), target)
    return isinstance(verdict, Granted) or draft.sets.resources[target.server].admits_unmapped


def holder_of(key: str) -> Principal:
    """Invent somebody who holds one role and permission and nothing else."""
    return Principal(
        provider="", issuer=Issuer(""), subject=Subject("someone"), client="", tenant="", roles=(key,),
        permissions=(key,), groups=(), scopes=(), email="", email_verified=False, country="", acr="", amr=(),
        auth_time=None, issued_at=None, expires=0.0, token_id="", claims={},
    )  # fmt: skip
