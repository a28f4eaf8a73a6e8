"""The forms that masking writes, by which a masked value is recognised, so that it is not masked again.

A value that a server sends may look like a masked one, and is then sent on as it is. So the forms are strict: what is
shown besides stars is no more than the style shows, and a form that is nothing but a number counts only if the detector
writes such numbers.
"""

import re
from collections.abc import Callable, Mapping, Set
from ipaddress import ip_network

from agen_authz.core.masking.row import Style
from agen_authz.core.masking.style_kind import ValueKind
from agen_authz.core.masking.style_shown import (
    DOMAIN,
    FEWEST_PHONE,
    SEPARATORS,
    count_ends,
    count_last,
    without_separators,
)
from agen_authz.core.masking.token_value import is_pseudonym, is_token

_BRACKETED = re.compile(r"\[([A-Z][A-Z0-9_]{0,62})\]")
_ENDS = re.compile(r"([^\W_]{0,6})\*+([^\W_]{0,4})")
_EMAIL = re.compile(rf"[^\W_]?\*\*\*@{DOMAIN}")
_IP = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\.\*\.\*|[0-9a-f]{1,4}:[0-9a-f]{1,4}:\*")
_INITIAL = re.compile(r"[^\W_]?\*+")
_SEPARATED = re.compile(rf"[{re.escape(SEPARATORS)}]+")
_CARD = re.compile(r"\d{0,6}\*{3,}\d{0,4}")
_IBAN = re.compile(r"[A-Za-z]{2}\*{9,}[A-Za-z0-9]{4}")
_FEWEST_CARD, _LONGEST_CARD = 13, 19

_YEAR = re.compile(r"(?:1[89]|20|21)[0-9]{2}")
_AGE = re.compile(r"[0-8]?[0-9]|90\+")
_ZIP = re.compile(r"[0-9]{3}\*\*")
_AREA = re.compile(r"[0-9]{3}\*\*|[A-Z]{1,2}[0-9][A-Z0-9]? \*\*\*|[A-Z][0-9][A-Z] \*\*\*|[A-Z0-9]{2}\*{2,8}")
_PLACE = re.compile(r"[+-]?[0-9]{1,3}\.[0-9](?:, [+-]?[0-9]{1,3}\.[0-9])?")
_NETWORK = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}/[0-9]{1,2}|[0-9a-f:]{2,39}/[0-9]{1,2}")
_LONGEST_PREFIX = {4: 24, 6: 48}

_Form = Callable[[str], bool]


def is_written(value: str, kind: ValueKind | None, names: Set[str]) -> Style | None:
    """Return the strictest style that may have written a value, or None.

    Args:
        kind: of the detector; None for any of those whose forms are nothing else's.
        names: the detectors' names, in capitals, that may be in brackets or before what a key made; empty for any.
    """
    if not value:
        return Style.DROP
    bracketed = _BRACKETED.fullmatch(value)
    if bracketed is not None:
        return Style.REDACT if not names or bracketed[1] in names else None
    keyed = _read_keyed(value)
    if keyed is not None:
        style, name = keyed
        return style if not names or name in names else None
    if any(form(value) for form in _COARSE.get(kind, ())):
        return Style.GENERALIZE
    if "*" not in value:
        return None
    if _is_last4(value):
        return Style.LAST4
    return Style.PARTIAL if any(form(value) for form in (_is_ends, *_PARTIAL.get(kind, ()))) else None


def _read_keyed(value: str) -> tuple[Style, str] | None:
    """Read the style and the detector's name of what a key made of a value."""
    if is_pseudonym(value):
        return Style.HASH, value.rpartition("_")[0]
    if is_token(value):
        return Style.TOKENIZE, value.removeprefix("tok_").rpartition("_")[0].upper()
    return None


def _split(value: str) -> tuple[int, int, int] | None:
    """Return how many letters and digits there are, in front of the stars, and behind them."""
    letters = without_separators(value)
    found = _ENDS.fullmatch(letters)
    return None if found is None else (len(letters), len(found[1]), len(found[2]))


def _is_last4(value: str) -> bool:
    split = _split(value)
    return split is not None and split[1] == 0 and split[2] <= count_last(split[0])


def _is_ends(value: str) -> bool:
    split = _split(value)
    if split is None:
        return False
    front, back = count_ends(split[0])
    return split[1] <= front and split[2] <= back


def _is_email(value: str) -> bool:
    return _EMAIL.fullmatch(value) is not None


def _is_phone(value: str) -> bool:
    split = _split(value)
    if split is None or split[0] < FEWEST_PHONE:
        return False
    front = 3 if value.lstrip().startswith("+") else 2
    return split[1] <= front and split[2] <= 2 and 2 * (split[1] + split[2]) <= split[0]


def _is_card(value: str) -> bool:
    letters = without_separators(value)
    return _CARD.fullmatch(letters) is not None and _FEWEST_CARD <= len(letters) <= _LONGEST_CARD


def _is_iban(value: str) -> bool:
    return _IBAN.fullmatch(without_separators(value)) is not None


def _is_ip(value: str) -> bool:
    return _IP.fullmatch(value) is not None


def _is_name(value: str) -> bool:
    words = [word for word in _SEPARATED.split(value) if word]
    return all(map(_INITIAL.fullmatch, words))


def _matches(pattern: "re.Pattern[str]") -> _Form:
    return lambda value: pattern.fullmatch(value) is not None


def _is_network(value: str) -> bool:
    if not _NETWORK.fullmatch(value):
        return False
    try:
        found = ip_network(value)
    except ValueError:
        return False
    return found.prefixlen <= _LONGEST_PREFIX[found.version]


_PARTIAL: Mapping[ValueKind | None, tuple[_Form, ...]] = {
    ValueKind.EMAIL: (_is_email,),
    ValueKind.PHONE: (_is_phone,),
    ValueKind.CARD: (_is_card,),
    ValueKind.IBAN: (_is_iban,),
    ValueKind.IP: (_is_ip,),
    ValueKind.NAME: (_is_name,),
    None: (_is_email, _is_phone, _is_card, _is_iban, _is_ip, _is_name),
}
_COARSE: Mapping[ValueKind | None, tuple[_Form, ...]] = {
    ValueKind.DATE: (_matches(_YEAR),),
    ValueKind.AGE: (_matches(_AGE),),
    ValueKind.POSTCODE: (_matches(_AREA),),
    ValueKind.IP: (_is_network,),
    ValueKind.GPS: (_matches(_PLACE),),
    None: (_matches(_YEAR), "90+".__eq__, _matches(_ZIP), _is_network),
}
