"""`python -m tests.fuzz TARGET|all [--seconds N]` fuzzes; `--replay FILE` runs one input, without the fuzzer.

Exits 1 on a finding. Make it a case before it is fixed: give the input a name that says what it is, and put it
into its corpus as finding-NAME; `make test` replays every file there.
"""

import argparse
import sys
from pathlib import Path

from tests.fuzz.run import run_fuzzer
from tests.fuzz.targets.every import TARGETS


def main() -> int:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=("all", *TARGETS))
    parser.add_argument("--seconds", type=int, default=60, help="how long each target is fuzzed")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="an input to run once")
    chosen = parser.parse_args()
    names = list(TARGETS) if chosen.target == "all" else [chosen.target]
    if chosen.replay is not None:
        for name in names:
            TARGETS[name].check(chosen.replay.read_bytes())
        return 0
    is_clean = True
    for name in names:
        ended = run_fuzzer(name, chosen.seconds)
        is_clean = is_clean and ended.is_clean
        sys.stdout.write(ended.tell())
        sys.stdout.flush()
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
