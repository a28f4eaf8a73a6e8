"""Which digits the numbers of each card network begin with, and how long they are (ISO/IEC 7812-1).

A number is one of a network's if it begins so, has one of these lengths, and its last digit is right (Luhn).
"""

from agen_authz.core.masking.check import digits_of, passes_luhn

# (first prefix, last prefix, lengths): a range of prefixes of equal length.
_Range = tuple[str, str, tuple[int, ...]]

_SIXTEEN_UP = (16, 17, 18, 19)
_MAESTRO = tuple(range(12, 20))

# Networks that most numbers in the world belong to, in the lengths that they have.
_MAJOR: tuple[_Range, ...] = (
    ("4", "4", (16,)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),  # Mastercard
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),  # American Express
    ("6011", "6011", (16,)),  # Discover
    ("644", "649", (16,)),  # Discover
    ("65", "65", (16,)),  # Discover, RuPay, Elo, Troy, Verve
    ("62", "62", (16, 19)),  # UnionPay
    ("3528", "3589", (16,)),  # JCB
    ("300", "305", (14, 16)),  # Diners Club
    ("36", "36", (14, 16)),  # Diners Club
    ("38", "39", (14, 16)),  # Diners Club
    ("2200", "2204", (16,)),  # Mir
)

# Networks of one country, old ranges, and lengths that are possible but not usual.
_RARE: tuple[_Range, ...] = (
    ("4", "4", (13, 19)),  # Visa
    ("4903", "4905", (18,)),  # Switch
    ("4911", "4911", (18,)),  # Switch
    ("4936", "4936", (18,)),  # Switch
    ("300", "305", (15, 17, 18, 19)),  # Diners Club
    ("3095", "3095", (14, *_SIXTEEN_UP)),  # Diners Club
    ("36", "36", (15, 17, 18, 19)),  # Diners Club
    ("38", "39", (15, 17, 18, 19)),  # Diners Club
    ("3528", "3589", (17, 18, 19)),  # JCB
    ("3088", "3094", (16,)),  # JCB
    ("3096", "3102", (16,)),  # JCB
    ("3112", "3120", (16,)),  # JCB
    ("3158", "3159", (16,)),  # JCB
    ("3337", "3349", (16,)),  # JCB
    ("1800", "1800", (15,)),  # JCB
    ("2131", "2131", (15,)),  # JCB
    ("2014", "2014", (15,)),  # enRoute
    ("2149", "2149", (15,)),  # enRoute
    ("2200", "2204", (17, 18, 19)),  # Mir
    ("2205", "2205", (16,)),  # Borica
    ("2869", "2869", (16,)),  # Carnet
    ("1946", "1946", (16, 18, 19)),  # GPN
    ("1", "1", (15,)),  # UATP
    ("50", "50", _SIXTEEN_UP),  # Maestro, Dankort, Elo, Verve, RuPay, Meeza
    ("5018", "5018", _MAESTRO),
    ("5020", "5020", _MAESTRO),
    ("5038", "5038", _MAESTRO),
    ("56", "58", _SIXTEEN_UP),  # Maestro, Bankcard, UzCard, Naranja, Cabal
    ("5893", "5893", _MAESTRO),
    ("6", "6", _SIXTEEN_UP),  # Maestro, Discover, UnionPay, RuPay, InterPayment, InstaPayment, Hiper, UkrCard, Laser
    ("606282", "606282", (13,)),  # Hipercard
    ("6304", "6304", _MAESTRO),
    ("6390", "6390", _MAESTRO),
    ("6703", "6703", _MAESTRO),  # Bancontact
    ("6706", "6706", _MAESTRO),
    ("6709", "6709", _MAESTRO),
    ("6759", "6759", _MAESTRO),
    ("6761", "6763", _MAESTRO),
    ("6767", "6767", _MAESTRO),
    ("6771", "6771", _MAESTRO),
    ("0604", "0604", _MAESTRO),
    ("81", "82", _SIXTEEN_UP),  # UnionPay, RuPay
    ("8600", "8600", (16,)),  # UzCard
    ("8699", "8699", (15,)),  # Voyager
    ("9051", "9051", (16,)),  # ArCa
    ("9112", "9112", (16,)),  # Belkart
    ("9417", "9417", (16,)),  # Elcart
    ("9682", "9682", (16,)),  # mada
    ("9704", "9704", (16, 19)),  # Napas
    ("9762", "9762", (16,)),  # Korti Milli
    ("9792", "9792", (16,)),  # Troy
    ("9804", "9804", (16,)),  # Prostir
    ("9860", "9860", (16,)),  # Humo
    ("9934", "9934", (16,)),  # Altyn Asyr
)

# Lengths that Maestro allows for all of its prefixes. Product codes and telephone numbers have them too.
_SHORT: tuple[_Range, ...] = (
    ("50", "50", (12, 13, 14, 15)),
    ("56", "58", (12, 13, 14, 15)),
    ("6", "6", (12, 13, 14, 15)),
)

# Cards of Korean issuers that are valid in Korea only.
_KOREAN: tuple[_Range, ...] = (("9", "9", (16,)),)


def is_card(value: str) -> bool:
    """True if a number begins like those of a network, has a length of it, and its last digit is right."""
    digits = digits_of(value)
    return passes_luhn(digits) and (_is_in(_MAJOR, digits) or _is_in(_RARE, digits))


def _is_in(ranges: tuple[_Range, ...], digits: str) -> bool:
    return any(len(digits) in lengths and low <= digits[: len(low)] <= high for low, high, lengths in ranges)


def is_major(value: str) -> bool:
    """True if a number is one of a network that most cards belong to, in its usual length."""
    digits = digits_of(value)
    return passes_luhn(digits) and _is_in(_MAJOR, digits)


def is_short(value: str) -> bool:
    """True if a number has a prefix of Maestro, less than 16 digits, and its last digit is right."""
    digits = digits_of(value)
    return passes_luhn(digits) and _is_in(_SHORT, digits)


def is_korean(value: str) -> bool:
    """True if a number is one of a Korean issuer for Korea only: little is known of these but the first digit."""
    digits = digits_of(value)
    return passes_luhn(digits) and _is_in(_KOREAN, digits)


def is_unverified(value: str) -> bool:
    """True if a number has prefix and length of a network's, whatever its last digit."""
    digits = digits_of(value)
    return _is_in(_MAJOR, digits) or _is_in(_RARE, digits)
