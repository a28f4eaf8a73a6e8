"""Policies of Agen's API that have no equivalent here are refused by name and place."""

from typing import Any

import pytest

from agen_authz.authoring.import_agen.imported import Imported
from tests.authoring.import_agen.written import BIG, CURL, IN_EU, group, imported, policy, tools

C = "targeting.if.conditions"
# name: (what is imported, why not)
REFUSED: dict[str, tuple[Any, str]] = {
    "mask without saying what": (
        policy(result="mask"), "p: policyConfiguration: does not say what is masked",
    ),
    "mask what no detector here finds": (
        policy(result="mask", policyConfiguration={"shoeSize": True}),
        "p: policyConfiguration: no detector here is called `shoeSize`",
    ),
    "mask in so many words": (
        policy(result="mask", policyConfiguration={"creditCard": "yes"}),
        "p: policyConfiguration: no detector here is called `creditCard`",
    ),
    "mask nothing": (
        policy(result="mask", policyConfiguration={"creditCard": False}), "p: policyConfiguration: masks nothing",
    ),
    "a pattern that is not known": (
        policy(result="mask", policyConfiguration={"customMaskingRegexIds": ["r9"]}),
        "p: policyConfiguration.customMaskingRegexIds: no pattern with the id `r9` is known;"
        " give Agen's list by `--patterns`",
    ),
    "patterns that are no list": (
        policy(result="mask", policyConfiguration={"customMaskingRegexIds": "r1"}),
        "p: policyConfiguration.customMaskingRegexIds: is not a list",
    ),
    "a policy of masking that denies": (
        policy(type="MASKING", policyConfiguration={"creditCard": True}),
        "p: targeting.then.result: a masking policy cannot have the result `deny` here",
    ),
    "approval_required": (
        policy(result="approval_required"),
        "p: targeting.then.result: action `approval_required`: name the flow of `approvals.flows` by `--flow`",
    ),
    "allow": (
        policy(result="ALLOW"),
        "p: targeting.then.result: action `allow`: policies only restrict here; write an access rule",
    ),
    "another result": (policy(result="hide"), "p: targeting.then.result: unknown action `hide`"),
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


def test_one_page_of_several_is_refused():
    page = {"items": [policy(BIG)], "_metadata": {"totalPages": 2, "totalItems": 60}}
    assert imported(page) == Imported((), ("one page of 2; give all of them in one list",))
    assert imported({**page, "_metadata": {"totalPages": 1}}).errors == ()
