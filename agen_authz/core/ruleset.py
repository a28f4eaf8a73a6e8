"""All that configuration decides, as one value: a reload replaces it, and a call keeps the one it began with."""

from collections.abc import Mapping
from dataclasses import dataclass

from agen_authz.core.approval.asking import ApprovalRules
from agen_authz.core.http.context import Perimeter
from agen_authz.core.http.route import RouteTable
from agen_authz.core.masking.rule import Rule
from agen_authz.core.masking.style import MaskingKeys
from agen_authz.core.message.mcp import BodyLimits
from agen_authz.core.model import Resource, Revoked
from agen_authz.core.pinning.pin import Pinning
from agen_authz.core.policy.access import AccessTable
from agen_authz.core.policy.table import PolicyTable
from agen_authz.core.signature import Signer


@dataclass(frozen=True, slots=True)
class RuleSet:
    """What one request is decided, signed and recorded by.

    Args:
        version: names the configuration in events and metrics.
        signers: what signs the requests of each resource that is signed.
        digest_key: keys the digests in events, `session_key` the ids of legacy sessions, and `metadata_key` what Check
            tells Process.
        off_word: what `agen.inspect` says for responses that need no inspection.
        denials_per_second: how many requests without a verified caller have an event each; the rest are counted.
        timeout_s: how long a request may take.
        keeps_claims: True if a condition reads `user.claims`.
        filters_lists: True if lists show only what the caller may use.
        pinning: what changed definitions of tools lead to.
        checks_arguments: True if a call must fit an approved definition of its tool.
        protections: the data-protection rules as policies: which calls each is about.
        protection_rules: the same rules by their names, in their order: what is masked, and how; disabled ones are
            left out.
        masking_keys: what `hash` and `tokenize` write and read with; None if there are no keys.
        unruled_sample: which share of the responses that no rule covers is scanned, between 0 and 1.
        approvals: how calls are approved.
    """

    version: str
    resources: Mapping[str, Resource]
    routes: RouteTable
    access: AccessTable
    policies: PolicyTable
    limits: BodyLimits
    revoked: Revoked
    perimeter: Perimeter
    signers: Mapping[str, Signer]
    digest_key: bytes
    session_key: bytes
    metadata_key: bytes
    off_word: str
    denials_per_second: int
    timeout_s: float
    keeps_claims: bool
    filters_lists: bool
    pinning: Pinning
    checks_arguments: bool
    protections: PolicyTable
    protection_rules: Mapping[str, Rule]
    masking_keys: MaskingKeys | None
    unruled_sample: float
    approvals: ApprovalRules
