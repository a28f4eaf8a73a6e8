"""Agen's policies as its API has them become ours."""

from typing import Any

import pytest

from agen_authz.authoring.import_agen.imported import Imported, import_policies
from agen_authz.authoring.import_agen.load import list_needs, render_policies
from agen_authz.config import find_problems
from tests.authoring.import_agen.test_imported import OPERATORS
from tests.authoring.import_agen.written import (
    ACR,
    AGENT,
    AMOUNT,
    BIG,
    CURL,
    EU,
    IN_EU,
    NAMES,
    group,
    imported,
    ours,
    policy,
    tools,
)
from tests.config.test_mistakes import GOOD

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
