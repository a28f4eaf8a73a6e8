"""Checks are total: a value that has no such form is none."""

import pytest

from agen_authz.core.masking.check import both, digits_of, passes_luhn, stdnum


@pytest.mark.parametrize(
    ("name", "value", "is_one"),
    [
        ("iban", "DE89 3704 0044 0532 0130 00", True),
        ("iban", "DE89 3704 0044 0532 0130 01", False),
        ("br.cpf", "390.533.447-05", True),
        ("br.cpf", "", False),
        ("br.cpf", "\u0664\x00", False),
    ],
)
def test_number_is_checked_by_its_module(name: str, value: str, is_one: bool) -> None:
    assert stdnum(name)(value) is is_one


def test_error_of_a_module_is_a_refusal():
    """This module looks each digit up, and takes those of other scripts for digits."""
    assert stdnum("pt.cc")("12\u0663\u06630\u0663301312") is False


@pytest.mark.parametrize(
    ("digits", "passes"), [("4111111111111111", True), ("4111111111111112", False), ("0", True), ("18", True)]
)
def test_last_digit_of_luhn_is_right(digits: str, passes: bool) -> None:
    assert passes_luhn(digits) is passes


def test_digits_are_the_ascii_ones():
    assert digits_of("a1-2\u06643") == "123"


@pytest.mark.parametrize(("value", "passes"), [("12", True), ("1", False), ("ab", False)])
def test_both_pass_if_each_does(value: str, passes: bool) -> None:
    assert both(str.isdigit, lambda text: len(text) == 2)(value) is passes
