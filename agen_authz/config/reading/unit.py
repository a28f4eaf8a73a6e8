"""Durations, sizes and shares as people write them: 250ms, 64KiB, 1%."""

import re
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

_DURATION = re.compile(r"(0|[1-9][0-9]{0,8})(ms|s|m|h|d)")
_SIZE = re.compile(r"([1-9][0-9]{0,8})(B|KiB|MiB|GiB)")
_SHARE = re.compile(r"((?:0|[1-9][0-9]?)(?:\.[0-9]{1,3})?|100)%")
_MILLISECONDS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_BYTES = {"GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10, "B": 1}
_POSITIVE_DURATION = r"^[1-9][0-9]{0,8}(ms|s|m|h|d)$"


def parse_duration(written: object) -> float:
    """Parse `250ms`, `5s`, `10m`, `4h` or `7d` into seconds."""
    match = _DURATION.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        raise ValueError("expected a duration such as 250ms, 5s, 10m, 4h or 7d")
    return int(match[1]) * _MILLISECONDS[match[2]] / 1000


def parse_positive_duration(written: object) -> float:
    """Parse a duration that may not be zero."""
    seconds = parse_duration(written)
    if seconds <= 0:
        raise ValueError("expected a duration longer than zero")
    return seconds


def write_duration(seconds: float) -> str:
    """Write seconds in the largest unit that needs no fraction."""
    milliseconds = round(seconds * 1000)
    if milliseconds == 0:
        return "0s"
    unit = next(unit for unit, size in _MILLISECONDS.items() if milliseconds % size == 0)
    return f"{milliseconds // _MILLISECONDS[unit]}{unit}"


def parse_size(written: object) -> int:
    """Parse `512B`, `64KiB`, `4MiB` or `1GiB` into bytes; never zero."""
    match = _SIZE.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        raise ValueError("expected a size such as 64KiB, 4MiB or 1GiB")
    return int(match[1]) * _BYTES[match[2]]


def write_size(size: int) -> str:
    """Write bytes in the largest unit that needs no fraction."""
    unit = next(unit for unit, factor in _BYTES.items() if size % factor == 0)
    return f"{size // _BYTES[unit]}{unit}"


def parse_share(written: object) -> float:
    """Parse `1%` into a fraction between 0 and 1."""
    match = _SHARE.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        raise ValueError("expected a share such as 1% or 0.5%")
    return float(match[1]) / 100


def write_share(share: float) -> str:
    """Write a fraction as per cent."""
    return f"{share * 100:g}%"


Count: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000_000)]
Seconds: TypeAlias = Annotated[
    float,
    BeforeValidator(parse_duration),
    PlainSerializer(write_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$", "title": "duration"}),
]
PositiveSeconds: TypeAlias = Annotated[
    float,
    BeforeValidator(parse_positive_duration),
    PlainSerializer(write_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _POSITIVE_DURATION, "title": "duration"}),
]
Bytes: TypeAlias = Annotated[
    int,
    BeforeValidator(parse_size),
    PlainSerializer(write_size, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_SIZE.pattern}$", "title": "size"}),
]
Share: TypeAlias = Annotated[
    float,
    BeforeValidator(parse_share),
    PlainSerializer(write_share, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_SHARE.pattern}$", "title": "share"}),
]
