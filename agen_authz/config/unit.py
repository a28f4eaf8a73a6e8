"""Durations, sizes and shares as people write them: 250ms, 64KiB, 1%."""

import re
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, WithJsonSchema

_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d)")
_SIZE = re.compile(r"([0-9]{1,9})(B|KiB|MiB|GiB)")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)%")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def parse_duration(written: object) -> float:
    """Parse `250ms`, `5s`, `10m`, `4h` or `7d` into seconds."""
    match = _DURATION.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        raise ValueError("expected a duration such as 250ms, 5s, 10m, 4h or 7d")
    return int(match[1]) * _SECONDS[match[2]]


def parse_size(written: object) -> int:
    """Parse `512B`, `64KiB`, `4MiB` or `1GiB` into bytes."""
    match = _SIZE.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        raise ValueError("expected a size such as 64KiB, 4MiB or 1GiB")
    return int(match[1]) * _BYTES[match[2]]


def parse_share(written: object) -> float:
    """Parse `1%` into a fraction between 0 and 1."""
    match = _SHARE.fullmatch(written) if isinstance(written, str) else None
    if match is None or float(match[1]) > 100:
        raise ValueError("expected a share such as 1% or 0.5%")
    return float(match[1]) / 100


Seconds: TypeAlias = Annotated[
    float, BeforeValidator(parse_duration), WithJsonSchema({"type": "string", "pattern": f"^{_DURATION.pattern}$"})
]
Bytes: TypeAlias = Annotated[
    int, BeforeValidator(parse_size), WithJsonSchema({"type": "string", "pattern": f"^{_SIZE.pattern}$"})
]
Share: TypeAlias = Annotated[
    float, BeforeValidator(parse_share), WithJsonSchema({"type": "string", "pattern": f"^{_SHARE.pattern}$"})
]
