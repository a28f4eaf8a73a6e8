"""The soak finds what it is for, and runs: ten seconds of it, so that it does not rot."""

import subprocess
import sys

import pytest

from bench.soak.ledger import MARK, Faults, Ledger, Reader
from bench.soak.truth import (
    ALLOWED,
    EITHER,
    EXPIRED,
    KEY_UNKNOWN,
    KEY_UNSETTLED,
    NO,
    NO_PROVIDER,
    UNKNOWN_TARGET,
    YES,
    Possible,
    Span,
    Token,
    Truth,
    answers_to,
    toggled,
)
from bench.soak.watch import Sample, find_growth, read_metrics

NOW = 1_800_000_000.0
UNKNOWN = {KEY_UNKNOWN, KEY_UNSETTLED}
CALLER = {"agen-subject": '"u-1"'}


# ---- what may be answered ------------------------------------------------------------------------------------


def truth(*, published: Possible = YES, down: Possible = NO, on: Possible = YES) -> Truth:
    return Truth(on, {"one": down}, {("one", "k1"): published})


@pytest.mark.parametrize(
    ("first", "last", "ends_in_s", "expected"),
    [
        pytest.param(truth(), truth(), 60.0, {ALLOWED}, id="good"),
        pytest.param(truth(), truth(), -60.0, {EXPIRED}, id="expired"),
        pytest.param(truth(), truth(), 0.0, {ALLOWED, EXPIRED}, id="expiring just now"),
        pytest.param(truth(published=NO), truth(published=NO), 60.0, UNKNOWN, id="key withdrawn"),
        pytest.param(truth(), truth(published=EITHER), 60.0, {ALLOWED, *UNKNOWN}, id="key turning"),
        pytest.param(
            truth(published=NO, down=YES), truth(published=NO, down=YES), 60.0, {NO_PROVIDER, *UNKNOWN},
            id="nobody to ask",
        ),
        pytest.param(truth(down=YES), truth(down=YES), 60.0, {ALLOWED}, id="known key, issuer down"),
    ],
)  # fmt: skip
def test_a_call_is_judged_by_both_ends_of_its_time(first, last, ends_in_s, expected):
    token = Token("t", "one", "k1", "u-1", NOW + ends_in_s)
    assert answers_to(token, Span(NOW, NOW, (first, last)), frozenset({ALLOWED})) == expected


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        pytest.param(YES, YES, {ALLOWED}, id="on"),
        pytest.param(NO, NO, {UNKNOWN_TARGET}, id="off"),
        pytest.param(YES, EITHER, {ALLOWED, UNKNOWN_TARGET}, id="turning"),
    ],
)
def test_a_toggled_rule_has_one_answer_once_it_has_turned(first, last, expected):
    assert toggled(Span(NOW, NOW, (truth(on=first), truth(on=last)))) == expected


# ---- what arrived --------------------------------------------------------------------------------------------


def entry(number: int, mark: str, **headers: str) -> dict[str, object]:
    written = {MARK: mark, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return {"number": number, "headers": list(written.items()), "body_bytes": 0, "body_sha256": "-"}


def told_by(arrived: list[dict[str, object]], least: int, most: int) -> list[str]:
    faults = Faults()
    ledger = Ledger(faults)
    ledger.open("m-1", "allowed", CALLER)
    ledger.settle("m-1", least, most, now=1.0)
    Reader("crm", ledger, faults).read(arrived)
    ledger.close(2.0)
    return faults.told


GOOD = entry(1, "m-1", agen_subject='"u-1"')
WRONG = {
    "allowed and not arrived": ([], 1, 1, "allowed: arrived 0 times, expected 1"),
    "arrived twice": ([GOOD, {**GOOD, "number": 2}], 1, 1, "allowed: arrived 2 times, expected 1"),
    "refused and arrived": ([GOOD], 0, 0, "allowed: arrived 1 times, expected 0"),
    "somebody else's name": ([entry(1, "m-1", agen_subject='"u-2"')], 1, 1, "allowed: arrived with wrong agen-subject"),
    "the token arrived": (
        [entry(1, "m-1", agen_subject='"u-1"', authorization="Bearer t")], 1, 1,
        "allowed: arrived with wrong authorization",
    ),
    "a hole in the record": ([{**GOOD, "number": 3}], 1, 1, "crm: 2 arrivals were not seen, the record is full"),
    "nobody's request": (
        [GOOD, entry(2, "m-2", agen_request_id="r-2")], 1, 1,
        "a backend received a request that no client may have sent: r-2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_an_arrival_that_does_not_fit_is_a_fault(name):
    arrived, least, most, fault = WRONG[name]
    assert told_by(arrived, least, most) == [fault]


@pytest.mark.parametrize(
    ("arrived", "least", "most"),
    [
        pytest.param([GOOD], 1, 1, id="allowed"),
        pytest.param([], 0, 0, id="refused"),
        pytest.param([], 0, 1, id="aborted"),
        pytest.param([GOOD, GOOD], 1, 1, id="read twice"),
    ],
)
def test_an_arrival_that_fits_is_none(arrived, least, most):
    assert told_by(arrived, least, most) == []


def test_a_request_that_is_under_way_stays_open():
    ledger = Ledger(Faults())
    ledger.open("m-1", "allowed", CALLER)
    ledger.close(float("inf"))
    assert ledger.open_rows() == 1


# ---- what grew -----------------------------------------------------------------------------------------------


def held(rss_mb: float, files: int = 20, threads: int = 4) -> Sample:
    return Sample(rss_mb, files, threads, 60.0)


@pytest.mark.parametrize(
    ("last", "found"),
    [
        pytest.param(held(102.9), [], id="within the bound"),
        pytest.param(held(103.5), ["memory grew from 100.0 to 103.5 MB"], id="memory"),
        pytest.param(held(100.0, files=26), ["open files grew from 20 to 26"], id="files"),
        pytest.param(held(100.0, threads=10), ["open threads grew from 4 to 10"], id="threads"),
    ],
)
def test_growth_is_that_of_the_last_third_over_the_second(last, found):
    # What the first third held is warm-up, and one outlier moves no median.
    assert find_growth([held(50.0)] * 5 + [held(100.0)] * 5 + [held(300.0), *[last] * 4]) == found


def test_too_few_samples_show_nothing():
    assert find_growth([held(100.0)] * 2) == ["there are too few samples to tell whether anything grew"]


def test_metrics_are_added_up_by_label():
    text = '# TYPE a counter\na_total{x="1",y="2"} 3.0\na_total{x="1",y="3"} 4.0\na_total{x="2",y="3"} 5.0\n'
    assert read_metrics(text).total("a_total", x="1") == 7.0


# ---- all of it -----------------------------------------------------------------------------------------------


@pytest.mark.envoy
@pytest.mark.services
@pytest.mark.slow
def test_ten_seconds_of_soak_find_nothing_wrong():
    command = [sys.executable, "-m", "bench.soak", "--minutes", "0.17", "--pace", "8", "--rate", "80"]
    soaked = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert (soaked.returncode, soaked.stderr) == (0, ""), soaked.stdout + soaked.stderr
    # Everything that turns has turned at least once.
    assert {"reloads", "rotations", "outages"} <= {line.split("  ")[0] for line in soaked.stdout.splitlines()}
