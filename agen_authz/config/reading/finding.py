"""Findings of the cross-checks, collected while one configuration is walked."""

from collections.abc import Iterable
from typing import Any

from agen_authz.config.reading.salvage import Salvage
from agen_authz.config.reading.tree import Path, Tree, spell
from agen_authz.core.cel.condition import Condition
from agen_authz.core.errors import Problem


class Findings:
    """What was found wrong with one configuration."""

    def __init__(self, salvage: Salvage[Any], tree: Tree, file: str) -> None:
        self._salvage = salvage
        self._tree = tree
        self._file = file
        self.problems: list[Problem] = []
        # Compiled once: what is built of the configuration takes them from here.
        self.conditions: dict[str, Condition] = {}

    def add(self, path: Path, message: str, cure: str, *, leans_on: Iterable[Path] = ()) -> None:
        """Note one finding; its line is the key's, or that of the nearest part above it.

        Args:
            leans_on: other parts of the file that the finding is about; if one of them is wrong itself, this
                finding may be its echo and is not made.
        """
        place = self._salvage.place(path)
        if self._salvage.is_certain((place, *leans_on)):
            line = self._tree.line_of(place)
            self.problems.append(Problem(self._file, line, spell(place), _one_line(message), _one_line(cure)))

    def is_written(self, path: Path) -> bool:
        """True if the file has a key."""
        return self._salvage.place(path) in self._tree.lines

    def is_last(self, key: str) -> bool:
        """True if a key of the top is the last one in the file."""
        return bool(self._tree.value) and list(self._tree.value)[-1] == key

    def refuse_empty(self, path: Path, values: object, meaning: str) -> None:
        """Refuse an empty list: it never means all."""
        if isinstance(values, tuple | dict) and not values:
            self.add(path, "the list is empty", f"name {meaning}, or leave the key out")

    def refuse_twins(self, path: Path, key: str, names: Iterable[str], what: str) -> None:
        """Refuse two entries of one name."""
        self.refuse_same((((*path, index, key), name) for index, name in enumerate(names)), what)

    def refuse_same(self, named: Iterable[tuple[Path, str]], what: str) -> None:
        """Refuse two places of one name."""
        seen: set[str] = set()
        for path, name in named:
            if name in seen:
                self.add(path, f"two {what} are called `{name}`", "give each its own name")
            seen.add(name)


def _one_line(text: str) -> str:
    return " ".join(text.split())
