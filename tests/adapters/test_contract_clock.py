"""The contracts of `Clock` and `Entropy`."""

import pytest

from agen_authz.adapters.clock import SystemClock, SystemEntropy
from tests.fakes import FakeClock, SeqEntropy


@pytest.mark.parametrize("clock", [SystemClock(), FakeClock()], ids=["system", "fake"])
def test_elapsed_time_never_steps_back(clock):
    read = [clock.elapsed() for _ in range(100)]
    assert read == sorted(read)


@pytest.mark.parametrize("clock", [SystemClock(), FakeClock()], ids=["system", "fake"])
def test_now_is_seconds_of_this_century(clock):
    assert 1_700_000_000 < clock.now() < 4_000_000_000


@pytest.mark.parametrize("entropy", [SystemEntropy(), SeqEntropy()], ids=["system", "fake"])
def test_draws_have_their_size_and_never_repeat(entropy):
    drawn = [entropy.draw(16) for _ in range(100)]
    assert ({len(each) for each in drawn}, len(set(drawn))) == ({16}, 100)


def test_fake_clock_moves_when_told_to():
    clock = FakeClock(now=100.0, elapsed=10.0)
    clock.advance(5)
    clock.step(-50)
    assert (clock.now(), clock.elapsed()) == (55.0, 15.0)
