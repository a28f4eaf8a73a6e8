"""What Check adds to a call through Envoy, one connection: nothing, an empty native handler, and the sidecar."""

import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import yaml

from agen_authz.envoy.model import TcpAddress, Upstream
from agen_authz.envoy.run import run_envoy
from agen_authz.envoy.settings import Placement
from tests.stage.envoy import launch_envoy, sidecar_of
from tests.stage.port import HOST, reserve_port
from tests.stage.setting import Setting, listening, running_issuer, serving, write_call

ROUNDS, CALLS, WARM_UP = 8, 300, 200
NOTHING, EMPTY, OURS = "no Check", "empty native handler", "the sidecar"
GOAL = 2.5
PROC_FILTER = "envoy.filters.http.ext_proc"
NO_FILTER: frozenset[str] = frozenset()
# Without a word of Check, ext_proc would open a stream for every response.
BOTH_FILTERS = frozenset({"envoy.filters.http.ext_authz", PROC_FILTER})


@dataclass(frozen=True, slots=True)
class Added:
    """Median milliseconds of a call, each way."""

    nothing_ms: float
    empty_ms: float
    ours_ms: float

    @property
    def ratio(self) -> float:
        """Tell how many times what an empty handler adds the sidecar adds."""
        return (self.ours_ms - self.nothing_ms) / (self.empty_ms - self.nothing_ms)


@contextmanager
def envoy_before(
    setting: Setting,
    backend_port: int,
    authz_port: int | None,
    listen_port: int,
    *,
    proc_port: int | None = None,
    without: frozenset[str] = NO_FILTER,
) -> Iterator[None]:
    """Run an Envoy with our configuration, asking the Check at a port, or none.

    Args:
        proc_port: where Process is, if it is not the sidecar's.
        without: filters that this Envoy does not have.
    """
    placement = Placement(
        listener=TcpAddress(HOST, listen_port),
        authz=Upstream(TcpAddress(HOST, authz_port or setting.authz_port)),
        proc=None if proc_port is None else Upstream(TcpAddress(HOST, proc_port)),
        upstreams={"crm": Upstream(TcpAddress(HOST, backend_port))},
    )
    removed = without if authz_port else BOTH_FILTERS
    sidecar = sidecar_of(setting.config_file, placement)
    changed = partial(remove_filters, removed)
    with run_envoy(launch_envoy(setting.folder, sidecar, changed=changed, name=f"envoy-{listen_port}")):
        yield


def remove_filters(names: frozenset[str], text: str) -> str:
    """Take filters out of a configuration, and what its routes say about them."""
    if not names:
        return text
    tree = yaml.safe_load(text)
    _remove(tree, names)
    return yaml.safe_dump(tree)


def _remove(node: Any, names: frozenset[str]) -> None:
    if isinstance(node, dict):
        if "http_filters" in node:
            node["http_filters"] = [each for each in node["http_filters"] if each["name"] not in names]
        for name in names & node.get("typed_per_filter_config", {}).keys():
            del node["typed_per_filter_config"][name]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            _remove(each, names)


class Caller:
    """One connection that makes the same call again and again; every answer must be an allowed one."""

    def __init__(self, port: int, raw: bytes) -> None:
        self._held = socket.create_connection((HOST, port), timeout=10.0)
        self._held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._raw = raw

    def call(self) -> float:
        """Call once; milliseconds."""
        started = time.perf_counter()
        self._held.sendall(self._raw)
        response = HTTPResponse(self._held, method="POST")
        response.begin()
        body = response.read()
        taken = (time.perf_counter() - started) * 1e3
        assert response.status == 200 and b'"result"' in body, f"answered with {response.status}"
        return taken

    def close(self) -> None:
        """End the connection."""
        self._held.close()


def measure() -> Added:
    """Measure all three in interleaved rounds; medians over every call."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="agen-bench-")))
        setting = stack.enter_context(running_issuer(folder))
        backend_port, empty_port = reserve_port(), reserve_port()
        stack.enter_context(listening("tests.stage.backend", str(backend_port)))
        stack.enter_context(listening("bench.server", "empty-native", f"{HOST}:{empty_port}"))
        stack.enter_context(serving(setting))
        ways = {NOTHING: (None, reserve_port()), EMPTY: (empty_port, reserve_port())}
        ways[OURS] = (setting.authz_port, setting.envoy_port)
        callers = {}
        for way, (authz_port, listen_port) in ways.items():
            stack.enter_context(envoy_before(setting, backend_port, authz_port, listen_port))
            callers[way] = Caller(listen_port, write_call(setting, setting.token))
            stack.callback(callers[way].close)
        seen = _interleave(callers)
    return Added(*(statistics.median(seen[way]) for way in (NOTHING, EMPTY, OURS)))


def _interleave(callers: dict[str, Caller]) -> dict[str, list[float]]:
    for caller in callers.values():
        for _ in range(WARM_UP):
            caller.call()
    seen: dict[str, list[float]] = {way: [] for way in callers}
    for _ in range(ROUNDS):
        for way, caller in callers.items():
            seen[way] += [caller.call() for _ in range(CALLS)]
    return seen


def render(added: Added) -> str:
    """Write the rows."""
    times = {NOTHING: added.nothing_ms, EMPTY: added.empty_ms, OURS: added.ours_ms}
    rows = [f"{'a call through Envoy, one connection':<40}{'p50 ms':>8}{'adds ms':>9}"]
    rows += [f"{'  ' + way:<40}{taken:>8.3f}{taken - added.nothing_ms:>9.3f}" for way, taken in times.items()]
    return "\n".join([*rows, f"{'  the sidecar adds':<40}{added.ratio:>8.2f} x an empty handler (goal {GOAL})"])


if __name__ == "__main__":
    print(render(measure()))
