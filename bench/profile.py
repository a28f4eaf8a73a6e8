"""`make profile`: where a Check spends its time; each step in the chain, then every function by its own time."""

import cProfile
import pstats
import statistics
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

from agen_authz import facts
from agen_authz.core import stage
from agen_authz.obligations import record
from agen_authz.servers import ext_authz
from bench.decision import Decision

CALLS, FUNCTIONS = 4000, 30
STEPS: tuple[tuple[ModuleType, str], ...] = (
    (ext_authz, "read_check"),
    (ext_authz, "admit"),
    (facts, "admit_principal"),
    (stage, "parse"),
    (ext_authz, "gather"),
    (ext_authz, "judge"),
    (record, "render_event"),
    (ext_authz, "render_check"),
)


def time_steps(decision: Decision) -> dict[str, float]:
    """Time each step within whole decisions, median microseconds; taking the time costs a tenth of one."""
    seen: dict[str, list[int]] = {name: [] for _, name in STEPS}
    originals = [(module, name, getattr(module, name)) for module, name in STEPS]
    for module, name, step in originals:
        setattr(module, name, _timed(step, seen[name]))
    for _ in range(CALLS):
        decision.decide()
    for module, name, step in originals:
        setattr(module, name, step)
    return {name: statistics.median(times) / 1000 for name, times in seen.items()}


def _timed(step: Callable[..., Any], times: list[int]) -> Callable[..., Any]:
    def timed(*args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter_ns()
        result = step(*args, **kwargs)
        times.append(time.perf_counter_ns() - started)
        return result

    return timed


def main() -> None:
    """Print both tables."""
    decision = Decision()
    whole = decision.time()
    print(f"{'step, in the chain':<24}{'us':>8}")
    steps = time_steps(decision)
    for name, microseconds in steps.items():
        print(f"{name:<24}{microseconds:>8.1f}")
    print(f"{'everything else':<24}{whole - sum(steps.values()):>8.1f}\n{'the whole decision':<24}{whole:>8.1f}\n")
    profile = cProfile.Profile()
    profile.enable()
    for _ in range(CALLS):
        decision.decide()
    profile.disable()
    pstats.Stats(profile).strip_dirs().sort_stats("tottime").print_stats(FUNCTIONS)


if __name__ == "__main__":
    main()
