"""What holds for any schema and any arguments: another library agrees, and nothing of a value is told.

And for any call: one that fits is decided as if nothing were checked.
"""

from collections.abc import Callable
from random import Random
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from agen_authz.core.arguments.approved import ApprovedSchemas
from agen_authz.core.arguments.cost import MAX_COST
from agen_authz.core.arguments.schema import Schema, compile_schema
from agen_authz.core.decide import decide
from agen_authz.core.model import Deny
from agen_authz.core.policy.table import compile_policies
from agen_authz.core.reason import Reason
from tests.properties.policy_strategy import ACCESS, SCENES, policies
from tests.properties.test_policies import RESOURCES
from tests.rules import build_rules

NAMES = ("a", "b", "c", "secret-1")
TEXTS = ("", "a", "ab", "secret-2", "\u00e9", "\U0001f600")
ATOMS = (None, True, False, -3, 0, 1, 2, 3, 0.5, 1.0, -2.5, *TEXTS)
TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
ODD_KEYS = ("$ref", "$id", "$anchor", "$schema", "properties", "items", "anyOf", "pattern", "x-mcp-header", "type")


class Draw(Random):
    """Draws schemas and arguments: quicker than strategies that nest, and as good where nothing is shrunk."""

    def some(self, make: Callable[[], Any], at_most: int) -> list[Any]:
        return [make() for _ in range(self.randint(0, at_most))]

    def value(self, depth: int = 3, keys: tuple[str, ...] = NAMES) -> Any:
        kind = self.random()
        if depth == 0 or kind < 0.5:
            return self.choice(ATOMS)
        if kind < 0.7:
            return self.some(lambda: self.value(depth - 1, keys), 3)
        return self.arguments(depth - 1, keys)

    def arguments(self, depth: int = 3, keys: tuple[str, ...] = NAMES) -> dict[str, Any]:
        return {self.choice(keys): self.value(depth, keys) for _ in range(self.randint(0, 3))}

    def names(self) -> list[str]:
        return self.sample(NAMES, self.randint(0, 2))

    def plain(self) -> dict[str, Any]:
        made: dict[str, Callable[[], Any]] = {
            "type": lambda: self.choice(TYPES) if self.random() < 0.5 else self.sample(TYPES, 3),
            "enum": lambda: [self.value() for _ in range(3)],
            "const": self.value,
            "multipleOf": lambda: self.choice((1, 2, 0.5)),
            "maximum": lambda: self.randint(-3, 3),
            "exclusiveMinimum": lambda: self.randint(-3, 3),
            "maxLength": lambda: self.randint(0, 2),
            "minLength": lambda: self.randint(0, 2),
            "pattern": lambda: self.choice(("^a", "b$", "^$", "[0-9]", "^(?!a)", "^(a|b)+$")),
            "maxItems": lambda: self.randint(0, 2),
            "minProperties": lambda: self.randint(0, 2),
            "uniqueItems": lambda: self.choice((True, False)),
            "required": self.names,
            "dependentRequired": lambda: {self.choice(NAMES): self.names()},
            "title": lambda: self.choice(TEXTS),
        }
        return {keyword: made[keyword]() for keyword in self.sample(sorted(made), self.choice((0, 1, 1, 2)))}

    def schema(self, depth: int = 3) -> Any:
        if self.random() < 0.1:
            return self.choice((True, False))
        return self.object(depth)

    def object(self, depth: int = 3) -> dict[str, Any]:
        if depth == 0:
            return self.plain()

        def inner() -> Any:
            return self.schema(depth - 1)

        def within() -> Any:
            return {"$ref": f"#/$defs/{self.choice('ab')}"} if self.random() < 0.3 else inner()

        made: dict[str, Callable[[], Any]] = {
            "properties": lambda: {name: within() for name in self.names()},
            "patternProperties": lambda: {self.choice(("^a", "secret", ".")): within()},
            "additionalProperties": within,
            "propertyNames": inner,
            "items": within,
            "prefixItems": lambda: [within() for _ in range(2)],
            "contains": within,
            "unevaluatedProperties": lambda: self.choice((True, False)),
            "unevaluatedItems": lambda: self.choice((True, False)),
            "anyOf": lambda: [inner(), inner()],
            "oneOf": lambda: [inner(), inner()],
            "allOf": lambda: [inner(), inner()],
            "not": inner,
            "if": inner,
            "then": inner,
            "else": inner,
            "dependentSchemas": lambda: {self.choice(NAMES): inner()},
        }
        chosen = self.sample(sorted(made), self.choice((0, 1, 1, 2, 3)))
        return {**self.plain(), **{keyword: made[keyword]() for keyword in chosen}}

    def document(self) -> dict[str, Any]:
        return {**self.object(), "$defs": {"a": self.schema(2), "b": self.object(2)}}


DRAWS = st.builds(Draw, st.integers(0, 2**32))


@settings(max_examples=500)
@given(DRAWS)
def test_another_library_says_the_same(draw):
    schema, arguments = draw.document(), draw.arguments()
    made = compile_schema(schema)
    # A reference that leads to itself is refused here, and endless there.
    if isinstance(made, Schema):
        ours = made.check_arguments(arguments, made.measure(arguments)) is None
        assert ours is jsonschema.Draft202012Validator(schema).is_valid(arguments), (schema, arguments)


def test_other_library_is_asked_about_both_answers():
    answers = []
    for seed in range(200):
        draw = Draw(seed)
        made, arguments = compile_schema(draw.document()), draw.arguments()
        answers += [made.check_arguments(arguments, 1) is None] if isinstance(made, Schema) else []
    assert 30 < sum(answers) < len(answers) - 30


@settings(max_examples=200)
@given(DRAWS)
def test_nothing_of_a_value_is_told_and_small_arguments_are_affordable(draw):
    made, arguments = compile_schema(draw.document()), draw.arguments()
    if isinstance(made, Schema):
        cost = made.measure(arguments)
        assert 0 < cost < MAX_COST
        unfit = made.check_arguments(arguments, cost)
        assert unfit is None or not any(text in unfit.detail for text in ("secret-2", "\u00e9", "\U0001f600"))


@settings(max_examples=200)
@given(DRAWS)
def test_compiling_is_total(draw):
    compile_schema(draw.value(6, (*NAMES, *ODD_KEYS)))
    compile_schema({**draw.object(), **draw.arguments(4, ODD_KEYS)})


@settings(max_examples=50)
@given(SCENES, policies(max_size=2), DRAWS)
def test_call_that_fits_is_decided_as_before(scene, held, draw):
    rules = build_rules(RESOURCES, ACCESS, compile_policies(held))
    call = structs.replace(scene.call, mirrored=None)
    made = compile_schema(draw.document())
    if isinstance(made, Schema):
        facts = structs.replace(scene.facts, fit=ApprovedSchemas((made,)))
        before, after = (decide(call, scene.principal, each, rules) for each in (scene.facts, facts))
        is_unfit = isinstance(after, Deny) and after.reason is Reason.INVALID_ARGUMENTS
        assert is_unfit or after == before
