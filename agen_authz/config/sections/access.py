"""`access`: who may use what."""

from typing import Literal

from pydantic import Field

from agen_authz.config.part.selector import check_selectors
from agen_authz.config.part.vocabulary import Vocabulary
from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Lines, Name, Section, Selectors
from agen_authz.config.reading.tree import Path


class AccessRule(Section):
    """Who may use what. A call is allowed if at least one rule that names its target is satisfied."""

    name: Name = Field(description="The rule's name, in events and explanations.")
    tools: Selectors = Field(
        None, description="The tools that the rule is about, as server/name; * matches within one part."
    )
    resources: Selectors = Field(
        None, description="The resource URIs that the rule is about, as server/uri; ** matches any rest."
    )
    prompts: Selectors = Field(None, description="The prompts that the rule is about, as server/name.")
    allow: Lines | None = Field(None, description="Roles or permissions; the caller needs at least one of them.")
    allow_all: Lines | None = Field(None, description="Roles or permissions; the caller needs all of them.")


class Access(Section):
    """Access rules: who may use what."""

    mapping: Literal["roles", "permissions"] = Field(
        description="What `allow` and `allow_all` list: roles or permissions. The choice is permanent: the store"
        " remembers the first value."
    )
    rules: tuple[AccessRule, ...] = Field((), description="The rules; their order does not matter.")


def check_access(findings: Findings, access: Access, known: Vocabulary) -> None:
    """Check the access rules."""
    rules, path = access.rules, ("access", "rules")
    if findings.is_written(path):
        findings.refuse_empty(path, rules, "at least one rule")
    findings.refuse_twins(path, "name", (rule.name for rule in rules), "rules")
    for index, rule in enumerate(rules):
        check_selectors(findings, (*path, index), rule, known, is_exact=True)
        _check_grantees(findings, (*path, index), rule)


def _check_grantees(findings: Findings, path: Path, rule: AccessRule) -> None:
    if rule.tools is None and rule.resources is None and rule.prompts is None:
        findings.add(path, f"rule `{rule.name}` names no target", "add `tools`, `resources` or `prompts`")
    if (rule.allow is None) == (rule.allow_all is None):
        message = f"rule `{rule.name}` needs one of `allow` and `allow_all`"
        findings.add(path, message, "use `allow` if one of them is enough, `allow_all` if all of them are needed")
    for key in ("allow", "allow_all"):
        findings.refuse_empty((*path, key), getattr(rule, key), "at least one role or permission")
