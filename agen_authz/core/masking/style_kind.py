"""Kinds of values, as far as they are masked differently, and one spelling for the ways to write a character."""

import re
import unicodedata
from enum import Enum, auto

from agen_authz.core.memory import remember


class ValueKind(Enum):
    """Kinds of values that are masked in their own way; OTHER for all the rest."""

    EMAIL = auto()
    PHONE = auto()
    CARD = auto()
    IBAN = auto()
    IP = auto()
    NAME = auto()
    ADDRESS = auto()
    DATE = auto()
    AGE = auto()
    POSTCODE = auto()
    GPS = auto()
    OTHER = auto()


_KINDS = {
    "email": ValueKind.EMAIL,
    "phone": ValueKind.PHONE,
    "fax": ValueKind.PHONE,
    "credit_card": ValueKind.CARD,
    "unverified_credit_card": ValueKind.CARD,
    "iban": ValueKind.IBAN,
    "ip_address": ValueKind.IP,
    "person_name": ValueKind.NAME,
    "address": ValueKind.ADDRESS,
    "date_of_birth": ValueKind.DATE,
    "date_time": ValueKind.DATE,
    "age": ValueKind.AGE,
    "postcode": ValueKind.POSTCODE,
    "gps": ValueKind.GPS,
}
# The same values under a longer name: `us_postcode`, `admission_date`, a custom `work-email`.
_ENDINGS = (
    ("_email", ValueKind.EMAIL),
    ("_phone", ValueKind.PHONE),
    ("_phone_number", ValueKind.PHONE),
    ("_credit_card", ValueKind.CARD),
    ("_credit_card_number", ValueKind.CARD),
    ("_iban", ValueKind.IBAN),
    ("_ip_address", ValueKind.IP),
    ("_person_name", ValueKind.NAME),
    ("_address", ValueKind.ADDRESS),
    ("_date", ValueKind.DATE),
    ("_date_of_birth", ValueKind.DATE),
    ("_postcode", ValueKind.POSTCODE),
    ("_postal_code", ValueKind.POSTCODE),
    ("_zip", ValueKind.POSTCODE),
    ("_zip_code", ValueKind.POSTCODE),
)
# An address of a computer, a wallet or a mailbox is not a postal one.
_OTHER_ADDRESSES = ("mac_address", "bitcoin_address", "ethereum_address", "wallet_address")

# What no reader sees: format characters (category Cf), variation selectors, tags.
_UNSEEN = re.compile(
    "[\u00ad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e0fff]"
)


@remember(1024)
def kind_of(detector_id: str) -> ValueKind:
    """Return the kind of values that a detector finds."""
    name = detector_id.replace("-", "_")
    known = _KINDS.get(name)
    if known is not None:
        return known
    if name.endswith("_email_address"):
        return ValueKind.EMAIL
    if name.endswith(_OTHER_ADDRESSES):
        return ValueKind.OTHER
    return next((kind for ending, kind in _ENDINGS if name.endswith(ending)), ValueKind.OTHER)


def even(value: str) -> str:
    """Return a value with the digits of any script as ASCII, NFKC, and nothing that cannot be seen."""
    if value.isascii():
        return value
    text = unicodedata.normalize("NFKC", _UNSEEN.sub("", value))
    digits = {ord(each): str(unicodedata.decimal(each)) for each in set(text) if each.isdecimal()}
    return text.translate(digits) if digits else text
