"""Policies and tools as Agen's API and its Terraform providers write them, for the tests of the import."""

import json
from collections.abc import Mapping
from typing import Any

from agen_authz.authoring.import_agen.imported import Imported, import_policies
from agen_authz.authoring.import_agen.plain import ImportNames
from agen_authz.authoring.import_agen.tool import Tool

TOOLS = {"t1": Tool("refund", "shop"), "t2": Tool("payout", "shop"), "t3": Tool("get_*")}
NAMES = ImportNames("billing", TOOLS, {"shop": "billing", "desk": "crm"})
IN_EU = {"attribute": "country", "op": "in_list", "negate": True, "value": {"list": ["DE", "FR"]}}
BIG = {"attribute": "amount", "op": "greater_than", "negate": False, "value": {"number": 1000}}
CURL = {"attribute": "user-agent", "op": "contains", "negate": False, "value": {"list": ["curl"]}}
EU, AMOUNT = '!(request.country in ["DE", "FR"])', "args.amount > 1000.0"
AGENT = 'request.user_agent.contains("curl")'
ACR = {"acr": ["http://schemas.openid.net/pape/policies/2007/06/multi-factor"]}


def policy(*conditions: Any, logic: str | None = "and", result: str = "deny", **more: Any) -> dict[str, Any]:
    """A policy as the API returns it."""
    targeting = {
        "if": {"conditionLogic": logic, "conditions": list(conditions)} if conditions else None,
        "then": {"result": result, "approvalFlowId": None, "stepUpActionAsync": None},
    }
    return {
        "id": "p1", "vendorId": "v", "tenantId": None, "name": "p", "description": "d", "type": "CONDITIONAL",
        "slug": None, "appIds": [], "enabled": True, "internalToolIds": ["t1"], "customCodeToolIds": [],
        "customIntegrationTools": [], "allowToAllUsers": False, "keys": [], "targeting": targeting,
        "policyConfiguration": None, "metadata": {}, "createdAt": "2026-01-01", "updatedAt": "2026-01-01", **more,
    }  # fmt: skip


def group(*conditions: Any, logic: str = "or") -> dict[str, Any]:
    return {"conditionLogic": logic, "conditions": list(conditions)}


def tools(*ids: str, attribute: str = "tool-id", **more: Any) -> dict[str, Any]:
    return {"attribute": attribute, "op": "in_list", "negate": False, "value": {"list": list(ids)}, **more}


def ours(*when: str, selectors: tuple[str, ...] = ("billing/refund",), **more: Any) -> dict[str, Any]:
    conditions = {"when": list(when)} if when else {}
    return {"name": "p", "state": "shadow", "tools": list(selectors), **conditions, "then": "deny", **more}


def imported(written: Any, names: ImportNames = NAMES) -> Imported:
    return import_policies(written, names=names)


def block(condition: Mapping[str, Any]) -> dict[str, Any]:
    return {**condition, "value": json.dumps(condition["value"])}


def state(*resources: Any, **module: Any) -> dict[str, Any]:
    return {"format_version": "1.0", "values": {"root_module": {"resources": list(resources), **module}}}


def resource(kind: str, **values: Any) -> dict[str, Any]:
    return {"address": f"{kind}.x", "mode": "managed", "type": kind, "name": "x", "values": values}


TARGETING = {
    "if": [{
        "condition_logic": "or", "condition": [block(IN_EU)],
        "condition_group": [{"condition_logic": "and", "condition": [block(BIG), block(CURL)]}],
    }],
    "then": [{"result": "deny", "approval_flow_id": None, "step_up_action_async": None}],
}  # fmt: skip
VALUES = {
    "id": "p1", "name": "p", "description": None, "enabled": True, "application_ids": ["shop"], "tenant_id": None,
    "slug": None, "internal_tool_ids": ["t1"], "custom_code_tool_ids": None, "custom_integration_tools": None,
    "allow_to_all_users": False, "metadata": None, "targeting": [TARGETING],
}  # fmt: skip

A = "agenco_conditional_policy"
