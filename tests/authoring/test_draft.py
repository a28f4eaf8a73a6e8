"""A draft decides by what a sidecar with the same file decides by."""

import pytest

from agen_authz.authoring.reach import owners_of
from agen_authz.build.policy import build_policies
from agen_authz.core.model import Target, TargetKind
from tests.authoring.rig import TEXT, draft

TENANTS = """\
tenants:
  acme: {policies: [{name: own, state: enforce, tools: ["crm/get_*"], then: deny}]}
  idle: {policies: []}
"""
GET, REFUND = Target(TargetKind.TOOL, "crm", "get_customer"), Target(TargetKind.TOOL, "billing", "refund")
LISTED = {
    "everybody": ("", GET, ["watched"]),
    "a tenant with policies of its own": ("acme", GET, ["watched", "own"]),
    "a tenant without": ("idle", GET, ["watched"]),
    "a tenant that nobody knows": ("other", REFUND, ["big", "fresh"]),
}


@pytest.mark.parametrize(("tenant", "target", "expected"), LISTED.values(), ids=LISTED)
def test_draft_and_sidecar_hold_a_call_to_the_same_policies(tmp_path, tenant, target, expected):
    built = draft(tmp_path, TEXT + TENANTS)
    for table in (built.rules.policies, build_policies(built.config)):
        assert [policy.name for policy in table.list_for(tenant, target)] == expected


def test_draft_knows_every_policy_and_whose_it_is(tmp_path):
    built = draft(tmp_path, TEXT + TENANTS)
    assert list(built.policies) == ["no deletes", "big", "fresh", "watched", "asleep", "own"]
    assert owners_of(built) == {"own": "acme"}
    assert {resource.require_tenant for resource in built.rules.resources.values()} == {True}
