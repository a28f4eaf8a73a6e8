"""Every kind of finding has a file that has this defect and no other; without its check the file's test fails."""

from pathlib import Path

import pytest

from agen_authz.envoy.check import check_file
from agen_authz.envoy.check.defect import load_defects

HERE = Path(__file__).parent
CASES = sorted((HERE / "cases").glob("*.yaml"))
MARK = "# found here"
# What Check says in the configuration that the cases belong to.
OFF_WORD = "off-0123456789abcdef"


def marked_lines(text: str) -> set[int]:
    return {number for number, line in enumerate(text.splitlines(), 1) if line.endswith(MARK)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_defect_is_found_on_its_line_and_nothing_else_is(case: Path):
    text = case.read_text()
    report = check_file(text, off_word=OFF_WORD)
    found = {(finding.id, finding.line) for finding in (*report.findings, *report.hints)}
    assert {(case.stem, line) for line in marked_lines(text)} == found


def test_every_kind_of_finding_has_a_case():
    assert set(load_defects()) == {case.stem for case in CASES}


def test_what_the_cases_are_made_from_has_no_findings():
    report = check_file((HERE / "sound.yaml").read_text(), off_word=OFF_WORD)
    assert (report.findings, report.hints) == ([], [])


def test_the_page_has_every_kind_of_finding_as_it_is_printed():
    page = (HERE.parents[1] / "docs" / "envoy-check.md").read_text()
    rows = [line for line in page.partition("## Findings")[2].splitlines() if line.startswith("| `")]
    expected = [
        f"| `{name}` | {defect.severity} | {defect.risk} | {defect.cure} |" for name, defect in load_defects().items()
    ]
    assert expected == rows
