"""Text that is written in base64 (RFC 4648), told from other long words by its letters.

Every three bytes become four letters. Of printable ASCII the first three of these are taken from a part of the
alphabet only, so other words of letters and digits are told apart before anything is decoded.
"""

import re
from base64 import b64decode

# Which letters stand for printable ASCII, as the first, second and third of four.
_FOUR = rb"[I-Za-f][C-HS-Xi-ny-z0-3][ABEFIJMNQRUVYZcdghklopstwx014589][A-Za-z0-9+/_\-]"
ENCODED = rb"(?:%b){3}(?:[A-Za-z0-9+/_\-]{4})*[A-Za-z0-9+/_\-]{0,3}={0,2}" % _FOUR
"""A word that may be text in base64; it begins where such a word begins."""

_WORD = re.compile(ENCODED)
_LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/_-=")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")


def read_encoded(raw: bytes, start: int, end: int) -> str | None:
    """Decode a word of a text; None if it is not text in base64."""
    if start and raw[start - 1] in _LETTERS:
        return None
    word = raw[start:end]
    if _WORD.fullmatch(word) is None:
        return None
    word = word.rstrip(b"=").translate(_URL_SAFE)
    if len(word) % 4 == 1:
        return None
    decoded = b64decode(word + b"=" * (-len(word) % 4))
    try:
        return decoded.decode("utf-8")
    except UnicodeDecodeError:
        return decoded.decode("latin-1") if _is_mostly_text(decoded) else None


def _is_mostly_text(raw: bytes) -> bool:
    return sum(32 <= each < 127 for each in raw) * 10 >= len(raw) * 9
