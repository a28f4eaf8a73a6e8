"""`make bench`: what a Check costs, as ratios within this run."""

import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.subject import build_check_request, build_servicer

ROUNDS, CALLS, WARM_UP = 4, 4000, 800
KINDS = ("empty-grpcio", "empty-native", "ours-native", "ours-grpcio")
FIRST_PORT = 19310
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Silent:
    """An audit sink and metrics that keep nothing."""

    def emit(self, line: bytes) -> None:
        pass

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_: None


@contextmanager
def server(kind: str, address: str) -> Iterator[int]:
    """Run one server; yields its process id."""
    process = subprocess.Popen([sys.executable, "-m", "bench.server", kind, address], stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def cpu_s(pid: int) -> float:
    """Read user and system time of a process, threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK_S


def rss_mb(pid: int) -> int:
    """Read the memory that a process holds."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) // 1024


def load(address: str, calls: int) -> None:
    """Make calls from a process of its own."""
    subprocess.run([sys.executable, "-m", "bench.client", address, str(calls)], check=True)


def measure_servers() -> dict[str, tuple[float, int]]:
    """Measure CPU microseconds for each call and memory, in interleaved rounds; medians."""
    with ExitStack() as stack:
        places = {kind: f"127.0.0.1:{FIRST_PORT + number}" for number, kind in enumerate(KINDS)}
        pids = {kind: stack.enter_context(server(kind, place)) for kind, place in places.items()}
        for place in places.values():
            load(place, WARM_UP)
        seen: dict[str, list[float]] = {kind: [] for kind in KINDS}
        for _ in range(ROUNDS):
            for kind, place in places.items():
                before = cpu_s(pids[kind])
                load(place, CALLS)
                seen[kind].append((cpu_s(pids[kind]) - before) / CALLS * 1e6)
        return {kind: (statistics.median(seen[kind]), rss_mb(pids[kind])) for kind in KINDS}


def time_decision(rules: int) -> float:
    """Time the whole decision in this process, microseconds; the best of five."""
    silent = Silent()
    servicer = build_servicer(silent, silent, rules)
    raw = build_check_request()

    def decide() -> None:
        try:
            servicer.check(raw, 1.0).send(None)
        except StopIteration:
            return
        raise AssertionError("the decision waited for something")

    for _ in range(300):
        decide()
    return min(_time(decide, 2000) for _ in range(5))


def _time(act: Callable[[], None], count: int) -> float:
    started = time.perf_counter()
    for _ in range(count):
        act()
    return (time.perf_counter() - started) / count * 1e6


def time_import() -> float:
    """Time from nothing to a sidecar that could start: interpreter, imports, command line."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import agen_authz.app.run"], check=True)
    return time.perf_counter() - started


def main() -> None:
    """Run everything and print it."""
    print(f"{platform.machine()}, {os.cpu_count()} cores, CPython {platform.python_version()}; read the ratios\n")
    measured = measure_servers()
    yardstick = measured["empty-grpcio"][0]
    print(f"{'server':<16}{'CPU us/call':>12}{'ratio':>8}{'RSS MB':>8}")
    for kind, (cpu, memory) in measured.items():
        print(f"{kind:<16}{cpu:>12.0f}{cpu / yardstick:>8.2f}{memory:>8}")
    few, many = time_decision(10), time_decision(10_000)
    print(f"\ndecision in process   {few:>8.1f} us   {few / yardstick:.2f} x empty grpc.aio")
    print(f"10 -> 10,000 rules    {many / few:>8.2f} x")
    print(f"import of the sidecar {time_import():>8.2f} s")


if __name__ == "__main__":
    main()
