"""The attackers, a separate process: `python -m bench.attack.crowd PORT PLAN CONNECTIONS SECONDS`."""

import json
import sys
from pathlib import Path

from bench.attack.ask import attack


def run(port: str, plan: str, connections: str, seconds: str) -> None:
    """Say that it begins, attack, and print how often each status was answered."""
    requests = [raw.encode("latin-1") for raw in json.loads(Path(plan).read_text("utf-8"))]
    print("begun", flush=True)
    print(json.dumps(attack(int(port), requests, int(connections), float(seconds))), flush=True)


if __name__ == "__main__":
    run(*sys.argv[1:])
