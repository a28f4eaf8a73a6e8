"""What is probably not meant: grants too wide, tools nobody thought of, rules that do nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agen_authz.authoring.catalogue import Known
from agen_authz.authoring.draft import Draft
from agen_authz.authoring.reach import concerns, names_target, selectors_of
from agen_authz.config.access import AccessRule
from agen_authz.core.model import Effect, State, TargetKind
from agen_authz.core.policy import Policy

_LONG_IN_SHADOW_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: what it is about, what is wrong, and how to fix it."""

    check: str
    subject: str
    message: str
    cure: str


def lint(draft: Draft, known: Sequence[Known], shadow_since: dict[str, float], now: float) -> list[Finding]:
    """List every finding.

    Args:
        known: what the servers offer; empty where nobody knows.
        shadow_since: since when policies are in shadow, seconds since the epoch.
    """
    rules, policies = draft.config.access.rules, list(draft.policies.values())
    return [
        *_lint_tools(rules, policies, known),
        *_lint_wide_grants(rules, known),
        *_lint_idle_rules(rules, known),
        *_lint_shadowed_rules(rules),
        *_lint_policies(policies, known),
        *_lint_shadow(policies, shadow_since, now),
    ]


def _lint_tools(rules: Sequence[AccessRule], policies: Sequence[Policy], known: Sequence[Known]) -> Iterator[Finding]:
    for each in known:
        if each.writes and not any(("tool", each.spelling) in _plain(rule) for rule in rules):
            cure = f'name it in a rule of its own: tools: ["{each.spelling}"]'
            yield Finding("write_without_rule", each.spelling, "it may write, and no rule names it by its name", cure)
        guards = [policy for policy in policies if policy.state is State.ENFORCE and concerns(policy, each.target)]
        if each.is_sensitive and all(policy.effect is Effect.DENY for policy in guards):
            cure = "add a policy with `then: step_up` or `then: require_approval`"
            yield Finding("sensitive_without_proof", each.spelling, "it deletes, pays or configures unasked", cure)


def _plain(rule: AccessRule) -> set[tuple[str, str]]:
    return {(kind.value, selector) for kind, selector in selectors_of(rule) if "*" not in selector}


def _lint_wide_grants(rules: Sequence[AccessRule], known: Sequence[Known]) -> Iterator[Finding]:
    for rule in rules:
        for kind, selector in selectors_of(rule):
            if kind is not TargetKind.TOOL or selector.partition("/")[2] not in ("*", "**"):
                continue
            wide = [each.spelling for each in known if each.writes and names_target([(kind, selector)], each.target)]
            if wide:
                message = f"`{selector}` grants what may write: {', '.join(wide)}"
                yield Finding("wide_grant", rule.name, message, "name what is meant, such as crm/get_*")


def _lint_idle_rules(rules: Sequence[AccessRule], known: Sequence[Known]) -> Iterator[Finding]:
    seen = {(each.target.server, each.target.kind) for each in known}
    for rule in rules:
        for kind, selector in selectors_of(rule):
            server = selector.partition("/")[0]
            is_known = any(kind is each and ("*" in server or server == name) for name, each in seen)
            if is_known and not any(names_target([(kind, selector)], each.target) for each in known):
                message = f"`{selector}` names nothing that anybody has seen"
                yield Finding("names_nothing", rule.name, message, "correct the name, or remove the selector")


def _lint_shadowed_rules(rules: Sequence[AccessRule]) -> Iterator[Finding]:
    for index, rule in enumerate(rules):
        for position, other in enumerate(rules):
            # Of two that cover each other the later one is named.
            if position != index and _covers(other, rule) and not (position > index and _covers(rule, other)):
                message = f"everybody and everything in it is let in by `{other.name}` already"
                yield Finding("shadowed_rule", rule.name, message, "remove it, or narrow the other")
                break


def _covers(wide: AccessRule, narrow: AccessRule) -> bool:
    if wide.allow is None or not set(selectors_of(narrow)) <= set(selectors_of(wide)):
        return False
    return set(narrow.allow) <= set(wide.allow) if narrow.allow is not None else bool(
        set(narrow.allow_all or ()) & set(wide.allow)
    )  # fmt: skip


def _lint_policies(policies: Sequence[Policy], known: Sequence[Known]) -> Iterator[Finding]:
    for index, policy in enumerate(policies):
        if known and policy.selectors and not any(concerns(policy, each.target) for each in known):
            message = "its selectors name nothing that anybody has seen"
            yield Finding("names_nothing", policy.name, message, "correct the selectors, or remove the policy")
        if any(each.text.strip() == "false" for each in policy.conditions):
            yield Finding("never_applies", policy.name, "a condition of it is always false", "correct the condition")
        for other in policies[:index]:
            if _denies_all_of(other, policy):
                message = f"`{other.name}` denies all that it is about"
                yield Finding("shadowed_policy", policy.name, message, "remove it, or narrow the other")


def _denies_all_of(other: Policy, policy: Policy) -> bool:
    if other.effect is not Effect.DENY or other.state is not State.ENFORCE or other.conditions:
        return False
    return not other.selectors or (bool(policy.selectors) and set(policy.selectors) <= set(other.selectors))


def _lint_shadow(policies: Sequence[Policy], since: dict[str, float], now: float) -> Iterator[Finding]:
    for policy in policies:
        began = since.get(policy.name)
        if policy.state is State.SHADOW and began is not None and now - began > _LONG_IN_SHADOW_S:
            days = int((now - began) / 86_400)
            message = f"in shadow for {days} days: it protects nothing"
            yield Finding("long_in_shadow", policy.name, message, "enforce it, or remove it")
