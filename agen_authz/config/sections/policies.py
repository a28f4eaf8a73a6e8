"""Cross-checks of access rules, policies and hooks."""

from itertools import chain

from agen_authz.config.access import AccessRule, Policy, StepUpDemand
from agen_authz.config.check_condition import check_conditions
from agen_authz.config.check_scope import WORD, check_scope
from agen_authz.config.check_target import check_selectors
from agen_authz.config.finding import Findings
from agen_authz.config.tree import Path
from agen_authz.config.url import is_web_url

_HOOK_SCHEMES = ("https", "http", "grpcs", "grpc")


def check_access(findings: Findings) -> None:
    """Check the access rules."""
    rules = findings.config.access.rules
    path: Path = ("access", "rules")
    if findings.is_written(path):
        findings.refuse_empty(path, rules, "at least one rule")
    findings.refuse_twins(path, "name", (rule.name for rule in rules), "rules")
    for index, rule in enumerate(rules):
        check_selectors(findings, (*path, index), rule, is_exact=True)
        _check_grantees(findings, (*path, index), rule)


def _check_grantees(findings: Findings, path: Path, rule: AccessRule) -> None:
    if rule.tools is None and rule.resources is None and rule.prompts is None:
        findings.add(path, f"rule `{rule.name}` names no target", "add `tools`, `resources` or `prompts`")
    if (rule.allow is None) == (rule.allow_all is None):
        message = f"rule `{rule.name}` needs one of `allow` and `allow_all`"
        findings.add(path, message, "`allow` lets in whoever has any of them, `allow_all` whoever has all")
    for key in ("allow", "allow_all"):
        findings.refuse_empty((*path, key), getattr(rule, key), "at least one role or permission")


def check_policies(findings: Findings) -> None:
    """Check policies, and those of tenants."""
    config = findings.config
    lists: list[tuple[Path, tuple[Policy, ...]]] = [(("policies",), config.policies)]
    for name, tenant in (config.tenants or {}).items():
        lists.append((("tenants", name, "policies"), tenant.policies))
    placed = list(chain.from_iterable(((path, at, policy) for at, policy in enumerate(held)) for path, held in lists))
    findings.refuse_same((((*path, at, "name"), policy.name) for path, at, policy in placed), "policies")
    for path, at, policy in placed:
        here: Path = (*path, at)
        check_selectors(findings, here, policy)
        check_conditions(findings, here, policy.when)
        _check_effect(findings, here, policy)


def _check_effect(findings: Findings, path: Path, policy: Policy) -> None:
    for key, then in (("flow", "require_approval"), ("step_up", "step_up")):
        is_given = getattr(policy, key) is not None
        if is_given != (policy.then == then):
            cure = f"give `{key}` with `then: {then}`, and only there"
            findings.add(path, f"`then: {policy.then}` and `{key}` do not go together", cure)
    if policy.flow is not None and policy.flow not in {flow.name for flow in findings.config.approvals.flows}:
        leans_on = (("approvals", "flows"),)
        cure = "add it under `approvals.flows`"
        findings.add((*path, "flow"), f"unknown flow `{policy.flow}`", cure, leans_on=leans_on)
    if policy.step_up is not None:
        _check_demand(findings, (*path, "step_up"), policy.step_up)


def _check_demand(findings: Findings, path: Path, demand: StepUpDemand) -> None:
    for key in ("acr", "amr"):
        findings.refuse_empty((*path, key), getattr(demand, key), "at least one value")
        for index, value in enumerate(getattr(demand, key) or ()):
            if not WORD.fullmatch(value):
                findings.add((*path, key, index), "not one word", "write the value without spaces and quotes")
    if all(value is None for value in (demand.acr, demand.amr, demand.max_age, demand.scope)):
        findings.add(path, "demands nothing", "give acr, amr, max_age or scope")
    if demand.scope is not None:
        check_scope(findings, (*path, "scope"), demand.scope)


def check_hooks(findings: Findings) -> None:
    """Check hooks."""
    config = findings.config
    findings.refuse_twins(("hooks",), "name", (hook.name for hook in config.hooks), "hooks")
    for index, hook in enumerate(config.hooks):
        path: Path = ("hooks", index)
        check_selectors(findings, path, hook)
        if not is_web_url(hook.url, _HOOK_SCHEMES):
            findings.add((*path, "url"), "not the URL of a hook", "write https://host/path or grpcs://host:port")
        if hook.timeout >= config.server.check_timeout:
            message = "not shorter than `server.check_timeout`, which is all that Envoy waits"
            leans_on = (("server", "check_timeout"),)
            findings.add((*path, "timeout"), message, "shorten it, or give Envoy more time", leans_on=leans_on)
