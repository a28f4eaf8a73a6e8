"""What a file with mistakes still says, so that one load names every mistake and not only the first kind.

What is wrong is left out, together with what cannot do without it, until the rest is a configuration. A finding
that touches or leans on what was left out is not made: it might be no mistake at all.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from json import dumps
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from agen_authz.config.reading.tree import Path, Tree

_MAX_ROUNDS = 12
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Mistake:
    """What does not fit the models.

    Args:
        place: where in the file, or where a key is missing.
        kind: pydantic's word for it.
        key: the last part of the model's own path; where a key is missing, its name.
        text: pydantic's message, without the value.
    """

    place: Path
    kind: str
    key: str
    text: str
    context: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Salvage(Generic[M]):
    """A configuration of what is left.

    Args:
        lost: what was left out, as places in the file.
        above_lost: the places that something was left out of.
        origin: where in the file each of its values stands; they differ where an item of a list was left out.
    """

    config: M
    lost: frozenset[Path]
    above_lost: frozenset[Path]
    origin: Mapping[Path, Path]

    def place(self, path: Path) -> Path:
        """Find the place in the file of a path in the configuration."""
        known = path
        while known not in self.origin:
            known = known[:-1]
        return self.origin[known] + path[len(known) :]

    def is_certain(self, places: Iterable[Path]) -> bool:
        """True if nothing was left out at, above or below these places in the file."""
        return not any(place in self.above_lost or not self.lost.isdisjoint(_heads(place)) for place in places)


def salvage(tree: Tree, model: type[M], required: Mapping[str, Any]) -> tuple[list[Mistake], Salvage[M] | None]:
    """Validate a tree; return its mistakes, and what is left without them (None: nothing that could be checked).

    Args:
        tree: what the file says.
        model: what it should be.
        required: without these keys there is no configuration at all: what is used if one is missing or wrong.
    """
    lost = set(tree.broken)
    found, kept = _attempt(model, tree.value, lost)
    mistakes = [mistake for mistake in found if (*mistake.place, mistake.key) not in lost]
    for _ in range(_MAX_ROUNDS):
        if kept is not None or not isinstance(tree.value, dict):
            break
        lost |= {mistake.place for mistake in found if mistake.place}
        stand_ins = {key: value for key, value in required.items() if key not in tree.value or (key,) in lost}
        lost |= {(key,) for key in stand_ins}
        found, kept = _attempt(model, tree.value, lost, stand_ins)
    return mistakes, kept


def _attempt(
    model: type[M], value: Any, lost: set[Path], stand_ins: Mapping[str, Any] | None = None
) -> tuple[list[Mistake], Salvage[M] | None]:
    origin: dict[Path, Path] = {}
    left = _without(value, ((), ()), lost, origin)
    try:
        # As JSON: there, strict means that a list may become a tuple and nothing else may become anything.
        config = model.model_validate_json(dumps(left | stand_ins if stand_ins else left), strict=True)
    except ValidationError as exc:
        return [_locate(error, origin) for error in exc.errors(include_url=False, include_input=False)], None
    return [], Salvage(config, frozenset(lost), frozenset(above(lost)), origin)


def _without(value: Any, paths: tuple[Path, Path], lost: set[Path], origin: dict[Path, Path]) -> Any:
    """Copy a value less what is lost; `paths` are the copy's and the file's."""
    new, old = paths
    origin[new] = old
    if isinstance(value, dict):
        return {
            key: _without(item, ((*new, key), (*old, key)), lost, origin)
            for key, item in value.items()
            if (*old, key) not in lost
        }
    if isinstance(value, list):
        kept = [index for index in range(len(value)) if (*old, index) not in lost]
        return [
            _without(value[index], ((*new, position), (*old, index)), lost, origin)
            for position, index in enumerate(kept)
        ]
    return value


def _locate(error: ErrorDetails, origin: Mapping[Path, Path]) -> Mistake:
    # pydantic names the arms of a union in the place of an error; the file knows nothing of them.
    new: Path = ()
    for part in error["loc"]:
        if (*new, part) in origin:
            new = (*new, part)
    key = str(error["loc"][-1]) if error["loc"] else ""
    return Mistake(origin[new], error["type"], key, error["msg"], error.get("ctx", {}))


def above(places: Iterable[Path]) -> set[Path]:
    """List every place that has one of these below it."""
    return {place[:length] for place in places for length in range(len(place))}


def _heads(place: Path) -> Iterator[Path]:
    """Walk from the whole file down to a place."""
    return (place[:length] for length in range(len(place) + 1))
