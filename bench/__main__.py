"""`make bench`: what a Check costs, as ratios within this run; `make bench ARGS="envoy startup"` for some of it."""

import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack

from bench import (
    arguments,
    bodies,
    conditions,
    envoy,
    hostile,
    inspected,
    policies,
    responses,
    signature,
    startup,
    strangers,
    tokens,
)
from bench.decision import Decision
from bench.process import cpu_s, rss_mb, server
from tests.stage.port import reserve_address

ROUNDS, CALLS, WARM_UP = 4, 4000, 800
EMPTY_GRPCIO = "empty-grpcio"
KINDS = (EMPTY_GRPCIO, "empty-native", "ours-native", "ours-grpcio")
FEW_RULES, MANY_RULES = 10, 10_000


def load(address: str, calls: int) -> None:
    """Make calls from a separate process."""
    subprocess.run([sys.executable, "-m", "bench.client", address, str(calls)], check=True)


def measure_servers() -> dict[str, tuple[float, int]]:
    """Measure CPU microseconds for each call and memory, in interleaved rounds; medians."""
    with ExitStack() as stack:
        places = {kind: reserve_address() for kind in KINDS}
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


def show_cpu() -> None:
    """Print what a Check costs each server, the decision alone, and how that grows with the rules."""
    measured = measure_servers()
    yardstick = measured[EMPTY_GRPCIO][0]
    print(f"{'server':<16}{'CPU us/call':>12}{'ratio':>8}{'RSS MB':>8}")
    for kind, (cpu, memory) in measured.items():
        print(f"{kind:<16}{cpu:>12.0f}{cpu / yardstick:>8.2f}{memory:>8}")
    few, many = Decision(FEW_RULES).time(), Decision(MANY_RULES).time()
    print(f"\n{'decision in process':<40}{few:>8.1f} us, {few / yardstick:.2f} x empty grpc.aio (goal 0.2)")
    print(f"{f'{FEW_RULES} -> {MANY_RULES:,} rules':<40}{many / few:>8.2f} x (goal 1.5)")


PARTS: dict[str, Callable[[], None]] = {
    "arguments": lambda: print(arguments.render(arguments.measure())),
    "bodies": lambda: print(
        f"{bodies.render(bodies.measure())}\n{bodies.render_collector(bodies.measure_collector())}"
    ),
    "conditions": lambda: print(conditions.render(conditions.measure())),
    "cpu": show_cpu,
    "envoy": lambda: print(envoy.render(envoy.measure())),
    "hostile": lambda: print(hostile.render(hostile.measure())),
    "inspected": lambda: print(inspected.render(inspected.measure())),
    "policies": lambda: print(policies.render(policies.measure())),
    "responses": lambda: print(responses.render(responses.measure())),
    "signature": lambda: print(signature.render(signature.measure())),
    "startup": lambda: print(startup.render(startup.measure())),
    "strangers": lambda: print(strangers.render(strangers.measure())),
    "tokens": lambda: print(tokens.render(tokens.measure())),
}


def main(wanted: list[str]) -> int:
    """Run every part, or those that are named, and print each."""
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        print(f"no part is called `{unknown[0]}`; there are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    print(f"{platform.machine()}, {os.cpu_count()} cores, CPython {platform.python_version()}; read the ratios")
    for name in wanted or PARTS:
        print(flush=True)
        PARTS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
