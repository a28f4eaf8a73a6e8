"""Agen's policies as its API and its Terraform providers have them become ours, or are refused by name and place."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agen_authz.authoring.import_agen.imported import Imported, import_policies
from agen_authz.authoring.import_agen.load import find_unloadable, list_needs, render_policies
from agen_authz.authoring.import_agen.plain import ImportNames
from agen_authz.authoring.import_agen.tool import Tool, read_tools
from agen_authz.config import find_problems
from tests.authoring.import_agen.test_imported import OPERATORS
from tests.config.test_mistakes import GOOD

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


# name: (what is imported, what it becomes)
READ: dict[str, tuple[Any, dict[str, Any]]] = {
    "and": (policy(IN_EU, BIG), ours(EU, AMOUNT)),
    "and, unsaid": (policy(IN_EU, BIG, logic=None), ours(EU, AMOUNT)),
    "or": (policy(IN_EU, BIG, logic="or"), ours(f"({EU}) || ({AMOUNT})")),
    "no conditions": (policy(), ours()),
    "a nested group": (policy(IN_EU, group(BIG, CURL)), ours(EU, f"(({AMOUNT}) || ({AGENT}))")),
    "a nested group of and": (
        policy(IN_EU, group(BIG, CURL, logic="and"), logic="or"), ours(f"({EU}) || (({AMOUNT}) && ({AGENT}))"),
    ),
    "as the service writes it": (
        policy(tools("t1"), group(IN_EU, BIG)), ours(f"({EU}) || ({AMOUNT})"),
    ),
    "as the service writes it, with a nested group": (
        policy(tools("t1"), group(IN_EU, group(BIG, CURL, logic="and"))),
        ours(f"({EU}) || (({AMOUNT}) && ({AGENT}))"),
    ),
    "as the service writes it, tools alone": (policy(tools("t1")), ours()),
    "as the service wrote it": (policy(tools("refund", attribute="tool-name"), IN_EU), ours(EU)),
    "as the service writes it for tools of two kinds": (
        policy(group(tools("t1"), tools("slack_post", attribute="tool-name")), group(IN_EU, logic="and"),
               customIntegrationTools=["slack_post"]),
        ours(EU, selectors=("billing/refund", "billing/slack_post")),
    ),
    "tools in conditions only": (
        policy(tools("t2"), IN_EU, internalToolIds=[]), ours(EU, selectors=("billing/payout",)),
    ),
    "a tool among other choices": (
        policy(tools("t2"), IN_EU, logic="or"), ours(f'(tool.name in ["payout"]) || ({EU})'),
    ),
    "two tools at once": (
        policy(group(tools("t1"), tools("t2"), logic="and"), BIG, internalToolIds=["t1", "t2"]),
        ours(
            '(tool.name in ["refund"]) && (tool.name in ["payout"])', AMOUNT,
            selectors=("billing/refund", "billing/payout"),
        ),
    ),
    "a tool that it is not": (policy(tools("t2", negate=True)), ours('!(tool.name in ["payout"])')),
    "all tools": (policy(IN_EU, internalToolIds=[]), ours(EU, selectors=("billing/*",))),
    "all tools, unsaid": (policy(IN_EU, internalToolIds=None), ours(EU, selectors=("billing/*",))),
    "tools of code": (policy(internalToolIds=[], customCodeToolIds=["t2"]), ours(selectors=("billing/payout",))),
    "an application": (policy(internalToolIds=[], appIds=["desk"]), ours(selectors=("crm/*",))),
    "an application and its tool": (
        policy(appIds=["shop", "desk"]), ours(selectors=("billing/refund",)),
    ),
    "an application and a tool of another one": (policy(appIds=["desk"]), ours(selectors=("crm/refund",))),
    "a tenant": (policy(IN_EU, tenantId='a"b'), ours('user.tenant == "a\\U00000022b"', EU)),
    "disabled": (policy(IN_EU, enabled=False), ours(EU, state="disabled")),
    "step_up": (policy(IN_EU, result="step_up"), ours(EU, then="step_up", step_up=ACR)),
    "step_up, asked for while it waits": (
        policy(IN_EU, targeting={"if": group(IN_EU), "then": {"result": "step_up", "stepUpActionAsync": True}}),
        ours(EU, then="step_up", step_up=ACR),
    ),
    "in capitals": (policy(IN_EU, result="DENY"), ours(EU)),
    "without what a request leaves out": (
        {"name": "p", "enabled": True, "internalToolIds": ["t1"], "targeting": {"then": {"result": "deny"}}}, ours(),
    ),
    "a claim of the token": (
        policy({"attribute": "jwt.team", "op": "matches", "value": {"string": "^a"}}),
        ours('user.claims.team.matches("^a")'),
    ),
    "who the platform says it is": (
        policy({"attribute": "frontegg.email", "op": "ends_with", "value": {"list": ["@a.com"]}}),
        ours('user.email.endsWith("@a.com")'),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("written", "expected"), READ.values(), ids=READ)
def test_policy_of_the_api_becomes_ours(written, expected):
    assert imported(written) == Imported((expected,), ())


def typed(op: str, value: Any) -> dict[str, Any]:
    if op in ("in_list", "starts_with", "ends_with", "contains"):
        return {"list": value if isinstance(value, list) else [value]}
    if op.startswith("between"):
        pair = value if isinstance(value, list) else list(value.values())
        return {"start": pair[0], "end": pair[1]}
    return {{"matches": "string", "is": "boolean"}.get(op, "date" if op.startswith("on") else "number"): value}


# What names tools is read as selectors: those of other tools do not agree with the policy's own.
@pytest.mark.parametrize("name", [name for name, (condition, _, _) in OPERATORS.items() if "tool" not in name])
def test_typed_value_means_what_the_bare_one_does(name):
    condition = OPERATORS[name][0]
    bare = import_policies({"name": "p", "action": "deny", "tools": ["refund"], "conditions": [condition]}, names=NAMES)
    value = typed(condition["op"], condition["value"])
    assert imported(policy({**condition, "value": value})) == bare


C = "targeting.if.conditions"
# name: (what is imported, why not)
REFUSED: dict[str, tuple[Any, str]] = {
    "mask": (policy(result="mask"), "p: targeting.then.result: action `mask`: masking is not available yet"),
    "approval_required": (
        policy(result="approval_required"),
        "p: targeting.then.result: action `approval_required`: approvals are not available yet",
    ),
    "allow": (
        policy(result="ALLOW"),
        "p: targeting.then.result: action `allow`: policies only restrict here; write an access rule",
    ),
    "another result": (policy(result="hide"), "p: targeting.then.result: unknown action `hide`"),
    "a policy of masking": (policy(type="MASKING"), "p: type `MASKING`: masking is not available yet"),
    "a policy of roles": (policy(type="RBAC_ROLES"), "p: type `RBAC_ROLES`: write an access rule"),
    "another type": (policy(type="OTHER"), "p: unknown type `OTHER`"),
    "no targeting": (policy(targeting=None, enabled=False), "p: targeting: is missing, or not an object"),
    "no outcome": (policy(targeting={"if": group(BIG)}), "p: targeting.then: is missing, or not an object"),
    "an unknown key": (policy(priority=1), "p: unknown key `priority`"),
    "an unknown key of targeting": (
        policy(targeting={"then": {"result": "deny"}, "else": {}}), "p: targeting: unknown key `else`",
    ),
    "an unknown key of the outcome": (
        policy(targeting={"then": {"result": "deny", "delay": 1}}), "p: targeting.then: unknown key `delay`",
    ),
    "an unknown key of a group": (
        policy(BIG, {**group(CURL), "negate": True}), f"p: {C}[1]: unknown key `negate` of a group",
    ),
    "a slug": (policy(slug="sales"), "p: `slug` has no equivalent here"),
    "a slug beside tools": (
        policy(group(tools("t1"), tools("sales", attribute="slug")), BIG),
        f"p: {C}[0].conditions[1]: `slug` has no equivalent here",
    ),
    "keys": (policy(keys=["admin"]), "p: `keys` has no equivalent here"),
    "all users": (policy(allowToAllUsers=True), "p: `allowToAllUsers` has no equivalent here"),
    "a tool that is not in the catalog": (
        policy(internalToolIds=["t1", "t9"]),
        "p: internalToolIds[1]: no tool with the id `t9` is known; give Agen's list of tools by `--catalog`",
    ),
    "a tool of a condition that is not in the catalog": (
        policy(tools("t9"), BIG),
        f"p: {C}[0].value.list[0]: no tool with the id `t9` is known; give Agen's list of tools by `--catalog`",
    ),
    "a tool whose name would name others": (
        policy(internalToolIds=["t3"]), "p: tool `get_*`: here * stands for any name",
    ),
    "tools that are no list": (policy(internalToolIds="t1"), "p: `internalToolIds` is not a list of names"),
    "an application that is not named": (
        policy(appIds=["web"]),
        "p: appIds[0]: no resource is named for application `web`; give `--app web=NAME`",
    ),
    "other tools in its conditions": (policy(tools("t2"), BIG), f"p: {C}: names other tools than the policy lists"),
    "two conditions on tools": (policy(tools("t1"), tools("t2"), BIG), f"p: {C}[1]: a second condition on tools"),
    "tools by a pattern of ids": (
        policy({"attribute": "tool-id", "op": "starts_with", "value": {"list": ["t"]}}),
        f"p: {C}[0]: `tool-id` goes with `in_list` only",
    ),
    "a bare value": (
        policy({**BIG, "value": 1000}), f"p: {C}[0].value: `greater_than` takes an object with `number`",
    ),
    "a value of another type": (
        policy({**BIG, "value": {"string": "1000"}}), f"p: {C}[0].value: `greater_than` takes an object with `number`",
    ),
    "two values": (
        policy(BIG, {**BIG, "value": {"number": 1, "string": "1"}}),
        f"p: {C}[1].value: `greater_than` takes an object with `number`",
    ),
    "half a pair": (
        policy({"attribute": "x", "op": "between_numeric", "value": {"start": 1}}),
        f"p: {C}[0].value: `between_numeric` takes an object with `start` and `end`",
    ),
    "a list that is none": (policy({**IN_EU, "value": {"list": "DE"}}), f"p: {C}[0].value.list: is not a list"),
    "text for a number": (policy({**BIG, "value": {"number": "1000"}}), f"p: {C}[0]: a value is not a number"),
    "an operator within a group": (
        policy(IN_EU, group(BIG, {"attribute": "x", "op": "near", "value": {}})),
        f"p: {C}[1].conditions[1]: unknown operator `near`",
    ),
    "an operator beside the service's tools": (
        policy(tools("t1"), group(BIG, {"attribute": "x", "op": "near", "value": {}})),
        f"p: {C}[1].conditions[1]: unknown operator `near`",
    ),
    "a group within a group within": (
        policy(group(group(group(BIG)))), f"p: {C}[0].conditions[0]: groups within groups",
    ),
    "an empty group": (policy(BIG, group()), f"p: {C}[1]: a group without conditions"),
    "an empty group beside the service's tools": (
        policy(tools("t1"), group()), f"p: {C}[1]: a group without conditions",
    ),
    "no conditions where there is a list": (
        policy(targeting={"if": {"conditions": []}, "then": {"result": "deny"}}),
        f"p: {C}: is missing, or without conditions",
    ),
    "another logic": (policy(BIG, logic="xor"), f"p: {C}: unknown conditionLogic `xor`"),
    "a condition that is none": (policy("x"), f"p: {C}[0]: a condition is not an object"),
    "an attribute of the platform that is not known": (
        policy({"attribute": "frontegg.x", "op": "is", "value": {"boolean": True}}),
        f"p: {C}[0]: attribute `frontegg.x` is neither known nor the name of an argument",
    ),
    "a name that is too long": (
        policy(name="n" * 129), f"{'n' * 129}: `name`: ",
    ),
    "a tool that cannot have its name": (
        policy(internalToolIds=[], customIntegrationTools=["a b"]), "p: `tools[0]`: no tool can have this name",
    ),
    "a condition that does not compile": (
        policy({"attribute": "x", "op": "matches", "value": {"string": "("}}), f"p: {C}: `args.x.matches",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("written", "expected"), REFUSED.values(), ids=REFUSED)
def test_what_has_no_equivalent_is_refused_with_its_place(written, expected):
    result = imported(written)
    assert result.policies == ()
    assert [error[: len(expected)] for error in result.errors] == [expected]


def test_two_policies_of_one_name_are_refused_as_the_loader_does():
    result = imported([policy(IN_EU), policy(BIG), policy(name="q")])
    assert [each["name"] for each in result.policies] == ["p", "q"]
    assert result.errors == ("p: `name`: two policies are called `p`; give each its own name",)


def test_whatever_is_imported_loads():
    written = [{**READ[name][0], "name": name} for name in READ]
    result = imported(written)
    text = "country_header: cf-ipcountry\ntrusted_proxies: [192.0.2.0/24]\n" + render_policies(result.policies)
    assert (result.errors, len(result.policies)) == ((), len(READ))
    assert find_problems(GOOD + text, "agen.yaml") == ()


def test_what_policies_need_of_the_configuration_is_said():
    needs = list_needs(list(imported([policy(IN_EU), policy(BIG, name="q", tenantId="t")]).policies))
    assert needs == ["set `country_header`", "map it under `providers[].claims.tenant`"]
    assert list_needs(list(imported(policy(BIG)).policies)) == []


@pytest.mark.parametrize(
    "wrap", [lambda p: [p], lambda p: {"items": [p]}, lambda p: {"policies": [p]}], ids=["list", "items", "policies"]
)
def test_lists_as_the_api_answers_are_read(wrap):
    assert imported(wrap(policy(BIG))).policies == (ours(AMOUNT),)


def test_one_page_of_several_is_refused():
    page = {"items": [policy(BIG)], "_metadata": {"totalPages": 2, "totalItems": 60}}
    assert imported(page) == Imported((), ("one page of 2; give all of them in one list",))
    assert imported({**page, "_metadata": {"totalPages": 1}}).errors == ()


# ---- Terraform -----------------------------------------------------------------------------------------------


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


A = "agenco_conditional_policy"
# name: (resource, why not)
REFUSED_STATES: dict[str, tuple[Any, str]] = {
    "a masking policy": (resource("agenco_masking_policy"), "agenco_masking_policy.x: masking is not available yet"),
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


# ---- tools ---------------------------------------------------------------------------------------------------

LISTS = {
    "a list": [{"id": "t1", "name": "refund", "appId": "shop"}],
    "a page": {"items": [{"id": "t1", "name": "refund", "appId": "shop"}], "_metadata": {"totalPages": 1}},
    "tools": {"tools": [{"id": "t1", "name": "refund", "appId": "shop"}]},
    "a resource of Terraform": state(resource("agenco_tool", id="t1", name="refund", application_id="shop")),
    "a data source of Terraform": state(
        resource("agenco_tools", tools=[{"id": "t1", "name": "refund", "application_id": "shop"}])
    ),
}


@pytest.mark.parametrize("document", LISTS.values(), ids=LISTS)
def test_tools_are_read_by_their_ids(document):
    assert read_tools(document) == {"t1": Tool("refund", "shop")}


@pytest.mark.parametrize("document", [[], {}, [{"name": "refund"}], "x", {"tools": [{"id": 1, "name": "a"}]}], ids=repr)
def test_what_holds_no_tools_with_ids_is_refused(document):
    with pytest.raises(ValueError, match="holds no tools"):
        read_tools(document)


# ---- whatever is handed in -----------------------------------------------------------------------------------

WHOLE: Any = {"items": [policy(tools("t1"), group(IN_EU, group(BIG, CURL)))]}
STATE: Any = state(resource(A, **VALUES))
WORDS = st.sampled_from(["tool-id", "in_list", "or", "t1"])
KEYS = st.sampled_from(["conditions", "op"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, member in inner for place in places(member, (*path, key)))]


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


DOCUMENTS = st.sampled_from([(document, path) for document in (WHOLE, STATE) for path in places(document)])


@settings(deadline=None)
@given(DOCUMENTS, JSON)
def test_any_part_replaced_gives_policies_that_load_or_errors(place, new):
    document, path = place
    result = imported(replaced(document, path, new))
    assert all(error.isprintable() for error in result.errors)
    assert not result.policies or find_unloadable(list(result.policies)) == [""] * len(result.policies)
