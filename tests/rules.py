"""A RuleSet of a few values, the others as a small configuration would have them."""

from collections.abc import Iterable, Mapping
from typing import Any

from agen_authz.core.approval.asking import ApprovalRules
from agen_authz.core.approval.table import Terms
from agen_authz.core.http.context import Perimeter
from agen_authz.core.http.route import build_routes
from agen_authz.core.masking.rule import Rule
from agen_authz.core.masking.selection import Detectors
from agen_authz.core.message.mcp import BodyLimits
from agen_authz.core.model import Resource, Revoked, State
from agen_authz.core.pinning.pin import Pinning
from agen_authz.core.policy.access import AccessTable
from agen_authz.core.policy.table import Policy, PolicyTable, compile_policies
from agen_authz.core.ruleset import RuleSet
from tests import builders as build

NO_APPROVALS = ApprovalRules({}, Terms(900.0, 3600.0), 20, 0.0, "https://approvals.example.com", b"a" * 32)
OFF = "off-0123456789abcdef"


def protect(*targets: Policy, masking: Mapping[str, Rule] | None = None) -> dict[str, Any]:
    """Write what `build_rules` takes of data-protection rules; `masking` says what those mask that do not mask PCI."""
    rules = {
        each.name: Rule(each.name, Detectors.preset("pci"), is_enforced=each.state is State.ENFORCE)
        for each in targets
        if each.state is not State.DISABLED
    }
    return {"protections": compile_policies(targets), "protection_rules": rules | dict(masking or {})}


def build_rules(
    resources: Iterable[Resource] = (),
    access: AccessTable | None = None,
    policies: PolicyTable | None = None,
    **changes: Any,
) -> RuleSet:
    """Build what some resources are decided by."""
    held = {each.name: each for each in resources}
    values: dict[str, Any] = {
        "version": "v1",
        "resources": held,
        "routes": build_routes(held.values()),
        "access": build.access() if access is None else access,
        "policies": compile_policies([]) if policies is None else policies,
        "limits": BodyLimits(65536, 32, json_values=10_000),
        "revoked": Revoked(),
        "perimeter": Perimeter(),
        "signers": {},
        "digest_key": b"k" * 32,
        "session_key": build.SESSION_KEY,
        "metadata_key": b"m" * 32,
        "off_word": OFF,
        # More than a test asks: each has its event, unless a test says otherwise.
        "denials_per_second": 1_000_000,
        "timeout_s": 1.0,
        "keeps_claims": True,
        "filters_lists": False,
        "pinning": Pinning.OFF,
        "checks_arguments": False,
        "protections": compile_policies([]),
        "protection_rules": {},
        "masking_keys": None,
        "unruled_sample": 0.0,
        "approvals": NO_APPROVALS,
    }
    return RuleSet(**{**values, **changes})
