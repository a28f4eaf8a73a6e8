"""A terminal and the page that signs it in: the proof that this terminal asked, and the number that both show."""

import hashlib
from base64 import urlsafe_b64encode

_DIGITS = 8


def challenge_of(verifier: str) -> str:
    """Digest a verifier (RFC 7636 section 4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")


def match_number(challenge: str) -> str:
    """Give the number that both sides show: eight digits of the challenge's digest."""
    number = int.from_bytes(hashlib.sha256(challenge.encode("ascii")).digest()[:8], "big") % 10**_DIGITS
    digits = f"{number:0{_DIGITS}d}"
    return f"{digits[:4]}-{digits[4:]}"
