"""What a caller or a person wrote, as a message shows it: on one line, and obeyed by no program that shows it.

Messages go to mail, chat and SMS. Some of these read markup in plain text, make links, or call a whole channel.
Characters that do such things, and those that show nothing, are written as `[U+202E]`:

 1. control, format, private and unassigned characters, line ends, every space but the plain one, what shows no shape,
    and combining marks after the third of a character
 2. `< > & * ~ \\` and the backtick, and characters that compatibility normalisation (NFKC) turns into one of these,
    or into `@`
 3. `@`, but in an e-mail address, so that no person is called: `@everyone`, `@here`, `@channel`
 4. the colon of `://`, the point of `www.` and of `name.example/`, so that there is no link but ours
 5. `(` and `[` after `]`, also after that of a spelling, which would make a link; the colons of `:name:`, which would
    make a picture
 6. `_` but within a word, and `|` next to another
 7. `[` of what is written like one of these spellings already

A message's own words never pass through here.
"""

import re
import unicodedata

from agen_authz.core.pinning.hidden import strip_hidden

_OBEYED = frozenset("<>&*~\\`")
_ONCE_NORMALISED = _OBEYED | frozenset("@")
_MAX_MARKS = 3
_CALLED = "everyone|here|channel|all|group|team|room"
_PATTERN = re.compile(
    # 3.
    rf"(?<![A-Za-z0-9._%+-])@|@(?=(?:{_CALLED})\b)|@(?![A-Za-z0-9-]+\.[A-Za-z0-9])"
    # 4.
    r"|:(?=//)|(?<=www)\.|\.(?=[A-Za-z]{2,}/)"
    # 5.
    r"|(?<=\])[(\[]|:(?=[\w+'-]*[^\W\d][\w+'-]*:|[+-]1:|100:)"
    # 6.
    r"|(?<![^\W_])_|_(?![^\W_])|(?<=\|)\||\|(?=\|)"
    # 7.
    r"|\[(?=U\+)",
    re.IGNORECASE,
)


def spell_line(text: str, max_chars: int) -> str:
    """Write a text on one line, at most its first `max_chars` characters, and say how many more there are."""
    kept, more = text[:max_chars], len(text) - max_chars
    # The whole is looked at, so that a cut does not hide what a character belongs to.
    found = {place.start() for place in _PATTERN.finditer(kept)}
    spelt: list[str] = []
    marks = 0
    for at, char in enumerate(kept):
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        # 5.
        is_link = char in "([" and "".join(spelt[-1:]).endswith("]")
        is_plain = at not in found and marks <= _MAX_MARKS and not is_link and _is_plain(char)
        spelt.append(char if is_plain else f"[U+{ord(char):04X}]")
    return "".join(spelt) + (f"... ({more:,} more characters)" if more > 0 else "")


def _is_plain(char: str) -> bool:
    if char.isascii():
        # 1. 2.
        return char.isprintable() and char not in _OBEYED
    if not char.isprintable() or strip_hidden(char) == "":
        return False
    return _ONCE_NORMALISED.isdisjoint(unicodedata.normalize("NFKC", char))
