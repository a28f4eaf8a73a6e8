"""What the rows of European identifiers share: presets, dates in patterns, and the checks that python-stdnum lacks.

Every check here ignores the separators in a value, and relies on it having the form that the row gives.
"""

import re

from agen_authz.core.masking.check import digits_of, passes_luhn, stdnum
from agen_authz.core.masking.national import alnum_of
from agen_authz.core.masking.row import Check, Preset

PERSONAL = frozenset({Preset.PII, Preset.GDPR})
MEDICAL = frozenset({Preset.PII, Preset.GDPR, Preset.PHI})
"""Also what HIPAA's Safe Harbor names: health plans, licences, number plates."""

DAY = r"(?:0[1-9]|[12]\d|3[01])"
MONTH = r"(?:0[1-9]|1[0-2])"

_ICAO_WEIGHTS = (7, 3, 1)


def joined(separators: tuple[str, ...], *parts: str) -> str:
    """Make a pattern of these parts with the same separator between all of them: one of these, which may be empty."""
    return "(?:" + "|".join(re.escape(separator).join(parts) for separator in separators) + ")"


def of_digits(name: str) -> Check:
    """Make a check by a module of python-stdnum that gets the digits only: letters around them are not checked."""
    passes = stdnum(name)
    return lambda value: passes(digits_of(value))


def passes_luhn_ten(value: str) -> bool:
    """True if the last ten digits pass Luhn: a Swedish number, with or without its century."""
    return passes_luhn(digits_of(value)[-10:])


def is_uk_prefix(value: str) -> bool:
    """True if the two letters are not among those that are never given out in National Insurance numbers."""
    return alnum_of(value)[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}


def passes_icao(value: str) -> bool:
    """True if the last digit is right for what is before it (ICAO 9303 part 3 section 4.9)."""
    text = alnum_of(value)
    return text[-1:].isdecimal() and _weigh(text[:-1], _ICAO_WEIGHTS) % 10 == int(text[-1])


def passes_polish_card(value: str) -> bool:
    """True if the digit after the three letters of a Polish identity card is right."""
    return _weigh(alnum_of(value), (7, 3, 1, 9, 7, 3, 1, 7, 3)) % 10 == 0


def passes_polish_passport(value: str) -> bool:
    """True if the digit after the two letters of a Polish passport is right."""
    return _weigh(alnum_of(value), (7, 3, 9, 1, 7, 3, 1, 7, 3)) % 10 == 0


def passes_rvnr(value: str) -> bool:
    """True if the last digit of a German pension insurance number is right (VKVV section 4)."""
    text = alnum_of(value)
    digits = text[:8] + _ordinal(text[8]) + text[9:11]
    return _cross_sums(digits, (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)) % 10 == int(text[11])


def passes_kvnr(value: str) -> bool:
    """True if the last digit of a German health insurance number is right (SGB V section 290)."""
    text = alnum_of(value)
    return _cross_sums(_ordinal(text[0]) + text[1:9], (1, 2)) % 10 == int(text[9])


def passes_lanr(value: str) -> bool:
    """True if the seventh digit of a German physician's number is right."""
    digits = digits_of(value)
    return -_weigh(digits[:6], (4, 9)) % 10 == int(digits[6])


def passes_nuss(value: str) -> bool:
    """True if the last two digits of a Spanish social security number are right."""
    digits = digits_of(value)
    province, serial = int(digits[:2]), int(digits[2:10])
    whole = serial + province * 10_000_000 if serial < 10_000_000 else int(digits[:10])
    return whole % 97 == int(digits[10:])


def passes_niss(value: str) -> bool:
    """True if the last digit of a Portuguese social security number is right."""
    digits = digits_of(value)
    return 9 - _weigh(digits[:10], (29, 23, 19, 17, 13, 11, 7, 5, 3, 2)) % 10 == int(digits[10])


def passes_taj(value: str) -> bool:
    """True if the last digit of a Hungarian social security number is right."""
    digits = digits_of(value)
    return _weigh(digits[:8], (3, 7)) % 10 == int(digits[8])


def passes_hungarian_tax(value: str) -> bool:
    """True if the last digit of a Hungarian tax number of a person is right."""
    digits = digits_of(value)
    return _weigh(digits[:9], range(1, 10)) % 11 == int(digits[9])


def passes_hungarian_person(value: str) -> bool:
    """True if the last digit of a Hungarian personal number is right; the weights were turned round in 1997."""
    digits = digits_of(value)
    last = int(digits[10])
    return last in {_weigh(digits[:10], range(1, 11)) % 11, _weigh(digits[:10], range(10, 0, -1)) % 11}


def passes_luxembourg(value: str) -> bool:
    """True if both last digits are right: the first by Luhn, the second by Verhoeff, each over the first eleven."""
    digits = digits_of(value)
    return passes_luhn(digits[:12]) and stdnum("verhoeff")(digits[:11] + digits[12])


def passes_snils(value: str) -> bool:
    """True if the last two digits of a Russian insurance number are right."""
    digits = digits_of(value)
    return _weigh(digits[:9], range(9, 0, -1)) % 101 % 100 == int(digits[9:])


def _weigh(text: str, weights: tuple[int, ...] | range) -> int:
    """Add up characters times weights, which begin again at the end; A is 10 and Z is 35."""
    return sum(int(each, 36) * weights[index % len(weights)] for index, each in enumerate(text))


def _cross_sums(digits: str, weights: tuple[int, ...]) -> int:
    products = (int(each) * weights[index % len(weights)] for index, each in enumerate(digits))
    return sum(each // 10 + each % 10 for each in products)


def _ordinal(letter: str) -> str:
    return f"{ord(letter) - ord('A') + 1:02d}"
