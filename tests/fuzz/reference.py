"""JSON and URLs read by the standard library alone: what our own readers are compared with."""

import json
import math
from typing import Any

# Beyond it the standard library's recursion is not asked.
MAX_BRACKETS = 400


class Refused(ValueError):
    """The reference does not read these bytes."""


def read_json(raw: bytes) -> Any:
    """Read one JSON value as RFC 8259 and RFC 7493 have it.

    Raises:
        Refused: two parsers could differ, or it is no JSON at all.
    """
    if raw.startswith(b"\xef\xbb\xbf"):
        raise Refused("byte order mark")
    try:
        value = json.loads(raw.decode("utf-8"), object_pairs_hook=_read_pairs)
    except ValueError as exc:
        raise Refused("no strict JSON") from exc
    if not _is_interoperable(value):
        raise Refused("a number or string that is read in two ways")
    return value


def depth_of(value: Any) -> int:
    """Count how deep arrays and objects are nested."""
    if isinstance(value, list | dict):
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max((depth_of(item) for item in inner), default=0)
    return 0


def bracket_count(raw: bytes) -> int:
    """Count what could nest."""
    return raw.count(b"[") + raw.count(b"{")


def _read_pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for key, value in pairs:
        if key in members:
            raise Refused("a key twice")
        members[key] = value
    return members


def _is_interoperable(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_interoperable(key) and _is_interoperable(item) for key, item in value.items())
    if isinstance(value, list):
        return all(map(_is_interoperable, value))
    if isinstance(value, str):
        return not any(0xD800 <= ord(char) <= 0xDFFF for char in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, bool) or not isinstance(value, int) or -(2**63) <= value < 2**64


def is_same_url(one: str, other: str) -> bool:
    """True if two texts are the same, or web URLs that RFC 3986 (sections 6.2.2.1 and 6.2.3) has mean the same."""
    return one == other or (_parts_of(one) is not None and _parts_of(one) == _parts_of(other))


def _parts_of(url: str) -> tuple[str, str, str] | None:
    scheme, _, rest = url.partition("://")
    scheme = scheme.lower()
    if scheme not in ("http", "https"):
        return None
    authority = rest.replace("?", "/").partition("/")[0]
    after = rest[len(authority) :]
    host = authority.lower().removesuffix(":443" if scheme == "https" else ":80").removesuffix(":")
    return scheme, host, after if after.startswith("/") else f"/{after}"
