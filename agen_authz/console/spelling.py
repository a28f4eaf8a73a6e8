"""How things are spelt for people: times, durations, and JSON in which nothing is hidden and nothing cut off."""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from json import dumps

from msgspec import Struct

from agen_authz.core.model import Json
from agen_authz.core.pinning.hidden import split_spelt

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
# As JSON has them; whatever else does not show is spelled out.
_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))


class Span(Struct, frozen=True):
    """A part of a line; `kind` is `key`, `string`, `number`, `word`, `mark`, `masked`, `hidden` or `text`."""

    kind: str
    text: str


Line = tuple[Span, ...]


def spell_moment(seconds: float | None) -> str:
    """Spell a time to the minute: `30 Nov 2026, 12:07 UTC`."""
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%d %b %Y, %H:%M} UTC".removeprefix("0")


def spell_clock(seconds: float) -> str:
    """Spell a time to the second: `30 Nov, 12:07:31`."""
    return f"{datetime.fromtimestamp(seconds, UTC):%d %b, %H:%M:%S}".removeprefix("0")


def split_code(text: str) -> tuple[tuple[bool, str], ...]:
    """Split a sentence of ours into words and, between backticks, code (True)."""
    return tuple((at % 2 == 1, part) for at, part in enumerate(text.split("`")) if part)


def spell_iso(seconds: float | None) -> str:
    """Spell a time for machines (RFC 3339)."""
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


def spell_duration(seconds: float) -> str:
    """Spell a duration with its two largest units: `3 h 12 min`."""
    left = max(int(seconds), 0)
    days, hours, minutes = left // _DAY, left % _DAY // _HOUR, left % _HOUR // _MINUTE
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{left} s"


def spell_text(text: str, kind: str = "text") -> Line:
    """Spell a text with its hidden characters; a line end is marked and kept."""
    pieces: list[Span] = []
    for is_spelt, part in split_spelt(text):
        if part and is_spelt:
            pieces.append(Span("hidden", part))
        else:
            pieces.append(Span(kind, part))
    return tuple(pieces)


def list_paragraphs(text: str) -> tuple[Line, ...]:
    """Spell a text of several lines, a line each; its line ends are the only hidden characters that are obeyed."""
    return tuple(spell_text(line) for line in text.replace("\r\n", "\n").split("\n"))


def list_json(value: Json, masked: Collection[str] = ()) -> tuple[Line, ...]:
    """Spell JSON, a line for each value.

    Args:
        masked: JSON pointers of values that are masked.
    """
    return tuple(_walk(value, "", 0, frozenset(masked), ""))


def _walk(value: Json, pointer: str, depth: int, masked: frozenset[str], end: str) -> Iterator[Line]:
    """Yield the lines of a value; the first is not indented, because its key comes before it."""
    if isinstance(value, dict) and value:
        yield (Span("mark", "{"),)
        for at, (key, each) in enumerate(value.items()):
            place = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            comma = "," if at + 1 < len(value) else ""
            lead = (*_spell_string(key, "key"), Span("mark", ": "))
            yield from _lead(lead, depth + 1, _walk(each, place, depth + 1, masked, comma))
        yield (Span("mark", _indent(depth) + "}" + end),)
    elif isinstance(value, list) and value:
        yield (Span("mark", "["),)
        for at, each in enumerate(value):
            comma = "," if at + 1 < len(value) else ""
            yield from _lead((), depth + 1, _walk(each, f"{pointer}/{at}", depth + 1, masked, comma))
        yield (Span("mark", _indent(depth) + "]" + end),)
    else:
        yield (*_spell_leaf(value, is_masked=pointer in masked), *((Span("mark", end),) if end else ()))


def _lead(lead: Line, depth: int, lines: Iterator[Line]) -> Iterator[Line]:
    yield (Span("mark", _indent(depth)), *lead, *next(lines))
    yield from lines


def _indent(depth: int) -> str:
    return "  " * depth


def _spell_leaf(value: Json, *, is_masked: bool) -> Line:
    if isinstance(value, str):
        return _spell_string(value, "masked" if is_masked else "string")
    if is_masked:
        return (Span("masked", dumps(value)),)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return (Span("number" if is_number else "word", dumps(value)),)


def _spell_string(text: str, kind: str) -> Line:
    escaped = text
    for raw, shown in _ESCAPES:
        escaped = escaped.replace(raw, shown)
    return (Span(kind, '"'), *spell_text(escaped, kind), Span(kind, '"'))
