"""Conditions in CEL (github.com/google/cel-spec), through Google's cel-cpp: type-checked when they load.

The library gives errors as values: what a condition says is true, false, or `None` where it cannot be evaluated.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from cel_expr_python import cel

from agen_authz.core.cel.cost import Polynomial, read_cost, work_out
from agen_authz.core.cel.failure import explain_error, explain_result
from agen_authz.core.cel.function import FUNCTIONS, PROBES
from agen_authz.core.cel.plain import Plain, read_plain
from agen_authz.core.cel.strict import make_strict
from agen_authz.core.cel.tree import ConditionTree, read_tree
from agen_authz.core.cel.wire import read_expression

MAX_CONDITION_CHARS = 4096
MAX_WORK = 5_000_000.0
"""What the conditions of one decision may cost together, in units of `cel_cost` (5 ns)."""

# A condition must be affordable for so many values, or it would deny nearly every call.
_ANY_CALL_SIZE = 50
_TOO_DEAR = (
    "loops inside of loops, or too many of them, over values that callers choose; or a pattern that repeats too much"
)
_NARROWER = "loop through one list only, or through what is in its elements; ask for single members; repeat less"
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
class ConditionMistake:
    """Why a condition cannot be used, and what to do; `column` counts from one."""

    column: int
    message: str
    cure: str


class Activation:
    """Values that any number of conditions read; the library gets them when the first condition needs it."""

    __slots__ = ("_env", "_held", "values")

    def __init__(self, values: Mapping[str, object], env: cel.Env) -> None:
        self.values = values
        self._env = env
        self._held: cel.Activation | None = None

    def hand_over(self) -> cel.Activation:
        """Return the values as the library holds them, converted once."""
        if self._held is None:
            self._held = self._env.Activation(self.values)
        return self._held


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """One compiled condition.

    Args:
        tree: what it reads.
        plain: what stands for it if it is a plain one.
        cost: what the library needs for it at most, by the size of what it reads.
    """

    text: str
    tree: ConditionTree
    plain: Plain | None
    cost: Polynomial
    _expression: cel.Expression

    def evaluate(self, activation: Activation) -> bool | None:
        """Evaluate it; None where it cannot be: an error, a missing attribute."""
        if self.plain is not None:
            said = self.plain(activation.values)
            if said is not None:
                return said
        return self.ask_library(activation)

    def ask_library(self, activation: Activation) -> bool | None:
        """Evaluate it by the library alone, which has the last word on every condition."""
        said = self.examine(activation)
        return None if isinstance(said, str) else said

    def examine(self, activation: Activation) -> bool | str:
        """Evaluate it by the library; a sentence that says what could not be read, and why, if it cannot be.

        The sentence names what the condition names, and never a value.
        """
        try:
            result = self._expression.eval(activation=activation.hand_over())
        except RuntimeError as exc:
            # A budget that was used up comes as an exception; everything else as a value.
            return explain_error(str(exc), self.tree)
        # Only a value of CEL's type bool becomes one of Python's: an error is a text, a number a number.
        value = result.value()
        if value is True or value is False:
            return value
        return explain_error(str(value), self.tree) if result.type() == cel.Type.ERROR else explain_result(self.tree)


class Environment:
    """The variables that conditions may read.

    Args:
        variables: by their whole name (`user.roles`).
    """

    def __init__(self, variables: Mapping[str, CelType]) -> None:
        self._names = tuple(variables)
        self._env = cel.NewEnv(variables={name: _TYPES[kind] for name, kind in variables.items()})

    def compile(self, text: str) -> Condition | ConditionMistake:
        """Compile one condition; total."""
        if len(text) > MAX_CONDITION_CHARS:
            return ConditionMistake(
                1, f"longer than {MAX_CONDITION_CHARS} characters", "split it into several conditions"
            )
        try:
            expression = self._env.compile(text)
        except RuntimeError as exc:
            return self._explain(str(exc), text)
        if expression.return_type() not in _USABLE:
            kind = expression.return_type().name()
            return ConditionMistake(1, f"says `{kind.lower()}`, not true or false", "compare it with something")
        serialized = expression.serialize()
        root, strict = read_expression(serialized), make_strict(serialized)
        if strict is not None:
            try:
                expression = self._env.deserialize(strict)
            except RuntimeError:
                return ConditionMistake(1, "nested too deeply", "split it into several conditions")
        tree, cost = read_tree(root), read_cost(root if strict is None else read_expression(strict))
        if work_out(cost, _ANY_CALL_SIZE) > MAX_WORK:
            return ConditionMistake(1, _TOO_DEAR, _NARROWER)
        return self._check_constants(tree) or Condition(text, tree, read_plain(root), cost, expression)

    def activate(self, values: Mapping[str, object]) -> Activation:
        """Prepare values that any number of conditions then read; one that is missing cannot be evaluated."""
        return Activation(values, self._env)

    def _explain(self, report: str, text: str) -> ConditionMistake:
        found = _ERROR.search(report)
        if found is None:
            return ConditionMistake(1, "not a CEL expression, or nested too deeply", "see docs/policies.md")
        column, message = int(found[2]), found[3].replace(" (in container '')", "")
        undeclared = _UNDECLARED.search(message)
        if undeclared is None:
            return ConditionMistake(column, message, "see docs/policies.md for the language")
        name = undeclared[1]
        # The place of a call is its bracket.
        is_function = text[column - 1 : column] == "("
        known = FUNCTIONS if is_function else self._names
        near = get_close_matches(name, known, n=1)
        members = sorted(each for each in known if each.startswith(f"{name}."))
        cure = f"did you mean `{near[0]}`" if near else f"use one of {', '.join(members or known)}"
        kind = "no function" if is_function else "nothing"
        return ConditionMistake(column, f"{kind} is called `{name}`", cure)

    def _check_constants(self, tree: ConditionTree) -> ConditionMistake | None:
        for function in sorted(tree.open_texts):
            what = "pattern" if function == "matches" else "time zone"
            cure = f"write the {what} into the condition as a text; choose between two of them outside of `{function}`"
            return ConditionMistake(1, f"the {what} of `{function}` is known only when the call comes", cure)
        for function, constant in sorted(tree.calls):
            probe = PROBES.get(function)
            if probe is None:
                continue
            said = self._env.compile(probe.expression.format(_quote(constant))).eval(data={})
            if said.type() == cel.Type.ERROR:
                return ConditionMistake(1, f"`{constant}` is not {probe.meaning}", probe.cure)
        return None


def _quote(text: str) -> str:
    return '"' + "".join(f"\\U{ord(char):08x}" for char in text) + '"'
