"""A result that was masked still fits its tool's `outputSchema`, for clients refuse one that does not.

1. What fits any approved definition leaves as it was masked. So does what did not fit before it was masked.
2. Otherwise it is found out which masked members do not fit: members with the same names, in whatever item of a list,
   are tried together. They are left out.
3. If the result does not fit without them (they are required), or if that costs too much, or if no schema can be used,
   the result becomes one with `isError`, which names places and detectors. The client then expects no structure.

The library cannot say in bounded time what does not fit (it lists every error there is), but it can say if something
does. So the result as it was is masked in part, by halves, until the parts that do not fit are found.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import orjson
from msgspec import Struct

from agen_authz.core.arguments.graph import BadSchema
from agen_authz.core.arguments.schema import Schema
from agen_authz.core.masking.rule import Receipt
from agen_authz.core.model import Json

# Units of `core.arguments.cost`, at most 100 ms in all; the library needs a fraction of it for most schemas.
MAX_COST = 4_000_000
_MAX_CHANGES, _MAX_GROUPS = 10_000, 200
# What it costs to put one change in place and back.
_CHANGE_COST = 40
_MAX_NAMED, _MAX_POINTER_CHARS = 20, 200
_STRUCTURED = "structuredContent"
_POINTER = f"/result/{_STRUCTURED}"
_WITHHELD = "The result is withheld: data protection masked what its output schema requires in another form."

Steps: TypeAlias = tuple[str | int, ...]


class _Absent:
    """The value of a member that was left out."""


_ABSENT: Final = _Absent()


class _Change(Struct, frozen=True):
    """A member that was masked, and its value now."""

    steps: Steps
    value: Json | _Absent


_Group: TypeAlias = list[_Change]


def fit_output(
    before: dict[str, Json],
    masked: dict[str, Json],
    list_schemas: Callable[[], Sequence[Schema | BadSchema]],
    receipts: Sequence[Receipt],
) -> dict[str, Json]:
    """Return a masked message so that it fits; total, and the message itself if it does.

    Args:
        before: the message before it was masked.
        list_schemas: lists those of the approved definitions of the tool; none if anything fits.
    """
    old, new = _structure_of(before), _structure_of(masked)
    if isinstance(old, _Absent) or old is new or old == new:
        return masked
    schemas = list_schemas()
    if not schemas:
        return masked
    if isinstance(new, _Absent):
        return _withhold(masked, receipts)
    fitting = _fit(old, new, [each for each in schemas if isinstance(each, Schema)], len(schemas))
    if fitting is new:
        return masked
    if isinstance(fitting, _Absent):
        return _withhold(masked, receipts)
    return _replace(masked, {_STRUCTURED: fitting})


def _structure_of(message: dict[str, Json]) -> Json | _Absent:
    result = message.get("result")
    if not isinstance(result, dict) or _STRUCTURED not in result:
        return _ABSENT
    return result[_STRUCTURED]


def _fit(old: Json, new: Json, usable: list[Schema], total: int) -> Json | _Absent:
    """Return what fits of `new`; nothing if that cannot be had."""
    trial = _Trial(old, new)
    # 1.
    if any(trial.fits(each, new) for each in usable):
        return new
    fitted = [each for each in usable if trial.fits(each, old)]
    if not fitted and len(usable) == total and not trial.is_spent:
        return new
    # 2.
    groups = _list_groups(old, new)
    if groups is None:
        return _ABSENT
    for schema in fitted:
        broken = trial.find_broken(schema, groups)
        rest = None if broken is None else _leave_out(new, broken)
        # 3.
        if rest is not None and trial.fits(schema, rest):
            return rest
    return _ABSENT


class _Trial:
    """Tries values on schemas until it has cost as much as it may."""

    def __init__(self, old: Json, new: Json) -> None:
        self._working = _copy(old)
        self._old, self._new = old, new
        self._left = MAX_COST
        self._costs: dict[int, tuple[int, int]] = {}

    @property
    def is_spent(self) -> bool:
        return self._left < 0

    def fits(self, schema: Schema, value: Json) -> bool:
        old, new = self._measure(schema)
        # INVARIANT: every value that is tried consists of parts of these two.
        cost = old if value is self._old else new if value is self._new else old + new
        self._left -= cost
        return not self.is_spent and schema.fits(value, cost)

    def _measure(self, schema: Schema) -> tuple[int, int]:
        costs = self._costs.get(id(schema))
        if costs is None:
            costs = schema.measure(self._old, MAX_COST), schema.measure(self._new, MAX_COST)
            self._costs[id(schema)] = costs
        return costs

    def find_broken(self, schema: Schema, groups: list[_Group]) -> list[_Group] | None:
        """Find the groups that do not fit; None if that costs too much."""
        # That all of them together do not fit is known.
        pending, broken = _halve(groups), list[_Group]()
        while pending:
            part = pending.pop()
            if len(groups) > 1 and self._fits_with(schema, part):
                continue
            if self.is_spent:
                return None
            if len(part) == 1:
                broken.append(part[0])
            else:
                pending += _halve(part)
        return broken

    def _fits_with(self, schema: Schema, groups: list[_Group]) -> bool:
        changes = [change for group in groups for change in group]
        self._left -= _CHANGE_COST * len(changes)
        before = [_put(self._working, each.steps, each.value) for each in changes]
        fits = self.fits(schema, self._working)
        for change, value in zip(reversed(changes), reversed(before), strict=True):
            _put(self._working, change.steps, value)
        return fits


def _halve(groups: list[_Group]) -> list[list[_Group]]:
    middle = len(groups) // 2
    return [half for half in (groups[:middle], groups[middle:]) if half]


def _copy(value: Json) -> Json:
    copied: Json = orjson.loads(orjson.dumps(value))
    return copied


def _put(whole: Json, steps: Steps, value: Json | _Absent) -> Json | _Absent:
    """Put a value at a member's place, and return what was there."""
    held, name = _find_member(whole, steps)
    before = held.pop(name, _ABSENT)
    if not isinstance(value, _Absent):
        held[name] = value
    return before


