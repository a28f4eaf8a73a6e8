"""What holds for any policies and any call: policies only tighten, shadow and strangers' tenants change nothing.

Every property is a function of a rule (how policies become a table that is asked), so that it can be shown to fail:
the last test hands each property a rule that is wrong in the way which the property is there to find.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st
from msgspec import structs

from agen_authz.core.decide import decide
from agen_authz.core.model import (
    Allow,
    Answer,
    AwaitApproval,
    Decision,
    Deny,
    Effect,
    Envelope,
    Outcome,
    State,
    StepUp,
)
from agen_authz.core.policy.attribute import Situation
from agen_authz.core.policy.stepup import Demand, challenge
from agen_authz.core.policy.table import Match, Policy, compile_policies
from agen_authz.core.reason import Reason
from tests import builders as build
from tests.properties.policy_strategy import (
    ACCESS,
    CONDITIONS,
    DEMANDS,
    ERRING,
    SCENES,
    SELECTORS,
    TENANTS,
    Scene,
    compiled,
    policies,
)
from tests.properties.test_access import matches
from tests.rules import build_rules

Tenants = Mapping[str, Iterable[Policy]]
Rule = Callable[[Iterable[Policy], Tenants], Any]
RESOURCES = (build.resource(),)
ALLOWED, AWAITS, STEPS_UP, DENIED = range(4)


def decided(rule: Rule, scene: Scene, held: Iterable[Policy], tenants: Tenants) -> Decision:
    sets = build_rules(RESOURCES, ACCESS, rule(held, tenants))
    # One table answers everybody: what it remembers of others must not matter.
    for tenant in TENANTS:
        decide(scene.call, replace(scene.principal, tenant=tenant), scene.facts, sets)
    return decide(scene.call, scene.principal, scene.facts, sets)


def rank(decision: Decision) -> int:
    """Order decisions by what is still needed: nothing, an approval, a stronger token, and what nothing changes."""
    if isinstance(decision, Allow):
        return ALLOWED
    if isinstance(decision, StepUp):
        return STEPS_UP
    assert isinstance(decision, AwaitApproval | Deny)
    return AWAITS if isinstance(decision, AwaitApproval) else DENIED


def is_weaker(after: Decision, before: Decision) -> bool:
    """True if something can be done after that could not be done before, or is asked for less."""
    if isinstance(after, StepUp) and isinstance(before, StepUp):
        asked, wanted = after.challenge, before.challenge
        ages = (asked.max_age_s, wanted.max_age_s)
        return (
            not set(wanted.scopes) <= set(asked.scopes)
            or (ages[1] is not None and (ages[0] is None or ages[0] > ages[1]))
            or bool(wanted.acr_values and not asked.acr_values)
        )
    if isinstance(after, AwaitApproval) and isinstance(before, AwaitApproval):
        return not {each.policy for each in before.wanted} <= {each.policy for each in after.wanted}
    return rank(after) < rank(before)


def bare(decision: Decision) -> Decision:
    """Leave out what a decision only remembers."""
    assert not isinstance(decision, Answer)
    return structs.replace(decision, why=(), matched=())


def names(policy: Policy, scene: Scene) -> bool:
    """True if a policy names a target of the call, read as its contract says."""
    return not policy.selectors or any(
        kind is target.kind and matches(selector.casefold(), f"{target.server}/{target.name}".casefold())
        for target in scene.call.targets
        for kind, selector in policy.selectors
    )


# ---- the properties: each says whether what was drawn breaks it -----------------------------------------------


def insert(held: tuple[Policy, ...], more: tuple[Policy, ...], at: int) -> tuple[Policy, ...]:
    return (*held[: at % (len(held) + 1)], *more, *held[at % (len(held) + 1) :])


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a property is tried with; `more` is what is added, at a place among the others."""

    scene: Scene
    held: tuple[Policy, ...]
    more: tuple[Policy, ...]
    at: int
    tenants: Tenants


def loosens(rule: Rule, drawn: Drawn) -> bool:
    """Adding policies, anywhere, gives more than there was."""
    before = decided(rule, drawn.scene, drawn.held, drawn.tenants)
    after = decided(rule, drawn.scene, insert(drawn.held, drawn.more, drawn.at), drawn.tenants)
    return is_weaker(after, before)


def heeds_shadow(rule: Rule, drawn: Drawn) -> bool:
    """Policies in shadow change what is decided, or what is remembered of the others."""
    shadows = tuple(replace(policy, state=State.SHADOW) for policy in drawn.more)
    before = decided(rule, drawn.scene, drawn.held, drawn.tenants)
    after = decided(rule, drawn.scene, insert(drawn.held, shadows, drawn.at), drawn.tenants)
    assert not isinstance(before, Answer) and not isinstance(after, Answer)
    added = {policy.name for policy in shadows}
    remembered = tuple(each for each in after.matched if each.policy not in added)
    return bare(before) != bare(after) or before.matched != remembered


