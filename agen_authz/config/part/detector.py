"""Detectors as the file names them (ours, Agen's and Presidio's spellings), and patterns that it adds."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

import re2

from agen_authz.core.masking.catalog import CATALOG

MAX_PATTERN_CHARS = 1024
# What a compiled pattern may take: all of them are held by every process that masks.
_MAX_PATTERN_BYTES = 1 << 20
# A text with the places at which a pattern of nothing but conditions (`\b`, `$`) matches.
_PROBES = ("", "a 1\n_-A")
# RE2 reads what it cannot repeat so often as the text that is written there.
_HUGE_REPEAT = re.compile(r"(?<!\\)\{(?:[0-9]{4,}(?:,[0-9]*)?|[0-9]*,[0-9]{4,})\}")


def suggest_detector(name: str, own: Iterable[str] | None = None) -> str:
    """Say what to write instead of a name that no detector has.

    Args:
        own: names that a rule defines; None for what can define none.
    """
    near = get_close_matches(name, sorted({*CATALOG, *(own or ())}), n=1)
    if near:
        return f"did you mean `{near[0]}`"
    return "use one of docs/masking.md" if own is None else "use one of ours, or define it under `custom`"


def find_pattern_flaw(pattern: str) -> tuple[str, str] | None:
    """Find why a pattern cannot be searched for, and what to do; None if it can."""
    if len(pattern) > MAX_PATTERN_CHARS:
        return f"longer than {MAX_PATTERN_CHARS} characters", "split it into several patterns"
    if _HUGE_REPEAT.search(pattern):
        return "it repeats more than 1000 times", "repeat less; to mean braces, write `\\{`"
    options = re2.Options()
    options.max_mem, options.log_errors = _MAX_PATTERN_BYTES, False
    try:
        compiled = re2.compile(pattern, options)
    except UnicodeError:
        return "it holds half of a character", "write the character"
    except re2.error as exc:
        return _explain(exc.args[0])
    if any(match.start() == match.end() for probe in _PROBES for match in compiled.finditer(probe)):
        return "it matches the empty text", "write what a value must hold, such as `[0-9]+` for `[0-9]*`"
    return None


def _explain(raw_said: bytes) -> tuple[str, str]:
    said = raw_said.decode("utf-8", "replace")
    known: Mapping[str, tuple[str, str]] = {
        "pattern too large": ("it is too large", "repeat less, or split it into several patterns"),
        "bad repetition operator": ("repeats of repeats do not exist there", "put one of them in brackets"),
        "invalid perl operator": ("look-around does not exist there", "write the value alone, without what is around"),
        "invalid escape sequence": (said, "correct it: back-references do not exist there"),
    }
    return next((why for start, why in known.items() if said.startswith(start)), (said, "correct the pattern"))
