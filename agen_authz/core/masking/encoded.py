"""Text that is written in base64 (RFC 4648, and in lines as RFC 2045 has it), found by decoding what may be it.

A run of the alphabet's letters is decoded as a whole, then, if that is not text, without what is before a sign that may
be one of the alphabet or not (a path before a `/`).
"""

import re
from base64 import b64decode

ENCODED = rb"[A-Za-z0-9+/_\-]{14,}(?:\r?\n[A-Za-z0-9+/_\-]{16,})*={0,2}"
"""A run of letters that may be text in base64."""

_MIN_CHARS = 14
_LINES = re.compile(rb"[\r\n]+")
_SIGNS = re.compile(rb"[/_+\-]")
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
# At most this many ways to read one run: it costs a decoding each.
_MAX_WAYS = 8
_TEXT = re.compile(r"[\t\n\r\x20-\x7e\x85\xa0-\U0010ffff]*")


def list_encoded(raw: bytes) -> list[tuple[int, int, str]]:
    """List the texts that a run holds in base64: where each is, and what it says."""
    found = _read_lines(raw)
    if found is not None:
        return [(0, len(raw), found)]
    listed: list[tuple[int, int, str]] = []
    at = 0
    for line in _LINES.split(raw):
        start = raw.index(line, at)
        at = start + len(line)
        listed.extend((start + first, start + last, text) for first, last, text in _list_in(line))
    return listed


def _read_lines(raw: bytes) -> str | None:
    return _decode(_LINES.sub(b"", raw))


def _list_in(line: bytes) -> list[tuple[int, int, str]]:
    starts = [0, *(sign.end() for sign in _SIGNS.finditer(line))][:_MAX_WAYS]
    for start in starts:
        text = _decode(line[start:]) if len(line) - start >= _MIN_CHARS else None
        if text is not None:
            return [(start, len(line), text)]
    # Between two signs.
    listed: list[tuple[int, int, str]] = []
    start = 0
    for part in _SIGNS.split(line)[:_MAX_WAYS]:
        text = _decode(part) if len(part) >= _MIN_CHARS else None
        if text is not None:
            listed.append((start, start + len(part), text))
        start += len(part) + 1
    return listed


def _decode(word: bytes) -> str | None:
    word = word.rstrip(b"=").translate(_URL_SAFE)
    if len(word) % 4 == 1:
        return None
    decoded = b64decode(word + b"=" * (-len(word) % 4))
    for encoding in ("utf-8", "utf-16-le") if b"\x00" in decoded else ("utf-8",):
        try:
            text = decoded.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _TEXT.fullmatch(text) is not None:
            return text
    return None
