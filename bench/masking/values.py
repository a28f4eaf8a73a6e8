"""Values of a kind, drawn from its templates with a seed, and what looks like them but fails their check."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from random import Random

from phonenumbers import PhoneNumberFormat, example_number, format_number

from bench.masking import people
from bench.masking.kind import Kind

_MAX_TRIES = 400_000
_SMALL, _CAPITAL, _DIGIT = "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
_SETS: Mapping[str, str] = {
    "#": _DIGIT,
    "^": _DIGIT[1:],
    "@": _CAPITAL,
    "&": _CAPITAL + _DIGIT,
    "~": _SMALL,
    "a": _SMALL + _CAPITAL + _DIGIT,
    "h": _DIGIT + "abcdef",
    "A": _CAPITAL + _DIGIT,
    "b": _SMALL + _CAPITAL + _DIGIT + "-_",
    "d": _DIGIT,
}
_PIECE = re.compile(r"\\(.)|\[(yyyy|yy|mm|dd)\]|\[([^\]]+)\]|\{(\d+)([ahAbd])\}|([#^@&~])")
_REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "SE", "PL", "CH", "BR", "IN", "JP", "AU", "CA", "MX")
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def draw(kind: Kind, random: Random) -> str:
    """Draw a value that passes the kind's check."""
    template = random.choice(kind.templates)
    if template.startswith("="):
        return _MADE[template[1:]](random)
    for _ in range(_MAX_TRIES):
        value = _fill(template, random)
        if kind.check is None or kind.check(value):
            return value
    raise ValueError(f"no valid value of `{kind.detector}` was found: {template}")


def spoil(kind: Kind, value: str, random: Random) -> str | None:
    """Change one digit so that the check fails; None for a kind without a check."""
    if kind.check is None:
        return None
    places = [place for place, char in enumerate(value) if char.isdigit()]
    for _ in range(100):
        place = random.choice(places)
        spoilt = value[:place] + random.choice(_DIGIT) + value[place + 1 :]
        if not kind.check(spoilt):
            return spoilt
    return None


def _fill(template: str, random: Random) -> str:
    year, month, day = random.randint(1941, 1999), random.randint(1, 12), random.randint(1, 28)
    parts = {"yyyy": str(year), "yy": f"{year % 100:02}", "mm": f"{month:02}", "dd": f"{day:02}"}

    def write(found: "re.Match[str]") -> str:
        literal, part, chars, count, name, sign = found.groups()
        if literal:
            return literal
        if part:
            return parts[part]
        if chars:
            return random.choice(_expand(chars))
        return "".join(random.choices(_SETS[name or sign], k=int(count or 1)))

    return _PIECE.sub(write, template)


def _expand(chars: str) -> str:
    return re.sub(r"(.)-(.)", lambda found: "".join(map(chr, range(ord(found[1]), ord(found[2]) + 1))), chars)


def _phone(random: Random) -> str:
    number = example_number(random.choice(_REGIONS))
    if number is None or number.national_number is None:
        raise ValueError("a region without an example")
    # The examples of the numbering plans, with other last digits.
    number.national_number += random.randrange(1000) - number.national_number % 1000
    return str(format_number(number, random.choice((PhoneNumberFormat.INTERNATIONAL, PhoneNumberFormat.E164))))


def _ip(random: Random) -> str:
    if random.random() < 0.7:
        first, last = random.choice((81, 93, 178, 203)), random.randrange(1, 255)
        return f"{first}.{random.randrange(256)}.{random.randrange(256)}.{last}"
    return "2a02:" + ":".join(f"{random.randrange(1, 65536):x}" for _ in range(7))


def _mac(random: Random) -> str:
    sign = random.choice(":-")
    return sign.join(f"{random.randrange(256):02x}" for _ in range(6))


def _uuid(random: Random) -> str:
    text = f"{random.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def _btc(random: Random) -> str:
    raw = bytes([random.choice((0, 5))]) + random.randbytes(20)
    raw += hashlib.sha256(hashlib.sha256(raw).digest()).digest()[:4]
    number, text = int.from_bytes(raw, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        text = _BASE58[rest] + text
    return "1" * (len(raw) - len(raw.lstrip(b"\0"))) + text


def _jwt(random: Random) -> str:
    parts = (
        json.dumps({"alg": "RS256", "typ": "JWT"}).encode(),
        json.dumps({"sub": f"u-{random.randrange(10**6)}", "iat": 1_700_000_000}).encode(),
        random.randbytes(64),
    )
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def _pem(random: Random) -> str:
    text = base64.b64encode(random.randbytes(300)).decode()
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    # In two parts, so that scanners of repositories do not take this line for a key.
    return "-----BEGIN " + f"PRIVATE KEY-----\n{lines}\n-----END " + "PRIVATE KEY-----"


_MADE: Mapping[str, Callable[[Random], str]] = {
    "name": people.draw_name,
    "address": people.draw_address,
    "city": people.draw_city,
    "email": people.draw_email,
    "user": people.draw_user,
    "special": lambda random: random.choice(people.SPECIAL),
    "phone": _phone,
    "ip": _ip,
    "mac": _mac,
    "uuid": _uuid,
    "btc": _btc,
    "jwt": _jwt,
    "pem": _pem,
}
