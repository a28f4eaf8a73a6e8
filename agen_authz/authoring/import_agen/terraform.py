"""Policies in a Terraform state of Agen's providers, as its API has them.

The providers (`agenco`, `agentlink`) write lists of one block where the API has an object, underscores in names, and
a condition's value as JSON within a text.
"""

from collections.abc import Mapping
from typing import Any

from agen_authz.authoring.import_agen.condition import NoEquivalent
from agen_authz.authoring.import_agen.masking import PATTERN_IDS
from agen_authz.authoring.import_agen.tool import walk_terraform
from agen_authz.core.errors import Malformed
from agen_authz.core.strict_json import parse_json

_CONDITIONAL, _MASKING = "_conditional_policy", "_masking_policy"
# Other resources that restrict calls: passing over them would read as if nothing were lost.
_OTHERS = {
    "_rbac_policy": "write an access rule",
    "_geo_fence": "write a policy that reads `request.country`",
    "_geo_fence_config": "write a policy that reads `request.country`",
    "_ip_restriction": "write a policy that reads `request.networks`",
    "_ip_restriction_config": "write a policy that reads `request.networks`",
    "_time_of_work": "write a policy that reads `request.time`",
    "_rate_limit_config": "nothing here limits rates; let Envoy",
    "_tool_hook": "write it under `hooks`",
}
_NAMES = {
    "application_ids": "appIds", "app_ids": "appIds", "internal_tool_ids": "internalToolIds",
    "custom_code_tool_ids": "customCodeToolIds", "custom_integration_tools": "customIntegrationTools",
    "tenant_id": "tenantId", "allow_to_all_users": "allowToAllUsers", "condition_logic": "conditionLogic",
    "approval_flow_id": "approvalFlowId", "step_up_action_async": "stepUpActionAsync",
}  # fmt: skip
# What a masking policy masks. A plan leaves out what is known after it was applied.
_MASKED = ("detectors", "custom_masking_regex_ids")
_TEXTS = ("string", "date")
_MAX_DEPTH = 16


def read_state(document: Any) -> list[dict[str, Any] | NoEquivalent]:
    """Read every policy of a state as the API has it; what cannot be read, or is another restriction, is an error."""
    found: list[dict[str, Any] | NoEquivalent] = []
    for resource in walk_terraform(document):
        kind, place = str(resource.get("type")), str(resource.get("address") or resource.get("name"))
        other = next((why for suffix, why in _OTHERS.items() if kind.endswith(suffix)), None)
        if other is not None and resource.get("mode") != "data":
            found.append(NoEquivalent(f"{place}: {other}"))
        elif kind.endswith((_CONDITIONAL, _MASKING)):
            read = _read_masking if kind.endswith(_MASKING) else _read_policy
            try:
                found.append(read(resource.get("values")))
            except NoEquivalent as exc:
                found.append(NoEquivalent(f"{place}: {exc}"))
    return found


def _read_policy(values: Any) -> dict[str, Any]:
    if not isinstance(values, dict):
        raise NoEquivalent("a resource without values")
    if values.get("internal_tool_ids") is None:
        # A plan leaves out what is known after it was applied; without it the policy would be about every tool.
        raise NoEquivalent("`internal_tool_ids` is not known yet; import the state after it was applied")
    policy = _renamed(values)
    policy["targeting"] = targeting = _one(policy.get("targeting"), "targeting")
    if targeting is not None:
        conditions, outcome = _one(targeting.get("if"), "if"), _one(targeting.get("then"), "then")
        policy["targeting"] = {
            **targeting,
            "if": None if conditions is None else _read_group(conditions),
            "then": None if outcome is None else _renamed(outcome),
        }
    return policy


def _read_masking(values: Any) -> dict[str, Any]:
    """Read a masking policy: its detectors are a list, or switches in the older provider's block."""
    policy = {**_read_policy(values), "type": "MASKING"}
    switches = _one(policy.pop("policy_configuration", None), "policy_configuration")
    if switches is None:
        missing = next((key for key in _MASKED if key not in policy), None)
        if missing is not None:
            raise NoEquivalent(f"`{missing}` is not known yet; import the state after it was applied")
    detectors, patterns = (policy.pop(key, None) or [] for key in _MASKED)
    if not isinstance(detectors, list):
        raise NoEquivalent("`detectors` is not a list")
    switched = {**(switches or {}), **dict.fromkeys(map(str, detectors), True)}
    return {**policy, "policyConfiguration": {**switched, **({PATTERN_IDS: patterns} if patterns else {})}}


def _renamed(block: Mapping[str, Any]) -> dict[str, Any]:
    return {_NAMES.get(key, key): value for key, value in block.items()}


def _one(block: Any, name: str) -> dict[str, Any] | None:
    if block is None or block == []:
        return None
    one = block[0] if isinstance(block, list) and len(block) == 1 else block
    if not isinstance(one, dict):
        raise NoEquivalent(f"`{name}` is not one block")
    return one


def _read_group(block: Mapping[str, Any]) -> dict[str, Any]:
    """Read conditions, and groups of them, each of which has its blocks under `condition`."""
    group = _renamed(block)
    leaves, groups = group.pop("condition", None), group.pop("condition_group", None)
    conditions = [_read_condition(each) for each in [*_blocks(group.get("conditions")), *_blocks(leaves)]]
    conditions += [_read_group(each) if isinstance(each, dict) else each for each in _blocks(groups)]
    return {**{key: value for key, value in group.items() if value is not None}, "conditions": conditions}


def _blocks(value: Any) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise NoEquivalent("conditions are not a list of blocks")
    return value


def _read_condition(condition: Any) -> Any:
    if not isinstance(condition, dict):
        return condition
    value = condition.get("value")
    if isinstance(value, str):
        return {**condition, "value": _parse(value)}
    if isinstance(value, dict):
        # A map holds texts only: numbers, lists and truth values are JSON within them.
        texts = _TEXTS if condition.get("op") == "between_numeric" else (*_TEXTS, "start", "end")
        return {**condition, "value": {key: held if key in texts else _parse(held) for key, held in value.items()}}
    return condition


def _parse(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    parsed = parse_json(text.encode("utf-8", "surrogatepass"), _MAX_DEPTH)
    if isinstance(parsed, Malformed):
        raise NoEquivalent("the value of a condition is not JSON")
    return parsed
