"""Blobs of resources, and what images and audio hold: base64, read in any of its spellings."""

from base64 import b64decode
from binascii import Error as Base64Error

_STANDARD = str.maketrans("-_", "+/")


def read_base64(text: str) -> bytes | None:
    """Read base64 in any of its spellings: with line ends, without padding, for URLs (RFC 4648, RFC 2045)."""
    word = "".join(text.split()).rstrip("=").translate(_STANDARD)
    try:
        return b64decode(word + "=" * (-len(word) % 4), validate=True)
    except (ValueError, Base64Error):
        return None


def read_text(raw: bytes) -> str | None:
    """Read bytes as text; None if they are not text in UTF-8."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text
