"""Arguments that conditions read: they must mean the same to every backend, and must not be too many.

A backend may read `Amount` or `a_mount` where a condition reads `amount`, and a whole number beyond 2^53 as its
neighbour: a condition that reads such a value cannot be evaluated. Nor can one that reads more than `MAX_VALUES`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from agen_authz.core.cel.cost import TEXT_UNIT_CHARS
from agen_authz.core.cel.tree import ANY, Path
from agen_authz.core.memory import remember
from agen_authz.core.model import Json
from agen_authz.core.twin import fold_member, fold_members

MAX_VALUES = 10_000
"""So many values may be along one path that a condition reads, the other members of objects on the way included."""

TWIN = "has a key that another program may read as another one"
INEXACT = "holds a number beyond 2^53"
UNSURE = "must be looked at"
MANY = f"leads to more than {MAX_VALUES:,} values"

_MAX_EXACT = 2**53
_FEW_KEYS = 32
_MAX_REMEMBERED_KEYS = 512
_ESCAPED_NUL, _ESCAPED_BACKSLASH = b"\\u0000", b"\\\\"


def has_nul(value: object) -> bool:
    """True if any string or key contains a NUL: a condition would see what is before it, a backend all of it."""
    try:
        # Written down, it is escaped. Walking the values takes five times as long.
        written = orjson.dumps(value)
        return _ESCAPED_NUL in written and _ESCAPED_NUL in written.replace(_ESCAPED_BACKSLASH, b"")
    except orjson.JSONEncodeError:
        # Nested too deeply to be written, or a time.
        return _finds_nul(value)


def _finds_nul(value: object) -> bool:
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, str):
            if "\0" in each:
                return True
        elif isinstance(each, Mapping):
            pending.extend(each)
            pending.extend(each.values())
        elif isinstance(each, list):
            pending.extend(each)
    return False


def glance(given: dict[str, Json], path: Path) -> str | None:
    """Find what is wrong along a path, if it leads through small objects to one text or number; else `UNSURE`.

    Nearly always it does.
    """
    value: Json = given
    for step in path:
        if not isinstance(value, dict) or step == ANY or len(value) > _FEW_KEYS:
            return UNSURE
        if _recall_twin(tuple(value), step):
            return TWIN
        if step not in value:
            return None
        value = value[step]
    if isinstance(value, dict | list):
        return UNSURE
    return INEXACT if _is_inexact(value) else None


@dataclass(frozen=True, slots=True)
class Seen:
    """What is along one path: what is wrong with it, or None, and how much there is (a text counts by its length)."""

    doubt: str | None
    size: int


class Look:
    """What was found in the arguments of one call so far; each path is followed once, an object's keys folded once."""

    __slots__ = ("_folded", "_known", "_objects", "walked")

    def __init__(self) -> None:
        self._known: dict[tuple[str, object], Seen] = {}
        self._folded: dict[int, Mapping[str, int]] = {}
        self._objects: dict[str, list[dict[str, Json]]] = {}
        self.walked = 0

    def find_doubt(self, given: dict[str, Json], path: Path, root: str = "args") -> str | None:
        """Find what is wrong along a path below arguments; None if it means one thing."""
        seen = glance(given, path)
        return self.follow(given, path, root).doubt if seen == UNSURE else seen

    def follow(self, given: dict[str, Json], path: Path, root: str = "args") -> Seen:
        """Follow a path to everything that it leads to."""
        known = self._known.get((root, path))
        if known is None:
            known = self._known[root, path] = self._follow(given, path)
        return known

    def find_loose_twin(self, given: dict[str, Json], names: frozenset[str], root: str = "args") -> str | None:
        """Find a twin of one of the names, in any object anywhere."""
        known = self._known.get((root, names))
        if known is None:
            has_twin = any(self._has_loose_twin(each, names) for each in self._objects_in(given, root))
            known = self._known[root, names] = Seen(TWIN if has_twin else None, 0)
        return known.doubt

    def _objects_in(self, given: dict[str, Json], root: str) -> list[dict[str, Json]]:
        known = self._objects.get(root)
        if known is None:
            known = self._objects[root] = []
            pending: list[Json] = [given]
            while pending:
                each = pending.pop()
                if isinstance(each, dict):
                    known.append(each)
                    pending.extend(each.values())
                elif isinstance(each, list):
                    pending.extend(each)
        return known

    def _has_loose_twin(self, value: dict[str, Json], names: frozenset[str]) -> bool:
        self.walked += 1
        folded = self._fold_keys(value)
        return any(folded.get(fold_member(name), 0) > (name in value) for name in names)

    def _follow(self, given: dict[str, Json], path: Path) -> Seen:
        doubt, count, size = None, 0, 0
        pending: list[tuple[Json, int]] = [(given, 0)]
        while pending:
            value, at = pending.pop()
            if at == len(path):
                found, inner, inner_size = self._read_whole(value)
                size += inner_size
            else:
                found, inner = self._take_step(value, path, pending, at)
            doubt = doubt or found
            count += inner
            self.walked += 1 + inner
            if count > MAX_VALUES:
                return Seen(MANY, size)
        return Seen(doubt, size)

    def _read_whole(self, value: Json) -> tuple[str | None, int, int]:
        """Look at all that is in a value: what is wrong with it, how many values there are, and how large they are."""
        doubt, count, size = None, 0, 0
        pending = [value]
        while pending and count <= MAX_VALUES:
            each = pending.pop()
            size += 1
            if isinstance(each, str):
                size += len(each) // TEXT_UNIT_CHARS
            elif isinstance(each, list):
                count += len(each)
                pending.extend(each[: MAX_VALUES + 1])
            elif isinstance(each, dict):
                count += len(each)
                if count <= MAX_VALUES:
                    pending.extend(each.values())
                    doubt = TWIN if self._has_twins(each) else doubt
            elif _is_inexact(each):
                doubt = doubt or INEXACT
        return doubt, count, size

    def _take_step(self, value: Json, path: Path, pending: list[tuple[Json, int]], at: int) -> tuple[str | None, int]:
        """Take one step from a value, and note what it leads to for the next look."""
        step = path[at]
        if isinstance(value, list):
            # The elements count if they are looked at, except those without the next member of the path.
            pending.extend((each, at + 1) for each in (value[: MAX_VALUES + 1] if step == ANY else ()))
            return None, len(value) if step == ANY else 0
        if not isinstance(value, dict):
            return None, 0
        if len(value) > MAX_VALUES:
            return None, len(value)
        if step == ANY:
            pending.extend((each, at + 1) for each in value.values())
            return TWIN if self._has_twins(value) else None, len(value)
        if step in value:
            pending.append((value[step], at + 1))
        return TWIN if self._has_twin(value, step) else None, max(0, len(value) - 1)

    def _has_twin(self, value: dict[str, Json], name: str) -> bool:
        # One client's calls have the same few keys: what was found for them is remembered, if they are short.
        if len(value) <= _FEW_KEYS:
            return _recall_twin(tuple(value), name)
        return self._fold_keys(value).get(fold_member(name), 0) > (name in value)

    def _has_twins(self, value: dict[str, Json]) -> bool:
        return len(self._fold_keys(value)) < len(value)

    def _fold_keys(self, value: dict[str, Json]) -> Mapping[str, int]:
        """Count an object's keys by what they are folded to; the object stays as it is while the call is decided."""
        known = self._folded.get(id(value))
        if known is None:
            known = self._folded[id(value)] = Counter(fold_members(value))
        return known


def _recall_twin(keys: tuple[str, ...], name: str) -> bool:
    return _remember_twin(keys, name) if len("".join(keys)) <= _MAX_REMEMBERED_KEYS else _is_twin_among(keys, name)


def _is_twin_among(keys: tuple[str, ...], name: str) -> bool:
    folded = fold_member(name)
    return folded in [fold_member(key) for key in keys if key != name]


_remember_twin = remember(1024)(_is_twin_among)


def _is_inexact(value: Json) -> bool:
    # A fraction beyond is a whole number too, and may be the neighbour of the one that was written.
    return isinstance(value, int | float) and not -_MAX_EXACT <= value <= _MAX_EXACT
