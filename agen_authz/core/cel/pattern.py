"""How large an RE2 pattern is, told from its text: what it costs to compile, and to look for.

The library compiles a pattern each time that it is asked for. RE2 looks for it in linear time, but that is linear in
the pattern as well: where a text makes too many combinations of places in the pattern, every place that may be reached
is followed for each byte. So a pattern that repeats is as large as what it stands for: `[ab]{200}` is two hundred.
"""

import re
from dataclasses import dataclass

# RE2 refuses to repeat anything more often.
_MAX_REPEATED = 1000
_TOKEN = re.compile(
    r"""
    (?P<quoted>\\Q(?P<literal>.*?)(?:\\E|\Z))
  | (?P<unicode>\\[pP](?:\{[^}]*\}|.))
  | (?P<escape>\\x\{[^}]*\}|\\.)
  | (?P<set>\[\^?\]?(?:\[:\^?\w+:\]|\\[pP]\{[^}]*\}|\\.|[^\]\\])*\])
  | (?P<flags>\(\?[A-Za-z-]*\))
  | (?P<open>\((?:\?(?:P?<\w+>|[A-Za-z-]*:))?)
  | (?P<close>\))
  | (?P<counter>\{(?P<least>\d+)(?P<more>,(?P<most>\d*))?\})
  | (?P<operator>[*+?|^$])
  | (?P<any>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_FOLDS = re.compile(r"\(\?[A-Za-z]*i")
_WIDE_SET = re.compile(r"\[\^|\\[xDSW]|[^\x00-\x7f]")
_UNICODE = re.compile(r"\\[pP]")


@dataclass(frozen=True, slots=True)
class Size:
    """How large a pattern is.

    Args:
        places: that may be followed at once, for each byte of a text.
        steps: of the compiled program, as one for each letter.
    """

    places: int
    steps: int

    def __add__(self, other: "Size") -> "Size":
        return Size(self.places + other.places, self.steps + other.steps)

    def times(self, count: int) -> "Size":
        """Return how large it is if it is repeated so often."""
        return Size(self.places * count, self.steps * count)


_NOTHING, _ONE, _SET, _WIDE, _CATEGORY = Size(0, 0), Size(1, 1), Size(1, 2), Size(3, 10), Size(6, 7000)
# In either case: more to compile, and sometimes a letter beyond ASCII.
_FOLDED = 4


def read_size(pattern: str) -> Size:
    """Read how large a pattern is; total: an invalid pattern has a size, too."""
    levels, last = [_NOTHING], _NOTHING
    for token in _TOKEN.finditer(pattern):
        match token.lastgroup:
            case "open":
                levels.append(_ONE)
                last = _NOTHING
            case "close" if len(levels) > 1:
                last = levels.pop()
                levels[-1] += last
            case "counter":
                repeated = last.times(max(1, _count(token)))
                # The first is there already.
                levels[-1] += last.times(max(0, _count(token) - 1))
                last = repeated
            case "operator":
                levels[-1] += _ONE
            case _:
                last = _atom(token)
                levels[-1] += last
    size = sum(levels, _NOTHING)
    return Size(size.places, size.steps * (_FOLDED if _FOLDS.search(pattern) else 1))


def _count(token: "re.Match[str]") -> int:
    least = min(int(token["least"]), _MAX_REPEATED)
    if not token["more"]:
        return least
    return max(least, min(int(token["most"]), _MAX_REPEATED)) if token["most"] else least + 1


def _atom(token: "re.Match[str]") -> Size:
    text = token[0]
    if token["quoted"]:
        return _ONE.times(len(token["literal"].encode()))
    if token["unicode"] or token["set"]:
        categories = len(_UNICODE.findall(text))
        if categories:
            return _CATEGORY.times(categories)
    if text == "." or _WIDE_SET.search(text):
        return _WIDE
    return _SET if token["set"] or token["escape"] else _ONE
