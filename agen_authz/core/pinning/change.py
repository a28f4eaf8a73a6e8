"""What changed between an approved definition and the one that is seen, as kinds; only wording is harmless.

    kind          what changed
    wording       `title`, `description`, `annotations.title`; in a schema `title`, `description` and `$comment`
    schema        anything else in `inputSchema` or `outputSchema`: types, defaults, enums, required, new parameters
    annotations   a hint, such as `readOnlyHint`
    url           an address that no text of the approved definition holds (phrase.py)
    instruction   a new text that addresses the model (phrase.py); any change of a server's `instructions`
    hidden_text   a text with hidden characters that the approved definition does not have (hidden.py)
    other         any other member, known (`icons`, `execution`, `_meta`) or invented later

A definition that was never approved has no change. What it shows by itself is found by `find_signs` (hidden text, an
instruction), lookalike.py (look_alike, twin) and `find_former_name` (renamed).
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import Enum, StrEnum
from typing import TypeAlias

from agen_authz.core.model import Json
from agen_authz.core.pinning.definition import INSTRUCTIONS, Definition, name_of, spell_value
from agen_authz.core.pinning.hidden import find_first, find_hidden, list_texts
from agen_authz.core.pinning.phrase import find_addresses, fold_text, holds_instruction


class Kind(StrEnum):
    """A kind of drift: what is seen for the first time, changed, or deceives; a metric's label."""

    NEW = "new"
    WORDING = "wording"
    SCHEMA = "schema"
    ANNOTATIONS = "annotations"
    URL = "url"
    INSTRUCTION = "instruction"
    HIDDEN_TEXT = "hidden_text"
    OTHER = "other"
    RENAMED = "renamed"
    LOOK_ALIKE = "look_alike"
    TWIN = "twin"
    # A definition that is too long to be kept, and one that is not known any longer: neither can be compared.
    TOO_LONG = "too_long"
    FORGOTTEN = "forgotten"


_HARMLESS = frozenset({Kind.WORDING})
_WORDING = frozenset({"title", "description"})
_SCHEMAS = frozenset({"inputSchema", "outputSchema"})
_SCHEMA_WORDING = frozenset({"title", "description", "$comment"})
# Keywords of JSON Schema 2020-12 whose value is a schema, one schema a name, or a list of schemas.
_OF_SCHEMA = frozenset(
    {
        "items", "additionalProperties", "additionalItems", "contains", "propertyNames", "unevaluatedItems",
        "unevaluatedProperties", "not", "if", "then", "else", "contentSchema",
    }
)  # fmt: skip
_OF_NAMES = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
_OF_LISTS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})


class _Missing(Enum):
    """In place of a member that is not there, which is not the same as null."""

    MISSING = "missing"


_MISSING = _Missing.MISSING
_Member: TypeAlias = Json | _Missing


def is_more_than_wording(kinds: Iterable[Kind]) -> bool:
    """True if any of these kinds is not harmless; an empty set is not a change."""
    return any(kind not in _HARMLESS for kind in kinds)


def find_changes(approved: Definition, seen: Definition) -> tuple[Kind, ...]:
    """List the kinds of change from an approved definition to another one, in the order of `Kind`; none if equal."""
    kinds = set(_walk(approved, seen))
    if kinds:
        kinds |= set(_find_new_texts(approved, seen))
    return _in_order(kinds)


def find_signs(definition: Definition) -> tuple[Kind, ...]:
    """List what needs no earlier version to be noticed in a definition: an instruction, hidden text."""
    kinds = {Kind.HIDDEN_TEXT} if find_hidden(definition) else set()
    # A server's instructions are what they are called.
    if name_of(definition) != INSTRUCTIONS and any(map(holds_instruction, list_texts(definition))):
        kinds.add(Kind.INSTRUCTION)
    return _in_order(kinds)


def index_schemas(approved: Mapping[str, Iterable[Definition]]) -> Mapping[str, Sequence[str]]:
    """Index the approved tools of a server by their schemas; a schema without parameters proves nothing."""
    index: dict[str, list[str]] = {}
    for name, definitions in approved.items():
        for written in {each for one in definitions if (each := _spell_schema(one)) is not None}:
            index.setdefault(written, []).append(name)
    return index


def find_former_name(
    definition: Definition, by_schema: Mapping[str, Sequence[str]], listed: Collection[str]
) -> str | None:
    """Find the approved tool of the same server that this one may have been: the same schema, and not listed now."""
    written = _spell_schema(definition)
    names = () if written is None else by_schema.get(written, ())
    return next((name for name in names if name not in listed), None)


