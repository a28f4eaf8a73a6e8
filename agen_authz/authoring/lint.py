"""What is probably not meant: grants too wide, tools that no rule names, rules without effect."""

import fnmatch
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

from agen_authz.authoring.catalog import CatalogEntry
from agen_authz.authoring.draft import Draft
from agen_authz.authoring.reach import concerns, list_named, names_target, owners_of, selectors_of
from agen_authz.config.sections.access import AccessRule
from agen_authz.core.cel.condition import Condition
from agen_authz.core.cel.tree import ANY
from agen_authz.core.message.method import RESPONSE
from agen_authz.core.model import Effect, State, Target, TargetKind
from agen_authz.core.policy.table import Policy, environment, list_reads
from agen_authz.core.policy.untold import APPROVAL, find_untold
from agen_authz.core.twin import fold_selector

Selector: TypeAlias = tuple[TargetKind, str]
# What `**` may stand for; one in a pattern that covers another must take all of it.
_RESTS = ("", "*", "*/*", "*/*/*")
# Entra ID: pairwise subjects.
_PAIRWISE = ("https://login.microsoftonline.com/", "https://login.microsoftonline.us/", "https://sts.windows.net/")
_LONG_IN_SHADOW_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One finding: what it is about, what is wrong, and how to fix it."""

    check: str
    subject: str
    message: str
    cure: str


def lint(draft: Draft, known: Sequence[CatalogEntry], shadow_since: dict[str, float], now: float) -> list[LintFinding]:
    """List every finding.

    Args:
        known: what the servers offer; empty if that is not known.
        shadow_since: since when policies are in shadow, seconds since the epoch.
    """
    policies = list(draft.policies.values())
    everybodys = [policy for policy in policies if policy.name not in owners_of(draft)]
    return [
        *_lint_tools(draft, everybodys, [*known, *list_named(draft, known)]),
        *_lint_unmasked(draft, [*known, *list_named(draft, known)]),
        *_lint_wide_grants(draft, known),
        *_lint_names(draft, known),
        *_lint_assertable(draft),
        *_lint_shadowed_rules(draft.config.access.rules),
        *_lint_constants(policies),
        *_lint_masks_nothing(draft.protections.values()),
        *_lint_unreadable(policies),
        *_lint_arguments(draft, policies, known),
        *_lint_answers(draft, policies),
        *_lint_shadowed_policies(policies, owners_of(draft)),
        *_lint_demands(policies),
        *_lint_flows(draft, policies, [*known, *list_named(draft, known)]),
        *_lint_requesters(draft),
        *_lint_shadow(policies, shadow_since, now),
    ]


def _lint_tools(draft: Draft, policies: Sequence[Policy], known: Sequence[CatalogEntry]) -> Iterator[LintFinding]:
    rules = draft.config.access.rules
    plain = {each for rule in rules for each in selectors_of(rule) if "*" not in each[1]}
    for each in known:
        if each.writes and (TargetKind.TOOL, each.spelling) not in plain:
            cure = f'name it in its own rule: tools: ["{each.spelling}"]'
            yield LintFinding(
                "write_without_rule", each.spelling, "the tool may write, and no rule names it exactly", cure
            )
        elif each.target.kind is TargetKind.TOOL and not draft.rules.access.names(each.target):
            yield _name_unmapped(draft, each)
        guards = [policy for policy in policies if policy.state is State.ENFORCE and concerns(policy, each.target)]
        if each.is_sensitive and not any(
            policy.effect is not Effect.DENY or not policy.conditions for policy in guards
        ):
            cure = "add a policy with `then: step_up` or `then: require_approval`"
            kind = "whose server calls it destructive" if each.is_destructive else "that deletes, pays or configures"
            message = f"no step-up or approval protects a tool {kind}"
            yield LintFinding("sensitive_without_proof", each.spelling, message, cure)


def _name_unmapped(draft: Draft, known: CatalogEntry) -> LintFinding:
    is_open = draft.rules.resources[known.target.server].admits_unmapped
    who = "every caller with a token may call it" if is_open else "no caller may call it"
    cure = f'name it in a rule: tools: ["{known.spelling}"]'
    return LintFinding("tool_without_rule", known.spelling, f"no rule names the tool, so {who}", cure)


def _lint_unmasked(draft: Draft, known: Sequence[CatalogEntry]) -> Iterator[LintFinding]:
    """Find tools that callers may use and no data-protection rule names, on a server that such a rule is about."""
    rules = [rule for rule in draft.protections.values() if rule.state is not State.DISABLED]
    selectors = [each for rule in rules for kind, each in rule.selectors if kind is TargetKind.TOOL]
    covered = set().union(*(_servers_of(draft, each) for each in selectors))
    for each in known:
        target = each.target
        if target.kind is not TargetKind.TOOL or target.server not in covered:
            continue
        if draft.rules.access.names(target) and not any(concerns(rule, target) for rule in rules):
            message = f"data protection covers tools of `{target.server}`, but what this one returns is not masked"
            cure = f'name it in a rule of `data_protection`: tools: ["{each.spelling}"]'
            yield LintFinding("tool_without_masking", each.spelling, message, cure)


def _lint_masks_nothing(rules: Iterable[Policy]) -> Iterator[LintFinding]:
    for rule in rules:
        if any(not each.tree.paths and _constant(each) is False for each in rule.conditions):
            message = "a condition of it is always false, so it masks nothing"
            yield LintFinding("never_masks", rule.name, message, "correct the condition")


def _lint_wide_grants(draft: Draft, known: Sequence[CatalogEntry]) -> Iterator[LintFinding]:
    listed = {each.target.server for each in known if each.target.kind is TargetKind.TOOL}
    for rule in draft.config.access.rules:
        for kind, selector in selectors_of(rule):
            if kind is not TargetKind.TOOL or selector.partition("/")[2] not in ("*", "**"):
                continue
            wide = [each.spelling for each in known if each.writes and names_target([(kind, selector)], each.target)]
            # An unknown tool counts as one that writes.
            wide += [
                f"tools of `{server}` that the catalog does not list"
                for server in _servers_of(draft, selector) - listed
            ]
            if wide:
                message = f"`{selector}` grants what may write: {', '.join(wide)}"
                yield LintFinding("wide_grant", rule.name, message, "name what is meant, such as crm/get_*")


def _servers_of(draft: Draft, selector: str) -> set[str]:
    return set(fnmatch.filter(draft.rules.resources, fold_selector(selector.partition("/")[0])))


def _lint_names(draft: Draft, known: Sequence[CatalogEntry]) -> Iterator[LintFinding]:
    seen = {(each.target.kind, each.target.server) for each in known}
    rules = [
        (rule.name, kind, selector, False)
        for rule in draft.config.access.rules
        for kind, selector in selectors_of(rule)
    ]
    folding = [*draft.policies.values(), *draft.protections.values()]
    policies = [(policy.name, *each, True) for policy in folding for each in policy.selectors]
    for name, kind, selector, folds in [*rules, *policies]:
        # If a server's tools are not listed, it is not known what it does not have.
        is_listed = all((kind, server) in seen for server in _servers_of(draft, selector))
        if is_listed and not any(_may_name((kind, selector), each, folds=folds) for each in known):
            message = f"`{selector}` names no known target"
            yield LintFinding("names_nothing", name, message, "correct the name, or remove the selector")


def _may_name(selector: Selector, known: CatalogEntry, *, folds: bool) -> bool:
    if names_target([selector], known.target, folds=folds):
        return True
    template, is_template, _ = known.spelling.partition("{")
    if not is_template or known.target.kind is not selector[0]:
        return False
    # What a template stands for is known as far as its first blank.
    written = selector[1].partition("*")[0]
    if folds:
        template, written = fold_selector(template), fold_selector(written)
    return written.startswith(template) or template.startswith(written)


def _lint_assertable(draft: Draft) -> Iterator[LintFinding]:
    for rule in draft.config.access.rules:
        servers = {server for _, selector in selectors_of(rule) for server in _servers_of(draft, selector)}
        providers = [each for server in servers for each in draft.rules.resources[server].providers.values()]
        wanted = [{key} for key in rule.allow] if rule.allow is not None else [set(rule.allow_all or ())]
        if not any(each.roles is None or keys <= each.roles for each in providers for keys in wanted):
            cure = "correct the names, or add them under `providers[].roles`"
            yield LintFinding(
                "never_grants", rule.name, "no provider may assert the roles or permissions that it asks for", cure
            )


def _lint_shadowed_rules(rules: Sequence[AccessRule]) -> Iterator[LintFinding]:
    for index, rule in enumerate(rules):
        for position, other in enumerate(rules):
            # Of two that cover each other the later one is named.
            if position != index and _covers(other, rule) and not (position > index and _covers(rule, other)):
                message = f"`{other.name}` already grants every target of this rule to every caller of this rule"
                yield LintFinding("shadowed_rule", rule.name, message, "remove it, or narrow the other")
                break


def _covers(wide: AccessRule, narrow: AccessRule) -> bool:
    if not _are_within(selectors_of(narrow), selectors_of(wide)):
        return False
    if wide.allow is None:
        return narrow.allow is None and set(wide.allow_all or ()) <= set(narrow.allow_all or ())
    if narrow.allow is None:
        return not set(narrow.allow_all or ()).isdisjoint(wide.allow)
    return set(narrow.allow) <= set(wide.allow)


def _are_within(narrow: Iterable[Selector], wide: Sequence[Selector], *, folds: bool = False) -> bool:
    return all(any(_is_within(each, other, folds=folds) for other in wide) for each in narrow)


def _is_within(narrow: Selector, wide: Selector, *, folds: bool) -> bool:
    """True if the other selector names everything that one selector names.

    A pattern is looked up as if it were a name: its asterisk is a character that only an asterisk matches.
    """
    if narrow[0] is not wide[0]:
        return False
    if narrow[1] == wide[1]:
        return True
    names = (narrow[1].replace("**", rest) for rest in _RESTS)
    targets = (Target(narrow[0], *_split(name)) for name in names)
    return all(names_target([wide], target, folds=folds) for target in targets)


def _split(selector: str) -> tuple[str, str]:
    server, _, name = selector.partition("/")
    return server, name


def _lint_constants(policies: Sequence[Policy]) -> Iterator[LintFinding]:
    for policy in policies:
        said = [_constant(each) for each in policy.conditions if not each.tree.paths]
        if False in said:
            yield LintFinding(
                "never_applies", policy.name, "a condition of it is always false", "correct the condition"
            )
        elif None in said:
            message = "a condition of it can never be evaluated: it always denies the calls that it names"
            yield LintFinding("never_evaluates", policy.name, message, "correct the condition")


def _constant(condition: Condition) -> bool | None:
    return condition.evaluate(environment().activate({}))


def _lint_unreadable(policies: Sequence[Policy]) -> Iterator[LintFinding]:
    for policy in policies:
        names = [selector for kind, selector in policy.selectors if kind is TargetKind.RESOURCE]
        if names and any(path[0] == "args" and len(path) > 1 for each in policy.conditions for path in each.tree.paths):
            message = f"it reads `args`, which a call of a resource ({', '.join(names)}) never has"
            cure = "name the resources in a separate policy, and read `tool.name` there"
            yield LintFinding("never_has_args", policy.name, message, cure)


def _lint_arguments(draft: Draft, policies: Sequence[Policy], known: Sequence[CatalogEntry]) -> Iterator[LintFinding]:
    tools = [each for each in known if each.target.kind is TargetKind.TOOL]
    listed = {each.target.server for each in tools}
    for policy in policies:
        names = [selector for kind, selector in policy.selectors if kind is TargetKind.TOOL]
        reached = set().union(*(_servers_of(draft, each) for each in names)) if policy.selectors else listed
        touched = [each.arguments for each in tools if concerns(policy, each.target)]
        # What a tool takes that is not known, or that takes any argument, is not known either.
        if not touched or None in touched or not reached <= listed:
            continue
        taken: frozenset[str] = frozenset().union(*(each for each in touched if each is not None))
        for name in sorted(_list_arguments_read(policy) - taken):
            message = f"it reads `args.{name}`, which is an argument of no tool that it names"
            cure = f"the tools take: {', '.join(sorted(taken)) or 'no arguments'}"
            yield LintFinding("unknown_argument", policy.name, message, cure)


def _list_arguments_read(policy: Policy) -> set[str]:
    paths = (path for condition in policy.conditions for path in condition.tree.paths)
    return {path[1] for path in paths if path[0] == "args" and len(path) > 1 and path[1] is not ANY}


def _lint_answers(draft: Draft, policies: Sequence[Policy]) -> Iterator[LintFinding]:
    for policy in policies:
        untold = find_untold(list_reads(policy), policy.effect)
        if policy.state is not State.ENFORCE or untold is None:
            continue
        named = [_servers_of(draft, selector) for _, selector in policy.selectors] or [set(draft.rules.resources)]
        for server in sorted(set().union(*named)):
            if draft.rules.resources[server].methods.get(RESPONSE, True):
                why = "it asks for approval" if untold == APPROVAL else f"it reads `{untold}`"
                message = f"{why}, so it denies every response that a legacy client posts to `{server}`"
                cure = f"say so with `methods: {{response: deny}}` under the resource `{server}`"
                yield LintFinding("denies_responses", policy.name, message, cure)


def _lint_shadowed_policies(policies: Sequence[Policy], owners: dict[str, str]) -> Iterator[LintFinding]:
    for index, policy in enumerate(policies):
        for position, other in enumerate(policies):
            is_held_to_it = owners.get(other.name) in (None, owners.get(policy.name))
            if position == index or not is_held_to_it or not _denies_all_of(other, policy):
                continue
            # Of two that deny the same the later one is named.
            is_mutual = owners.get(policy.name) in (None, owners.get(other.name)) and _denies_all_of(policy, other)
            if position < index or not is_mutual:
                message = f"`{other.name}` denies all that it is about"
                yield LintFinding("shadowed_policy", policy.name, message, "remove it, or narrow the other")
                break


def _denies_all_of(other: Policy, policy: Policy) -> bool:
    is_denial = other.effect is Effect.DENY and other.state is State.ENFORCE and not other.conditions
    if not is_denial or policy.state is State.DISABLED:
        return False
    return not other.selectors or (
        bool(policy.selectors) and _are_within(policy.selectors, other.selectors, folds=True)
    )


def _lint_demands(policies: Sequence[Policy]) -> Iterator[LintFinding]:
    for policy in policies:
        # RFC 9470 has parameters for acr and for age, none for amr.
        if policy.demand is not None and policy.demand.amr and not policy.demand.acr:
            message = "no challenge can say the `amr` it asks for: clients come back with the same token"
            yield LintFinding("untold_step_up", policy.name, message, "add the `acr` of such a sign-in")


def _lint_flows(draft: Draft, policies: Sequence[Policy], known: Sequence[CatalogEntry]) -> Iterator[LintFinding]:
    """Find writes that are approved if no one decides, and flows that no policy asks."""
    flows = draft.rules.approvals.flows
    asking = [each for each in policies if each.effect is Effect.REQUIRE_APPROVAL and each.state is not State.DISABLED]
    for policy in asking:
        writing = [each.spelling for each in known if each.writes and concerns(policy, each.target)]
        if policy.flow in flows and flows[policy.flow].approves_on_timeout and writing:
            message = f"`{policy.flow}` approves what no one decides in time, and these write: {', '.join(writing)}"
            yield LintFinding("write_approved_by_timeout", policy.name, message, "use a flow with `on_timeout: deny`")
    for name in sorted(flows.keys() - {each.flow for each in asking}):
        yield LintFinding("unused_flow", name, "no policy asks this flow", "name it in a policy, or remove it")


def _lint_requesters(draft: Draft) -> Iterator[LintFinding]:
    """Find a provider under whose `sub` an approver may not be recognised as the requester."""
    console, flows = draft.config.console, draft.rules.approvals.flows.values()
    if console is None or all(flow.requester_may_approve for flow in flows):
        return
    provider = draft.providers[console.provider]
    if provider.issuer.startswith(_PAIRWISE) and provider.claims.subject == (("sub",),):
        message = "it gives each client another `sub` for one person, so requesters who approve may not be recognised"
        yield LintFinding("pairwise_subject", provider.name, message, "add `claims: {subject: oid}`")


def _lint_shadow(policies: Sequence[Policy], since: dict[str, float], now: float) -> Iterator[LintFinding]:
    for policy in policies:
        began = since.get(policy.name)
        if policy.state is State.SHADOW and began is not None and now - began > _LONG_IN_SHADOW_S:
            days = int((now - began) / 86_400)
            message = f"in shadow for {days} days: it protects nothing"
            yield LintFinding("long_in_shadow", policy.name, message, "enforce it, or remove it")


def render_text(findings: Sequence[LintFinding]) -> str:
    """List findings, one a line."""
    lines = [f"{each.check}: {each.subject}: {each.message}; {each.cure}" for each in findings]
    return "\n".join([*lines, f"{len(findings)} findings" if findings else "nothing found"])


def render_json(findings: Sequence[LintFinding]) -> str:
    """Write findings down as JSON."""
    return json.dumps({"ok": not findings, "findings": [asdict(each) for each in findings]})
