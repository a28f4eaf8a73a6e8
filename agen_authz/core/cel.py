"""Conditions in CEL (github.com/google/cel-spec), through Google's cel-cpp: type-checked when they load.

The library gives errors as values: what a condition says is true, false, or `None` where it cannot be evaluated.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from cel_expr_python import cel

from agen_authz.core.cel_tree import Tree, read_tree

MAX_CONDITION_CHARS = 4096
_BOOL = cel.Type.BOOL
# What is read from arguments or claims has its type when it is there.
_USABLE = (cel.Type.BOOL, cel.Type.DYN)
_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_UNDECLARED = re.compile(r"undeclared reference to '([^']+)'")


class CelType(StrEnum):
    """The types that variables have."""

    BOOL = "bool"
    STRING = "string"
    STRINGS = "list(string)"
    TIMESTAMP = "timestamp"
    OBJECT = "map(string, dyn)"


_TYPES = {
    CelType.BOOL: cel.Type.BOOL,
    CelType.STRING: cel.Type.STRING,
    CelType.STRINGS: cel.Type.List(cel.Type.STRING),
    CelType.TIMESTAMP: cel.Type.TIMESTAMP,
    CelType.OBJECT: cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why a condition cannot be used, and what to do; `column` counts from one."""

    column: int
    message: str
    cure: str


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """One compiled condition; `tree` is what it reads."""

    text: str
    tree: Tree
    _expression: cel.Expression

    def evaluate(self, activation: cel.Activation) -> bool | None:
        """Evaluate it; None where it cannot be: an error, a missing attribute."""
        try:
            result = self._expression.eval(activation=activation)
        except RuntimeError:
            # A budget that was used up comes as an exception; everything else as a value.
            return None
        # Only a value of CEL's type bool becomes one of Python's: an error is a text, a number a number.
        value = result.value()
        return value if value is True or value is False else None


class Environment:
    """The variables that conditions may read.

    Args:
        variables: by their whole name (`user.roles`).
    """

    def __init__(self, variables: Mapping[str, CelType]) -> None:
        self._names = tuple(variables)
        self._env = cel.NewEnv(variables={name: _TYPES[kind] for name, kind in variables.items()})

    def compile(self, text: str) -> Condition | Mistake:
        """Compile one condition; total."""
        if len(text) > MAX_CONDITION_CHARS:
            return Mistake(1, f"longer than {MAX_CONDITION_CHARS} characters", "split it into several conditions")
        try:
            expression = self._env.compile(text)
        except RuntimeError as exc:
            return self._explain(str(exc))
        if expression.return_type() not in _USABLE:
            kind = expression.return_type().name()
            return Mistake(1, f"says `{kind.lower()}`, not true or false", "compare it with something")
        tree = read_tree(expression.serialize())
        return self._check_patterns(tree) or Condition(text, tree, expression)

    def activate(self, values: Mapping[str, object]) -> cel.Activation:
        """Prepare values that any number of conditions then read; one that is missing cannot be evaluated."""
        return self._env.Activation(values)

    def _explain(self, report: str) -> Mistake:
        found = _ERROR.search(report)
        if found is None:
            return Mistake(1, "not a CEL expression, or nested too deeply", "see docs/policies.md")
        column, message = int(found[2]), found[3].replace(" (in container '')", "")
        undeclared = _UNDECLARED.search(message)
        if undeclared is None:
            return Mistake(column, message, "see docs/policies.md for the language")
        name = undeclared[1]
        near = get_close_matches(name, self._names, n=1)
        members = sorted(each for each in self._names if each.startswith(f"{name}."))
        cure = f"did you mean `{near[0]}`" if near else f"use one of {', '.join(members or self._names)}"
        return Mistake(column, f"nothing is called `{name}`", cure)

    def _check_patterns(self, tree: Tree) -> Mistake | None:
        # A pattern that RE2 does not take would be an error on every call, long after it was written.
        for function, pattern in tree.calls:
            if function == "matches":
                probe = self._env.compile(f'"".matches({_quote(pattern)})')
                if probe.eval(data={}).type() != _BOOL:
                    return Mistake(1, f"`{pattern}` is not an RE2 pattern", "see github.com/google/re2/wiki/Syntax")
        return None


def _quote(text: str) -> str:
    return '"' + "".join(f"\\U{ord(char):08x}" for char in text) + '"'