def _spell_schema(definition: Definition) -> str | None:
    schema = definition.get("inputSchema")
    return spell_value(schema) if isinstance(schema, dict) and schema.get("properties") else None


def _in_order(kinds: Collection[Kind]) -> tuple[Kind, ...]:
    return tuple(kind for kind in Kind if kind in kinds)


def _walk(approved: Definition, seen: Definition) -> Iterator[Kind]:
    # Each value is written down once, however deep it is: a server chooses the depth.
    for key, before, after in _pair(approved, seen):
        if key in _WORDING:
            yield from _wording(before, after)
        elif key in _SCHEMAS:
            yield from _walk_schema(before, after)
        elif key == "annotations":
            yield from _walk_annotations(before, after)
        elif key == "instructions":
            yield from _compare_instructions(before, after)
        else:
            yield from _differs(before, after, Kind.OTHER)


def _pair(before: Mapping[str, Json], after: Mapping[str, Json]) -> Iterator[tuple[str, _Member, _Member]]:
    for key in before.keys() | after.keys():
        yield key, before.get(key, _MISSING), after.get(key, _MISSING)


def _differs(before: _Member, after: _Member, kind: Kind) -> Iterator[Kind]:
    is_here = (before is not _MISSING, after is not _MISSING)
    if is_here != (True, True) or spell_value(_value(before)) != spell_value(_value(after)):
        yield kind


def _value(member: _Member) -> Json:
    return None if isinstance(member, _Missing) else member


def _wording(before: _Member, after: _Member, otherwise: Kind = Kind.OTHER) -> Iterator[Kind]:
    is_text = all(each is _MISSING or isinstance(each, str) for each in (before, after))
    yield from _differs(before, after, Kind.WORDING if is_text else otherwise)


def _compare_instructions(before: _Member, after: _Member) -> Iterator[Kind]:
    # Whatever they say is addressed to the model.
    is_style = isinstance(before, str) and isinstance(after, str) and fold_text(before) == fold_text(after)
    yield from _differs(before, after, Kind.WORDING if is_style else Kind.INSTRUCTION)


def _walk_annotations(before: _Member, after: _Member) -> Iterator[Kind]:
    if not isinstance(before, dict | _Missing) or not isinstance(after, dict | _Missing):
        yield from _differs(before, after, Kind.ANNOTATIONS)
        return
    old, new = ({} if isinstance(each, _Missing) else each for each in (before, after))
    for key, was, became in _pair(old, new):
        if key == "title":
            yield from _wording(was, became, Kind.ANNOTATIONS)
        else:
            yield from _differs(was, became, Kind.ANNOTATIONS)


def _walk_schema(before: _Member, after: _Member) -> Iterator[Kind]:
    if not isinstance(before, dict) or not isinstance(after, dict):
        yield from _differs(before, after, Kind.SCHEMA)
        return
    for key, old, new in _pair(before, after):
        walk = _INSIDE.get(key)
        if key in _SCHEMA_WORDING:
            yield from _wording(old, new, Kind.SCHEMA)
        elif walk is None:
            yield from _differs(old, new, Kind.SCHEMA)
        else:
            yield from walk(old, new)


def _walk_names(before: _Member, after: _Member) -> Iterator[Kind]:
    if not isinstance(before, dict) or not isinstance(after, dict) or before.keys() != after.keys():
        yield from _differs(before, after, Kind.SCHEMA)
        return
    for _, old, new in _pair(before, after):
        yield from _walk_schema(old, new)


def _walk_list(before: _Member, after: _Member) -> Iterator[Kind]:
    if not isinstance(before, list) or not isinstance(after, list) or len(before) != len(after):
        yield from _differs(before, after, Kind.SCHEMA)
        return
    for old, new in zip(before, after, strict=True):
        yield from _walk_schema(old, new)


_INSIDE: Mapping[str, Callable[[_Member, _Member], Iterator[Kind]]] = {
    **dict.fromkeys(_OF_SCHEMA, _walk_schema),
    **dict.fromkeys(_OF_NAMES, _walk_names),
    **dict.fromkeys(_OF_LISTS, _walk_list),
}


def _find_new_texts(approved: Definition, seen: Definition) -> Iterator[Kind]:
    known, texts = frozenset(list_texts(approved)), list_texts(seen)
    new = [text for text in texts if text not in known]
    if find_addresses(new) - find_addresses(known):
        yield Kind.URL
    if any(map(holds_instruction, new)):
        yield Kind.INSTRUCTION
    if any(find_first(text) is not None for text in new):
        yield Kind.HIDDEN_TEXT
