"""Compare coverage with the threshold of each room: `[tool.agen-authz.coverage]` in pyproject.toml."""

import json
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "agen_authz"


@dataclass(frozen=True, slots=True)
class Room:
    """A top-level package or module, and how much of it (lines and branches together) ran."""

    name: str
    covered: int
    total: int
    files: tuple[str, ...]

    @property
    def percent(self) -> float:
        return 100.0 * self.covered / self.total if self.total else 100.0


def room_of(path: str) -> str:
    """Name the room that a file belongs to."""
    inside = Path(path).parts[Path(path).parts.index(PACKAGE) + 1 :]
    return inside[0].removesuffix(".py")


def measure(report: Mapping[str, Any]) -> list[Room]:
    """Add up a coverage.py JSON report by room; `files` are those with a gap."""
    by_room: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for path, entry in sorted(report["files"].items()):
        by_room.setdefault(room_of(path), []).append((path, entry["summary"]))
    return [
        Room(
            name=name,
            covered=sum(summary["covered_lines"] + summary.get("covered_branches", 0) for _, summary in entries),
            total=sum(summary["num_statements"] + summary.get("num_branches", 0) for _, summary in entries),
            files=tuple(
                f"{path} {summary['percent_covered']:.1f} %"
                for path, summary in entries
                if summary["missing_lines"] + summary.get("missing_branches", 0)
            ),
        )
        for name, entries in by_room.items()
    ]


def find_gaps(rooms: Iterable[Room], thresholds: Mapping[str, float]) -> list[Room]:
    """Return the rooms below their threshold; a room without one of its own needs `default`."""
    return [room for room in rooms if room.percent < thresholds.get(room.name, thresholds["default"])]


def main(arguments: list[str]) -> int:
    """Print one line per room and exit 1 when one is below its threshold."""
    thresholds = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["agen-authz"]["coverage"]
    rooms = measure(json.loads(Path(arguments[0]).read_text()))
    gaps = find_gaps(rooms, thresholds)
    for room in rooms:
        wanted = thresholds.get(room.name, thresholds["default"])
        print(f"coverage {room.name:14} {room.percent:6.2f} % of lines and branches, {wanted} % needed")
        if room in gaps:
            print("".join(f"  below: {file}\n" for file in room.files), end="")
    return 1 if gaps else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
