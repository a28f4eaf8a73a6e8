"""Agen's policies as its API has them: `targeting` with `if` and `then`, typed values, tools and applications by id.

The service writes the tools of a policy into its conditions as well, next to a group that holds the author's own; both
are read as selectors, which must agree. `stepUpActionAsync` says how a caller is asked, not whether, and is left out.
"""

from collections.abc import Mapping
from typing import Any

from agen_authz.authoring.import_agen.condition import NoEquivalent, quote, refuse_unknown
from agen_authz.authoring.import_agen.masking import read_masking
from agen_authz.authoring.import_agen.plain import (
    APPROVE,
    MASK,
    Group,
    ImportNames,
    Plain,
    check_action,
    check_enabled,
    check_names,
)

_KEYS = frozenset({
    "id", "vendorId", "tenantId", "name", "description", "type", "slug", "appIds", "enabled", "internalToolIds",
    "customCodeToolIds", "customIntegrationTools", "allowToAllUsers", "keys", "targeting", "policyConfiguration",
    "metadata", "createdAt", "updatedAt",
})  # fmt: skip
_OF_THE_API = ("targeting", "internalToolIds", "appIds", "policyConfiguration", "keys")
_IDS = ("internalToolIds", "customCodeToolIds")
# What narrows or widens a policy in a way that nothing does here.
_WITHOUT = ("slug", "allowToAllUsers", "keys")
_CONFIGURATION = "policyConfiguration"
_KINDS = {"RBAC": "write an access rule"}
_CONDITIONAL, _MASKING = "CONDITION", "MASK"
_TOOL, _SLUG = ("tool-id", "tool-name"), "slug"
_VALUES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("in_list", "starts_with", "ends_with", "contains"), ("list",)),
    **dict.fromkeys(("equal", "greater_than", "greater_than_equal", "lower_than", "lower_than_equal"), ("number",)),
    **dict.fromkeys(("on", "on_or_after", "on_or_before"), ("date",)),
    **dict.fromkeys(("between_numeric", "between_date"), ("start", "end")),
    "matches": ("string",),
    "is": ("boolean",),
}
_GROUP = frozenset({"conditions", "conditionLogic"})
_IF, _THEN = "targeting.if.conditions", "targeting.then"
_MASKS = {"then": {"result": MASK}}


def is_of_the_api(written: Mapping[str, Any]) -> bool:
    """True if a policy is in the form of Agen's API."""
    return "action" not in written and any(key in written for key in _OF_THE_API)


def read_api(written: Mapping[str, Any], names: ImportNames) -> Plain:
    """Read one policy.

    Raises:
        NoEquivalent: a part of it has none, or an id is not known; the message names the part.
    """
    written = {key: value for key, value in written.items() if value is not None}
    is_masking = _check_kind(written.get("type"))
    # A masking policy need not say that it masks.
    targeting = _mapping(written.get("targeting", _MASKS if is_masking else None), "targeting")
    outcome = _mapping(targeting.get("then"), _THEN)
    action = _read_action(outcome, names, is_masking=is_masking)
    refuse_unknown(written, _KEYS, "")
    refuse_unknown(targeting, frozenset({"if", "then"}), "", where="targeting")
    refuse_unknown(outcome, frozenset({"result", "approvalFlowId", "stepUpActionAsync"}), "", where=_THEN)
    for key in (*_WITHOUT, *(() if action == MASK else (_CONFIGURATION,))):
        if written.get(key):
            raise NoEquivalent(f"`{key}` has no equivalent here")
    masking = None
    if action == MASK:
        masking = read_masking(written.get(_CONFIGURATION), names.patterns, _CONFIGURATION)
    group, scope = _read_conditions(targeting.get("if"), names)
    return Plain(
        name=written["name"],
        action=action,
        is_enabled=check_enabled(written),
        tools=_read_tools(written, scope, names),
        group=group,
        conditions=_read_tenant(written.get("tenantId")),
        masking=masking,
        flow=names.flow if action == APPROVE else "",
    )


