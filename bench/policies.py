"""What policies cost a decision: none, two, a thousand of them, and a megabyte of arguments that one of them reads."""

import json
import time
from dataclasses import dataclass

from bench.decision import Decision
from bench.subject import build_check_request

FEW, MANY = 10, 1000
BIG_BYTES = 1_000_000 - 2000
ROUNDS, CALLS = 5, 20
GROWTH_GOAL = 1.5


@dataclass(frozen=True, slots=True)
class Costs:
    """Microseconds of a decision; the yardstick of the last two is reading and writing the same body as JSON."""

    none_us: float
    two_us: float
    few_us: float
    many_us: float
    big_read_us: float
    big_unread_us: float
    big_json_us: float


def measure() -> Costs:
    """Time each, the best of five rounds."""
    body_us, raw = _big_request()
    return Costs(
        none_us=Decision(policies=0).time(),
        two_us=Decision(policies=2).time(),
        few_us=Decision(policies=FEW).time(),
        many_us=Decision(policies=MANY).time(),
        big_read_us=_time_big(Decision(policies=2, raw=raw)),
        big_unread_us=_time_big(Decision(policies=0, raw=raw)),
        big_json_us=body_us,
    )


def _big_request() -> tuple[float, bytes]:
    rows = [{"id": number, "name": "n" * 60, "amount": 12.5} for number in range(BIG_BYTES // 100)]
    arguments = {"amount": 12.5, "rows": rows}
    body = json.dumps(arguments)
    seconds = min(_time_json(body) for _ in range(ROUNDS))
    return seconds * 1e6, build_check_request(arguments)


def _time_json(body: str) -> float:
    started = time.perf_counter()
    json.dumps(json.loads(body))
    return time.perf_counter() - started


def _time_big(decision: Decision) -> float:
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(CALLS):
            decision.decide()
        best = min(best, (time.perf_counter() - started) / CALLS)
    return best * 1e6


def render(costs: Costs) -> str:
    """Write the rows."""
    growth = costs.many_us / costs.few_us
    rows = (
        ("a decision without policies", f"{costs.none_us:.1f} us"),
        ("with two that read the call", f"{costs.two_us:.1f} us, {costs.two_us / costs.none_us:.2f} x"),
        (f"{FEW} -> {MANY:,} policies", f"{growth:.2f} x (goal {GROWTH_GOAL})"),
        ("json.loads + json.dumps of 1 MB (yardstick)", f"{costs.big_json_us / 1000:.1f} ms"),
        ("1 MB of arguments, no condition reads them", f"{costs.big_unread_us / costs.big_json_us:.2f} x"),
        ("1 MB of arguments, one condition reads one", f"{costs.big_read_us / costs.big_json_us:.2f} x"),
    )
    return "\n".join(f"{name:<50}{said:>24}" for name, said in rows)
