"""When a worker that ended is started again, and when no more."""

import pytest

from agen_authz.app.supervisor.restart import GiveUp, Patience, StartAgain, judge_failure

PATIENCE = Patience(first_s=1.0, longest_s=5.0, most=4, window_s=100.0)


def test_pauses_double_up_to_the_longest_until_there_are_too_many_failures():
    failures: tuple[float, ...] = ()
    seen = []
    for now in (10.0, 20.0, 30.0, 40.0, 50.0):
        judged = judge_failure(failures, now, PATIENCE)
        seen.append(judged.after_s if isinstance(judged, StartAgain) else judged.count)
        failures = judged.failures if isinstance(judged, StartAgain) else failures
    assert seen == [1.0, 2.0, 4.0, 5.0, 5]
    assert isinstance(judged, GiveUp)


def test_failures_of_long_ago_are_forgotten():
    assert judge_failure((0.0, 1.0, 2.0, 3.0), 102.5, PATIENCE) == StartAgain(2.0, (3.0, 102.5))
    assert judge_failure((0.0, 1.0, 2.0, 3.0), 200.0, PATIENCE) == StartAgain(1.0, (200.0,))


@pytest.mark.parametrize("most", [1, 10, 10_000])
def test_no_pause_is_longer_than_the_longest(most):
    patience = Patience(first_s=0.1, longest_s=10.0, most=most)
    judged = judge_failure((0.0,) * (most - 1), 1.0, patience)
    assert isinstance(judged, StartAgain) and judged.after_s <= 10.0
    assert judge_failure(judged.failures, 1.0, patience) == GiveUp(most + 1)