def _find_member(whole: Json, steps: Steps) -> tuple[dict[str, Json], str]:
    """Find the object that a member is in, and the member's name."""
    held: Any = whole
    # INVARIANT: the steps lead to a member, of the value that they were found in or of one of its shape.
    for step in steps[:-1]:
        held = held[step]
    return held, str(steps[-1])


def _leave_out(new: Json, broken: list[_Group]) -> Json:
    rest = _copy(new)
    for group in broken:
        for change in group:
            _put(rest, change.steps, _ABSENT)
    return rest


# ---- what was changed ----------------------------------------------------------------------------------


def _list_groups(old: Json, new: Json) -> list[_Group] | None:
    """List the changed members, those of the same names together; None if they are too many, or if one is the whole."""
    changed: set[Steps] = set()
    for steps in _list_changes(old, new, ()):
        changed.add(_lift(steps))
        if len(changed) > _MAX_CHANGES:
            return None
    groups: dict[Steps, _Group] = {}
    for steps in sorted(changed, key=len):
        if not steps:
            return None
        if any(steps[:length] in changed for length in range(1, len(steps))):
            continue
        names = tuple("" if isinstance(step, int) else f"/{step}" for step in steps)
        groups.setdefault(names, []).append(_Change(steps, _get(new, steps)))
    return list(groups.values()) if len(groups) <= _MAX_GROUPS else None


def _get(new: Json, steps: Steps) -> Json | _Absent:
    held, name = _find_member(new, steps)
    return held.get(name, _ABSENT)


def _lift(steps: Steps) -> Steps:
    """Name the member that an item of a list is in: only members can be left out."""
    while steps and isinstance(steps[-1], int):
        steps = steps[:-1]
    return steps


def _list_changes(old: Json, new: Json, steps: Steps) -> Iterator[Steps]:
    if old is new:
        return
    if isinstance(old, dict) and isinstance(new, dict) and new.keys() <= old.keys():
        for name, value in old.items():
            if name in new:
                yield from _list_changes(value, new[name], (*steps, name))
            else:
                yield (*steps, name)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for at, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _list_changes(before, after, (*steps, at))
    elif type(old) is not type(new) or old != new:
        # A key that was masked as well: its object is another one.
        yield steps


# ---- a result without its structure --------------------------------------------------------------------


def _withhold(masked: dict[str, Json], receipts: Sequence[Receipt]) -> dict[str, Json]:
    content: Json = [{"type": "text", "text": f"{_WITHHELD} {_name(receipts)}".rstrip()}]
    return _replace(masked, {"content": content, "isError": True})


def _replace(masked: dict[str, Json], members: dict[str, Json]) -> dict[str, Json]:
    result = masked.get("result")
    kept = {key: value for key, value in result.items() if key != _STRUCTURED} if isinstance(result, dict) else {}
    return {**masked, "result": {**kept, **members}}


def _name(receipts: Sequence[Receipt]) -> str:
    named: dict[str, list[str]] = {}
    for each in receipts:
        if each.is_enforced and (each.pointer + "/").startswith(_POINTER + "/"):
            detectors = named.setdefault(each.pointer[:_MAX_POINTER_CHARS], [])
            if each.detector not in detectors:
                detectors.append(each.detector)
    if not named:
        return ""
    shown = [f"{pointer} ({', '.join(detectors)})" for pointer, detectors in list(named.items())[:_MAX_NAMED]]
    rest = len(named) - len(shown)
    return f"Masked: {'; '.join(shown)}{f'; and {rest} more' if rest else ''}."
