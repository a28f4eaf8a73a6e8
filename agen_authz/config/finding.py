"""Findings of the cross-checks, collected while one configuration is walked."""

from collections.abc import Iterable

from agen_authz.config.model import Config
from agen_authz.config.tree import Path, Tree, spell
from agen_authz.core.errors import Problem


class Findings:
    """One configuration, and what was found wrong with it."""

    def __init__(self, config: Config, tree: Tree, file: str) -> None:
        self.config = config
        self._tree = tree
        self._file = file
        self.problems: list[Problem] = []

    def add(self, path: Path, message: str, cure: str) -> None:
        """Note one finding; its line is the key's, or that of the nearest part above it."""
        self.problems.append(Problem(self._file, self._tree.line_of(path), spell(path), message, cure))

    def is_written(self, path: Path) -> bool:
        """Tell whether a key stands in the file."""
        return path in self._tree.lines

    def refuse_empty(self, path: Path, values: object, meaning: str) -> None:
        """Refuse an empty list: it never means all."""
        if isinstance(values, tuple | dict) and not values:
            self.add(path, "the list is empty", f"name {meaning}, or leave the key out")

    def refuse_twins(self, path: Path, key: str, names: Iterable[str], what: str) -> None:
        """Refuse two entries of one name."""
        seen: dict[str, int] = {}
        for index, name in enumerate(names):
            if name in seen:
                self.add((*path, index, key), f"two {what} are called `{name}`", "give each a name of its own")
            seen.setdefault(name, index)
