"""How evidence shows what callers and providers wrote: quoted, escaped and bounded."""

from collections.abc import Iterable

_MAX_CHARS = 100
_MAX_ITEMS = 5


def quote(text: str) -> str:
    """Show at most 100 characters of a text in backticks; what is not printable, and the backtick, is escaped."""
    shown = "".join(
        each if each.isprintable() and each != "`" else f"\\u{{{ord(each):x}}}" for each in text[:_MAX_CHARS]
    )
    return f"`{shown}{'…' if len(text) > _MAX_CHARS else ''}`"


def quote_all(texts: Iterable[str]) -> str:
    """Show the first five of several texts, in alphabetical order, and how many more there are."""
    ordered = sorted(texts)
    shown = ", ".join(map(quote, ordered[:_MAX_ITEMS])) or "none"
    more = len(ordered) - _MAX_ITEMS
    return f"{shown} and {more} more" if more > 0 else shown
