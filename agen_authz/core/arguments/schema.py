"""One schema, compiled, and why arguments do not fit it.

The library gets the document that `document` wrote, without a way to fetch another, and a linear engine for patterns.
Only a pattern with look-around or a back-reference needs the other engine; then how often it tries again is bounded.

The library's own sentences hold values of the call: nothing of them is kept but the place and the keyword. A place is
spelt with names that the schema has; what the caller named is `*`.
"""

from collections.abc import Collection

import jsonschema_rs
from jsonschema_rs import FancyRegexOptions, RegexOptions, ValidationError

from agen_authz.core.arguments.cost import MAX_COST, Toll, measure, set_tolls
from agen_authz.core.arguments.document import write_document
from agen_authz.core.arguments.graph import BadSchema, Graph, read_graph
from agen_authz.core.arguments.keyword import CHECKED
from agen_authz.core.arguments.parameter import Parameter, read_parameters
from agen_authz.core.arguments.pattern import MAX_PATTERN_CHARS, is_fancy
from agen_authz.core.model import Json, Unfit
from agen_authz.core.reason import Reason

# Of one compiled pattern, and of all of them: the library refuses a larger one. A MiB takes some 20 ms to compile.
_PATTERN_BYTES, _ALL_PATTERNS_BYTES = 1 << 20, 32 << 20
_MAX_PATTERNS = 200
_MAX_TRIES = 1000
# What it takes to find out where arguments do not fit: each of the library's errors costs some 1,500 units, and it may
# make one for each node that it asks.
_MAX_LOCATED = 20_000
_MAX_STEPS = 16
_PLACE = "/params/arguments"


class Schema:
    """A compiled `inputSchema`, or `outputSchema`, which has no parameters.

    Args:
        parameters: the arguments that it wants repeated in headers.
    """

    __slots__ = ("_names", "_toll", "_validator", "parameters")

    def __init__(self, compiled: jsonschema_rs.Validator, graph: Graph, toll: Toll, *parameters: Parameter) -> None:
        self._validator = compiled
        self._toll = toll
        self._names = _list_names(graph)
        self.parameters = parameters

    def measure(self, arguments: Json, budget: int = MAX_COST) -> int:
        """Say what `check_arguments` costs for these arguments, in units of `cost`, or more than the budget."""
        return measure(arguments, self._toll, budget)

    def fits(self, value: Json, cost: int) -> bool:
        """True if a value fits that costs as much as `measure` said, or less; a value that costs too much does not."""
        return cost <= MAX_COST and self._validator.is_valid(value)

    def check_arguments(self, arguments: dict[str, Json], cost: int) -> Unfit | None:
        """Check arguments that cost as much as `measure` said; None if they fit."""
        if cost > MAX_COST:
            return Unfit(Reason.ARGUMENTS_TOO_COMPLEX, "more than can be checked in time")
        if self.fits(arguments, cost):
            return None
        return Unfit(Reason.INVALID_ARGUMENTS, self._locate(arguments) if cost <= _MAX_LOCATED else _PLACE)

    def _locate(self, arguments: dict[str, Json]) -> str:
        # If `validate` did not agree with `is_valid`, the call would stay refused.
        detail = _PLACE
        try:
            self._validator.validate(arguments)
        except ValidationError as found:
            detail = self._spell(found)
        return detail

    def _spell(self, found: ValidationError) -> str:
        steps: list[str | int] = [*found.instance_path]
        keyword = next((str(each) for each in reversed(found.schema_path) if each in CHECKED), "")
        if isinstance(found.kind, jsonschema_rs.ValidationErrorKind.Required):
            # The place of what is missing says more than that of what lacks it.
            steps.append(found.kind.property)
        shown = (str(each) if isinstance(each, int) or each in self._names else "*" for each in steps[:_MAX_STEPS])
        place = "".join("/" + each.replace("~", "~0").replace("/", "~1") for each in shown)
        return f"{_PLACE}{place} ({keyword})" if keyword else f"{_PLACE}{place}"


def compile_schema(schema: Json) -> Schema | BadSchema:
    """Compile a schema of a tool; total."""
    graph = read_graph(schema)
    if isinstance(graph, BadSchema):
        return graph
    patterns = _list_patterns(graph)
    if len(patterns) > _MAX_PATTERNS or any(len(each) > MAX_PATTERN_CHARS for each in patterns):
        return BadSchema(
            f"it has more than {_MAX_PATTERNS} patterns, or one of more than {MAX_PATTERN_CHARS} characters"
        )
    parameters = read_parameters(graph)
    if isinstance(parameters, BadSchema):
        return parameters
    toll = set_tolls(graph)
    if isinstance(toll, BadSchema):
        return toll
    try:
        validator = _compile(write_document(graph), patterns)
    except ValueError as exc:
        return BadSchema(_explain(exc))
    return Schema(validator, graph, toll, *parameters)


def _compile(document: dict[str, Json], patterns: Collection[str]) -> jsonschema_rs.Validator:
    bound = min(_PATTERN_BYTES, _ALL_PATTERNS_BYTES // max(len(patterns), 1))
    options: RegexOptions | FancyRegexOptions = RegexOptions(bound, bound)
    if any(map(is_fancy, patterns)):
        options = FancyRegexOptions(_MAX_TRIES, bound, bound)
    # `offline` is never needed, for all references are ours.
    return jsonschema_rs.validator_for(
        document, validate_formats=False, offline=True, mask="?", pattern_options=options
    )


def _explain(exc: ValueError) -> str:
    path = exc.instance_path if isinstance(exc, ValidationError) else []
    keyword = next((str(each) for each in reversed(path) if each in CHECKED), "")
    return f"`{keyword}` has a value that JSON Schema does not allow" if keyword else "it is not a JSON Schema"


def _list_patterns(graph: Graph) -> list[str]:
    found = [name for node in graph.nodes for name in node.maps.get("patternProperties", ())]
    said = (node.plain.get("pattern") for node in graph.nodes)
    return found + [each for each in said if isinstance(each, str)]


def _list_names(graph: Graph) -> frozenset[str]:
    named = {name for node in graph.nodes for name in node.maps.get("properties", ())}
    for node in graph.nodes:
        required = node.plain.get("required")
        if isinstance(required, list):
            named.update(each for each in required if isinstance(each, str))
    return frozenset(named)
