"""The real parts that are soaked: the tests' world, small bounds so that caches fill, and Envoy's own counters."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from agen_authz.envoy.binary import find_binary
from agen_authz.envoy.model import TcpAddress
from agen_authz.envoy.run import Launch, run_envoy
from bench.soak.watch import await_true
from tests.e2e.world import HOST, World, free_port, running_world

# What is remembered fills within minutes, so that what goes out is exercised too, and growth is a leak.
TOKEN_CACHE, SESSIONS = 300, 2000
TOGGLED_TOOL = "list_open_deals"
CAP = 1_000_000
_ADMIN = (
    "admin: {{address: {{socket_address: {{address: {host}, port_value: {port}}}}}, ignore_global_conn_limit: true}}\n"
)
_RULE = '    - {{name: toggled, tools: ["crm/{tool}"], allow: [{role}]}}\n'
_ADDED = """\
limits: {{token_cache: {tokens}, sessions: {sessions}}}
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
        added = _ADDED.format(tokens=TOKEN_CACHE, sessions=SESSIONS, cap=CAP)
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
    envoy: "subprocess.Popen[bytes]"
    admin: str
    folder: Path

    def sidecar_log(self) -> str:
        """Read what the sidecar has logged."""
        return (self.folder / "sidecar.log").read_text("utf-8", errors="replace")

    def count_events(self) -> int:
        """Count the audit events that were written."""
        with self.world.audit_file.open("rb") as lines:
            return sum(1 for _ in lines)


@contextmanager
def running_stage(folder: Path, engine: str) -> Iterator[Stage]:
    """Run everything; ready on entry, ended on exit."""
    with running_world(folder, engine) as world:
        config = ConfigFile(folder / "agen.yaml", (folder / "agen.yaml").read_text("utf-8"))
        config.write()
        # Its bounds cannot change under a running server.
        world.sidecar.send_signal(signal.SIGTERM)
        world.sidecar.wait(15)
        world.sidecar = world.start()
        admin_port = free_port()
        launch = _with_admin(folder, world, admin_port)
        _end_envoy(folder / "envoy.yaml", launch.listener)
        with run_envoy(launch) as envoy:
            yield Stage(world, config, envoy, f"http://{HOST}:{admin_port}", folder)


def _with_admin(folder: Path, world: World, port: int) -> Launch:
    """Write the rendered configuration again, with Envoy's counters to be read."""
    parts = urlsplit(world.crm)
    binary = find_binary()
    assert isinstance(binary, Path) and parts.hostname is not None and parts.port is not None
    rendered = (folder / "envoy.yaml").read_text("utf-8")
    config_file = folder / "envoy-counted.yaml"
    config_file.write_text(rendered + _ADMIN.format(host=HOST, port=port), "utf-8")
    return Launch(binary, config_file, TcpAddress(parts.hostname, parts.port), folder / "envoy.log")


def _end_envoy(config_file: Path, listener: TcpAddress) -> None:
    """End the world's own Envoy, which we started a moment ago: the counted one takes its address."""
    (pid,) = [pid for pid in _children() if str(config_file).encode() in _command(pid)]
    os.kill(pid, signal.SIGTERM)
    await_true(lambda: not _is_listening(listener), "the first Envoy to end")


def _children() -> list[int]:
    threads = Path("/proc/self/task").iterdir()
    return [int(pid) for thread in threads for pid in (thread / "children").read_text().split()]


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def _is_listening(listener: TcpAddress) -> bool:
    try:
        httpx.get(f"http://{listener.host}:{listener.port}/", trust_env=False)
    except httpx.ConnectError:
        return False
    return True
