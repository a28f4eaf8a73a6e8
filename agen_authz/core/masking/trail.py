"""What the way to a value in a JSON document says of it: the names of the members that it is in.

A member's name is taken apart into words (`customerDateOfBirth`, `customer_date_of_birth`), and those are held
against the field words of the detectors. Of phrases that hold one another the longer one counts: `email address` is no
address. A member with a name that says nothing (`value`) has what its parent's name says.
"""

import re
from collections.abc import Iterable

from agen_authz.core.masking.row import Detector
from agen_authz.core.memory import Memory

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|[^\W\d_]+")
_MAX_KEY_CHARS = 128
# What masking writes: style.py.
_MASKED = re.compile(r"\[[A-Z][A-Z0-9_]{0,62}\]|\btok_[a-z0-9_]+|\b[A-Z][A-Z0-9_]{0,62}_[a-z]{20}\b")
_MAX_PHRASE_WORDS = 6
_MAX_TRAILS = 32_768


def _list_words(text: str) -> list[str]:
    return text.split()


# A name that by itself says nothing.
_HOLLOW = frozenset(
    _list_words("""
    value val values text raw number num no nr content data full formatted display plain string items item list
    primary secondary main default current old new previous home work mobile original code id
""")
)
# A name that says that a number in it counts or orders something.
_AGAINST = frozenset(
    _list_words("""
    order orders invoice sku timestamp ts version build sha hash commit isbn ean upc gtin asin tracking count size
    bytes offset page cursor etag created updated modified time duration price amount total quantity qty port line
    lines revision serial batch shipment ticket job run trace span digest checksum epoch height width index
    position rank score percent ratio id ids key
""")
)
_FIRST_AND_LAST = frozenset({"first", "last", "given", "family", "middle", "full"})


def split_key(key: str) -> tuple[str, ...]:
    """Split a member's name into its words, in lower case."""
    return tuple(word.lower() for word in _WORDS.findall(key[:_MAX_KEY_CHARS]))


class Trail:
    """The names that lead to a value.

    Attributes:
        words: of the last name that says something.
        fields: the detectors whose value a member of this name has.
        is_against: True if the name says that a number is none of what detectors look for.
    """

    __slots__ = ("fields", "is_against", "words")

    def __init__(self, words: tuple[str, ...] = (), fields: tuple[str, ...] = (), *, is_against: bool = False) -> None:
        self.words, self.fields, self.is_against = words, fields, is_against


def _is_against(words: tuple[str, ...]) -> bool:
    return not _AGAINST.isdisjoint(words)


class FieldIndex:
    """The field words of detectors; makes the trails of documents.

    Attributes:
        root: the trail of a whole document.
    """

    __slots__ = ("_exact", "_parts", "_trails", "root")

    def __init__(self, rows: Iterable[Detector]) -> None:
        self._parts: dict[tuple[str, ...], list[str]] = {}
        self._exact: dict[str, list[str]] = {}
        for row in rows:
            for field in row.fields:
                self._add(field, row.id)
        self.root = Trail()
        self._trails: Memory[tuple[Trail, str], Trail] = Memory(_MAX_TRAILS)

    def _add(self, field: str, name: str) -> None:
        if field.startswith("="):
            self._exact.setdefault(field[1:].replace(" ", ""), []).append(name)
            return
        words = tuple(field.split())
        for spelling in {words, ("".join(words),)}:
            self._parts.setdefault(spelling, []).append(name)

    def step(self, trail: Trail, key: str) -> Trail:
        """Follow a member's name."""
        known = self._trails.find((trail, key))
        return known if known is not None else self._trails.keep((trail, key), self._make(trail, key))

    def tells(self, name: str) -> bool:
        """True if a member of this name has the value of a detector."""
        return bool(self.step(self.root, name).fields)

    def _make(self, trail: Trail, key: str) -> Trail:
        # `[US_SSN]` is what a name, or a part of one, became, and says nothing of the member's value.
        words = split_key(_MASKED.sub(" ", key[:_MAX_KEY_CHARS]))
        fields = self.find(words)
        if not fields and words and words[0] in _FIRST_AND_LAST and trail.words[-1:] == ("name",):
            fields = self.find((words[0], "name"))
        if not fields and set(words) <= _HOLLOW:
            return Trail(trail.words or words, trail.fields, is_against=trail.is_against or _is_against(words))
        return Trail(words, fields, is_against=not fields and _is_against(words))

    def find(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Find the detectors that words tell of: the longest phrases first of all."""
        exact = self._exact.get("".join(words), ())
        found: list[tuple[int, int, list[str]]] = []
        for length in range(min(len(words), _MAX_PHRASE_WORDS), 0, -1):
            for start in range(len(words) - length + 1):
                names = self._parts.get(words[start : start + length])
                is_inside = any(low <= start and start + length <= high for low, high, _ in found)
                if names is not None and not is_inside:
                    found.append((start, start + length, names))
        return tuple(dict.fromkeys((*exact, *(name for _, _, names in found for name in names))))
