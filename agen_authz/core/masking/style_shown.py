"""Styles `partial` and `last4`: which letters and digits of a value are shown; `*` is written for all others.

1. Separators are kept, so that the form of the value can be seen. If there are more of them than letters and digits,
   they are the value, and `*` is written for them as well.
2. What is neither a separator nor shown becomes `*`, one for each character. Only letters and digits are ever shown:
   an end that has something else in it is not.
3. A value shorter than five letters and digits shows nothing, but for the initial of a name.
4. None is returned if nothing would be hidden; the detector's name is written then, and for what is very long.
5. Cards show the first six and the last four digits at most (PCI DSS 4.0.1 requirement 3.4.1).
"""

import re
from collections.abc import Callable, Mapping
from itertools import islice

from agen_authz.core.masking.check import digits_of, passes_luhn
from agen_authz.core.masking.style_coarse import find_year, read_address
from agen_authz.core.masking.style_kind import ValueKind, even

SEPARATORS = " -./:,()+'_@#"
_SEPARATED = re.compile(rf"[^{re.escape(SEPARATORS)}]+")
_WITHOUT_SEPARATORS = str.maketrans("", "", SEPARATORS)
_STARS = {place: "*" for place in range(128) if chr(place) not in SEPARATORS}
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_LONGEST = 1024

_FEWEST_SHOWN = 5
_FEWEST_LAST4 = 9
FEWEST_PHONE = 7
_FEWEST_CARD, _LONGEST_SURE_CARD, _LONGEST_CARD = 13, 16, 19
_CARD = re.compile(r"[0-9]+(?:[ ./-]{1,3}[0-9]+)*")
_IBAN = re.compile("[A-Za-z]{2}[0-9]{2}[A-Za-z0-9]{11,30}")
# With a last label of letters: what else follows an `@` may be a number that must not be shown.
DOMAIN = r"[^\W_](?:[\w.-]{0,251})\.(?:[xX][nN]--[A-Za-z0-9-]{1,59}|[^\W\d_]{2,63})"
_DOMAIN = re.compile(DOMAIN)
# Country codes of E.164: 1 and 7 have one digit, these two, all others three.
_TWO_DIGIT_CODES = re.compile("2[07]|3[0-469]|4[0134-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]")


def show_partial(value: str, kind: ValueKind) -> str | None:
    """Return the value with what `partial` shows of its kind."""
    if len(value) > _LONGEST:
        return None
    shown = _WAYS.get(kind, _show_ends)(value)
    if kind is ValueKind.DATE:
        return shown
    return shown if shown is not None and "*" in shown else None


def show_last4(value: str, kind: ValueKind) -> str | None:
    """Return the value with its last four letters and digits, or fewer."""
    if len(value) > _LONGEST:
        return None
    shown = _star(value, 0, 0) if kind is ValueKind.CARD and not _is_card(value) else _star(value, 0, _last(value))
    return shown if "*" in shown else None


def count_ends(length: int) -> tuple[int, int]:
    """Return how many of so many letters and digits are shown in front and behind, if nothing more is known of them.

    A quarter and at most two of each, together no more than a third.
    """
    if length < _FEWEST_SHOWN:
        return 0, 0
    both, each = min(4, length // 3), min(2, length // 4)
    front = min(each, (both + 1) // 2)
    return front, min(each, both - front)


def count_last(length: int) -> int:
    """Return how many of so many letters and digits `last4` shows at most."""
    if length < _FEWEST_SHOWN:
        return 0
    return 4 if length >= _FEWEST_LAST4 else length // 4


def without_separators(value: str) -> str:
    """Return a value without separators."""
    return value.translate(_WITHOUT_SEPARATORS)


def _star(value: str, front: int, back: int) -> str:
    letters = without_separators(value)
    if len(value) - len(letters) > _count(letters):
        return "*" * len(value)
    start = _find_end(value, front) if letters[:front].isalnum() else 0
    end = len(value) - (_find_end(value[::-1], back) if letters[len(letters) - back :].isalnum() else 0)
    hidden = _BEYOND_ASCII.sub("*", value[start:end]).translate(_STARS)
    return value[:start] + hidden + value[end:]


def _find_end(value: str, count: int) -> int:
    """Return where the first so many characters that are not separators end."""
    places = (place for place, each in enumerate(value, 1) if each not in SEPARATORS)
    return next(islice(places, count - 1, None))


def _count(value: str) -> int:
    return sum(map(str.isalnum, value))


def _last(value: str) -> int:
    count = _count(value)
    # The end of a number identifies no person; the last four letters of a name or a domain are much of it.
    is_number = 2 * sum(map(str.isdecimal, value)) >= count
    return count_last(count) if is_number else min(count_last(count), count // 4)


def _show_ends(value: str) -> str:
    return _star(value, *count_ends(_count(value)))


def _show_email(value: str) -> str:
    local, _, domain = value.rpartition("@")
    if not local or not _DOMAIN.fullmatch(domain):
        return _show_ends(value)
    first = local[0] if len(local) > 1 and local[0].isalnum() else ""
    return f"{first}***@{domain}"


def _show_phone(value: str) -> str:
    count, front = _count(value), _count_country(even(value).strip())
    return _star(value, front, 2) if 2 * (front + 2) <= count >= FEWEST_PHONE else _show_ends(value)


def _count_country(text: str) -> int:
    if not text.startswith("+"):
        return 2
    digits = digits_of(text)
    if digits[:1] in {"1", "7"}:
        return 1
    return 2 if _TWO_DIGIT_CODES.match(digits) else 3


def _is_card(value: str) -> bool:
    """True if a value is the number of a card and nothing else: a verification code behind it must not be shown."""
    text = even(value).strip()
    digits = digits_of(text)
    if not _CARD.fullmatch(text) or len(digits) > _LONGEST_CARD or len(digits) != sum(map(str.isdecimal, value)):
        return False
    return len(digits) <= _LONGEST_SURE_CARD or passes_luhn(digits)


def _show_card(value: str) -> str:
    if not _is_card(value):
        return _star(value, 0, 0)
    return _star(value, 6, 4) if _count(value) >= _FEWEST_CARD else _star(value, 0, _last(value))


def _show_iban(value: str) -> str:
    return _star(value, 2, 4) if _IBAN.fullmatch(without_separators(value)) else _show_ends(value)


def _show_address(value: str) -> str:
    address = read_address(even(value).strip())
    if address is None:
        return _show_ends(value)
    if address.version == 4:
        return ".".join([*str(address).split(".")[:2], "*", "*"])
    first, second = (int(each, 16) for each in address.exploded.split(":")[:2])
    return f"{first:x}:{second:x}:*"


def _show_initials(value: str) -> str:
    return _SEPARATED.sub(lambda word: _show_initial(word[0]), value)


def _show_initial(word: str) -> str:
    return word[0] + "*" * (len(word) - 1) if word[0].isalnum() and len(word) > 1 else "*" * len(word)


_WAYS: Mapping[ValueKind, Callable[[str], str | None]] = {
    ValueKind.EMAIL: _show_email,
    ValueKind.PHONE: _show_phone,
    ValueKind.CARD: _show_card,
    ValueKind.IBAN: _show_iban,
    ValueKind.IP: _show_address,
    ValueKind.NAME: _show_initials,
    ValueKind.DATE: find_year,
}
