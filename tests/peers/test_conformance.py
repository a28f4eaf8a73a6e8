"""The official suite: nothing that passes directly fails through us; and the comparison sees a failure."""

from pathlib import Path

import pytest

from tests.peers.conformance import REVISIONS, Run, Verdict, differences, run_both, running_both, verdict


@pytest.mark.services
@pytest.mark.slow
def test_no_scenario_that_passes_directly_fails_through_us(tmp_path: Path) -> None:
    with running_both(tmp_path) as urls:
        runs = [run_both(tmp_path, revision, urls) for revision in REVISIONS]
    assert [line for run in runs for line in differences(run)] == []
    # The suite found something to pass: an empty run differs in nothing either.
    passed = {run.revision: sum(verdict(checks) is Verdict.PASSED for checks in run.direct.values()) for run in runs}
    assert passed == {"2026-07-28": 40, "2025-11-25": 33}


@pytest.mark.parametrize(
    ("through", "expected"),
    [
        pytest.param({"one": {"a": "SUCCESS", "b": "WARNING"}}, [], id="the same"),
        pytest.param({"one": {"a": "FAILURE"}}, ["R one: `a` is FAILURE through us"], id="a check fails"),
        pytest.param({"one": {"a": "SKIPPED"}}, ["R one: `a` is SKIPPED through us"], id="a check is skipped"),
        pytest.param({}, ["R one: `a` is missing through us"], id="a scenario is missing"),
    ],
)
def test_what_passes_directly_must_pass_through_us(through: dict[str, dict[str, str]], expected: list[str]) -> None:
    direct = {"one": {"a": "SUCCESS", "b": "WARNING"}, "two": {"a": "FAILURE", "c": "SUCCESS"}}
    assert differences(Run("R", direct, through)) == expected
