"""Scopes of OAuth (RFC 6749 section 3.3): which words can be one, and how a list of them is written.

A scope stands between quotes in a challenge, so it holds neither a quote nor a backslash, and no blank.
"""

import re

_TOKEN = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")


def is_scope(word: str) -> bool:
    """True if a word is a scope-token."""
    return _TOKEN.fullmatch(word) is not None


def split_scopes(text: str) -> tuple[str, ...]:
    """Split a list of scopes at its blanks."""
    return tuple(word for word in text.split(" ") if word)
