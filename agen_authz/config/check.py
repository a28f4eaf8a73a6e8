"""What no single key can say: that keys agree with each other. Every finding has a cure."""

from agen_authz.config.check_flow import check_approvals, check_console, check_store
from agen_authz.config.check_protection import check_protection
from agen_authz.config.check_provider import check_providers
from agen_authz.config.check_resource import check_resources
from agen_authz.config.check_rule import check_access, check_hooks, check_policies
from agen_authz.config.check_server import check_server
from agen_authz.config.check_signing import check_signing
from agen_authz.config.check_sink import check_sinks
from agen_authz.config.finding import Findings


def check_config(findings: Findings) -> None:
    """Check a valid configuration for what contradicts itself; total."""
    check_server(findings)
    check_providers(findings)
    check_resources(findings)
    check_access(findings)
    check_policies(findings)
    check_protection(findings)
    check_hooks(findings)
    check_approvals(findings)
    check_console(findings)
    check_signing(findings)
    check_store(findings)
    check_sinks(findings)
