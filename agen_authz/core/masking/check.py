"""Checks that say whether a value that has a form is one: checksums from python-stdnum, and what it does not have.

A module of python-stdnum is imported when the first value is checked by it: all of them take 11 MB and 60 ms.
"""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from agen_authz.core.masking.row import Check
from agen_authz.core.memory import remember


def stdnum(name: str) -> Check:
    """Make a check by a module of python-stdnum, such as `br.cpf` or `iban`; separators are its business."""

    def check(value: str) -> bool:
        try:
            return _find(name)(value)
        except (LookupError, TypeError, ValueError):
            # Some modules look a part of the number up, or read it as a date, before they know what it is.
            return False

    return check


@remember(256)
def _find(name: str) -> Callable[[str], bool]:
    return cast("Callable[[str], bool]", import_module(f"stdnum.{name}").is_valid)


def digits_of(value: str) -> str:
    """Return the ASCII digits of a value."""
    return "".join(each for each in value if "0" <= each <= "9")


def passes_luhn(digits: str) -> bool:
    """True if the last digit is right (ISO/IEC 7812-1 annex B)."""
    doubled = digits[-2::-2]
    carried = sum(1 for each in doubled if each > "4")
    return (sum(map(int, digits[-1::-2])) + 2 * sum(map(int, doubled)) - 9 * carried) % 10 == 0


def both(*checks: Check) -> Check:
    """Make a check that passes if all of these do."""

    def check(value: str) -> bool:
        return all(each(value) for each in checks)

    return check
