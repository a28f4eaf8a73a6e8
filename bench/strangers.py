"""Eight strangers post 1 MB bodies without tokens next to good calls."""

import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path

from bench.envoy import envoy_before
from tests.stage.port import HOST, reserve_port
from tests.stage.setting import Setting, listening, running_issuer, serving, write_call

STRANGERS, BODY_BYTES = 8, 1 << 20
SECONDS, CALLS_ALONE, CALLERS = 6.0, 500, 2
_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Crowded:
    """Good calls next to strangers: how many, how many were denied, and their time alone and among strangers."""

    good: int
    denied: int
    alone_ms: float
    beside_ms: float
    worst_ms: float
    strangers: int


def post_for(setting: Setting, seconds: float) -> int:
    """Post big bodies as one stranger, each on a separate connection; how many were answered 401."""
    raw = write_call(setting, None, bytes(BODY_BYTES))
    ends, refused = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        refused += _ask(setting.envoy_port, raw)[0] == 401
    return refused


def _ask(port: int, raw: bytes) -> tuple[int, float]:
    """Make one call on a separate connection; its status and milliseconds."""
    started = time.perf_counter()
    with socket.create_connection((HOST, port), timeout=_TIMEOUT_S) as held:
        try:
            held.sendall(raw)
        except (BrokenPipeError, ConnectionResetError):
            # Refused before all of it was sent: the answer may be there to be read.
            pass
        try:
            response = HTTPResponse(held, method="POST")
            response.begin()
            response.read()
        except (OSError, HTTPException):
            return 0, 0.0
    return response.status, (time.perf_counter() - started) * 1e3


def call_until(setting: Setting, ends: float) -> list[tuple[int, float]]:
    """Make good calls until a moment."""
    raw, seen = write_call(setting, setting.token), []
    while time.monotonic() < ends:
        seen.append(_ask(setting.envoy_port, raw))
    return seen


def measure() -> Crowded:
    """Make good calls alone, then next to the strangers, who are a separate process."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="agen-bench-")))
        setting = stack.enter_context(running_issuer(folder))
        backend_port = reserve_port()
        stack.enter_context(listening("tests.stage.backend", str(backend_port)))
        stack.enter_context(serving(setting))
        stack.enter_context(envoy_before(setting, backend_port, setting.authz_port, setting.envoy_port))
        raw = write_call(setting, setting.token)
        alone = [_ask(setting.envoy_port, raw)[1] for _ in range(CALLS_ALONE)]
        command = [sys.executable, "-m", "bench.strangers", str(setting.envoy_port), str(SECONDS)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as crowd:
            assert crowd.stdout is not None and crowd.stdout.readline()
            ends = time.monotonic() + SECONDS
            with ThreadPoolExecutor(CALLERS) as pool:
                parts = pool.map(lambda _: call_until(setting, ends), range(CALLERS))
                seen = [each for part in parts for each in part]
            refused = int(crowd.stdout.readline())
    times = [taken for status, taken in seen if status == 200]
    denied = sum(status != 200 for status, _ in seen)
    return Crowded(len(seen), denied, statistics.median(alone), statistics.median(times), max(times), refused)


def render(crowded: Crowded) -> str:
    """Write the rows."""
    return "\n".join(
        (
            f"{f'good calls next to {STRANGERS} strangers with 1 MB':<40}{crowded.good:>8}",
            f"{'  denied or lost':<40}{crowded.denied:>8} (goal 0)",
            f"{'  p50 alone, next to them; the worst':<40}"
            f"{crowded.alone_ms:>8.2f}{crowded.beside_ms:>8.2f}{crowded.worst_ms:>8.1f} ms",
            f"{'  strangers refused (401)':<40}{crowded.strangers:>8}",
        )
    )


def _crowd(port: int, seconds: float) -> None:
    """Be the strangers: says when they begin, and how many posts were refused."""
    setting = Setting(Path(), 0, 0, port, "")
    print("begun", flush=True)
    with ThreadPoolExecutor(STRANGERS) as pool:
        print(sum(pool.map(lambda _: post_for(setting, seconds), range(STRANGERS))), flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _crowd(int(sys.argv[1]), float(sys.argv[2]))
    else:
        print(render(measure()))
