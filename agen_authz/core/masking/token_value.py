"""Values that a key makes of values: pseudonyms (style `hash`) and tokens, which a holder of the key can read again.

Both are made under keys that are derived from a masking key for each tenant (HKDF, RFC 5869), so neither says anything
of another tenant's values, and knowing one tenant's key does not give another's.

    pseudonym   HMAC-SHA256 of the detector and the value, spellings made equal: 80 bits of it. The same person's e-mail
                address has the same pseudonym in every response, so rows can still be joined.
    token       AES-256-SIV (RFC 5297) of the value as it is written, with detector and tenant as associated data.
                Deterministic: the same value gives the same token. It shows how long the value is.

Both are spelled in sixteen consonants, so that no number, no date, no word and no address can arise in them, and no
detector takes one for a value.
"""

import hashlib
import re

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct

from agen_authz.core.mac import authenticate
from agen_authz.core.masking.style_coarse import read_address
from agen_authz.core.masking.style_kind import ValueKind, even, kind_of
from agen_authz.core.memory import remember

_LETTERS = "bcdfghjkmnpqrtwx"
_SPELLING = str.maketrans("0123456789abcdef", _LETTERS)
_READING = str.maketrans(_LETTERS, "0123456789abcdef")

_PSEUDONYM_BYTES = 10
_PSEUDONYM = re.compile(rf"[A-Z][A-Z0-9_]{{0,62}}_[{_LETTERS}]{{{2 * _PSEUDONYM_BYTES}}}")

_KEY_MARK_BYTES = 2
_TAG_BYTES = 16
# At least the key's mark, the tag, and one byte of the value.
_TOKEN = re.compile(rf"tok_([a-z][a-z0-9_]{{0,62}})_([{_LETTERS}]{{{2 * (_KEY_MARK_BYTES + _TAG_BYTES + 1)},}})")

_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,62}")
_NOT_IN_NAMES = re.compile("[^A-Z0-9]")
_LONGEST_NAME = 63

_LONGEST_NUMBER = 256
_WIDE = re.compile(r"[\W_]+")
_DATE_SEPARATOR = re.compile(r"[\s./-]+")
_NATIONAL_ZERO = re.compile(r"\(0\)")


class MaskingKeys(Struct, frozen=True):
    """The keys of `hash` and `tokenize`, as (id, secret of 32 bytes or more); the first writes, all of them read."""

    keys: tuple[tuple[str, bytes], ...]


@remember(1024)
def name_of(detector_id: str) -> str:
    """Return a detector's name as masked values have it: capitals, digits and `_`, a letter first."""
    name = _NOT_IN_NAMES.sub("_", detector_id.upper())[:_LONGEST_NAME]
    return name if _NAME.fullmatch(name) else f"X{name}"[:_LONGEST_NAME]


def write_pseudonym(value: str, detector_id: str, key: tuple[str, bytes], tenant: str) -> str:
    """Return a value's pseudonym: the detector's name, and twenty letters."""
    message = _bytes(f"{len(detector_id)}:{detector_id}{_spell_alike(value, kind_of(detector_id))}")
    mac = authenticate(message, _derive(key[1], b"hash", tenant)[:32])
    return f"{name_of(detector_id)}_{_spell(mac[:_PSEUDONYM_BYTES])}"


def write_token(value: str, detector_id: str, key: tuple[str, bytes], tenant: str) -> str:
    """Return a value's token."""
    name = name_of(detector_id).lower()
    cipher = AESSIV(_derive(key[1], b"tokenize", tenant))
    sealed = cipher.encrypt(_bytes(value), [_bytes(name), _bytes(tenant)])
    return f"tok_{name}_{_spell(_mark(key[0]) + sealed)}"


def reveal(token: str, keys: MaskingKeys, tenant: str) -> str | None:
    """Return the value that a token was made of, or None if none of these keys made it for this tenant."""
    form = _read_form(token)
    if form is None:
        return None
    name, sealed = form[1], bytes.fromhex(form[2].translate(_READING))
    for keyid, secret in keys.keys:
        if sealed[:_KEY_MARK_BYTES] != _mark(keyid):
            continue
        try:
            opened = AESSIV(_derive(secret, b"tokenize", tenant)).decrypt(
                sealed[_KEY_MARK_BYTES:], [_bytes(name), _bytes(tenant)]
            )
        except InvalidTag:
            continue  # another key whose id has the same mark may have made it
        return opened.decode("utf-8", "surrogatepass")
    return None


def is_token(value: str) -> bool:
    """True if a text has the form of a token; whether a key can read it is not known."""
    return _read_form(value) is not None


def is_pseudonym(value: str) -> bool:
    """True if a text has the form of a pseudonym."""
    return _PSEUDONYM.fullmatch(value) is not None


def _read_form(token: str) -> "re.Match[str] | None":
    form = _TOKEN.fullmatch(token)
    return form if form is not None and len(form[2]) % 2 == 0 else None


def _spell(raw: bytes) -> str:
    return raw.hex().translate(_SPELLING)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@remember(64)
def _mark(keyid: str) -> bytes:
    # Which key to read with. Not the id itself: it may be a date or a number, which a detector would find.
    return hashlib.sha256(_bytes(keyid)).digest()[:_KEY_MARK_BYTES]


@remember(512)
def _derive(secret: bytes, purpose: bytes, tenant: str) -> bytes:
    label = b"agen-authz masking " + purpose + b"\x00" + _bytes(tenant)
    return HKDF(algorithm=SHA256(), length=64, salt=None, info=label).derive(secret)


def _spell_alike(value: str, kind: ValueKind) -> str:
    """Return the one spelling of a value that its pseudonym is made of."""
    text = even(value).casefold().strip()
    if len(text) > _LONGEST_NUMBER:
        return " ".join(text.split())
    if kind is ValueKind.IP:
        address = read_address(text)
        return text if address is None else str(address)
    if kind is ValueKind.PHONE:
        digits = _WIDE.sub("", _NATIONAL_ZERO.sub("", text))
        return digits.removeprefix("00")  # `+49` and `0049`
    if kind is ValueKind.DATE:
        return _DATE_SEPARATOR.sub("-", text)  # without any, 1.12. and 11.2. of a year would be the same
    if kind in {ValueKind.CARD, ValueKind.IBAN, ValueKind.POSTCODE} or (kind is ValueKind.OTHER and _is_number(text)):
        return _WIDE.sub("", text)
    return " ".join(text.split())


def _is_number(text: str) -> bool:
    # Half of it or more is digits: the number of a person, an account or a document, in which separators say nothing.
    letters = _WIDE.sub("", text)
    return 2 * sum(map(letters.count, "0123456789")) >= len(letters) > 0
