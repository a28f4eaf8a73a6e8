"""The real parts that are soaked: the tests' world, small bounds so that caches fill, and Envoy's own counters."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.stage.process import Process, end
from tests.stage.world import World, running_world

# What is remembered fills within minutes, so that what goes out is exercised too, and growth is a leak.
TOKEN_CACHE = 300
TOGGLED_TOOL = "list_open_deals"
CAP = 1_000_000
# Events that no decision leaves (docs/tools.md).
_NOT_DECIDED = frozenset({"drift", "pin"})
_RULE = '    - {{name: toggled, tools: ["crm/{tool}"], allow: [{role}]}}\n'
_ADDED = """\
limits: {{token_cache: {tokens}}}
policies:
  - {{name: cap, state: enforce, tools: ["crm/update_deal"], when: ["args.amount > {cap}.0"], then: deny}}
"""


@dataclass(slots=True)
class ConfigFile:
    """The sidecar's configuration, written whole each time."""

    path: Path
    original: str
    is_on: bool = True
    refresh: str = "1s"

    def write(self) -> None:
        """Write what the fields say."""
        # The tool that the rule is about is named by no other.
        text = self.original.replace("refresh: 1s", f"refresh: {self.refresh}")
        role = "analyst" if self.is_on else "nobody"
        rule = _RULE.format(tool=TOGGLED_TOOL, role=role)
        head, mark, tail = text.partition("store:")
        added = _ADDED.format(tokens=TOKEN_CACHE, cap=CAP)
        self.replace(f"{head}{rule}{mark}{tail}{added}")

    def replace(self, text: str) -> None:
        """Put another file in its place at once: half a file is never there to be read."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text, "utf-8")
        fresh.replace(self.path)


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs."""

    world: World
    config: ConfigFile
    envoy: Process
    admin: str
    folder: Path

    def sidecar_log(self) -> str:
        """Read what the sidecar has logged."""
        return (self.folder / "sidecar.log").read_text("utf-8", errors="replace")

    def count_events(self) -> int:
        """Count the audit events of decisions; what Process saw of tools for the first time has separate ones."""
        with self.world.audit_file.open("rb") as lines:
            return sum(json.loads(line)["decision"] not in _NOT_DECIDED for line in lines)


@contextmanager
def running_stage(folder: Path, engine: str) -> Iterator[Stage]:
    """Run everything; ready on entry, ended on exit."""
    with running_world(folder, engine) as world:
        config = ConfigFile(folder / "agen.yaml", (folder / "agen.yaml").read_text("utf-8"))
        config.write()
        # Its bounds cannot change under a running server.
        end(world.sidecar)
        world.sidecar = world.start()
        yield Stage(world, config, world.envoy, world.admin, folder)
