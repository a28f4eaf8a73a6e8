"""The most that a check of arguments against a tool's schema can cost: hostile schemas, hostile arguments, and both.

`core.arguments.cost.MAX_COST` bounds it before the library is asked; the largest row is what the bound comes to on a
machine. The walk that finds out what a check costs is part of the time.
"""

import json
import time
from dataclasses import dataclass
from random import Random
from typing import Any

from agen_authz.core.arguments.schema import Schema, compile_schema
from agen_authz.core.reason import Reason

GOAL_MS = 250
ROUNDS = 5
_MANY = 49_000


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds of CPU of one check, of compiling its schema, and of reading and writing the arguments as JSON."""

    name: str
    ms: float
    compile_ms: float
    json_ms: float
    outcome: str


def _nest(depth: int, value: Any) -> Any:
    for _ in range(depth):
        value = {"a": value}
    return value


_ROW = {
    "type": "object",
    "properties": {f"p{at}": {"type": "integer"} for at in range(9)},
    "required": [f"p{at}" for at in range(9)],
    "additionalProperties": False,
}
_MAIL = r"^(?!\.)(?!.*\.\.)([a-z0-9_'+\-.]*)[a-z0-9_+-]@([a-z0-9][a-z0-9\-]*\.)+[a-z]{2,}$"
_STATES = "^(?:(?:.*a.{30}b)|(?:.*b.{31}a)|(?:.*a.{17}a.{15}b)).*z"
# No part of it repeats, so no state of an automaton is met again.
_COINS = "".join(Random(1).choices("ab", k=1_000_000))  # noqa: S311  # nothing secret
_TWICE = {"anyOf": [{"properties": {"a": {"$ref": "#/$defs/a"}}, "required": ["a"]}] * 2 + [{"type": "integer"}]}
_WITHIN = {"uniqueItems": True, "items": {"$ref": "#/$defs/a"}}
# name: (schema of the argument `x`, its value)
SHAPES: dict[str, tuple[Any, Any]] = {
    "a small call": ({"type": "integer"}, 1),
    "4,900 rows of 9, closed": ({"items": _ROW}, [{f"p{at}": at for at in range(9)}] * 4900),
    "1 MB of text": ({"type": "string", "maxLength": 2_000_000}, "a" * 1_000_000),
    "49,000 numbers that differ": ({"uniqueItems": True}, [at + 0.5 for at in range(_MANY)]),
    "600 of 5,000 choices": ({"items": {"enum": [*map(str, range(5000)), 1]}}, ["4999"] * 600),
    "49,000 of 5,000 choices": ({"items": {"enum": [*map(str, range(5000)), 1]}}, ["4999"] * _MANY),
    "1,500 of 1,000 objects": ({"items": {"enum": [{"a": at} for at in range(1000)]}}, [{"a": 999}] * 1500),
    "1,000 names that are required, of 1,000": (
        {"items": {"required": [f"p{at}" for at in range(1000)]}}, [{f"p{at}": 1 for at in range(48)}] * 1000,
    ),
    "none of two lists, each wrong throughout": (
        {"oneOf": [{"items": {"type": "string"}}, {"items": {"type": "string"}}]}, list(range(_MANY)),
    ),
    "branches that double, 10 levels": (_TWICE, _nest(10, "x")),
    "branches that double, 60 levels": (_TWICE, _nest(60, "x")),
    "lists of lists that differ, 60 levels": (_WITHIN, json.loads("[" * 60 + json.dumps([*range(9000)]) + "]" * 60)),
    "a pattern with many states, 100 kB": ({"pattern": _STATES}, _COINS[:100_000]),
    "a pattern with many states, 1 MB": ({"pattern": _STATES}, _COINS),
    "a pattern that tries again, 30 kB": ({"pattern": "(?=(a+)+$)b"}, "a" * 30_000),
    "a pattern that tries again, 1 MB": ({"pattern": "(?!.*x)(a*)*b"}, "a" * 1_000_000),
    "1,000 mail addresses": ({"items": {"pattern": _MAIL}}, ["some.one@example.com"] * 1000),
    "7,000 multiples, far from their unit": ({"items": {"multipleOf": 1e-300}}, [1e308] * 7000),
    "100 patterns of 1,500 names": (
        {"patternProperties": {f"^x.*{at}$": {} for at in range(100)}}, {f"x{at}": at for at in range(1500)},
    ),
    "9,000 members that nothing evaluates": (
        {"anyOf": [{"patternProperties": {f"^y{at}": {}}} for at in range(10)], "unevaluatedProperties": False},
        {f"x{at}": at for at in range(9000)},
    ),
}  # fmt: skip


def measure() -> list[Cost]:
    """Time each shape, the best of some rounds."""
    return [_measure(name, *shape) for name, shape in SHAPES.items()]


def _measure(name: str, schema: Any, value: Any) -> Cost:
    document: Any = {"type": "object", "properties": {"x": schema}, "$defs": {"a": schema}}
    started = time.process_time()
    compiled = compile_schema(document)
    compile_s = time.process_time() - started
    assert isinstance(compiled, Schema), compiled
    arguments, outcome, best = {"x": value}, "", float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        unfit = compiled.check_arguments(arguments, compiled.measure(arguments))
        best = min(best, time.process_time() - started)
        outcome = "fits" if unfit is None else _OUTCOMES[unfit.reason]
    body = json.dumps(arguments)
    started = time.process_time()
    json.dumps(json.loads(body))
    return Cost(name, best * 1000, compile_s * 1000, (time.process_time() - started) * 1000, outcome)


_OUTCOMES = {Reason.INVALID_ARGUMENTS: "does not fit", Reason.ARGUMENTS_TOO_COMPLEX: "not affordable"}


def render(costs: list[Cost]) -> str:
    """Write the rows, and the worst of them."""
    worst = max(cost.ms for cost in costs)
    rows = [
        f"{c.name:<46}{c.ms:>8.2f} ms{c.json_ms:>8.1f} ms as JSON{c.compile_ms:>8.1f} ms to compile   {c.outcome}"
        for c in costs
    ]
    return "\n".join([*rows, f"{'the worst':<46}{worst:>8.1f} ms (goal {GOAL_MS})"])