def _read_action(outcome: Mapping[str, Any], names: ImportNames, *, is_masking: bool) -> str:
    result = outcome.get("result")
    action = check_action(result.lower() if isinstance(result, str) else result, names, f"{_THEN}.result")
    if is_masking and action != MASK:
        raise NoEquivalent(f"{_THEN}.result: a masking policy cannot have the result `{result}` here")
    return action


def _check_kind(kind: Any) -> bool:
    """Check the type of a policy; true if it is one of masking."""
    if kind is None:
        return False
    word = str(kind).upper()
    for mark, why in _KINDS.items():
        if mark in word:
            raise NoEquivalent(f"type `{kind}`: {why}")
    if _CONDITIONAL not in word and _MASKING not in word:
        raise NoEquivalent(f"unknown type `{kind}`")
    return _MASKING in word


def _mapping(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise NoEquivalent(f"{where}: is missing, or not an object")
    return value


def _read_tenant(tenant: Any) -> tuple[str, ...]:
    if not tenant:
        return ()
    return (f"user.tenant == {quote(tenant)}",)


# ---- tools ---------------------------------------------------------------------------------------------------


def _read_tools(written: Mapping[str, Any], scope: list[str] | None, names: ImportNames) -> tuple[str, ...]:
    """Read which tools a policy is about: those that it lists, or those of its conditions, or all."""
    apps = check_names(written.get("appIds"), "appIds")
    servers = [_resource_of(app, names, f"appIds[{index}]") for index, app in enumerate(apps)] or [names.server]
    found = {
        _name_of(tool_id, names, f"{key}[{index}]"): names.tools[tool_id].app
        for key in _IDS
        for index, tool_id in enumerate(check_names(written.get(key), key))
    }
    found |= dict.fromkeys(check_names(written.get("customIntegrationTools"), "customIntegrationTools"), "")
    if scope is not None and found and set(scope) != set(found):
        raise NoEquivalent(f"{_IF}: names other tools than the policy lists")
    tools = found or dict.fromkeys(scope or (), "")
    selectors = [f"{server}/{name}" for name, app in tools.items() for server in _servers_of(app, servers, names)]
    # Policies there are about tools only, and about all of them if they name none.
    return tuple(dict.fromkeys(selectors or (f"{server}/*" for server in servers)))


def _servers_of(app: str, servers: list[str], names: ImportNames) -> list[str]:
    own = names.apps.get(app)
    return [own] if own in servers else servers


def _resource_of(app: str, names: ImportNames, where: str) -> str:
    if app not in names.apps:
        raise NoEquivalent(f"{where}: no resource is named for application `{app}`; give `--app {app}=NAME`")
    return names.apps[app]


def _name_of(tool_id: str, names: ImportNames, where: str) -> str:
    tool = names.tools.get(tool_id)
    if tool is None:
        raise NoEquivalent(
            f"{where}: no tool with the id `{tool_id}` is known; give Agen's list of tools by `--catalog`"
        )
    return check_names([tool.name], where)[0]


# ---- conditions ----------------------------------------------------------------------------------------------


def _read_conditions(block: Any, names: ImportNames) -> tuple[Group, list[str] | None]:
    """Read the author's conditions, and the tools that the others name; None if none does."""
    if block is None:
        return Group([]), None
    block = _mapping(block, "targeting.if")
    refuse_unknown(block, _GROUP, "", where="targeting.if")
    conditions, logic = block.get("conditions"), block.get("conditionLogic") or "and"
    if not isinstance(conditions, list) or not conditions:
        raise NoEquivalent(f"{_IF}: is missing, or without conditions")
    places = [f"{_IF}[{index}]" for index in range(len(conditions))]
    kept = list(zip(conditions, places, strict=True))
    scope: list[str] | None = None
    for each, place in [pair for pair in kept if str(logic).lower() == "and" and _is_scope(pair[0])]:
        if scope is not None:
            raise NoEquivalent(f"{place}: a second condition on tools")
        scope = _scope_of(each, names, place)
        kept.remove((each, place))
    if scope is not None and len(kept) == 1 and _is_group(kept[0][0]):
        group, place = kept[0]
        refuse_unknown(group, _GROUP, " of a group", where=place)
        inner = group["conditions"] if isinstance(group["conditions"], list) else []
        logic, kept = group.get("conditionLogic") or "and", _placed(inner, f"{place}.conditions")
        if not kept:
            raise NoEquivalent(f"{place}: a group without conditions")
    plain = [_plain(each, names, place) for each, place in kept]
    return Group(plain, logic, _IF, tuple(place for _, place in kept)), scope


def _placed(conditions: list[Any], where: str) -> list[tuple[Any, str]]:
    return [(each, f"{where}[{index}]") for index, each in enumerate(conditions)]


def _is_group(condition: Any) -> bool:
    return isinstance(condition, dict) and "conditions" in condition


def _is_scope(condition: Any) -> bool:
    """True if a condition says only which tools it is about: as the service writes it, one or any of several."""
    if not isinstance(condition, dict):
        return False
    if not _is_group(condition):
        return condition.get("attribute") in _TOOL and condition.get("op") == "in_list" and not condition.get("negate")
    inner = condition["conditions"]
    leaves = [each for each in inner if isinstance(each, dict)] if isinstance(inner, list) else []
    if not leaves or len(leaves) != len(inner) or not any(each.get("attribute") in _TOOL for each in leaves):
        return False
    is_any = len(leaves) == 1 or str(condition.get("conditionLogic")).lower() == "or"
    return is_any and all(_is_scope(each) or each.get("attribute") == _SLUG for each in leaves if not _is_group(each))


def _scope_of(condition: Mapping[str, Any], names: ImportNames, where: str) -> list[str]:
    leaves = _placed(condition["conditions"], f"{where}.conditions") if _is_group(condition) else [(condition, where)]
    found: list[str] = []
    for leaf, place in leaves:
        if leaf.get("attribute") == _SLUG:
            raise NoEquivalent(f"{place}: `slug` has no equivalent here")
        found += _plain(leaf, names, place)["value"]
    return check_names(found, where)


def _plain(condition: Any, names: ImportNames, where: str) -> Any:
    """Write a condition with its bare value, and tools by their names; what is unknown in it is left for others."""
    if _is_group(condition):
        inner = condition["conditions"]
        if not isinstance(inner, list):
            return condition
        where = f"{where}.conditions"
        return {**condition, "conditions": [_plain(each, names, place) for each, place in _placed(inner, where)]}
    if not isinstance(condition, dict):
        return condition
    value = _value_of(condition, where)
    if condition.get("attribute") != _TOOL[0]:
        return {**condition, "value": value}
    if not isinstance(value, list) or condition.get("op") != "in_list":
        raise NoEquivalent(f"{where}: `tool-id` goes with `in_list` only")
    ids = check_names(value, f"{where}.value.list")
    found = [_name_of(tool_id, names, f"{where}.value.list[{index}]") for index, tool_id in enumerate(ids)]
    return {**condition, "attribute": _TOOL[1], "value": found}


def _value_of(condition: Mapping[str, Any], where: str) -> Any:
    op, value = condition.get("op"), condition.get("value")
    keys = _VALUES.get(op) if isinstance(op, str) else None
    if keys is None:
        return value
    if not isinstance(value, dict) or set(value) != set(keys):
        raise NoEquivalent(f"{where}.value: `{op}` takes an object with {' and '.join(f'`{key}`' for key in keys)}")
    if len(keys) > 1:
        return value
    held = value[keys[0]]
    if keys == ("list",) and not isinstance(held, list):
        raise NoEquivalent(f"{where}.value.list: is not a list")
    return held
