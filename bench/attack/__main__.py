"""`python -m bench.attack [KIND ...]`: attacks on loopback that end by themselves, next to good callers.

Options: `--seconds S` for each half (default 4), `--engine native|grpcio`.
"""

import argparse
import itertools
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from bench.attack.ask import call_at_a_rate
from bench.attack.kind import KINDS, Kind
from bench.attack.report import GOAL, Got, Row, render, render_heading, sum_up
from bench.attack.stage import attacked
from tests.stage.setting import Setting, write_call

GOOD, PER_SECOND = 4, 15.0
SECONDS, SETTLE_S, LIMIT_S = 4.0, 0.5, 60.0


def main(arguments: list[str]) -> int:
    """Show the table; 1 if an attack was not held."""
    parser = argparse.ArgumentParser(prog="bench.attack", description="what good callers get next to an attack")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long each half takes")
    parser.add_argument("--engine", choices=("native", "grpcio"), default="native")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.kinds if name not in KINDS]
    if unknown:
        parser.error(f"no such attack: {', '.join(unknown)}; choose from {', '.join(KINDS)}")
    goal = f"goal: p99 within {GOAL:g} x, none denied"
    print(f"{GOOD} good callers, {PER_SECOND:g} calls a second each; {options.engine}; {goal}\n")
    print(render_heading(), flush=True)
    rows = []
    for name in options.kinds or KINDS:
        rows.append(measure(name, options.engine, options.seconds))
        print(render(rows[-1]), flush=True)
    return 0 if all(row.is_held for row in rows) else 1


def measure(name: str, engine: str, seconds: float) -> Row:
    """Measure good callers alone, then next to one attack, on a sidecar that is started for it."""
    kind = KINDS[name]
    with attacked(engine) as (stage, refused):
        setting = stage.setting
        # The same callers throughout, with tokens that were verified before.
        callers = [write_call(setting, setting.mint(f"good-{number}")) for number in range(GOOD)]
        call_well(setting, callers, 1.0)
        quiet = call_well(setting, callers, seconds)
        beside, attacker = _beside(setting, kind, callers, seconds)
    for when in refused if name == "conditions" else ():
        print(f"does not load: {when}", file=sys.stderr)
    return Row(kind.letter, kind.what, quiet, beside, attacker)


def _beside(setting: Setting, kind: Kind, callers: list[bytes], seconds: float) -> tuple[Got, dict[int, int]]:
    # The attackers are a separate process: they must not slow the good callers' clocks.
    plan = setting.folder / "attack.json"
    requests = [raw.decode("latin-1") for raw in kind.build(setting)]
    plan.write_text(json.dumps(requests), "utf-8")
    more = [str(setting.envoy_port), str(plan), str(kind.connections), str(seconds + 2 * SETTLE_S)]
    command = [sys.executable, "-m", "bench.attack.crowd", *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        pipe = process.stdout
        assert pipe is not None and pipe.readline()
        time.sleep(SETTLE_S)
        beside = call_well(setting, callers, seconds)
        said = pipe.readline()
        process.wait(LIMIT_S)
    return beside, {int(status): count for status, count in json.loads(said).items()}


def call_well(setting: Setting, callers: list[bytes], seconds: float) -> Got:
    """Make good calls at a fixed rate."""
    with ThreadPoolExecutor(GOOD) as pool:
        seen = pool.map(lambda raw: call_at_a_rate(setting.envoy_port, raw, PER_SECOND, seconds), callers)
        return sum_up(list(itertools.chain.from_iterable(seen)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
