"""A terminal and the page that signs it in: the proof that this terminal asked, and the number that both show.

The proof names the console that the terminal speaks to. A page that passes the question on to another console gets
nothing there: that console wants a proof with its own address.
"""

import hashlib
from base64 import urlsafe_b64encode
from urllib.parse import urlsplit

_DIGITS = 8
_DEFAULT_PORTS = {"https": ":443", "http": ":80"}


def challenge_of(verifier: str) -> str:
    """Digest a verifier (RFC 7636 section 4.2)."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode("ascii")


def bind_challenge(verifier: str, console: str) -> str:
    """Digest a verifier together with the address of the only console that may take it."""
    return challenge_of(f"{verifier}\n{name_console(console)}")


def name_console(url: str) -> str:
    """Name a console: its address without capitals in the host, without a default port, without a slash at its end."""
    parts = urlsplit(url)
    authority = parts.netloc.lower().removesuffix(_DEFAULT_PORTS.get(parts.scheme, ""))
    return f"{parts.scheme}://{authority}{parts.path.rstrip('/')}"


def match_number(challenge: str) -> str:
    """Give the number that both sides show: eight digits of the challenge's digest."""
    number = int.from_bytes(hashlib.sha256(challenge.encode("ascii")).digest()[:8], "big") % 10**_DIGITS
    digits = f"{number:0{_DIGITS}d}"
    return f"{digits[:4]}-{digits[4:]}"
