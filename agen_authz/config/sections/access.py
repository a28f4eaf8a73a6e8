"""`access`: who may use what."""

from typing import Literal

from pydantic import Field

from agen_authz.config.part.selector import check_selectors
from agen_authz.config.part.vocabulary import Vocabulary
from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Lines, Name, Section, Selectors
from agen_authz.config.reading.tree import Path


class AccessRule(Section):
    """Who may use what; a call is allowed when at least one rule that names its target is satisfied."""

    name: Name = Field(description="The rule's name, in events and explanations.")
    tools: Selectors = Field(None, description="Tools it names, as server/name; * matches within one part.")
    resources: Selectors = Field(None, description="Resource URIs it names, as server/uri; ** matches any rest.")
    prompts: Selectors = Field(None, description="Prompts it names, as server/name.")
    allow: Lines | None = Field(None, description="Roles or permissions, any of which is enough.")
    allow_all: Lines | None = Field(None, description="Roles or permissions, all of which are needed.")


class Access(Section):
    """Least privilege."""

    mapping: Literal["roles", "permissions"] = Field(
        description="What rules ask for: permanent, the store remembers the first value."
    )
    rules: tuple[AccessRule, ...] = Field((), description="The rules; their order means nothing.")


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
        findings.add(path, message, "`allow` lets in whoever has any of them, `allow_all` whoever has all")
    for key in ("allow", "allow_all"):
        findings.refuse_empty((*path, key), getattr(rule, key), "at least one role or permission")
