"""The e-mail addresses that are written to: plain ones, which no program along the way can read in two ways.

A header or a command of SMTP holds them as they are, so there is no quoting, no comment, no display name, no list, no
address literal and nothing but ASCII (RFC 5321 section 4.1.2, `Dot-string` and `Domain`). Characters that old servers
take for a route (`%`, `!`) are left out, and those that no address of a person has.
"""

import re

_MAX_CHARS, _MAX_LOCAL_CHARS = 254, 64
_ATOM = r"[A-Za-z0-9&'+_-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})+")


def is_address(text: str) -> bool:
    """True if this is one address that mail can be sent to."""
    if len(text) > _MAX_CHARS or text.find("@") > _MAX_LOCAL_CHARS:
        return False
    return _ADDRESS.fullmatch(text) is not None
