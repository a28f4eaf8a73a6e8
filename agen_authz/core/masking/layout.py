"""Which members the objects of documents have: objects of one layout are looked at once.

A member's name may be a value itself (`{"jane@example.com": 3}`): names that are more than a short word are searched,
and those of a layout not again once nothing was found in them.
"""

from typing import TypeAlias

from agen_authz.core.masking.catalog.person import BARE_NAME_KEYS, PERSON_SIBLINGS
from agen_authz.core.masking.scanner import Scanner
from agen_authz.core.masking.trail import Trail, split_key
from agen_authz.core.memory import Memory

Names: TypeAlias = tuple[str, ...]
_MIN_CHARS, _MIN_VALUE_CHARS = 4, 16
_MAX_LAYOUTS = 16_384


class Layout:
    """An object's member names, looked at once.

    Attributes:
        trails: of the members, in their order.
        is_clean: True once the names were searched and nothing was found.
        has_blob: True if it may hold a blob, an image or audio.
    """

    __slots__ = ("has_blob", "is_clean", "suspects", "trails")

    def __init__(self, trails: tuple[Trail, ...], suspects: tuple[str, ...], *, has_blob: bool) -> None:
        self.trails, self.suspects, self.has_blob = trails, suspects, has_blob
        self.is_clean = not suspects


class Layouts:
    """The layouts of objects that one scanner has seen.

    Attributes:
        root: the trail of a whole document.
        has_customs: True if there are patterns that may match anything.
    """

    __slots__ = ("_known", "_scanner", "has_customs", "root")

    def __init__(self, scanner: Scanner) -> None:
        self.root, self.has_customs = scanner.fields.root, bool(scanner.customs)
        self._known: Memory[tuple[Trail, Names], Layout] = Memory(_MAX_LAYOUTS)
        self._scanner = scanner

    def find(self, trail: Trail, names: Names) -> Layout | None:
        """Find the layout of an object with these names, if there was one before."""
        return self._known.find((trail, names))

    def keep(self, trail: Trail, names: Names) -> Layout:
        """Make the layout of an object with these names."""
        return self._known.keep((trail, names), self._make(trail, names))

    def _make(self, trail: Trail, names: Names) -> Layout:
        fields = self._scanner.fields
        is_person = "person_name" in self._scanner.held and any(tells_of_person(name) for name in names)
        trails = tuple(_name_person(fields.step(trail, name), name, is_person=is_person) for name in names)
        suspects = tuple(name for name in names if self.has_customs or is_suspect(name))
        has_blob = "blob" in names or ("data" in names and "type" in names)
        return Layout(trails, suspects, has_blob=has_blob)


def _name_person(trail: Trail, name: str, *, is_person: bool) -> Trail:
    """Let a bare `name` be a person's, next to what only a person has."""
    if not is_person or name.lower() not in BARE_NAME_KEYS:
        return trail
    return Trail(trail.words, ("person_name", *trail.fields))


def tells_of_person(name: str) -> bool:
    """True if only a person has a member of this name."""
    words = split_key(name)
    return " ".join(words) in PERSON_SIBLINGS or not PERSON_SIBLINGS.isdisjoint(words)


def is_suspect(name: str) -> bool:
    """True if a member's name may be a value: it is searched; one that is not is a short word."""
    if len(name) < _MIN_CHARS:
        return False
    return len(name) >= _MIN_VALUE_CHARS or not (name.isascii() and name.replace("_", "").isalpha())
