"""What a regular expression of a schema (ECMA-262) may cost for each character of a text.

A linear engine follows, for each character, at most as many states as the pattern has atoms, repetitions counted out.
Look-around and back-references need an engine that tries one way after another; how often is bounded.
"""

import re

MAX_PATTERN_CHARS = 4096
_LOOKS = re.compile(r"\(\?<?[=!]|\\[1-9k]")
_TOKEN = re.compile(
    r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?:\?(?:[:=!]|<[=!]|<[^>]*>))?|\)|\{(\d{1,6})(?:,(\d{0,6}))?\}|[*+?|]|.", re.S
)
_MAX_ATOMS = 1_000_000
# In units of `cost`: what an atom and a character cost the linear engine, at most; and the other one, for the same.
_ATOMS_A_UNIT, _CHARACTER, _FANCY, _FANCY_FACTOR = 2, 4, 200, 2


def is_fancy(pattern: str) -> bool:
    """True if a pattern has look-around or a back-reference."""
    return _LOOKS.search(pattern) is not None


def price_pattern(pattern: str) -> int:
    """Say what a pattern costs for each character of a text, at most."""
    price = _CHARACTER + _count_atoms(pattern) // _ATOMS_A_UNIT
    return _FANCY + price * _FANCY_FACTOR if is_fancy(pattern) else price


def _count_atoms(pattern: str) -> int:
    # The atoms of each open group, and those of the last atom or group, which a repetition multiplies.
    groups, last = [0], 0
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if text[0] == "(":
            groups.append(0)
            last = 0
        elif text == ")" and len(groups) > 1:
            last = groups.pop()
            groups[-1] += last
        elif token[1] is not None:
            times = max(int(token[1]), int(token[2] or 0), 1)
            groups[-1] += last * (times - 1)
            last *= times
        elif text not in "*+?|":
            last = 1
            groups[-1] += 1
        if groups[-1] > _MAX_ATOMS:
            return _MAX_ATOMS
    return min(sum(groups), _MAX_ATOMS)
