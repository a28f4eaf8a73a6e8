"""Numbers as texts: by their digits in full, whatever the notation."""

import re

from agen_authz.core.masking.trail import Trail

MIN_NUMBER = 10_000
"""A smaller number is nothing, unless its member's name says so."""

NUMBER_BEGINS = re.compile(r"(?:^|\x1e)[+-]?[0-9]{1,30}(?:\.[0-9]|[eE])")
"""How a number begins that is written as a text, in texts with separators between (view.SEPARATOR)."""

_MIN_FLOAT = 1e11
_MAX_CHARS, _MAX_WRITTEN = 40, 1e30
_BEGINS = frozenset("+-0123456789")
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30}(?:[eE][+-]?[0-9]{1,2})?|[eE][+-]?[0-9]{1,2})")


def write_number(number: float, trail: Trail, *, is_any: bool = False) -> str | None:
    """Write a number, or true or false, as it is searched; None if it is nothing.

    Args:
        is_any: True if any number may be something.
    """
    if type(number) is bool:
        return ("true" if number else "false") if trail.fields else None
    is_told = is_any or bool(trail.fields)
    if type(number) is int:
        return str(abs(number)) if is_told or abs(number) >= MIN_NUMBER else None
    return _write_float(abs(number)) if is_told or abs(number) >= _MIN_FLOAT else None


def read_number(text: str) -> str | None:
    """Read a number that is written as a text, with a fraction or an exponent; None if it is none of these."""
    if text[:1] not in _BEGINS or len(text) > _MAX_CHARS or _NUMBER.fullmatch(text) is None:
        return None
    return _write_float(abs(float(text)))


def _write_float(number: float) -> str:
    return str(int(number)) if number.is_integer() and number < _MAX_WRITTEN else repr(number)
