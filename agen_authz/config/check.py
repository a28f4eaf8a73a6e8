"""What no single key can say: that keys agree with each other. Every finding has a cure."""

from collections.abc import Iterable

from agen_authz.config.check_flow import check_approvals, check_sinks
from agen_authz.config.check_identity import check_providers, check_resources
from agen_authz.config.check_rule import check_access, check_policies, check_protection
from agen_authz.config.check_server import check_server
from agen_authz.config.finding import Findings
from agen_authz.config.model import Config
from agen_authz.config.tree import Tree
from agen_authz.core.errors import Problem


def check_config(config: Config, tree: Tree, file: str) -> list[Problem]:
    """Check a valid configuration for what contradicts itself; total."""
    findings = Findings(config, tree, file)
    check_server(findings)
    check_providers(findings)
    check_resources(findings)
    check_access(findings)
    check_policies(findings)
    check_protection(findings)
    check_approvals(findings)
    check_sinks(findings)
    return list(_unique(findings.problems))


def _unique(problems: Iterable[Problem]) -> Iterable[Problem]:
    return dict.fromkeys(problems)
