import pytest

from agen_authz.core.model import Target, TargetKind
from agen_authz.core.policy.access import AccessRule, Basis, Granted, NotGranted, Unmapped, compile_access
from tests import builders as build

TOOL = ((TargetKind.TOOL, "crm/get"),)
RULES = (
    AccessRule("any", TOOL, frozenset({"a", "b"})),
    AccessRule("all", TOOL, frozenset({"c", "d"}), needs_all=True),
    AccessRule("nobody", TOOL, frozenset()),
    AccessRule("nobody of all", ((TargetKind.TOOL, "crm/empty"),), frozenset(), needs_all=True),
    AccessRule("pattern", ((TargetKind.TOOL, "crm/g*"),), frozenset({"e"})),
)
CASES = {
    "one of any": (("b",), "get", Granted("any")),
    "all of all": (("d", "c"), "get", Granted("all")),
    "one of all": (("c",), "get", NotGranted()),
    "other one of all": (("d",), "get", NotGranted()),
    "by a pattern": (("e",), "get", Granted("pattern")),
    "no role": ((), "get", NotGranted()),
    "unknown role": (("z",), "get", NotGranted()),
    "role in another case": (("A",), "get", NotGranted()),
    "empty list lets nobody in": (("a", "b", "c", "d", "e"), "empty", NotGranted()),
    "no rule": (("a",), "put", Unmapped()),
    "tool in another case": (("a",), "GET", Unmapped()),
}


@pytest.mark.parametrize("name", CASES)
def test_rules_decide(name):
    roles, tool, expected = CASES[name]
    table = compile_access(Basis.ROLES, RULES)
    assert table.check(build.principal(roles=roles), build.tool(tool)) == expected


@pytest.mark.parametrize("kind", [TargetKind.RESOURCE, TargetKind.PROMPT])
def test_rule_for_a_tool_names_nothing_else(kind):
    table = compile_access(Basis.ROLES, RULES)
    assert table.check(build.principal(roles=("a",)), Target(kind, "crm", "get")) == Unmapped()


def test_rule_of_one_server_names_nothing_at_another():
    table = compile_access(Basis.ROLES, RULES)
    assert table.check(build.principal(roles=("a",)), Target(TargetKind.TOOL, "billing", "get")) == Unmapped()


def test_no_rules_name_nothing():
    assert compile_access(Basis.ROLES, ()).check(build.principal(), build.tool()) == Unmapped()


def test_more_targets_than_are_remembered_change_no_verdict():
    table = compile_access(Basis.ROLES, [AccessRule("r", ((TargetKind.TOOL, "crm/t_*"),), frozenset({"analyst"}))])
    principal = build.principal(roles=("analyst",))
    targets = [Target(TargetKind.TOOL, "crm", f"t_{number}") for number in range(5000)]
    assert {table.check(principal, target) for target in targets for _ in range(2)} == {Granted("r")}
