"""A list agrees with the calls: what is not shown cannot be called, and what is shown is denied by arguments only."""

from collections.abc import Callable

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample
from msgspec import structs

from agen_authz.core.decide import decide, may_list
from agen_authz.core.model import Call, Deny, Effect, Facts, Principal, State, Target, TargetKind
from agen_authz.core.policy.access import AccessRule, Basis, compile_access
from agen_authz.core.policy.table import Policy, compile_policies, list_reads
from agen_authz.core.ruleset import RuleSet
from tests import builders as build
from tests.properties.policy_strategy import ACCESS, ARGUMENTS, SCENES, TENANTS, Scene, compiled, policies
from tests.rules import build_rules

MayList = Callable[[Target, Call, Principal, Facts, RuleSet], bool]
METHODS = {TargetKind.TOOL: "tools/call", TargetKind.PROMPT: "prompts/get", TargetKind.RESOURCE: "resources/read"}
LISTING = build.call("tools/list")
SOME = compile_access(
    Basis.ROLES,
    [
        AccessRule("few", ((TargetKind.TOOL, "crm/get_*"), (TargetKind.PROMPT, "crm/*")), frozenset({"analyst"})),
        AccessRule("both", ((TargetKind.TOOL, "crm/refund"),), frozenset({"analyst", "admin"}), needs_all=True),
    ],
)
# What needs an approval is denied until there are approvals, so no list shows it.
DRAWN = policies(effects=(Effect.DENY, Effect.STEP_UP))
OF_TENANTS = policies("t", effects=(Effect.DENY, Effect.STEP_UP), max_size=2)


def is_denied(scene: Scene, target: Target, arguments: dict[str, object], rules: RuleSet) -> bool:
    call = structs.replace(scene.call, method=METHODS[target.kind], targets=(target,), arguments=arguments)
    return isinstance(decide(call, scene.principal, scene.facts, rules), Deny)


def rules_of(held: tuple[Policy, ...], own: tuple[Policy, ...], *, is_open: bool) -> RuleSet:
    table = compile_policies(held, {tenant: own for tenant in TENANTS if tenant})
    return build_rules((build.resource(),), ACCESS if is_open else SOME, table)


def agrees_without_arguments(may: MayList, scene: Scene, rules: RuleSet) -> bool:
    """Policies that read no arguments: shown if and only if a call is not denied."""
    return all(
        may(target, LISTING, scene.principal, scene.facts, rules) is not is_denied(scene, target, {}, rules)
        for target in scene.call.targets
    )


def hides_nothing_that_may_be_called(may: MayList, scene: Scene, rules: RuleSet) -> bool:
    """Any policies: what is hidden is denied whatever the arguments are."""
    return all(
        may(target, LISTING, scene.principal, scene.facts, rules) or is_denied(scene, target, dict(arguments), rules)
        for target in scene.call.targets
        for arguments in ARGUMENTS
    )


def without_arguments(held: tuple[Policy, ...]) -> tuple[Policy, ...]:
    return tuple(each for each in held if "args" not in list_reads(each))


@given(SCENES, DRAWN, OF_TENANTS, st.booleans())
def test_list_shows_what_may_be_called(scene, held, own, is_open):
    assert agrees_without_arguments(
        may_list, scene, rules_of(without_arguments(held), without_arguments(own), is_open=is_open)
    )


@given(SCENES, DRAWN, OF_TENANTS, st.booleans())
def test_list_hides_only_what_is_denied_with_any_arguments(scene, held, own, is_open):
    assert hides_nothing_that_may_be_called(may_list, scene, rules_of(held, own, is_open=is_open))


def _shows_all(*_: object) -> bool:
    return True


def _hides_all(*_: object) -> bool:
    return False


@pytest.mark.parametrize(
    ("holds", "wrong"),
    [
        (agrees_without_arguments, _shows_all),
        (agrees_without_arguments, _hides_all),
        (hides_nothing_that_may_be_called, _hides_all),
    ],
)
def test_property_finds_a_list_that_is_wrong(holds, wrong):
    cases = st.tuples(SCENES, DRAWN.map(without_arguments))
    try:
        find(
            cases,
            lambda drawn: not holds(wrong, drawn[0], rules_of(drawn[1], (), is_open=False)),
            settings=settings(phases=(Phase.generate,)),
        )
    except NoSuchExample:
        pytest.fail("the property cannot fail")


def test_policy_that_reads_arguments_hides_nothing():
    principal = build.principal()
    rules = build_rules((build.resource(),), None, compile_policies([deny("args.amount > 1000.0")]))
    assert may_list(build.tool(), LISTING, principal, Facts(build.NOW), rules)
    rules = build_rules((build.resource(),), None, compile_policies([deny('"analyst" in user.roles')]))
    assert not may_list(build.tool(), LISTING, principal, Facts(build.NOW), rules)


def test_policy_that_reads_the_method_sees_that_of_the_call():
    rules = build_rules((build.resource(),), None, compile_policies([deny('request.method == "tools/call"')]))
    assert not may_list(build.tool(), LISTING, build.principal(), Facts(build.NOW), rules)


def deny(text: str) -> Policy:
    return Policy("p", State.ENFORCE, Effect.DENY, (), (compiled(text),))
