"""Conditions of policies: any text compiles or is a mistake, and what compiled says true, false or nothing."""

from collections.abc import Callable

from agen_authz.core.cel.condition import MAX_CONDITION_CHARS, Condition, ConditionMistake
from agen_authz.core.policy.attribute import ATTRIBUTES
from agen_authz.core.policy.table import environment
from tests.fuzz.targets.target import Target, expect

GIVEN = {
    "user.subject": "ann",
    "user.roles": ["analyst", ""],
    "user.email_verified": True,
    "args": {"n": 1, "s": "abc", "l": [1, "x", None, {}], "o": {"k": 1.5}},
}


def check(raw: bytes, compiled: Callable[[str], Condition | ConditionMistake] | None = None) -> None:
    """Compile a text, and evaluate it where that went well."""
    text = raw.decode("utf-8", "replace")
    condition = (compiled or environment().compile)(text)
    if isinstance(condition, ConditionMistake):
        told = f"{condition.message}{condition.cure}"
        expect(condition.column >= 1 and bool(condition.message and condition.cure), "a mistake says where and what")
        expect("\n" not in told or "\n" in text, "in one line")
        return
    expect(len(text) <= MAX_CONDITION_CHARS, "nothing longer than the limit")
    roots = {path[0] for path in condition.tree.paths}
    expect(all(name.rpartition(".")[2] in text for name in roots if name in ATTRIBUTES), "it reads what it names")
    activation = environment().activate(GIVEN)
    said = condition.evaluate(activation)
    expect(said is None or isinstance(said, bool), "it says true, false or nothing")
    expect(condition.evaluate(activation) is said, "and the same each time")


TARGET = Target("condition", check, "condition")
