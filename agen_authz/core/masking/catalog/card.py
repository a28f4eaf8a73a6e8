"""Payment cards: their numbers, and what proves that they are at hand (track, verification code, PIN, expiry).

Who issues a number is known by its first digits (ISO/IEC 7812-1), and each network has its lengths. A number counts if
both agree and its last digit is right (Luhn). PCI DSS 4.0.1: a number never shows more than its first six or eight and
its last four digits (3.4.1); track, code and PIN are never kept (3.3.1), so these are dropped.
"""

from agen_authz.core.masking.catalog.card_range import is_card, is_korean, is_major, is_short, is_unverified
from agen_authz.core.masking.gap import GAP, before
from agen_authz.core.masking.national import words
from agen_authz.core.masking.row import Detector, Form, Label, Preset, Style


def _is_track(value: str) -> bool:
    return is_card(value.replace("D", "=").split("=")[0])


def _grouped() -> str:
    """Return the pattern of a number in customary groups, with the same separator between all of them."""
    groupings = (
        r"\d{4}(?:S\d{4}){2,3}(?:S\d{1,3})?",  # 4-4-4 and up to 4-4-4-4-3
        r"\d{4}S\d{6}S\d{4,5}",  # American Express, Diners Club
        r"\d{4}S\d{4}S\d{5}",
        r"\d{6}S\d{10,13}",  # the issuer's number, and the rest
        r"\d{8}S\d{8}",
        r"\d(?:S\d){11,18}",
    )
    return "|".join(each.replace("S", separator) for each in groupings for separator in (" ", "-", r"\.", "/", "_"))


_BARE = r"\d{12,19}"
_SIZES = (12, 19)

_CARD = frozenset((Preset.PCI, Preset.PII, Preset.GDPR))
_PCI = frozenset((Preset.PCI,))

_KOREAN = (
    Form(r"9\d{3}-\d{4}-\d{4}-\d{4}|9\d{3} \d{4} \d{4} \d{4}", (16, 16), 0.55, is_korean),
    Form(r"9\d{15}", (16, 16), 0.35, is_korean),
)

_CARD_WORDS = words(
    "card, cards, credit, debit, creditcard, cardholder, visa, mastercard, amex, american express, discover, diners, "
    "jcb, maestro, unionpay, rupay, cvv, cvc, cc, karte, kreditkarte, kartennummer, carte, tarjeta, carta, cartao, "
    "kaart, creditkaart, karta, karty, 카드, 카드번호, 신용카드"
)
_NOT_CARD = ("imei", "ean", "gtin", "upc", "barcode", "isbn", "issn", "tracking", "iccid", "snowflake")

CREDIT_CARD = Detector(
    id="credit_card",
    title="numbers of payment cards, with their prefix, length and check digit",
    presets=_CARD,
    style=Style.LAST4,
    forms=(
        Form(_BARE, _SIZES, 0.84, is_major),
        Form(_grouped(), _SIZES, 0.85, is_card),
        Form(_BARE, _SIZES, 0.6, is_card),
        Form(f"{_BARE}|{_grouped()}", _SIZES, 0.35, is_short),
        *_KOREAN,
    ),
    context=_CARD_WORDS,
    unlike=_NOT_CARD,
    fields=words(
        "card number, card no, card num, credit card, creditcard, debit card, cardnumber, cc number, cc num, "
        "ccnumber, =ccn, =cc, =pan, card pan, primary account number, kartennummer, kreditkarte, kreditkartennummer, "
        "numero carte, numero de carte, carte bancaire, numero tarjeta, numero de tarjeta, tarjeta, numero carta, "
        "carta di credito, numero cartao, creditcardnummer"
    ),
    field_pattern=r"(?:\d[ ./_-]?){12}",
    aliases=("creditCard", "CREDIT_CARD", "CREDIT_CARD_NUMBER"),
)

UNVERIFIED_CREDIT_CARD = Detector(
    id="unverified_credit_card",
    title="what has prefix and length of a card number, whatever its check digit",
    presets=frozenset(),
    style=Style.LAST4,
    forms=(Form(_grouped(), _SIZES, 0.55, is_unverified), Form(_BARE, _SIZES, 0.5, is_unverified)),
    context=_CARD_WORDS,
    unlike=_NOT_CARD,
    aliases=("unverifiedCreditCard",),
)

KR_CREDIT_CARD = Detector(
    id="kr_credit_card",
    title="numbers of payment cards of Korean issuers, which `credit_card` finds too",
    presets=frozenset(),
    style=Style.LAST4,
    forms=(
        *_KOREAN,
        Form(r"[3-6]\d{3}-\d{4}-\d{4}-\d{4}|[3-6]\d{3} \d{4} \d{4} \d{4}|[3-6]\d{15}", (16, 16), 0.55, is_card),
    ),
    context=_CARD_WORDS,
    unlike=_NOT_CARD,
    fields=("카드번호", "신용카드"),
    field_pattern=r"(?:\d[ ./_-]?){12}",
    regions=("KR",),
    aliases=("southKoreaCreditCardNumber", "south_korea_credit_card_number"),
)

CARD_TRACK = Detector(
    id="card_track",
    title="what is on a card's magnetic stripe, tracks 1 and 2, and its copy on the chip",
    presets=_PCI,
    style=Style.DROP,
    direct=(
        Form(r"%?[Bb]\d{12,19}\^[^\^\n?]{2,26}\^\d{4,7}[0-9A-Za-z =]{0,64}\??", (0, 0), 0.9),
        Form(r";\d{12,19}=\d{4,64}\??", (0, 0), 0.9),
        Form(r"\b\d{12,19}[=D]\d{7,30}F?\b", (0, 0), 0.9, _is_track),
    ),
    fields=("=track", "track data", "track 1", "track 2", "track1", "track2", "magstripe", "swipe data"),
    field_pattern=r"\d{12,19}",
    aliases=("CREDIT_CARD_TRACK_NUMBER",),
)

