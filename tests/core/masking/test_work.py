"""What a search may cost grows with the text, and with what is found, up to a limit."""

import pytest

from agen_authz.core.masking.rule import Unmaskable
from agen_authz.core.masking.work import Work


def spend_all(work: Work, unit: float = 500) -> float:
    """Spend units until there are none left; return how many there were."""
    spent = 0.0
    with pytest.raises(Unmaskable):
        while True:
            work.spend(unit)
            spent += unit
    return spent


def test_longer_text_may_cost_more():
    assert spend_all(Work(1_000_000)) > spend_all(Work(0)) > 0


def test_value_that_was_found_adds_what_masking_it_costs():
    work = Work(0)
    for _ in range(1000):
        work.earn()
    assert spend_all(work) > spend_all(Work(0)) + 1000


def test_so_many_values_add_nothing_more():
    many, more = Work(0), Work(0)
    for _ in range(30_000):
        many.earn()
    for _ in range(40_000):
        more.earn()
    assert spend_all(more, 50_000) == spend_all(many, 50_000)


def test_refusal_says_why_and_holds_no_value():
    with pytest.raises(Unmaskable) as refused:
        Work(0).spend(10**9)
    assert refused.value.detail == "looking for values in it costs too much"
