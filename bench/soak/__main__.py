"""`python -m bench.soak --minutes 30`: exits 1 on a wrong answer or growing memory, and says which."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from bench.soak.report import JUDGED_S, find_problems, render
from bench.soak.run import Plan, Soak
from bench.soak.stage import running_stage
from bench.soak.watch import NotSeen


def read_plan(arguments: list[str]) -> Plan:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long; any fraction (30)")
    parser.add_argument("--rate", type=float, default=100.0, help="calls a second (100)")
    parser.add_argument("--engine", choices=("auto", "native", "grpcio"), default="auto", help="what serves Check")
    parser.add_argument("--seed", type=int, default=1, help="another number makes another mixture (1)")
    parser.add_argument("--pace", type=float, default=1.0, help="2 reloads and rotates twice as often (1)")
    read = parser.parse_args(arguments)
    if not (read.minutes > 0 and read.pace > 0 and 0 < read.rate <= 500):
        parser.error("--minutes and --pace must be positive, --rate at most 500")
    return Plan(read.minutes * 60, read.rate, read.engine, read.seed, read.pace)


def main(arguments: list[str]) -> int:
    """Soak once and report the result."""
    plan = read_plan(arguments)
    with tempfile.TemporaryDirectory(prefix="agen-soak-") as folder, running_stage(Path(folder), plan.engine) as stage:
        soak, started = Soak(stage, plan), time.monotonic()
        try:
            metrics = soak.run()
        except NotSeen as exc:
            print(f"soak failed: {exc}\n" + stage.sidecar_log()[-2000:])
            return 1
        print(f"soaked for {time.monotonic() - started:.0f} s at {plan.calls_per_s:g} calls/s, engine {plan.engine}\n")
        print(render(soak, metrics))
        problems = find_problems(soak, metrics)
    if plan.seconds < JUDGED_S:
        print("\ntoo short to judge memory")
    for problem in problems:
        print(f"soak failed: {problem}")
    if not problems:
        print("\nsoak passed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
