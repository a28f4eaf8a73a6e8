"""Numbers are searched by their digits in full, and small ones only where a name tells of them."""

import pytest

from agen_authz.core.masking.number import read_number, write_number
from agen_authz.core.masking.trail import Trail

FREE, TOLD = Trail(), Trail(("ssn",), ("us_ssn",))


@pytest.mark.parametrize(
    ("number", "written", "told"),
    [
        (4111111111111111, "4111111111111111", "4111111111111111"),
        (-4111111111111111, "4111111111111111", "4111111111111111"),
        (4111111111111111.0, "4111111111111111", "4111111111111111"),
        (-4.111111111111111e15, "4111111111111111", "4111111111111111"),
        (1e40, "1e+40", "1e+40"),
        (10_000, "10000", "10000"),
        (9_999, None, "9999"),
        (-9_999, None, "9999"),
        (12_345_678.5, None, "12345678.5"),
        (0, None, "0"),
        (True, None, "true"),
        (False, None, "false"),
    ],
)
def test_number_is_written_in_full(number: float, written: str | None, told: str) -> None:
    assert (write_number(number, FREE), write_number(number, TOLD)) == (written, told)


@pytest.mark.parametrize(("number", "written"), [(5, "5"), (-1.5, "1.5"), (True, None)])
def test_small_number_is_written_if_any_may_be_something(number: float, written: str | None) -> None:
    assert write_number(number, FREE, is_any=True) == written


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("4111111111111111.0", "4111111111111111"),
        ("-4.111111111111111e15", "4111111111111111"),
        ("+41111111111111110000e-4", "4111111111111111"),
        ("1.5", "1.5"),
        ("1e40", "1e+40"),
        ("4111111111111111", None),
        ("1.2.3", None),
        (".5", None),
        ("e5", None),
        ("1e", None),
        ("1." + "0" * 60, None),
        ("", None),
    ],
)
def test_text_that_is_a_number_with_a_fraction_or_exponent_is_read(text: str, read: str | None) -> None:
    assert read_number(text) == read