def survives_error(rule: Rule, drawn: Drawn) -> bool:
    """A policy that errs lets a call pass that it targets, or touches one that it does not target."""
    broken = tuple(
        replace(policy, state=State.ENFORCE, conditions=(compiled(ERRING[at % len(ERRING)]),))
        for at, policy in enumerate(drawn.more[:1])
    )
    before = decided(rule, drawn.scene, drawn.held, drawn.tenants)
    after = decided(rule, drawn.scene, insert(drawn.held, broken, drawn.at), drawn.tenants)
    is_targeted = any(names(policy, drawn.scene) for policy in broken)
    if not is_targeted or (isinstance(before, Deny) and before.reason is Reason.NOT_GRANTED):
        return before != after
    is_denied = isinstance(before, Deny) and before.reason is Reason.POLICY_DENIED
    wanted = Reason.POLICY_DENIED if is_denied else Reason.POLICY_ERROR
    return not (isinstance(after, Deny) and after.reason is wanted)


def tenant_relaxes(rule: Rule, drawn: Drawn) -> bool:
    """What a tenant adds gives its callers more, or changes anything for others."""
    before = decided(rule, drawn.scene, drawn.held, {})
    after = decided(rule, drawn.scene, drawn.held, drawn.tenants)
    if drawn.scene.principal.tenant in drawn.tenants:
        return is_weaker(after, before)
    return before != after


def departs_from_reference(rule: Rule, drawn: Drawn) -> bool:
    """The decision is another one than the table gives when each condition says what it must."""
    scene, own = drawn.scene, drawn.tenants.get(drawn.scene.principal.tenant, ())
    decision = decided(rule, scene, drawn.held, drawn.tenants)
    if isinstance(decision, Deny) and decision.reason is Reason.NOT_GRANTED:
        return "guest" not in scene.principal.roles
    return rank(decision) != max(
        (expect(policy, scene) for policy in (*drawn.held, *own) if names(policy, scene)), default=ALLOWED
    )


def expect(policy: Policy, scene: Scene) -> int:
    """Say what one policy asks of a call that it names."""
    said = [CONDITIONS[each.text]((scene.call, scene.principal)) for each in policy.conditions]
    if policy.state is not State.ENFORCE or False in said:
        return ALLOWED
    if None in said or policy.effect is Effect.DENY:
        return DENIED
    if policy.effect is Effect.REQUIRE_APPROVAL:
        return AWAITS
    assert policy.demand is not None
    return ALLOWED if all(meets(policy.demand, scene)) else STEPS_UP


def meets(demand: Demand, scene: Scene) -> Iterator[bool]:
    """Say of each thing that is demanded whether the token shows it; no token here is within the leeway of an age."""
    caller = scene.principal
    if demand.scope is not None:
        yield demand.scope in caller.scopes
    if demand.acr is not None:
        yield caller.acr in demand.acr
    if demand.amr is not None:
        yield any(method in (caller.amr or ()) for method in demand.amr)
    if demand.max_age_s is not None:
        yield caller.auth_time is not None and scene.facts.now - caller.auth_time < demand.max_age_s


PROPERTIES = (loosens, heeds_shadow, survives_error, tenant_relaxes, departs_from_reference)
# Among denials, step-ups are seldom heard: half of the time there is nothing else.
MILD: dict[str, Any] = {"states": (State.ENFORCE,), "effects": (Effect.STEP_UP,)}
DRAWN = st.builds(
    Drawn,
    scene=SCENES,
    held=policies("p") | policies("p", **MILD),
    more=policies("q", max_size=2) | policies("q", max_size=2, **MILD),
    at=st.integers(0, 4),
    tenants=st.dictionaries(st.sampled_from(TENANTS[:2]), policies("t", max_size=2), max_size=2),
)


@pytest.mark.parametrize("breaks", PROPERTIES, ids=lambda each: each.__name__)
@given(drawn=DRAWN)
def test_no_policies_and_no_call_break_the_property(breaks, drawn):
    assert not breaks(compile_policies, drawn)


@given(
    SCENES,
    st.lists(st.sampled_from(SELECTORS), max_size=2),
    st.sampled_from(ERRING),
    st.sampled_from([effect for effect in Effect if effect is not Effect.MASK]),
)
def test_error_next_to_a_false_condition_changes_nothing(scene, selectors, text, effect):
    policy = Policy("p", State.ENFORCE, effect, tuple(selectors), (compiled(text), compiled("false")))
    assert decided(compile_policies, scene, [policy], {}) == decided(compile_policies, scene, [], {})


def ask(demands: tuple[Demand, ...]) -> StepUp:
    wanted = challenge([(each, None) for each in demands], build.principal())
    return StepUp(wanted, (), Envelope(), build.tool())


