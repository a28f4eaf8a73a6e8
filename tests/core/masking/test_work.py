"""What a search may cost grows with the text, and with what is found, up to a limit."""

import pytest

from agen_authz.core.masking.rule import Unmaskable
from agen_authz.core.masking.work import Allowance


def spend_all(work: Allowance, unit: float = 500) -> float:
    """Spend units until there are none left; return how many there were."""
    spent = 0.0
    with pytest.raises(Unmaskable):
        while True:
            work.spend(unit)
            spent += unit
    return spent


def test_longer_text_may_cost_more():
    assert spend_all(Allowance(1_000_000)) > spend_all(Allowance(0)) > 0


def test_value_that_was_found_adds_what_masking_it_costs():
    work = Allowance(0)
    for _ in range(1000):
        work.earn()
    assert spend_all(work) > spend_all(Allowance(0)) + 1000


def test_so_many_values_add_nothing_more():
    many, more = Allowance(0), Allowance(0)
    for _ in range(30_000):
        many.earn()
    for _ in range(40_000):
        more.earn()
    assert spend_all(more, 50_000) == spend_all(many, 50_000)


def test_refusal_says_why_and_holds_no_value():
    with pytest.raises(Unmaskable) as refused:
        Allowance(0).spend(10**9)
    assert refused.value.detail == "looking for values in it costs too much"
