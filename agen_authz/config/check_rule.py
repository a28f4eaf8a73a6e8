"""Cross-checks of everything that names targets: access rules, policies, data protection, hooks."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from itertools import chain
from typing import Protocol

from agen_authz.config.access import AccessRule, Policy
from agen_authz.config.detector import is_detector
from agen_authz.config.finding import Findings
from agen_authz.config.tree import Path

_SELECTOR = re.compile(r"(?P<server>[A-Za-z0-9_*-]{1,64})/(?P<name>[^\x00-\x20\x7f]{1,2048})")
_TOOL = re.compile(r"[A-Za-z0-9_.:/*-]{1,128}")
_NETWORK = re.compile(r"""(["'])(?P<name>[^"']*)\1\s+in\s+request\.networks""")
_KINDS = ("tools", "resources", "prompts")


class _Selecting(Protocol):
    @property
    def tools(self) -> tuple[str, ...] | None: ...
    @property
    def resources(self) -> tuple[str, ...] | None: ...
    @property
    def prompts(self) -> tuple[str, ...] | None: ...


def check_access(findings: Findings) -> None:
    """Check the access rules."""
    rules = findings.config.access.rules
    path: Path = ("access", "rules")
    findings.refuse_empty(path, rules, "at least one rule")
    findings.refuse_twins(path, "name", (rule.name for rule in rules), "rules")
    for index, rule in enumerate(rules):
        _check_selectors(findings, (*path, index), rule)
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
    _check_policy_list(findings, ("policies",), config.policies)
    for name, tenant in (config.tenants or {}).items():
        _check_policy_list(findings, ("tenants", name, "policies"), tenant.policies)
    names = chain(config.policies, *(tenant.policies for tenant in (config.tenants or {}).values()))
    everywhere = [policy.name for policy in names]
    for name in {name for name in everywhere if everywhere.count(name) > 1}:
        findings.add(("policies",), f"two policies are called `{name}`", "give each a name of its own")


def _check_policy_list(findings: Findings, path: Path, policies: tuple[Policy, ...]) -> None:
    flows = {flow.name for flow in findings.config.approvals.flows}
    for index, policy in enumerate(policies):
        here: Path = (*path, index)
        _check_selectors(findings, here, policy)
        _check_conditions(findings, here, policy.when)
        for key, then in (("flow", "require_approval"), ("step_up", "step_up")):
            is_given = getattr(policy, key) is not None
            if is_given != (policy.then == then):
                cure = f"give `{key}` with `then: {then}`, and only there"
                findings.add(here, f"`then: {policy.then}` and `{key}` do not go together", cure)
        if policy.flow is not None and policy.flow not in flows:
            findings.add((*here, "flow"), f"unknown flow `{policy.flow}`", "add it under `approvals.flows`")
        demand = policy.step_up
        if demand is not None and not any((demand.acr, demand.amr, demand.max_age, demand.scope)):
            findings.add((*here, "step_up"), "demands nothing", "give acr, amr, max_age or scope")


def _check_conditions(findings: Findings, path: Path, when: tuple[str, ...] | None) -> None:
    findings.refuse_empty((*path, "when"), when, "at least one condition")
    for index, condition in enumerate(when or ()):
        for match in _NETWORK.finditer(condition):
            if match["name"] not in findings.config.networks:
                message = f"unknown network `{match['name']}`"
                findings.add((*path, "when", index), message, "add it under `networks`")


def check_protection(findings: Findings) -> None:
    """Check data-protection rules and hooks."""
    config = findings.config
    findings.refuse_twins(("data_protection",), "name", (rule.name for rule in config.data_protection), "rules")
    findings.refuse_twins(("masking_keys",), "id", (key.id for key in config.masking_keys), "keys")
    for index, rule in enumerate(config.data_protection):
        path: Path = ("data_protection", index)
        _check_selectors(findings, path, rule)
        _check_conditions(findings, path, rule.when)
        findings.refuse_empty((*path, "presets"), rule.presets, "at least one preset")
        own = {custom.name for custom in rule.custom or ()} | {"default"}
        choice = rule.detectors
        for key in ("add", "remove"):
            _check_detectors(findings, (*path, "detectors", key), getattr(choice, key, None) or (), own)
        _check_detectors(findings, (*path, "style"), rule.style or (), own)
    findings.refuse_twins(("hooks",), "name", (hook.name for hook in config.hooks), "hooks")
    for index, hook in enumerate(config.hooks):
        _check_selectors(findings, ("hooks", index), hook)
        if not 0 < hook.timeout < config.server.check_timeout:
            message = "must be longer than zero and shorter than `server.check_timeout`"
            findings.add(("hooks", index, "timeout"), message, "shorten it, or give Envoy more time")


def _check_detectors(findings: Findings, path: Path, names: Iterable[str], own: set[str]) -> None:
    for index, name in enumerate(names):
        if not is_detector(name) and name not in own:
            place = (*path, name) if findings.is_written((*path, name)) else (*path, index)
            findings.add(place, f"unknown detector `{name}`", "use a name of docs/configuration.md, or `custom`")


def _check_selectors(findings: Findings, path: Path, rule: _Selecting) -> None:
    for kind in _KINDS:
        selectors: tuple[str, ...] | None = getattr(rule, kind)
        findings.refuse_empty((*path, kind), selectors, "at least one selector")
        for index, selector in enumerate(selectors or ()):
            _check_selector(findings, (*path, kind, index), kind, selector)


def _check_selector(findings: Findings, path: Path, kind: str, selector: str) -> None:
    match = _SELECTOR.fullmatch(selector)
    if match is None or "***" in selector or "**" in match["server"]:
        findings.add(path, "not a selector", "write server/name; * matches within one part, ** any rest")
        return
    if kind == "tools" and not _TOOL.fullmatch(match["name"]):
        findings.add(path, "no tool can have this name", "tools are named with A-Z a-z 0-9 _ . : / -")
        return
    names = [resource.name for resource in findings.config.resources]
    if not any(fnmatchcase(name, match["server"].lower()) for name in names):
        cure = "use one of " + ", ".join(f"`{name}`" for name in names)
        findings.add(path, f"no resource is called `{match['server']}`", cure)
