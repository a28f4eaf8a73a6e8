"""Members that a text shows without being JSON: what a name in it tells of a value, as the name of a JSON member would.

    quoted      "first_name": "Ann" and 'first_name': 'Ann', in JSON that is cut off, in a program's notation, in a log
    elements    <first_name>Ann</first_name>, and <th>First name</th><td>Ann</td>
    tables      columns below a line of names, with commas, semicolons, tabs, or `|` as Markdown has; and in HTML

A bare `name` of a table is a person's if another column is one that only a person has, as in JSON (layout.py).

Each pattern reads every character a bounded number of times, whatever the text is.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from agen_authz.core.masking.catalog.person import BARE_NAME_KEYS
from agen_authz.core.masking.layout import tells_of_person

_QUOTED = re.compile(
    r"""(["'])([A-Za-z_][\w .-]{0,60}+)\1\s{0,4}+(?::|=>?)\s{0,4}+"""
    r"""(?:"([^"\\\n]{1,500}+)|'([^'\\\n]{1,500}+)|(-?[0-9](?:[0-9.,eE+-]{0,40}[0-9])?))"""
)
_ELEMENT = re.compile(
    r"<(?:[\w-]{1,40}:)?([A-Za-z_][\w.-]{0,60}+)(?:\s[^<>]{0,300}+)?>\s{0,8}+([^<>]{1,500}+)</(?:[\w-]{1,40}:)?\1>"
)
_CELLS = re.compile(r"<t[hd]>([^<>]{1,60}+)</t[hd]>\s{0,8}+<td>([^<>]{1,500}+)</td>", re.IGNORECASE)
_HTML_CELL = re.compile(r"<(t[rhd])(?:\s[^<>]{0,300}+)?>\s{0,8}+([^<>]{0,500}+)", re.IGNORECASE)
_LINE = re.compile(r"[^\r\n]+")
_DELIMITERS = ("|", "\t", ";", ",")
_NAME = re.compile(r"[^\W\d][\w .()/'-]{0,50}")
_RULE = re.compile(r"[\s|:+=-]+")
_AROUND = " \t\"'`"
_BOLD = re.compile(r"(\*{1,3})[^*](?:.*[^*])?\1")
_MAX_CELLS, _LONGEST_HEADER, _MAX_TRIED = 200, 4_000, 20


class Shown(Struct, frozen=True):
    """A member in a text: its name, and the place of its value."""

    name: str
    start: int
    end: int


def list_written(text: str, tells: Callable[[str], bool]) -> Iterator[Shown]:
    """List the members that a text shows.

    Args:
        tells: True if a name tells what its value is; others are left out.
    """
    return (each for each in _list_all(text, tells) if tells(each.name))


def _list_all(text: str, tells: Callable[[str], bool]) -> Iterator[Shown]:
    if ":" in text or "=" in text:
        for found in _QUOTED.finditer(text):
            yield Shown(found[2], *found.span(found.lastindex or 0))
    if "</" in text:
        for pattern in (_ELEMENT, _CELLS):
            for found in pattern.finditer(text):
                yield Shown(found[1], *found.span(2))
        yield from _list_html_cells(text)
    if "\n" in text:
        yield from _list_cells(text, tells)


def _list_html_cells(text: str) -> Iterator[Shown]:
    """List the cells of HTML's tables, each under the head of its column."""
    names: Sequence[str] = ()
    heads: list[str] = []
    place = 0
    for found in _HTML_CELL.finditer(text):
        kind = found[1].lower()
        if kind == "tr":
            names, heads, place = (_name_persons(heads) if heads else names), [], 0
            continue
        if kind == "th":
            heads.append(found[2].strip())
        else:
            # A head next to its value is not one of a column.
            heads = []
            start, end = _strip(text, *found.span(2))
            if place < len(names) and start < end:
                yield Shown(names[place], start, end)
        place += 1


def _name_persons(names: Sequence[str]) -> Sequence[str]:
    """Call a bare `name` a full name, next to what only a person has."""
    if all(name.lower() not in BARE_NAME_KEYS for name in names) or not any(map(tells_of_person, names)):
        return names
    return ["full name" if name.lower() in BARE_NAME_KEYS else name for name in names]


def _list_cells(text: str, tells: Callable[[str], bool]) -> Iterator[Shown]:
    """List the cells of tables, each under the name above it."""
    names: Sequence[str] = ()
    delimiter, rows = "", 0
    for line in _LINE.finditer(text):
        start, written = line.start(), line.group()
        if names and _RULE.fullmatch(written) is not None:
            continue
        if names and len(cells := _split(written, delimiter)) == len(names):
            for name, (begins, ends) in zip(names, cells, strict=True):
                if begins < ends:
                    yield Shown(name, start + begins, start + ends)
            continue
        # Many lines of one kind, none of which was a header, are rows without one.
        rows = rows + 1 if delimiter and delimiter in written and not names else 0
        if rows < _MAX_TRIED:
            names, delimiter = _read_header(written)
            names = _name_persons(names)
            if not any(map(tells, names)):
                names = ()


def _read_header(line: str) -> tuple[Sequence[str], str]:
    """Read a line of names, and what is between them; no names if it is none."""
    if len(line) <= _LONGEST_HEADER:
        for delimiter in _DELIMITERS:
            if delimiter in line:
                names = [line[start:end] for start, end in _split(line, delimiter)]
                is_header = 1 < len(names) <= _MAX_CELLS and all(_NAME.fullmatch(name) for name in names)
                return (names if is_header else ()), delimiter
    return (), ""


def _split(line: str, delimiter: str) -> list[tuple[int, int]]:
    """Find the cells of a line, without what is around their texts; a delimiter in quotes is none."""
    pieces = line.split(delimiter)
    cells: list[tuple[int, int]] = []
    at, is_open = 0, False
    for piece in pieces:
        begins, at = at, at + len(piece) + 1
        if is_open:
            cells[-1] = (cells[-1][0], begins + len(piece))
        else:
            cells.append((begins, begins + len(piece)))
        is_open = is_open != (piece.count('"') % 2 == 1)
    bare = [_strip(line, *cell) for cell in cells]
    # A Markdown table has a delimiter at both ends as well.
    if delimiter == "|" and len(bare) > 2 and line.strip()[0] == line.strip()[-1] == "|":
        return bare[1:-1]
    return bare


def _strip(line: str, start: int, end: int) -> tuple[int, int]:
    inner = line[start:end]
    left = len(inner) - len(inner.lstrip(_AROUND))
    right = max(left, len(inner.rstrip(_AROUND)))
    # Stars on one side only are what masking wrote.
    bold = _BOLD.fullmatch(inner, left, right)
    width = 0 if bold is None else len(bold[1])
    return start + left + width, start + right - width
