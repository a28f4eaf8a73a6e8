"""Policies over the arguments of a call, which the caller chooses: each applies, does not, or cannot be evaluated."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from agen_authz.core.cel.condition import Condition
from agen_authz.core.errors import Malformed
from agen_authz.core.model import Effect, Facts, Outcome, State
from agen_authz.core.policy.attribute import Situation
from agen_authz.core.policy.table import Match, Policy, PolicyTable, compile_policies, environment
from agen_authz.core.strict_json import parse_json
from tests import builders as build
from tests.fuzz.targets.target import Target, expect

MAX_DEPTH = 32
EXACT = 2**53
# What the library makes of any arguments; those in EXPECTED are worked out here once more.
CONDITIONS = (
    "args.n > 100",
    'args.s == "x"',
    "args.b == true",
    'args.s.matches("^(a+)+$")',
    'args.s.startsWith("a") || args.s.endsWith("b") || args.s.contains("c")',
    "args.l.exists(x, x == 1)",
    "args.l.all(x, x.k > 0)",
    "args.l.map(x, x)[0] == args.o.k",
    "args.all(k, size(k) < 3)",
    "size(args.l) > 3",
    "has(args.o.k) && args.o.k in args.l",
    "string(args.n) == '1'",
    "int(args.s) * 3 > 1",
    "int(args.n) % 2 == 0",
    "double(args.n) / 3.0 > 1.0",
    'timestamp(args.s) < timestamp("2026-01-01T00:00:00Z")',
    'duration(args.s) < duration("1h")',
    "args == inputs",
    'inputs.a.action == "accept"',
    "type(args.n) == int",
    "size(args.l.filter(x, x > 1)) > 2",
    "size(args.l.map(x, x)) > 2",
    "args.l.exists(x, x in args.m)",
    "args.l.exists(x, args.m.exists(y, x > y))",
    "args.s in args.l && args.l != args.m",
)
Evaluate = Callable[[Situation], tuple[Match, ...]]


@dataclass(frozen=True, slots=True)
class _Read:
    """What a condition's one path leads to: its value, or that there is none that may be read."""

    is_there: bool
    value: Any = None


@cache
def table() -> PolicyTable:
    """Compile one policy for each condition."""
    policies = []
    for text in CONDITIONS:
        condition = environment().compile(text)
        expect(isinstance(condition, Condition), f"`{text}` compiles")
        if isinstance(condition, Condition):
            policies.append(Policy(text, State.ENFORCE, Effect.DENY, (), (condition,)))
    return compile_policies(policies)


def check(raw: bytes, evaluate: Evaluate | None = None) -> None:
    """Evaluate every policy for arguments that were read as a call's are."""
    arguments = parse_json(raw, MAX_DEPTH)
    if isinstance(arguments, Malformed) or not isinstance(arguments, dict):
        return
    call = build.call("tools/call", build.tool(), arguments=arguments, inputs=arguments)
    asked = Situation(build.principal(), call, build.tool(), Facts(build.NOW))
    matches = (evaluate or table().evaluate)(asked)
    found = {match.policy.name: match.outcome for match in matches}
    has_cause = all(bool(match.cause) is (match.outcome is Outcome.ERROR) for match in matches)
    expect(has_cause, "whatever cannot be evaluated says why")
    expect(len(found) == len(matches) and found.keys() <= set(CONDITIONS), "each policy is told once")
    for text, worked_out in EXPECTED.items():
        said = found.get(text)
        expect(
            said is worked_out(arguments) or (said is Outcome.ERROR and b"\\u0000" in raw),
            f"`{text}` says what its words say, or nothing where there is a NUL",
        )


def _find(arguments: Mapping[str, Any], name: str) -> _Read:
    value = arguments.get(name)
    twins = [key for key in arguments if key != name and _bare(key) == name]
    is_twofold = _has_two_readings(value)
    return _Read(False) if name not in arguments or twins or is_twofold else _Read(True, value)


def _bare(key: str) -> str:
    letters = "".join(each for each in key.casefold() if each.isalnum())
    return (
        "".join(unicodedata.normalize("NFKC", each) if "\uff10" <= each <= "\uff5a" else each for each in letters)
        or key
    )


def _has_two_readings(value: Any) -> bool:
    if isinstance(value, dict) and len({_bare(key) for key in value}) < len(value):
        return True
    if isinstance(value, dict | list):
        return any(map(_has_two_readings, value.values() if isinstance(value, dict) else value))
    return isinstance(value, int | float) and abs(value) > EXACT


def _above_100(arguments: Mapping[str, Any]) -> Outcome | None:
    read = _find(arguments, "n")
    if not read.is_there or isinstance(read.value, bool) or not isinstance(read.value, int | float):
        return Outcome.ERROR
    return Outcome.APPLIES if read.value > 100 else None


def _equals(name: str, wanted: object) -> Callable[[Mapping[str, Any]], Outcome | None]:
    def say(arguments: Mapping[str, Any]) -> Outcome | None:
        read = _find(arguments, name)
        if not read.is_there or type(read.value) is not type(wanted):
            return Outcome.ERROR
        return Outcome.APPLIES if read.value == wanted else None

    return say


def _has_parts(arguments: Mapping[str, Any]) -> Outcome | None:
    read = _find(arguments, "s")
    if not read.is_there or not isinstance(read.value, str):
        return Outcome.ERROR
    text = read.value
    return Outcome.APPLIES if text.startswith("a") or text.endswith("b") or "c" in text else None


def _holds_one(arguments: Mapping[str, Any]) -> Outcome | None:
    read = _find(arguments, "l")
    if not read.is_there or not isinstance(read.value, list | dict):
        return Outcome.ERROR
    # Whoever goes through a map goes through its keys.
    if any(each == 1 and each is not True for each in read.value):
        return Outcome.APPLIES
    has_other_type = any(isinstance(each, bool) or not isinstance(each, int | float) for each in read.value)
    return Outcome.ERROR if has_other_type else None


def _is_long(arguments: Mapping[str, Any]) -> Outcome | None:
    read = _find(arguments, "l")
    if not read.is_there or not isinstance(read.value, list | dict | str):
        return Outcome.ERROR
    return Outcome.APPLIES if len(read.value) > 3 else None


EXPECTED: Mapping[str, Callable[[Mapping[str, Any]], Outcome | None]] = {
    "args.n > 100": _above_100,
    'args.s == "x"': _equals("s", "x"),
    "args.b == true": _equals("b", True),
    'args.s.startsWith("a") || args.s.endsWith("b") || args.s.contains("c")': _has_parts,
    "args.l.exists(x, x == 1)": _holds_one,
    "size(args.l) > 3": _is_long,
}


TARGET = Target("policy", check, "policy")
