"""What a CheckRequest shows without being parsed: bytes are searched for; nothing is parsed or trusted.

It serves to share time and places among callers before anything is decided. A caller who makes a body look like a
header can only name a token that they hold.
"""

_NAME = b"authorization"
# Field 1 of a map's entry and of HeaderValue: the name. Then field 2 (`value`), or field 3 (`raw_value`).
_KEY = bytes((0x0A, len(_NAME))) + _NAME
_VALUES = frozenset((0x12, 0x1A))
# Three bytes of length hold two megabytes, more than Envoy takes in headers.
_LENGTH_BYTES = 3
_MORE, _BITS = 0x80, 0x7F


def find_credential(raw: bytes) -> bytes | None:
    """Find the value of the authorization header in a serialised CheckRequest; None if it is not seen."""
    found = raw.find(_KEY)
    if found < 0:
        return None
    tag, *sizes = raw[found + len(_KEY) : found + len(_KEY) + 1 + _LENGTH_BYTES] or b"\0"
    start, size = found + len(_KEY) + 1, 0
    if tag not in _VALUES:
        return None
    for shift, byte in enumerate(sizes):
        start, size = start + 1, size | (byte & _BITS) << 7 * shift
        if not byte & _MORE:
            value = raw[start : start + size]
            return value if len(value) == size else None
    return None
