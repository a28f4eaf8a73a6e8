"""The storm's ledger: what is lost, when, and who was let in."""

from tests.stage.storm import Answered, Storm, sum_up

CALM = 5.0


def test_a_call_is_lost_by_its_status_and_belongs_to_the_time_it_ended() -> None:
    good = [Answered(1.0, 200, 2.0), Answered(2.0, 503, 4.0), Answered(3.0, 200, 3.0), Answered(6.0, 0, 9.0)]
    strangers = [Answered(1.0, 401, 1.0), Answered(2.0, 503, 1.0)]
    counts = {"forwarded": 2}
    expected = Storm(good=3, lost=1, lost_in_calm=1, let_in=0, p50_ms=3.0, worst_ms=4.0, counts=counts)
    assert sum_up(good, strangers, CALM, counts) == expected


def test_every_request_that_is_not_refused_or_reaches_the_backend_counts_as_let_in() -> None:
    good = [Answered(1.0, 200, 2.0)]
    strangers = [Answered(1.0, 200, 1.0), Answered(2.0, 401, 1.0)]
    assert sum_up(good, strangers, CALM, {"forwarded": 3}).let_in == 3