_CVV_WORDS = words(
    "cvv, cvc, cvv2, cvc2, cvn, cvv/cvc, cvc/cvv, cvv code, cvc code, card security code, card verification, "
    "card verification value, card verification code, kartenprüfnummer, kartenprufnummer, prüfnummer, prüfziffer, "
    "cryptogramme, cryptogramme visuel, código cvv, codigo cvv, codice cvv"
)
_SECURITY_CODE = words(
    "security code, código de seguridad, codigo de seguridad, codice di sicurezza, code de sécurité, code de securite, "
    "sicherheitscode, beveiligingscode"
)

CVV = Detector(
    id="cvv",
    title="verification codes of cards",
    presets=_PCI,
    style=Style.DROP,
    labels=(
        Label(_CVV_WORDS, GAP + r"(\d{3,4})\b", 0.8),
        Label(_SECURITY_CODE, r"\s?(?:[:=]|is|ist|lautet|est|es|è)\s{0,2}(\d{3,4})(?![\w%-]|[.,]\d)", 0.55),
        before((*_CVV_WORDS, *_SECURITY_CODE), r"\d{3,4}", 0.6),
        Label(
            words(
                "security code, verification value, csc, cid, código de seguridad, codigo de seguridad, "
                "codice di sicurezza, code de sécurité, code de securite, sicherheitscode, beveiligingscode"
            ),
            GAP + r"(\d{3,4})\b",
            0.3,
        ),
    ),
    context=tuple(each for each in _CARD_WORDS if each not in {"cvv", "cvc", "cc"}),
    fields=words(
        "cvv, cvc, cvv2, cvc2, cvn, csc, card security code, card verification, card code, security code, "
        "kartenpruefnummer, cryptogramme, codigo seguridad"
    ),
    field_pattern=r"^\s*\d{3,4}\s*$",
    aliases=("cvvCvc", "cvv_cvc", "CVV", "CREDIT_CARD_CVV"),
)

CARD_PIN = Detector(
    id="card_pin",
    title="PINs and PIN blocks of cards",
    presets=_PCI,
    style=Style.DROP,
    labels=(
        Label(
            ("card pin", "atm pin", "debit pin", "pin number", "bank pin", "geheimzahl", "code secret", "pincode"),
            GAP + r"(\d{4,6})\b",
            0.6,
        ),
        Label(("pin",), GAP + r"(\d{4})\b", 0.5),
        Label(("pin", "pin code", "code pin", "codigo pin", "código pin", "codice pin"), GAP + r"(\d{4,12})\b", 0.3),
        before(
            ("pin", "pin code", "pin number", "code secret", "geheimzahl", "codigo pin", "codice pin"), r"\d{4,6}", 0.55
        ),
        Label(("pin block", "pinblock"), GAP + r"([0-9A-Fa-f]{16})\b", 0.8),
    ),
    context=(*_CARD_WORDS, "atm", "bank", "account", "withdraw", "geldautomat", "cajero", "bancomat"),
    unlike=("gpio", "postal", "zip", "delivery", "district", "solder", "connector", "address"),
    fields=("=pin", "card pin", "atm pin", "debit pin", "pin number", "pin block", "pinblock", "geheimzahl"),
    field_pattern=r"^\s*(?:\d{4,12}|[0-9A-Fa-f]{16})\s*$",
)

_EXPIRES = words(
    "valid thru, valid through, good thru, card expiry, card expires, card expiration, exp date, expiry date, "
    "expiration date, gültig bis, gueltig bis, expire fin, date d'expiration, fecha de vencimiento, "
    "fecha de caducidad, válida hasta, data di scadenza, valido fino al"
)

CARD_EXPIRY = Detector(
    id="card_expiry",
    title="months in which cards expire",
    presets=_PCI,
    style=Style.DROP,
    labels=(
        Label(_EXPIRES, GAP + r"((?:0[1-9]|1[0-2]) ?[/.-] ?(?:20)?\d{2})\b(?:[^/.\d-]|[.-]\D|[.-]?$)", 0.5),
        before(_EXPIRES, r"(?:0[1-9]|1[0-2]) ?[/.-] ?(?:20)?\d{2}", 0.5),
        Label(
            ("exp", "expiry", "expires", "expiration", "expiring", "validity", "gültig", "vence", "caduca", "scadenza"),
            GAP + r"((?:0?[1-9]|1[0-2]) ?[/.-] ?(?:20)?\d{2})\b(?:[^/.\d-]|[.-]\D|[.-]?$)",
            0.3,
        ),
    ),
    context=_CARD_WORDS,
    unlike=("coupon", "passport", "licence", "license", "certificate", "contract", "subscription", "warranty", "visum"),
    fields=words(
        "exp month, exp year, expiry month, expiry year, expiration month, expiration year, card expiry, "
        "card expiration, card exp, cc expiry, cc exp, exp date, expiry date, expiration date, valid thru"
    ),
    field_pattern=r"^\s*(?:(?:0?[1-9]|1[0-2])(?:\s?[/.-]\s?(?:20)?\d\d)?|20\d\d(?:[/-](?:0[1-9]|1[0-2]))?|\d\d)\s*$",
)

ROWS = (CREDIT_CARD, UNVERIFIED_CREDIT_CARD, KR_CREDIT_CARD, CARD_TRACK, CVV, CARD_PIN, CARD_EXPIRY)
