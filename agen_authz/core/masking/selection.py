"""Which detectors look at a text: presets, single ones, and patterns of the configuration."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from agen_authz.core.masking.catalog import ALIASES, CATALOG
from agen_authz.core.masking.row import Detector, Preset


class Custom(Struct, frozen=True):
    """A pattern of the configuration, for RE2; `name` is as it is written there."""

    name: str
    pattern: str


class UnknownDetector(Exception):
    """No detector has this id or alias, or no preset this name."""


def find_id(name: str) -> str | None:
    """Find the id of a detector by its id or an alias: Agen's camelCase, Presidio's capitals, or ours in capitals."""
    for spelling in (name, name.lower() if name.isupper() else name):
        if spelling in CATALOG:
            return spelling
        if spelling in ALIASES:
            return ALIASES[spelling]
    return None


class Detectors(Struct, frozen=True):
    """A choice of detectors.

    Attributes:
        aliases: from each name that is accepted to our id; an id is its own.

    Args:
        ids: of the catalogue.
        customs: patterns besides.
    """

    aliases: ClassVar[Mapping[str, str]] = {**{name: name for name in CATALOG}, **ALIASES}
    ids: frozenset[str] = frozenset()
    customs: tuple[Custom, ...] = ()

    @classmethod
    def preset(cls, *names: str) -> "Detectors":
        """Choose every detector of these presets.

        Raises:
            UnknownDetector: no preset has this name.
        """
        try:
            presets = {Preset(name) for name in names}
        except ValueError as exc:
            raise UnknownDetector(str(exc)) from exc
        return cls(frozenset(row.id for row in CATALOG.values() if row.presets & presets))

    @classmethod
    def of(cls, *names: str) -> "Detectors":
        """Choose these detectors, by id or alias.

        Raises:
            UnknownDetector: no detector has this name.
        """
        return cls(frozenset(map(_get_id, names)))

    @classmethod
    def every(cls) -> "Detectors":
        """Choose every detector that is in a preset."""
        return cls.preset(*Preset)

    def add(self, *names: str) -> "Detectors":
        """Choose these too, by id or alias."""
        return replace(self, ids=self.ids | set(map(_get_id, names)))

    def remove(self, *names: str) -> "Detectors":
        """Leave these out, by id or alias, or by the name of a custom pattern."""
        known = {custom.name for custom in self.customs}
        ids = self.ids - {_get_id(name) for name in names if name not in known}
        return replace(self, ids=ids, customs=tuple(each for each in self.customs if each.name not in names))

    def add_customs(self, customs: Iterable[Custom]) -> "Detectors":
        """Look for these patterns too."""
        return replace(self, customs=(*self.customs, *customs))

    def list_rows(self) -> list[Detector]:
        """List the rows of the catalogue that are chosen, in its order."""
        return [row for row in CATALOG.values() if row.id in self.ids]


def _get_id(name: str) -> str:
    found = find_id(name)
    if found is None:
        raise UnknownDetector(name)
    return found
