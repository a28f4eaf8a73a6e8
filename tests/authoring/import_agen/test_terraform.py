"""Agen's policies as its Terraform providers have them become ours, or are refused by their address."""

from typing import Any

import pytest

from agen_authz.authoring.import_agen.imported import Imported
from tests.authoring.import_agen.written import (
    AGENT,
    AMOUNT,
    EU,
    IN_EU,
    TARGETING,
    VALUES,
    A,
    imported,
    ours,
    resource,
    state,
)

FROM_STATE = ours(f"({EU}) || (({AMOUNT}) && ({AGENT}))")


def test_state_of_terraform_is_read():
    written = state(resource("agenco_conditional_policy", **VALUES), resource("agenco_application", id="shop"))
    assert imported(written) == Imported((FROM_STATE,), ())


def test_modules_of_a_state_are_read():
    inner = {"resources": [resource("agenco_conditional_policy", **VALUES)]}
    assert imported(state(child_modules=[{"child_modules": [inner]}])).policies == (FROM_STATE,)


def test_older_provider_writes_objects_and_texts():
    conditions = [
        {"attribute": "amount", "op": "greater_than", "negate": False, "value": {"number": "1000"}},
        {"attribute": "n", "op": "between_numeric", "negate": False, "value": {"start": "1", "end": "3"}},
        {"attribute": "country", "op": "in_list", "negate": True, "value": {"list": '["DE", "FR"]'}},
        {"attribute": "date", "op": "on", "negate": False, "value": {"date": "2026-03-01"}},
        {"attribute": "x", "op": "matches", "negate": False, "value": {"string": "5"}},
    ]
    values = {
        "id": "p1", "name": "p", "enabled": True, "app_ids": None, "internal_tool_ids": ["t1"],
        "targeting": {"if": {"conditions": conditions}, "then": {"result": "DENY", "approval_flow_id": None}},
    }  # fmt: skip
    result = imported(state(resource("agentlink_conditional_policy", **values)))
    day = 'request.time >= timestamp("2026-03-01T00:00:00Z") && request.time < timestamp("2026-03-02T00:00:00Z")'
    assert result == Imported(
        (ours(AMOUNT, "args.n >= 1.0 && args.n <= 3.0", EU, day, 'args.x.matches("5")'),), ()
    )  # fmt: skip


MASKING: dict[str, Any] = {
    "id": "m1", "name": "m", "description": None, "enabled": True, "application_ids": ["shop"], "tenant_id": None,
    "slug": None, "internal_tool_ids": [], "custom_code_tool_ids": None, "custom_integration_tools": None,
    "detectors": ["credit_card", "cvv_cvc"], "custom_masking_regex_ids": None, "targeting": [],
}  # fmt: skip
# name: (resource, why not)
REFUSED_STATES: dict[str, tuple[Any, str]] = {
    "a masking policy whose patterns are not known yet": (
        resource("agenco_masking_policy", name="m", internal_tool_ids=[], detectors=["credit_card"]),
        "agenco_masking_policy.x: `custom_masking_regex_ids` is not known yet; import the state after it was applied",
    ),
    "a masking policy whose detectors are no list": (
        resource("agenco_masking_policy", **{**MASKING, "detectors": "credit_card"}),
        "agenco_masking_policy.x: `detectors` is not a list",
    ),
    "a masking policy with a detector that is not known": (
        resource("agenco_masking_policy", **{**MASKING, "detectors": ["shoe_size"]}),
        "m: policyConfiguration: no detector here is called `shoe_size`",
    ),
    "a masking policy with a pattern that is not in the state": (
        resource("agenco_masking_policy", **{**MASKING, "custom_masking_regex_ids": ["r1"]}),
        "m: policyConfiguration.customMaskingRegexIds: no pattern with the id `r1` is known;"
        " give Agen's list by `--patterns`",
    ),
    "a policy of roles": (resource("agenco_rbac_policy"), "agenco_rbac_policy.x: write an access rule"),
    "a fence": (
        resource("agenco_geo_fence"), "agenco_geo_fence.x: write a policy that reads `request.country`",
    ),
    "a hook": (resource("agenco_tool_hook"), "agenco_tool_hook.x: write it under `hooks`"),
    "tools that are not known yet": (
        resource(A, **{**VALUES, "internal_tool_ids": None}),
        f"{A}.x: `internal_tool_ids` is not known yet; import the state after it was applied",
    ),
    "a value that is no JSON": (
        resource(A, **{**VALUES, "targeting": [{**TARGETING, "if": [{"condition": [{**IN_EU, "value": "DE"}]}]}]}),
        f"{A}.x: the value of a condition is not JSON",
    ),
    "two targetings": (resource(A, **{**VALUES, "targeting": [TARGETING] * 2}), f"{A}.x: `targeting` is not one block"),
    "a key that is not known": (resource(A, **{**VALUES, "priority": 1}), "p: unknown key `priority`"),
    "no values": ({"address": "a", "type": A}, "a: a resource without values"),
}  # fmt: skip


@pytest.mark.parametrize(("written", "expected"), REFUSED_STATES.values(), ids=REFUSED_STATES)
def test_what_a_state_restricts_otherwise_is_refused_by_its_address(written, expected):
    assert imported(state(written)) == Imported((), (expected,))
