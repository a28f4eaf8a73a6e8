"""One line of JSON for the readers of evidence: machines, and people at a terminal.

Readers parse the values as they are. In the line itself, what a terminal would obey (C1 control characters) and what
an eye would not see (bidirectional and other invisible characters) is written as an escape, RFC 8259 section 7.
"""

import re
from collections.abc import Mapping

import orjson

from agen_authz.core.memory import remember

# INVARIANT: outside of strings, JSON is printable ASCII, so whatever else is in a line is inside of one.
_ODD = re.compile(r"[^\x20-\x7e]+")
# Invisible (Unicode's Default_Ignorable_Code_Point), though Python counts them as printable.
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
_DELETE = b"\x7f"


def render_line(event: Mapping[str, object]) -> bytes:
    """Render an event as one line without its end; its value is the event's, whatever the event contains."""
    line = orjson.dumps(event)
    if line.isascii() and _DELETE not in line:
        return line
    return _ODD.sub(_spell, line.decode("utf-8")).encode("utf-8")


def _spell(found: "re.Match[str]") -> str:
    run = found[0]
    if run.isprintable() and not _INVISIBLE.search(run):
        return run
    return "".join(map(_spell_character, run))


@remember(4096)
def _spell_character(character: str) -> str:
    if character.isprintable() and not _INVISIBLE.match(character):
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
