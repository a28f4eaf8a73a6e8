"""Decisions next to hostile results: four clients pull 4 MiB through Process without pause.

Check and Process are separate processes, but Envoy, the backend, the clients and the bench share the cores with them.
So two things are measured, each quiet and next to the results: a Check on its own socket, and a call through Envoy that
nothing inspects, which pays for Envoy as well. Turns are interleaved.
"""

import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import grpc

from agen_authz._pb.agen.envoy.v1 import ext_authz_pb2 as pb
from agen_authz.servers.engine import CHECK_METHOD
from bench.backend import LARGE
from bench.envoy import Caller, envoy_before
from bench.inspected import write_list
from bench.process import cpu_s
from bench.subject import build_check_request
from tests.stage.family import find_worker
from tests.stage.port import HOST, reserve_port
from tests.stage.setting import Setting, listening, running_issuer, serving, write_call

CLIENTS, TURNS, TURN_S = 4, 4, 5.0
CALLS_PER_S, WARM_UP = 60, 100
# How long Envoy waits for Check (`server.check_timeout`).
DEADLINE_S = 1.0
GOAL = 3.0


@dataclass(slots=True)
class Seen:
    """Milliseconds of what was answered, and how many were not allowed in time."""

    taken_ms: list[float] = field(default_factory=list)
    missed: int = 0

    def find_share(self, share: float) -> float:
        """Find the time that this share of all took at most."""
        return sorted(self.taken_ms)[math.ceil(share * len(self.taken_ms)) - 1]


@dataclass(frozen=True, slots=True)
class Beside:
    """One kind of measurement, quiet and next to hostile results."""

    quiet: Seen = field(default_factory=Seen)
    beside: Seen = field(default_factory=Seen)


@dataclass(frozen=True, slots=True)
class Hostile:
    """Both kinds, how many results arrived or were refused, and how busy Process was, as a share of one core."""

    check: Beside
    call: Beside
    results: int
    refused: int
    process_share: float


def write_check(setting: Setting) -> bytes:
    """Write the CheckRequest of the bench for this sidecar."""
    request = pb.CheckRequest.FromString(build_check_request(token=setting.token))
    http, host = request.attributes.request.http, f"{HOST}:{setting.envoy_port}"
    http.host = host
    for header in http.header_map.headers:
        if header.key == ":authority":
            header.raw_value = host.encode()
    return request.SerializeToString()


@contextmanager
def asking(setting: Setting) -> Iterator[Callable[[], float]]:
    """Ask Check on its own socket; a call returns milliseconds, and raises if it is late or not allowed."""
    raw = write_check(setting)
    with grpc.insecure_channel(f"{HOST}:{setting.authz_port}") as channel:
        check: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(CHECK_METHOD)

        def ask() -> float:
            started = time.perf_counter()
            answer = check(raw, timeout=DEADLINE_S)
            # An allowed answer starts with an empty status.
            assert answer[:2] == b"\x0a\x00", answer[:200]
            return (time.perf_counter() - started) * 1e3

        yield ask


def _note(seen: Seen, ask: Callable[[], float]) -> None:
    try:
        seen.taken_ms.append(ask())
    except (grpc.RpcError, AssertionError, OSError):
        seen.missed += 1


def _take_turn(kinds: list[tuple[Seen, Callable[[], float]]]) -> None:
    """Ask each kind in turn, at a steady rate that leaves the cores to the others."""
    ends = time.monotonic() + TURN_S
    while time.monotonic() < ends:
        for seen, ask in kinds:
            _note(seen, ask)
        time.sleep(1 / CALLS_PER_S)


@contextmanager
def pulling(setting: Setting) -> Iterator[list[int]]:
    """Pull hostile results from a separate process; afterwards the list has how many arrived, and how many did not."""
    command = [sys.executable, "-m", "bench.hostile", str(setting.envoy_port), setting.token]
    counted: list[int] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline(), "no hostile result arrived"
        try:
            yield counted
        finally:
            process.stdin.close()
            # The clients report their first result each; the last line has the counts.
            counted += map(int, process.stdout.read().splitlines()[-1].split())


def measure() -> Hostile:
    """Measure quiet turns and turns next to hostile results."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="agen-bench-")))
        setting = stack.enter_context(running_issuer(folder))
        backend_port = reserve_port()
        stack.enter_context(listening("bench.backend", str(backend_port)))
        sidecar, _ = stack.enter_context(serving(setting))
        process = find_worker(sidecar.pid, "process")
        assert process is not None, "no worker inspects"
        stack.enter_context(envoy_before(setting, backend_port, setting.authz_port, setting.envoy_port))
        caller = Caller(setting.envoy_port, write_call(setting, setting.token))
        stack.callback(caller.close)
        ask = stack.enter_context(asking(setting))
        for _ in range(WARM_UP):
            ask()
            caller.call()
        check, call = Beside(), Beside()
        results, refused, spent = 0, 0, 0.0
        for _ in range(TURNS):
            _take_turn([(check.quiet, ask), (call.quiet, caller.call)])
            with pulling(setting) as counted:
                before = cpu_s(process)
                _take_turn([(check.beside, ask), (call.beside, caller.call)])
                spent += cpu_s(process) - before
            results, refused = results + counted[0], refused + counted[1]
    return Hostile(check, call, results, refused, spent / (TURNS * TURN_S))


def render(hostile: Hostile) -> str:
    """Write the rows."""
    title = f"next to {CLIENTS} clients that pull 4 MiB"
    lines = [f"{title:<40}{'quiet':>14}{'':>8}{'next to them':>14}", f"{'':<40}" + f"{'p50':>8}{'p99 ms':>8}" * 2]
    for name, kind in (("a Check on its socket", hostile.check), ("a call through Envoy", hostile.call)):
        quiet, beside = ([each.find_share(share) for share in (0.5, 0.99)] for each in (kind.quiet, kind.beside))
        shares = "".join(f"{taken:>8.2f}" for taken in (*quiet, *beside))
        lines.append(f"{'  ' + name:<40}{shares}{beside[1] / quiet[1]:>8.2f} x (goal {GOAL:g})")
        asked = len(kind.beside.taken_ms) + kind.beside.missed
        lines.append(f"{'    late or denied next to them':<40}{kind.beside.missed:>8} of {asked} (goal 0)")
    lines.append(f"{'  results that arrived; refused':<40}{hostile.results:>8}{hostile.refused:>8}")
    lines.append(f"{'  cores that Process used':<40}{hostile.process_share:>8.2f}")
    return "\n".join(lines)


def _pull(port: int, token: str) -> None:
    """Be the clients until standard input ends: says when results arrive, and how many did."""
    setting = Setting(Path(), 0, 0, port, token)
    is_over, raw, counts = [False], write_list(setting, LARGE), [0, 0]

    def pull() -> None:
        caller = Caller(port, raw)
        while not is_over[0]:
            try:
                caller.call()
                counts[0] += 1
            except (AssertionError, OSError, HTTPException):
                # Envoy does not wait for Process for longer than some seconds; the client begins again.
                counts[1] += 1
                caller.close()
                caller = Caller(port, raw)
            if sum(counts) == 1:
                print("begun", flush=True)
        caller.close()

    with ThreadPoolExecutor(CLIENTS) as pool:
        pulled = [pool.submit(pull) for _ in range(CLIENTS)]
        sys.stdin.read()
        is_over[0] = True
    for each in pulled:
        each.result()
    print(*counts, flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _pull(int(sys.argv[1]), sys.argv[2])
    else:
        print(render(measure()))
