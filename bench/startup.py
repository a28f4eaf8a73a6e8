"""How long `agen-authz serve` takes until it is ready, and how much memory it holds then."""

import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.stage.family import list_family
from tests.stage.setting import running_issuer, serving

STARTS = 3
# The yardstick: what every sidecar of these libraries pays before its first own line.
LIBRARIES = "import grpc, httpx, jwt, pydantic, sqlalchemy.ext.asyncio, uvicorn"
GOAL_S, GOAL_MB = 2.0, 150


@dataclass(frozen=True, slots=True)
class Started:
    """Seconds to ready with a store that is made, and with one that is there; idle memory; the yardstick."""

    first_s: float
    again_s: float
    memory_mb: float
    libraries_s: float


def measure() -> Started:
    """Start it several times in one folder."""
    with tempfile.TemporaryDirectory(prefix="agen-bench-") as folder, running_issuer(Path(folder)) as setting:
        seconds, memories = [], []
        for _ in range(STARTS + 1):
            with serving(setting) as (process, taken):
                seconds.append(taken)
                memories.append(sum(map(_pss_mb, list_family(process.pid))))
        libraries_s = statistics.median(_time_libraries() for _ in range(STARTS))
    return Started(seconds[0], statistics.median(seconds[1:]), statistics.median(memories), libraries_s)


def _time_libraries() -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", LIBRARIES], check=True)
    return time.perf_counter() - started


def _pss_mb(pid: int) -> float:
    # What processes share counts once for all of them.
    found = re.search(r"\nPss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text())
    assert found is not None
    return int(found[1]) / 1024


def render(started: Started) -> str:
    """Write the rows."""
    return "\n".join(
        (
            f"{'serve to ready, a new store':<40}{started.first_s:>8.2f} s (goal {GOAL_S:g})",
            f"{'serve to ready, a store that is there':<40}{started.again_s:>8.2f} s",
            f"{'  of it, importing libraries (yardstick)':<40}{started.libraries_s:>8.2f} s",
            f"{'idle memory of the sidecar':<40}{started.memory_mb:>8.0f} MB (goal {GOAL_MB})",
        )
    )


if __name__ == "__main__":
    print(render(measure()))
