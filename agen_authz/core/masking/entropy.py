"""Checks that tell a secret from a word, a name, a path or a placeholder: how random it is, and of what it is made."""

import re
from base64 import b64decode, urlsafe_b64decode
from binascii import Error
from collections import Counter
from math import log2

from agen_authz.core.masking.row import Check

# What authors of documentation write where a secret belongs. Capitals are admitted in the published example keys of
# AWS, which look like keys, so they are masked like keys.
_SAMPLE = re.compile(
    r"(?:your|my|insert|replace|some)[-_. ]?(?:\w{1,20}[-_. ])?(?:key|token|secret|password|here)|[-_]here\b|"
    r"placeholder|example|change[-_. ]?(?:me|it|this)|redacted|masked|hidden|removed|dummy|foobar|to[-_]?do\b|"
    r"fix[-_]?me|\.\.\.|\u2026|([xX*.0#?])\1{7}",
)
_TEMPLATE = re.compile(
    r"[$%#@]?[{<(\[%].*|\$[A-Za-z_]\w*|.*(?:\$\{|\{\{|<%|%\().*|[xX*.#?_-]+|[A-Za-z_]+=|%[A-Za-z_]+%"
)
_PATH = re.compile(
    r"[.~]{0,2}/|[A-Za-z]:\\|\w{1,10}://|\w{1,12}\.\w{1,12}\.\w{1,12}/|\S+\.(?:json|ya?ml|txt|pem|py|js|ts|env)$"
)
_SUFFIX = re.compile(r"(?=[a-z]*[0-9])[a-z0-9]{5,10}")
_RUN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
# What can be pronounced: a vowel, and no more than three consonants in a row.
_WORD = re.compile(r"(?=.*[aeiouy])(?!.*[^aeiouy]{4})[a-z]{2,20}")
_PARTS = re.compile(r"[_./:]")
_MOST = 0.8
_KEY_LINE = re.compile(r"[A-Za-z0-9+/]{16}|(?:[A-Za-z0-9+/]{4,}(?:\s|\\[nr]){1,4}){4}")
_CASE_CHANGE = re.compile(r"[a-z][A-Z]|[A-Z][a-z]")
_NO_PASSWORD = frozenset(
    ["password", "passwd", "required", "optional", "string", "hidden", "invalid", "incorrect", "undefined", "protected"]
)


def entropy(value: str) -> float:
    """Return Shannon's entropy of a value's characters, in bits for each."""
    size = len(value)
    return -sum(count / size * log2(count / size) for count in Counter(value).values())


def random(bits: float) -> Check:
    """Make a check that a value has so many bits of entropy for each character, and is not a placeholder."""

    def check(value: str) -> bool:
        return entropy(value) >= bits and is_filled(value)

    return check


def is_filled(value: str) -> bool:
    """True if a value that has the form of a vendor's key is not what documentation puts in its place."""
    return _SAMPLE.search(value) is None


def is_given(value: str) -> bool:
    """True if a value is written out: neither a variable nor a template."""
    return _TEMPLATE.fullmatch(value) is None


def is_name(value: str) -> bool:
    """True if a value is words, joined, as in names of objects, files and variables: `db-credentials-x7k2p`."""
    parts = value.split("-")
    # Kubernetes adds five to ten random letters and digits, once or twice.
    for _ in range(min(2, len(parts) - 1)):
        if _SUFFIX.fullmatch(parts[-1]):
            parts.pop()
    runs = [run for part in parts for run in _RUN.findall(part)]
    words = [run for run in runs if not run.isdigit()]
    # Short parts are abbreviations: `tls`, `db`.
    short = {part for each in parts for part in _PARTS.split(each) if len(part) <= 4} if len(parts) > 1 else set()
    known = sum(len(word) for word in words if word in short or _WORD.fullmatch(word.lower()))
    return len(runs) - len(words) <= 2 and known >= _MOST * sum(map(len, words)) > 0


def is_secret(value: str) -> bool:
    """True if a value that is assigned to a secret's name looks like one: random, written out, and not a name."""
    if len(value) < 10 or entropy(value) < 2.9 or not is_filled(value.lower()) or not is_given(value):
        return False
    return _is_mixed(value) and _PATH.match(value) is None and not is_name(value)


def _is_mixed(value: str) -> bool:
    letters = any(each.isalpha() for each in value)
    if any(each.isdigit() for each in value):
        return letters
    # Without a digit only a change of case can tell `qTzWpLxRbNvKsMdG` from `accessTokenProvider`.
    return len(value) >= 16 and len(_CASE_CHANGE.findall(value)) >= len(value) / 4


def is_long_secret(value: str) -> bool:
    """True if a value looks like a secret and is as long as those that servers generate."""
    return len(value) >= 16 and is_secret(value)


def is_password(value: str) -> bool:
    """True if a value that stands after `password` is one: two kinds of characters, and not a placeholder."""
    if value.lower() in _NO_PASSWORD or not is_given(value) or not is_filled(value.lower()):
        return False
    if _PATH.match(value) or value.startswith("@"):
        return False
    # Capitals, hyphens and dots alone make no password of a word: `Required`, `newPassword`, `reset-link`.
    has_letter = any(each.isalpha() for each in value)
    has_digit = any(each.isdigit() for each in value)
    has_sign = any(not each.isalnum() and each not in "-_./:' " for each in value)
    return has_letter + has_digit + has_sign >= 2 or (has_digit and len(value) >= 6)


def is_quoted_password(value: str) -> bool:
    """True if a quoted value after `password` is one: words are admitted, sentences and placeholders are not."""
    if is_password(value):
        return True
    known = value.lower() in _NO_PASSWORD or not is_given(value) or not is_filled(value.lower())
    return not known and value.isalnum() and len(value) >= 6


def is_cookie(value: str) -> bool:
    """True if one of the values of a cookie header is a secret: an id of a session, and no preference."""
    return any(is_secret(pair.partition("=")[2].strip()) for pair in value.split(";"))


def is_basic(value: str) -> bool:
    """True if a value is base64 of `name:password` (RFC 7617)."""
    name, found, password = _decode(value).partition(":")
    return bool(found and password) and (name + password).isprintable()


def is_jwt(value: str) -> bool:
    """True if the first part of a value is a JOSE header: an object with `alg` or `enc` (RFC 7515 section 4)."""
    header = _decode(value.partition(".")[0])
    return header.startswith("{") and ('"alg"' in header or '"enc"' in header)


def is_key_material(value: str) -> bool:
    """True if lines of base64 follow the line that begins a key; in prose about keys none do."""
    return _KEY_LINE.search(value, 10) is not None


def is_encoded_jwt(value: str) -> bool:
    """True if a value is a JWT that is base64-encoded once more."""
    return is_jwt(_decode(value))


def _decode(value: str) -> str:
    """Return what base64, of either alphabet, encodes; empty if it encodes no text."""
    text = value.rstrip("=")
    padded = text + "=" * (-len(text) % 4)
    try:
        raw = b64decode(padded, validate=True) if "+" in text or "/" in text else urlsafe_b64decode(padded)
        return raw.decode()
    except (Error, ValueError):
        return ""
