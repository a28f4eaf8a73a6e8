"""No check of the official suite has a worse result through us than directly; and the comparison sees one."""

import json
from pathlib import Path

import pytest

from tests.peers.conformance import REVISIONS, Run, Verdict, defects, differences, run_both, running_both, verdict


@pytest.mark.services
@pytest.mark.slow
def test_no_check_has_a_worse_result_through_us_than_directly(tmp_path: Path) -> None:
    with running_both(tmp_path) as ways:
        runs = [run_both(tmp_path, revision, ways) for revision in REVISIONS]
    assert [line for run in runs for line in differences(run)] + defects(ways.audit_file) == []
    # The suite found something to pass: an empty run differs in nothing either.
    passed = {run.revision: sum(verdict(checks) is Verdict.PASSED for checks in run.direct.values()) for run in runs}
    assert passed == {"2026-07-28": 40, "2025-11-25": 33}


_DIRECT = {"one": {"a": "SUCCESS", "b": "WARNING"}, "two": {"a": "FAILURE"}}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"one": {"a": "FAILURE", "b": "WARNING"}}, ["R one: `a` is FAILURE through us, SUCCESS directly"]),
        ({"one": {"a": "SUCCESS"}}, ["R one: `b` is missing through us, WARNING directly"]),
        ({"two": {}}, ["R two: `a` is missing through us, FAILURE directly"]),
        ({"two": {"a": "SUCCESS"}}, []),
    ],
    ids=["the same", "a check fails", "a check is missing", "a failure is missing", "only we pass"],
)
def test_a_check_with_a_worse_result_is_a_difference(changed: dict[str, dict[str, str]], expected: list[str]) -> None:
    assert differences(Run("R", _DIRECT, _DIRECT | changed)) == expected


def test_request_that_a_defect_denied_is_a_difference(tmp_path: Path) -> None:
    events = tmp_path / "audit.jsonl"
    rows = [{"request_id": "r-1", "reason": "allowed"}, {"request_id": "r-2", "reason": "internal_error"}]
    events.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    assert defects(events) == ["a defect denied request r-2"]
