"""The most that a caller can make policies cost: conditions over hostile arguments, up to what is refused.

`core.cel.condition.MAX_WORK` bounds what a decision may cost; the largest row is what the bound comes to on a
machine.
"""

import json
import time
from dataclasses import dataclass
from typing import Any

from agen_authz.core.cel.condition import Condition
from agen_authz.core.model import (
    Call,
    Effect,
    Envelope,
    Era,
    Facts,
    Issuer,
    Principal,
    Shape,
    State,
    Subject,
    Target,
    TargetKind,
)
from agen_authz.core.policy.attribute import Situation
from agen_authz.core.policy.table import Policy, PolicyTable, compile_policies, environment

GOAL_MS = 50
ROUNDS = 5
_NOW = 1_800_000_000.0
_TOOL = Target(TargetKind.TOOL, "crm", "get_customer")
_MEMBERS = 9_990
_CALLER = Principal(
    provider="", issuer=Issuer(""), subject=Subject("someone"), client="", tenant="", roles=(), permissions=(),
    groups=(), scopes=(), email="", email_verified=False, country="", acr="", amr=(), auth_time=None, issued_at=None,
    expires=0.0, token_id="", claims={},
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of CPU of one evaluation, and of reading and writing the same arguments as JSON."""

    name: str
    ms: float
    json_ms: float
    outcome: str


def _ones(count: int) -> list[int]:
    return [1] * count


def _object(count: int) -> dict[str, Any]:
    return {f"member {number}": number for number in range(count)}


# name: (conditions, one policy each; arguments)
SHAPES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "filter over 1,000": (["size(args.l.filter(i, i > 0)) > 5"], {"l": _ones(1_000)}),
    "filter over 9,900": (["size(args.l.filter(i, i > 0)) > 5"], {"l": _ones(9_900)}),
    "map over 4,900": (["size(args.l.map(i, i + 1)) > 5"], {"l": _ones(4_900)}),
    "in a list, inside a loop, 9,900 each": (
        ["args.l.exists(i, i in args.m)"], {"l": [2] * 9_900, "m": _ones(9_900)},
    ),
    "exists over 9,900": (["args.l.exists(i, i > 5)"], {"l": _ones(9_900)}),
    "20 x exists over 9,000": ([f"args.l.exists(i, i > {n})" for n in range(5, 25)], {"l": _ones(9_000)}),
    "20 x exists over rows, each its own member": (
        [f"args.l.exists(i, i.f{n} > 5)" for n in range(20)],
        {"l": [{f"f{n}": 1 for n in range(20)} for _ in range(450)]},
    ),
    "20 x filter over 1,000": ([f"size(args.l.filter(i, i > {n})) > 5" for n in range(20)], {"l": _ones(1_000)}),
    "20 x a pattern in 1 MB": ([f'args.t.matches("(a|b|x)*c{n}")' for n in range(20)], {"t": "x" * 1_000_000}),
    "a pattern that repeats, in 1 MB": (['args.t.matches("a[ab]{200}c")'], {"t": "ab" * 500_000}),
    "a pattern that makes many states, in 30 kB": (['args.t.matches("[ab]*a[ab]{14}c")'], {"t": "aabab" * 6_000}),
    "400 kB searched for in 400 kB": (["args.t.contains(args.u)"], {"t": "a" * 400_000, "u": "a" * 399_999 + "b"}),
    "20 plain ones, an object of 9,990": (
        [f"args.amount > {n}.0" for n in range(20)], {**_object(_MEMBERS), "amount": 1},
    ),
    "20 plain ones, an object of 49,000": (
        [f"args.amount > {n}.0" for n in range(20)], {**_object(49_000), "amount": 1},
    ),
    "5 objects of 9,990": (
        [f"args.o{n}.amount > 5.0" for n in range(5)],
        {f"o{n}": {**_object(_MEMBERS), "amount": 1} for n in range(5)},
    ),
}  # fmt: skip


def measure() -> list[Cost]:
    """Time each shape, the best of some rounds."""
    return [_measure(name, *shape) for name, shape in SHAPES.items()]


def _measure(name: str, texts: list[str], arguments: dict[str, Any]) -> Cost:
    table, outcome, best = _compile(texts), "", float("inf")
    for _ in range(ROUNDS):
        call = Call(
            "crm", Envelope(Era.LEGACY, Shape.REQUEST, 1), "2025-11-25", "tools/call", (_TOOL,), False, arguments
        )
        started = time.process_time()
        matches = table.evaluate(Situation(_CALLER, call, _TOOL, Facts(_NOW)))
        best = min(best, time.process_time() - started)
        denied = sum(bool(match.cause) for match in matches)
        outcome = f"{denied} of {len(texts)} refused" if denied else "evaluated"
    body = json.dumps(arguments)
    started = time.process_time()
    json.dumps(json.loads(body))
    return Cost(name, best * 1000, (time.process_time() - started) * 1000, outcome)


def _compile(texts: list[str]) -> PolicyTable:
    conditions = [environment().compile(text) for text in texts]
    compiled = [each for each in conditions if isinstance(each, Condition)]
    return compile_policies(
        Policy(str(number), State.ENFORCE, Effect.DENY, (), (each,)) for number, each in enumerate(compiled)
    )


def render(costs: list[Cost]) -> str:
    """Write the rows, and the worst of them."""
    worst = max(cost.ms for cost in costs)
    rows = [f"{c.name:<46}{c.ms:>8.1f} ms{c.json_ms:>8.1f} ms as JSON   {c.outcome}" for c in costs]
    return "\n".join([*rows, f"{'the worst':<46}{worst:>8.1f} ms (goal {GOAL_MS})"])
