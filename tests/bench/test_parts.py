"""What `make bench` and `make profile` are made of still runs: each once, nothing is timed."""

import pytest

from bench import signature
from bench.__main__ import PARTS, main
from bench.decision import Decision


@pytest.mark.parametrize(("rules", "policies"), [(1, 2), (30, 2), (2, 30)])
def test_decision_of_the_bench_is_an_allow(rules, policies):
    assert b"agen-subject" in Decision(rules, policies).decide()


def test_signature_of_the_bench_verifies(monkeypatch):
    monkeypatch.setattr(signature, "CALLS", 2)
    costs = signature.measure()
    assert min(costs.sign_us, costs.verify_us, costs.json_us) > 0


def test_part_that_is_none_is_misuse(capsys):
    assert main(["nosuch"]) == 2
    told = capsys.readouterr().err
    assert [name for name in PARTS if name not in told] == []
