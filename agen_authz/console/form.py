"""Forms and queries: small, each field once."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

MAX_BODY_BYTES = 32 * 1024
_MAX_FIELDS = 20
_FORM = "application/x-www-form-urlencoded"

Form = Mapping[str, str]


async def read_form(request: Request) -> Form | None:
    """Read the posted form; None if it is none, is too long, or has a field twice."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return None
    raw = await read_body(request)
    return None if raw is None else parse_form(raw)


def read_query(request: Request) -> Form | None:
    """Read the query; None if it is unreadable, or has a field twice."""
    return parse_form(request.url.query.encode("ascii", "replace"))


def parse_form(raw: bytes) -> Form | None:
    """Parse fields; None if they are unreadable or not unique."""
    if len(raw) > MAX_BODY_BYTES:
        return None
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
    except ValueError:
        return None
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else None


async def read_body(request: Request) -> bytes | None:
    """Read a body; None if it is too long."""
    raw = bytearray()
    async for piece in request.stream():
        raw += piece
        if len(raw) > MAX_BODY_BYTES:
            return None
    return bytes(raw)
