"""All approved schemas of one tool, and whether a call fits one of them.

A server may list a tool differently to different callers, so several definitions of it may be approved. Which of them
a caller saw is not known: a call passes if its arguments and its headers fit any one of them (ADR 0023). Together they
may cost no more than one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, islice

from agen_authz.core.arguments.cost import MAX_COST
from agen_authz.core.arguments.graph import BadSchema
from agen_authz.core.arguments.parameter import find_lie
from agen_authz.core.arguments.schema import Schema, compile_schema
from agen_authz.core.memory import Memory
from agen_authz.core.message.mirror import find_unmirrored
from agen_authz.core.model import Call, Digest, Era, Json, Unfit
from agen_authz.core.reason import Reason

# A tool with more approved definitions than this is checked against the first ones.
MAX_APPROVED = 32
MAX_COMPILED = 4096


@dataclass(frozen=True, slots=True)
class ApprovedSchemas:
    """What is approved of one tool's arguments, in the order in which it is tried; nothing fits an empty one."""

    schemas: tuple[Schema | BadSchema, ...]

    def check(self, call: Call) -> Unfit | None:
        """Check a `tools/call`; None if it fits, else why it does not fit the first schema that can be used."""
        unrepeated = frozenset() if call.mirrored is None else find_unmirrored(call.mirrored)
        refused: list[Unfit] = []
        spent = 0
        for schema in self.schemas:
            if isinstance(schema, BadSchema):
                continue
            cost = schema.measure(call.arguments or {}, MAX_COST - spent)
            spent += cost
            unfit = _check(schema, call, unrepeated, MAX_COST + 1 if spent > MAX_COST else cost)
            if unfit is None:
                return None
            refused.append(unfit)
            if spent > MAX_COST:
                break
        return refused[0] if refused else Unfit(Reason.SCHEMA_UNUSABLE, self._explain())

    def _explain(self) -> str:
        return next((each.why for each in self.schemas if isinstance(each, BadSchema)), "no definition is approved")


def _check(schema: Schema, call: Call, unrepeated: frozenset[str], cost: int) -> Unfit | None:
    arguments = call.arguments or {}
    unfit = schema.check_arguments(arguments, cost)
    if unfit is not None:
        return unfit
    lie = find_lie(schema.parameters, arguments, call.mirrored, is_modern=call.envelope.era is Era.MODERN)
    if lie is not None:
        return Unfit(Reason.HEADER_MISMATCH, lie)
    unnamed = unrepeated.difference(each.header for each in schema.parameters)
    return Unfit(Reason.HEADER_MISMATCH, "mcp-param-*") if unnamed else None


class SchemaCompiler:
    """Compiles the schemas of approved definitions: before calls need them, and each of them once.

    A large schema takes up to a second, so a call that had to wait for one would miss its deadline. `prepare` compiles
    what the catalogue approves, in the thread that builds the snapshot and before any call sees it.
    """

    def __init__(self, limit: int = MAX_COMPILED, *, part: str = "inputSchema") -> None:
        """Compile nothing yet.

        Args:
            part: the member of a definition that holds the schema.
        """
        self._limit = limit
        self._part = part
        self._prepared: Mapping[Digest, Schema | BadSchema] = {}
        self._compiled: Memory[Digest, Schema | BadSchema] = Memory(limit)

    def prepare(self, tools: Iterable[Iterable[tuple[Digest, Json]]]) -> None:
        """Compile what is approved, `limit` schemas at most, and forget what was prepared before.

        Args:
            tools: the approved definitions of each tool, as `compile` gets them.
        """
        prepared: dict[Digest, Schema | BadSchema] = {}
        for digest, definition in chain.from_iterable(islice(each, MAX_APPROVED) for each in tools):
            if digest not in prepared and len(prepared) < self._limit:
                found = self._find(digest)
                prepared[digest] = found if found is not None else _compile_definition(definition, self._part)
        # One assignment: calls of other threads look up the old ones until all new ones are there.
        self._prepared = prepared

    def compile(self, definitions: Iterable[tuple[Digest, Json]]) -> ApprovedSchemas:
        """Return the compiled definitions of one tool; what was not prepared is compiled now.

        Args:
            definitions: each with its digest, by which it is remembered: two definitions never have the same.
        """
        first = islice(definitions, MAX_APPROVED)
        return ApprovedSchemas(tuple(self._get(digest, definition) for digest, definition in first))

    def _get(self, digest: Digest, definition: Json) -> Schema | BadSchema:
        found = self._find(digest)
        if found is not None:
            return found
        return self._compiled.keep(digest, _compile_definition(definition, self._part))

    def _find(self, digest: Digest) -> Schema | BadSchema | None:
        prepared = self._prepared.get(digest)
        return prepared if prepared is not None else self._compiled.find(digest)


def _compile_definition(definition: Json, part: str) -> Schema | BadSchema:
    if not isinstance(definition, dict):
        return BadSchema("the definition is not an object")
    return compile_schema(definition.get(part))
