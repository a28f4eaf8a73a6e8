"""Functions of conditions: their names, and texts that some of them would take for an error on every call."""

from collections.abc import Mapping
from dataclasses import dataclass

_ZONED = (
    "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours", "getMilliseconds",
    "getMinutes", "getMonth", "getSeconds",
)  # fmt: skip
FUNCTIONS = (
    "all", "bool", "bytes", "contains", "double", "duration", "dyn", "endsWith", "exists", "exists_one", "filter",
    "has", "int", "map", "matches", "size", "startsWith", "string", "timestamp", "type", "uint", *_ZONED,
)  # fmt: skip
"""Names for suggestions: the functions of CEL's standard library, and its macros."""
FIXED = frozenset({"matches", *_ZONED})
"""Functions whose text must be written in the condition.

A pattern of ten letters may take the library a tenth of a second to compile; a time zone names a file, which the
library opens, waits for, and never forgets.
"""


@dataclass(frozen=True, slots=True)
class Probe:
    """How to find out whether a function takes a text: an expression that errs where it does not.

    Args:
        expression: `{}` stands for the quoted text.
        meaning: what the text should be.
    """

    expression: str
    meaning: str
    cure: str


_ZONE = Probe(
    'timestamp("2026-01-01T00:00:00Z").getHours({})',
    "a time zone that this machine knows",
    "write a name such as `Europe/Berlin` (which needs zone files on the machine) or an offset such as `+01:00`",
)
PROBES: Mapping[str, Probe] = {
    "matches": Probe('"".matches({})', "an RE2 pattern", "see github.com/google/re2/wiki/Syntax"),
    "timestamp": Probe("timestamp({})", "a timestamp", "write it like `2026-12-24T18:00:00Z` (RFC 3339)"),
    "duration": Probe("duration({})", "a duration", "write it like `90m` or `1h30m`; a day is `24h`"),
    **dict.fromkeys(_ZONED, _ZONE),
}
"""By the function's name: constants that are checked when a condition loads, for they would err long after it."""
