"""Telephone numbers, by the numbering plans that phonenumbers has of every region (ITU-T E.164)."""

import re

import phonenumbers
from phonenumbers import NumberParseException

_INTERNATIONAL = re.compile(r"\+|00(?=[1-9])")
_CUT = re.compile(r"[ ()\-./]+[0-9]+\)?$")
_MAX_CUTS = 4
_VALID, _POSSIBLE, _NATIONAL = 0.8, 0.55, 0.6

DIRECT = rb"\+ ?[0-9(][0-9 ()\-./]{5,26}[0-9]|\([0-9]{1,5}\)[ \-./]{0,2}[0-9][0-9 \-./]{3,14}[0-9]"
"""What may be a number in its international form, or with its area in brackets."""


def is_international(text: str) -> bool:
    """True if a text as a whole is a number in its international form, with `+` or `00`."""
    return measure_phone(text, None)[0] == len(text)


def measure_phone(text: str, region: str | None) -> tuple[int, float]:
    """Find how much of a candidate is a telephone number, from its beginning, and how sure that is; total.

    Args:
        region: whose numbers may be in national form.

    Returns:
        How many characters, and a score; `(0, 0.0)` if it is none.
    """
    found = _INTERNATIONAL.match(text)
    if found is not None:
        return _measure("+" + text[found.end() :], None, shift=found.end() - 1)
    return _measure(text, region, shift=0) if region is not None else (0, 0.0)


def _measure(number: str, region: str | None, *, shift: int) -> tuple[int, float]:
    for _attempt in range(_MAX_CUTS):
        score = _judge(number, region)
        if score:
            return len(number) + shift, score
        shorter = _CUT.sub("", number)
        if shorter == number or len(shorter) < 5:
            break
        number = shorter
    return 0, 0.0


def _judge(number: str, region: str | None) -> float:
    try:
        parsed = phonenumbers.parse(number, region)
    except NumberParseException:
        return 0.0
    if phonenumbers.is_valid_number(parsed):
        return _VALID if region is None else _NATIONAL
    is_possible = region is None and phonenumbers.is_possible_number(parsed)
    return _POSSIBLE if is_possible else 0.0
