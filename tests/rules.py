"""A RuleSet of a few values, the others as a small configuration would have them."""

from collections.abc import Iterable
from typing import Any

from agen_authz.core.http.context import Perimeter
from agen_authz.core.http.route import build_routes
from agen_authz.core.message.mcp import BodyLimits
from agen_authz.core.model import Resource, Revoked
from agen_authz.core.pinning.pin import Pinning
from agen_authz.core.policy.access import AccessTable
from agen_authz.core.policy.table import PolicyTable, compile_policies
from agen_authz.core.ruleset import RuleSet
from tests import builders as build

OFF = "off-0123456789abcdef"


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
    }
    return RuleSet(**{**values, **changes})
