"""What ext_proc adds to a call through Envoy, one connection: with none, with an empty handler, with Process.

All three Envoys ask the same Check. A call that nothing inspects skips the filter; a list and a stream of events go
through it. The empty handler is on the same gRPC engine as Process.
"""

import json
import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench.backend import CALL, EVENTS, LIST
from bench.envoy import NO_FILTER, PROC_FILTER, Caller, envoy_before
from bench.process import cpu_s, server
from tests.stage.family import find_worker
from tests.stage.port import HOST, reserve_port
from tests.stage.setting import VERSION, Setting, listening, running_issuer, serving, write_call

# Short turns, so that what else the machine does falls on all.
ROUNDS, CALLS, WARM_UP = 40, 25, 100
GOAL = 1.1
NOTHING, EMPTY, OURS = "no ext_proc", "an empty handler", "Process"
_WAYS = (NOTHING, EMPTY, OURS)
_KINDS = {CALL: "a call that nothing inspects", LIST: "10 KB of JSON, a list of tools", EVENTS: "200 events"}


@dataclass(frozen=True, slots=True)
class Way:
    """Median milliseconds of a call, and CPU of the handler for each in milliseconds; none without a handler."""

    p50_ms: float
    cpu_ms: float = 0.0


def write_list(setting: Setting, cursor: str) -> bytes:
    """Write a `tools/list` that the bench's backend answers with what the cursor names."""
    meta = {"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {}}
    params = {"cursor": cursor, "_meta": meta}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params}).encode()
    raw = write_call(setting, setting.token, body)
    return raw.replace(b"mcp-method: tools/call\r\nmcp-name: get_customer", b"mcp-method: tools/list")


def measure() -> dict[str, dict[str, Way]]:
    """Measure each kind of call each way, in interleaved rounds."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="agen-bench-")))
        setting = stack.enter_context(running_issuer(folder))
        backend_port, empty_port = reserve_port(), reserve_port()
        stack.enter_context(listening("bench.backend", str(backend_port)))
        empty = stack.enter_context(server("empty-process", f"{HOST}:{empty_port}"))
        sidecar, _ = stack.enter_context(serving(setting))
        ours = find_worker(sidecar.pid, "process")
        assert ours is not None, "no worker inspects"
        ports = {way: setting.envoy_port if way == OURS else reserve_port() for way in _WAYS}
        for way, port in ports.items():
            without = frozenset({PROC_FILTER}) if way == NOTHING else NO_FILTER
            proc_port = empty_port if way == EMPTY else None
            authz_port = setting.authz_port
            stack.enter_context(
                envoy_before(setting, backend_port, authz_port, port, proc_port=proc_port, without=without)
            )
        cpu: dict[str, Callable[[], float]] = {EMPTY: lambda: cpu_s(empty), OURS: lambda: cpu_s(ours)}
        calls = {CALL: write_call(setting, setting.token)} | {
            kind: write_list(setting, kind) for kind in (LIST, EVENTS)
        }
        return {kind: _measure(raw, ports, cpu) for kind, raw in calls.items()}


def _measure(raw: bytes, ports: dict[str, int], cpu: dict[str, Callable[[], float]]) -> dict[str, Way]:
    with ExitStack() as stack:
        callers = {way: Caller(port, raw) for way, port in ports.items()}
        for caller in callers.values():
            stack.callback(caller.close)
            for _ in range(WARM_UP):
                caller.call()
        seen: dict[str, list[float]] = {way: [] for way in callers}
        spent = dict.fromkeys(callers, 0.0)
        for _ in range(ROUNDS):
            for way, caller in callers.items():
                read = cpu.get(way, lambda: 0.0)
                before = read()
                seen[way] += [caller.call() for _ in range(CALLS)]
                spent[way] += read() - before
    return {way: Way(statistics.median(seen[way]), spent[way] / len(seen[way]) * 1e3) for way in callers}


def render(measured: dict[str, dict[str, Way]]) -> str:
    """Write the rows."""
    lines = [f"{'through Envoy, one connection':<40}{'p50 ms':>8}{'x':>8}{'CPU ms':>8}"]
    for kind, ways in measured.items():
        lines.append(_KINDS[kind])
        yardstick = ways[NOTHING].p50_ms
        lines += [
            f"{'  ' + name:<40}{way.p50_ms:>8.3f}{way.p50_ms / yardstick:>8.2f}{way.cpu_ms:>8.2f}"
            for name, way in ways.items()
        ]
    return "\n".join([*lines, f"{'goal of the call that skips Process':<40}{GOAL:>16.2f}"])


if __name__ == "__main__":
    print(render(measure()))
