"""`make chaos`: calls race for grants while processes are killed, on PostgreSQL and on SQLite; exits 1 on a fault."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.chaos.race import Outcome, Size, find_faults, run_race
from tests.services import running_postgresql

_BATCH, _PROCESSES, _SHOWN = 100, 4, 20


def main(arguments: list[str]) -> int:
    """Race on both kinds of store and report what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--calls", type=int, default=10_000)
    parser.add_argument("--grants", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1, help="another number kills others (1)")
    read = parser.parse_args(arguments)
    size = Size(read.calls, read.grants, _PROCESSES, _BATCH, read.seed)
    with tempfile.TemporaryDirectory(prefix="agen-chaos-") as folder:
        place = Path(folder)
        with running_postgresql() as url:
            is_well = _race("PostgreSQL", url, size, place)
        alone = Size(size.calls, size.grants, 1, size.batch, size.seed)
        return 0 if _race("SQLite", f"sqlite:///{place}/agen.db", alone, place) and is_well else 1


def _race(name: str, url: str, size: Size, folder: Path) -> bool:
    started = time.monotonic()
    outcome = asyncio.run(run_race(url, size, folder))
    faults = find_faults(outcome)
    said = [f"{name}: {_describe(outcome, size)}, {time.monotonic() - started:.0f} s", *faults[:_SHOWN]]
    sys.stdout.write("\n  ".join(said) + "\n")
    sys.stdout.flush()
    return not faults


def _describe(outcome: Outcome, size: Size) -> str:
    told = outcome.told
    return (
        f"{size.calls} calls in {size.processes} processes at a time, {told.killed} of them killed;"
        f" {len(told.allowed)} allowed, {len(told.denied)} denied, {len(told.in_flight)} in flight when killed;"
        f" {outcome.used} of {size.grants} grants used"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
