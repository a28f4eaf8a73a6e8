"""`core/strict_json.py`: bytes are read as the standard library reads them strictly, or refused where that refuses."""

from collections.abc import Callable

from agen_authz.core.errors import Malformed
from agen_authz.core.model import Json
from agen_authz.core.strict_json import drop_backslashes, parse_json, parse_plain, parse_strictly
from tests.fuzz.reference import MAX_BRACKETS, Refused, bracket_count, depth_of, read_json
from tests.fuzz.targets.target import Target, expect

MAX_DEPTH = 32


def check(
    raw: bytes,
    parse: Callable[[bytes, int], Json | Malformed] = parse_json,
    plainly: Callable[[bytes], tuple[Json, bytes] | None] = parse_plain,
) -> None:
    """Compare our three readers with the reference."""
    read, brackets = parse(raw, MAX_DEPTH), bracket_count(raw)
    if isinstance(read, Malformed):
        expect(read.reason.value.startswith("json_"), "a refusal of JSON says so")
    if brackets <= MAX_DEPTH:
        plain, strict = plainly(raw), parse_strictly(raw, drop_backslashes(raw))
        # `repr` tells 1 from 1.0 and True, and 0.0 from -0.0.
        expect(plain is None or repr(plain[0]) == repr(strict), "what is read plainly is read strictly as the same")
    if brackets <= MAX_BRACKETS:
        _compare(raw, read)
    elif not isinstance(read, Malformed):
        expect(depth_of(read) <= MAX_DEPTH, "nothing deeper than the limit is read")


def _compare(raw: bytes, read: Json | Malformed) -> None:
    try:
        expected = read_json(raw)
    except Refused:
        expect(isinstance(read, Malformed), "what the reference refuses is refused")
        return
    if isinstance(read, Malformed):
        expect(depth_of(expected) > MAX_DEPTH, "what the reference reads is read, up to the depth")
        return
    expect(repr(read) == repr(expected), "a value is read as the reference reads it")
    expect(depth_of(expected) <= MAX_DEPTH, "nothing deeper than the limit is read")


TARGET = Target("strict_json", check, "json")
