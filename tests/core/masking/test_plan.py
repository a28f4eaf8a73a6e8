"""Several rules at once: the strictest style of each detector, places that a rule exempts, rules in shadow."""

import pytest

from agen_authz.core.masking.plan import Plan, Treatment, make_plan, unite
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.rule import Pointer, Rule
from agen_authz.core.masking.selection import Custom, Detectors
from agen_authz.core.masking.style import Masker

EMAIL, CARD = Detectors.of("email"), Detectors.of("credit_card")
STAFF, GUEST = Custom("staff", "XY-[0-9]{4}"), Custom("guest", "G[0-9]{4}")


def plan(*rules: Rule) -> Plan:
    return make_plan(rules, Masker(None, ""))


@pytest.mark.parametrize(
    ("rules", "chosen"),
    [
        ([Rule("a", EMAIL)], Treatment("a", Style.PARTIAL)),
        ([Rule("a", EMAIL, default=Style.HASH)], Treatment("a", Style.HASH)),
        ([Rule("a", EMAIL, styles={"email": Style.REDACT}, default=Style.HASH)], Treatment("a", Style.REDACT)),
        ([Rule("a", EMAIL, styles={"phone": Style.REDACT})], Treatment("a", Style.PARTIAL)),
        ([Rule("a", EMAIL), Rule("b", EMAIL, default=Style.REDACT)], Treatment("b", Style.REDACT)),
        ([Rule("a", EMAIL, default=Style.DROP), Rule("b", EMAIL, default=Style.REDACT)], Treatment("a", Style.DROP)),
        ([Rule("a", CARD)], None),
        ([Rule("a", EMAIL, is_enforced=False)], None),
        ([], None),
    ],
    ids=[
        *("its own style", "default", "by detector", "another's", "stricter later", "stricter first", "not named"),
        *("shadow", "no rule"),
    ],
)
def test_strictest_style_of_the_enforced_rules_is_chosen(rules: list[Rule], chosen: Treatment | None) -> None:
    assert plan(*rules).choose("email", ("a",)) == chosen


@pytest.mark.parametrize("name", ["cvv", "card_track", "card_pin"])
def test_sensitive_authentication_data_is_dropped_whatever_a_rule_says(name: str) -> None:
    rule = Rule("a", Detectors.of(name), styles={name: Style.PARTIAL})
    assert plan(rule).choose(name, ()) == Treatment("a", Style.DROP)


@pytest.mark.parametrize(
    ("pointer", "rule"),
    [
        (("result", "a"), "loose"),
        (("result", "a", "deeper"), "loose"),
        (("result", "b"), "strict"),
        (("result",), "strict"),
        (("x", "0", "note"), "loose"),
        (("x", "y", "note", "z"), "loose"),
        (("x", "0", "other"), "strict"),
    ],
)
def test_value_that_one_rule_exempts_is_masked_by_the_other(pointer: Pointer, rule: str) -> None:
    strict = Rule("strict", EMAIL, default=Style.REDACT, exempt=(("result", "a"), ("x", "*", "note")))
    chosen = plan(strict, Rule("loose", EMAIL)).choose("email", pointer)
    assert chosen is not None and chosen.rule == rule


def test_value_that_every_rule_exempts_is_not_masked():
    exempt = (("a",),)
    chosen = plan(Rule("a", EMAIL, exempt=exempt), Rule("b", EMAIL, exempt=(("*",),)))
    assert (chosen.choose("email", ("a",)), chosen.choose("email", ("b",))) == (
        None,
        Treatment("a", Style.PARTIAL, exempt),
    )


def test_rule_in_shadow_is_watched_and_not_enforced():
    both = plan(Rule("w", EMAIL, is_enforced=False, default=Style.REDACT), Rule("e", EMAIL))
    assert both.watch("email", ()) == Treatment("w", Style.REDACT)
    assert both.choose("email", ()) == Treatment("e", Style.PARTIAL)
    assert (both.masks, plan(Rule("w", EMAIL, is_enforced=False)).masks, plan().masks) == (True, False, False)


@pytest.mark.parametrize("name", ["nested", "encoded", "binary"])
def test_what_cannot_be_read_is_redacted_by_every_rule_at_every_place(name: str) -> None:
    assert plan(Rule("a", EMAIL, default=Style.PARTIAL, exempt=((),))).choose(name, ("x",)) == Treatment(
        "a", Style.REDACT
    )


@pytest.mark.parametrize(
    ("rules", "passes"),
    [
        ([Rule("a", EMAIL, passes_binary=True)], True),
        ([Rule("a", EMAIL, passes_binary=True), Rule("b", EMAIL)], False),
        ([Rule("a", EMAIL, passes_binary=True), Rule("b", EMAIL, is_enforced=False)], True),
        ([], True),
    ],
    ids=["it", "not the other", "not the one in shadow", "no rule"],
)
def test_binary_passes_if_every_enforced_rule_lets_it(rules: list[Rule], passes: bool) -> None:
    assert plan(*rules).passes_binary is passes


def test_detectors_of_rules_are_united_and_a_custom_pattern_is_in_it_once():
    rules = [
        Rule("a", EMAIL.add_customs([STAFF])),
        Rule("b", CARD.add_customs([STAFF, GUEST])),
    ]
    assert unite(rules) == Detectors(EMAIL.ids | CARD.ids, (STAFF, GUEST))
    assert unite([]) == Detectors()


def test_custom_pattern_is_redacted_and_its_name_known():
    chosen = plan(Rule("a", Detectors().add_customs([STAFF])))
    assert chosen.choose("staff", ()) == Treatment("a", Style.REDACT)
    assert {"STAFF", "EMAIL", "NESTED"} <= chosen.names


def test_plan_may_search_for_more_than_its_rules_name():
    wide = make_plan([Rule("a", EMAIL)], Masker(None, ""), among=unite([Rule("a", EMAIL), Rule("b", CARD)]))
    assert wide.choose("credit_card", ()) is None
    assert wide.scanner is make_plan([Rule("b", CARD)], Masker(None, ""), among=EMAIL.add("credit_card")).scanner