@pytest.mark.parametrize("count", [1, 2])
def test_one_demand_more_asks_for_no_less(count):
    weaker = [
        (demands, more, at)
        for demands in product(DEMANDS, repeat=count)
        for more in DEMANDS
        for at in range(count + 1)
        if is_weaker(ask((*demands[:at], more, *demands[at:])), ask(demands))
    ]
    assert weaker == []


# ---- rules that are wrong: each property finds its own ---------------------------------------------------------


class Bent:
    """A table whose matches are bent before they are combined."""

    def __init__(self, table: Any, bend: Callable[[tuple[Match, ...]], Iterable[Match]]) -> None:
        self.table = table
        self.bend = bend

    def evaluate(self, situation: Situation) -> tuple[Match, ...]:
        return tuple(self.bend(self.table.evaluate(situation)))


def bent(bend: Callable[[tuple[Match, ...]], Iterable[Match]]) -> Rule:
    return lambda held, tenants: Bent(compile_policies(held, tenants), bend)


def _enforce(match: Match) -> Match:
    return Match(replace(match.policy, state=State.ENFORCE), match.outcome)


def _as_denial(match: Match) -> Match:
    return Match(replace(match.policy, effect=Effect.DENY), match.outcome)


def _lose_demands(found: tuple[Match, ...]) -> Iterable[Match]:
    """Ask for one step-up only, the last one."""
    asked = [each for each in found if each.policy.effect is Effect.STEP_UP]
    return [each for each in found if each not in asked[:-1]]


def _replace_by_tenant(held: Iterable[Policy], tenants: Tenants) -> Any:
    # Everything of everybody is void for a tenant that has its own policies.
    own = {name: [replace(policy, name=f"own-{policy.name}") for policy in added] for name, added in tenants.items()}
    table = compile_policies(held, own)
    void = {name for name, added in own.items() if added}

    class Replaced:
        def evaluate(self, situation: Situation) -> tuple[Match, ...]:
            found = table.evaluate(situation)
            is_void = situation.principal.tenant in void
            return tuple(each for each in found if not is_void or each.policy.name.startswith("own-"))

    return Replaced()


def _forget_selectors(held: Iterable[Policy], tenants: Tenants) -> Any:
    return compile_policies([replace(policy, selectors=()) for policy in held], tenants)


def _for_every_tenant(held: Iterable[Policy], tenants: Tenants) -> Any:
    return compile_policies([*held, *(policy for added in tenants.values() for policy in added)])


WRONG: dict[str, tuple[Callable[[Rule, Drawn], bool], Rule]] = {
    "the last match alone decides": (loosens, bent(lambda found: found[-1:])),
    "the first match alone decides": (loosens, bent(lambda found: found[:1])),
    "the last step-up alone is asked for": (loosens, bent(_lose_demands)),
    "shadow is enforced": (heeds_shadow, bent(lambda found: map(_enforce, found))),
    "shadow hides what stands beside it": (
        heeds_shadow, bent(lambda found: () if any(each.policy.state is State.SHADOW for each in found) else found),
    ),
    "an error does not apply": (
        survives_error, bent(lambda found: (each for each in found if each.outcome is not Outcome.ERROR)),
    ),
    "an error applies as its effect": (
        survives_error, bent(lambda found: (Match(each.policy, Outcome.APPLIES) for each in found)),
    ),
    "an error denies what it does not target": (survives_error, _forget_selectors),
    "a tenant replaces": (tenant_relaxes, _replace_by_tenant),
    "a tenant speaks for others": (tenant_relaxes, _for_every_tenant),
    "everything denies": (departs_from_reference, bent(lambda found: map(_as_denial, found))),
    "nothing errs": (
        departs_from_reference, bent(lambda found: (each for each in found if each.outcome is not Outcome.ERROR)),
    ),
}  # fmt: skip


# What was drawn for one wrong rule is tried with the next one first: any example will do, and to draw takes most of the
# time. To make it small would take most of the rest.
SEEN: list[Drawn] = []
LOOKING = settings(max_examples=3000, phases=[Phase.generate])


def find_broken(breaks: Callable[[Rule, Drawn], bool], rule: Rule) -> Drawn:
    def is_broken(drawn: Drawn) -> bool:
        SEEN.append(drawn)
        return breaks(rule, drawn)

    seen = next((drawn for drawn in SEEN if breaks(rule, drawn)), None)
    return seen or find(DRAWN, is_broken, settings=LOOKING, random=Random(3))  # noqa: S311 examples, no secrets


@pytest.mark.slow
@pytest.mark.parametrize("name", WRONG)
def test_property_finds_the_rule_that_is_wrong(name):
    breaks, rule = WRONG[name]
    example = find_broken(breaks, rule)
    assert breaks(rule, example) and not breaks(compile_policies, example)
