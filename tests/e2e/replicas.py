"""Two replicas on one PostgreSQL, each with its own Envoy and its own console, behind one address."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agen_authz.envoy.model import TcpAddress, Upstream
from agen_authz.envoy.run import run_envoy
from agen_authz.envoy.settings import Placement
from tests.e2e.approved import NOT_MOVED
from tests.e2e.deciding import Decided, await_console, running_decided
from tests.stage.envoy import launch_envoy, sidecar_of
from tests.stage.port import HOST, reserve_port
from tests.stage.process import end
from tests.stage.sidecar import start_sidecar


@dataclass
class Replicas:
    """Both; `envoys` and `consoles` lead to each of them, as `Balanced` says."""

    decided: Decided
    envoys: tuple[Mapping[int, int], Mapping[int, int]]
    consoles: tuple[Mapping[int, int], Mapping[int, int]]
    events_files: tuple[Path, Path]

    def events(self) -> list[dict[str, Any]]:
        """Read the events of both."""
        return [json.loads(line) for file in self.events_files for line in file.read_text("utf-8").splitlines()]


@contextmanager
def running_replicas(folder: Path, store: str) -> Iterator[Replicas]:
    """Run both; ready on entry.

    Args:
        store: URL of the database.
    """
    with running_decided(folder, lambda text: re.sub(r'url: "sqlite:[^"]+"', f'url: "{store}"', text)) as decided:
        ports = {name: reserve_port() for name in ("authz", "proc", "ops", "console", "envoy")}
        config_file, events_file = folder / "agen-2.yaml", folder / "audit-2.jsonl"
        text = (folder / "agen.yaml").read_text("utf-8")
        for name in ("authz", "proc", "ops", "console"):
            text = text.replace(_find_place(text, name), f'{name}: "{HOST}:{ports[name]}"', 1)
        config_file.write_text(text, "utf-8")
        log = folder / "sidecar-2.log"
        with events_file.open("ab") as events:
            sidecar = start_sidecar(config_file, f"{HOST}:{ports['ops']}", events, log)
        try:
            await_console(sidecar, log, ports["console"])
            with run_envoy(_launch(config_file, ports["envoy"], decided)):
                envoys = NOT_MOVED, {_find_port(decided.world.crm): ports["envoy"]}
                consoles = NOT_MOVED, {_find_port(decided.console): ports["console"]}
                yield Replicas(decided, envoys, consoles, (decided.world.audit_file, events_file))
        finally:
            end(sidecar)


def _find_place(text: str, name: str) -> str:
    found = re.search(rf'\b{name}: "[^"]+"', text)
    assert found is not None, name
    return found[0]


def _find_port(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None, url
    return port


def _launch(config_file: Path, port: int, decided: Decided) -> Any:
    backends = decided.world.backends.items()
    upstreams = {name: Upstream(TcpAddress(HOST, _find_port(url))) for name, url in backends}
    placement = Placement(listener=TcpAddress(HOST, port), upstreams=upstreams)
    return launch_envoy(config_file.parent, sidecar_of(config_file, placement), name="envoy-2")
