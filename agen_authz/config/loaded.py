"""A configuration that was loaded and checked, with its secrets and where each key stands."""

from dataclasses import dataclass
from pathlib import Path

from agen_authz.config.model import Config
from agen_authz.config.reading.tree import Path as KeyPath
from agen_authz.config.reading.tree import Tree
from agen_authz.config.secret import Secrets


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checked configuration; `version` names its bytes."""

    config: Config
    secrets: Secrets
    file: Path
    tree: Tree
    version: str

    def line_of(self, *path: str | int) -> int | None:
        """Find the line of a key, or of the nearest part above it."""
        return self.tree.line_of(path)

    def is_written(self, *path: str | int) -> bool:
        """Tell whether a key stands in the file, whatever its value."""
        key: KeyPath = path
        return key in self.tree.lines
