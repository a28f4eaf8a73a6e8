"""A configuration that was loaded and checked, with its secrets and where each key stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agen_authz.config.model import Config
from agen_authz.config.reading.tree import Path as KeyPath
from agen_authz.config.reading.tree import Tree
from agen_authz.config.secret import Secrets
from agen_authz.core.cel.condition import Condition


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checked configuration.

    Args:
        version: names its bytes, which are `raw`.
        conditions: its conditions by their texts, compiled.
    """

    config: Config
    secrets: Secrets
    file: Path
    tree: Tree
    version: str
    conditions: Mapping[str, Condition]
    raw: bytes = field(repr=False)

    def line_of(self, *path: str | int) -> int | None:
        """Find the line of a key, or of the nearest part above it."""
        return self.tree.line_of(path)

    def is_written(self, *path: str | int) -> bool:
        """True if the file has a key, whatever its value."""
        key: KeyPath = path
        return key in self.tree.lines
