"""`==`, `!=` and `in` that never take two types of JSON for different values of one.

CEL says that `"5" == 5` is false. A backend may read the text as the number, so a policy that denies the number would
be passed by the text. So wherever the type of an operand is known only when the call comes, the comparison is
rewritten before the library gets it: what is equal is equal; what is not, and is of another JSON type (number, text,
boolean, null, list, object) than what it is compared with, is an error. Rules of the rewritten comparison:

1. Whole numbers and fractions are one type. The constant `null` may be compared with anything: it asks whether a
   value is null. Everything else of another type than null is an error, null included.
2. A list or object that the condition spells out is compared part by part.
3. Two lists about which nothing is known differ if their lengths do, or if all elements of both are texts, all
   numbers, or all booleans; two objects where the members that both have can be compared. Else it is an error.
4. `x in list` is `x == list[0] || x == list[1] || …`: what is found is found; else each element must have been
   comparable.

Which operands have a known type is read from the tree; the checker is not believed if it generalises: it
takes `{"a": 1, "b": args.x}` for an object of whole numbers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from agen_authz.core.cel import node as make
from agen_authz.core.cel.wire import (
    BOOL_VALUE,
    CALL,
    CONST,
    DOUBLE_VALUE,
    IDENT,
    INT64_VALUE,
    LIST,
    LOOP,
    SELECT,
    STRING_VALUE,
    STRUCT,
    Fields,
    read_constant_text,
    read_fields,
    read_message,
    read_one,
    read_text,
    write_fields,
)

ANOTHER_TYPE = "agen: another type: "
"""How the library's error begins where two types met; the rest names what was compared."""

_NULL_VALUE, _UINT64_VALUE = 1, 4
_CONSTANTS = {
    _NULL_VALUE: "null", BOOL_VALUE: "bool", INT64_VALUE: "number", _UINT64_VALUE: "number", DOUBLE_VALUE: "number",
    STRING_VALUE: "string",
}  # fmt: skip
_ANY_VALUE, _TYPES, _CHECKED_EXPR = 2, 3, 4
_PRIMITIVE, _LIST_TYPE, _MAP_TYPE, _TYPE_TYPE = 3, 6, 7, 11
_PRIMITIVES = {1: "bool", 2: "number", 3: "number", 4: "number", 5: "string"}
_KEY, _VALUE = 3, 4
_EQUAL, _UNEQUAL, _IN = "_==_", "_!=_", "@in"
_NUMBERS = ("int", "double", "uint")

Kind: TypeAlias = str | None
"""The JSON type that a value has for certain: `number`, `string`, `bool`, `null`, `list of …`, `object`; else None."""
_LISTS, _OBJECT = "list of ", "object"


@dataclass(frozen=True, slots=True)
class _Name:
    """What a loop's variable stands for."""

    kind: Kind
    spelling: str


@dataclass(frozen=True, slots=True)
class _Operand:
    """One side of a comparison: its rewritten expression, and what is known of it."""

    node: bytes
    kind: Kind
    spelling: str = ""
    is_simple: bool = False
    items: tuple["_Operand", ...] | None = None
    members: tuple[tuple["_Operand", "_Operand"], ...] | None = None

    def may_be_repeated(self) -> bool:
        """True if it costs no more than a look to work it out again."""
        return self.is_simple or self.items is not None or self.members is not None


_Names: TypeAlias = Mapping[str, _Name]


def make_strict(serialized: bytes) -> bytes | None:
    """Rewrite a serialised expression (`Expression.serialize()`); None where it compares nothing of unknown type.

    Raises:
        ValueError: these are not the bytes of an expression.
    """
    whole = read_fields(serialized)
    checked = dict(read_message(read_one(whole, _ANY_VALUE)))
    rewriter = _Rewriter(_read_types(checked))
    root = read_one(checked, _CHECKED_EXPR)
    checked[_CHECKED_EXPR] = [rewriter.rewrite(_bytes(root), {})]
    return write_fields({**whole, _ANY_VALUE: [write_fields(checked)]}) if rewriter.has_changed else None


def _bytes(value: bytes | int) -> bytes:
    if isinstance(value, int):
        raise ValueError("not a serialised expression")
    return value


def _read_types(checked: Fields) -> dict[int, Kind]:
    """Read what the checker noted of each node, by its id."""
    entries = [read_message(entry) for entry in checked.get(_TYPES, [])]
    return {_id(read_one(entry, 1)): _kind_of_type(read_message(read_one(entry, 2))) for entry in entries}


def _id(value: bytes | int) -> int:
    return value if isinstance(value, int) else 0


def _kind_of_type(kind: Fields) -> Kind:
    if _PRIMITIVE in kind:
        return _PRIMITIVES.get(_id(read_one(kind, _PRIMITIVE)))
    if _LIST_TYPE in kind:
        element = read_message(read_one(kind, _LIST_TYPE)).get(1, [b""])[0]
        inner = _kind_of_type(read_message(element))
        return None if inner is None else _LISTS + inner
    if _MAP_TYPE in kind:
        return _OBJECT
    return "type" if _TYPE_TYPE in kind else None


class _Rewriter:
    """One walk over a tree, from its leaves: comparisons inside of others are rewritten first."""

    def __init__(self, types: Mapping[int, Kind]) -> None:
        self._types = types
        self._count = 0
        self.has_changed = False

    def rewrite(self, raw: bytes, names: _Names) -> bytes:
        return self._read(raw, names).node

    def _read(self, raw: bytes, names: _Names) -> _Operand:
        node = read_fields(raw)
        if CONST in node:
            return _Operand(raw, _kind_of_constant(node), is_simple=True)
        if IDENT in node:
            return self._ident(raw, node, names)
        if SELECT in node:
            return self._select(node, names)
        if CALL in node:
            return self._call(node, names)
        if LIST in node:
            return self._list(node, names)
        return self._struct(node, names) if STRUCT in node else self._loop(node, names)

    def _checked(self, node: Fields) -> Kind:
        return self._types.get(_id(node.get(2, [0])[0]))

    def _ident(self, raw: bytes, node: Fields, names: _Names) -> _Operand:
        name = read_text(read_message(read_one(node, IDENT)), 1)
        held = names.get(name) or _Name(self._checked(node), name)
        return _Operand(raw, held.kind, held.spelling, is_simple=True)

    def _select(self, node: Fields, names: _Names) -> _Operand:
        selected = read_message(read_one(node, SELECT))
        inner = self._read(_bytes(read_one(selected, 1)), names)
        written = _rebuild(node, SELECT, {**selected, 1: [inner.node]})
        if 3 in selected:
            return _Operand(written, "bool")
        spelling = f"{inner.spelling}.{read_text(selected, 2)}" if inner.spelling else ""
        return _Operand(written, None, spelling, inner.is_simple)

    def _call(self, node: Fields, names: _Names) -> _Operand:
        called = read_message(read_one(node, CALL))
        function = read_text(called, 2)
        target = [self.rewrite(_bytes(each), names) for each in called.get(1, [])]
        operands = [self._read(_bytes(each), names) for each in called.get(3, [])]
        parts: dict[int, list[bytes | int]] = {**called, 3: [each.node for each in operands]}
        if target:
            parts[1] = list(target)
        written = _rebuild(node, CALL, parts)
        if function in (_EQUAL, _UNEQUAL, _IN):
            return _Operand(self._compare(function, written, operands[0], operands[1]), "bool")
        if function == "_[_]":
            return _index(written, called, operands[0], operands[1])
        return _Operand(written, self._kind_of_call(function, node, operands))

    def _kind_of_call(self, function: str, node: Fields, operands: list[_Operand]) -> Kind:
        if function == "_?_:_":
            kinds = {each.kind for each in operands[1:]}
            return kinds.pop() if len(kinds) == 1 else None
        kind = self._checked(node)
        # The checker takes `[1] + args.list` for a list of whole numbers.
        return None if kind is None or kind.startswith(_LISTS) or kind == _OBJECT else kind

    def _list(self, node: Fields, names: _Names) -> _Operand:
        held = read_message(read_one(node, LIST))
        items = tuple(self._read(_bytes(each), names) for each in held.get(1, []))
        written = _rebuild(node, LIST, {**held, 1: [each.node for each in items]})
        kinds = {each.kind for each in items}
        kind = kinds.pop() if len(kinds) == 1 else None
        # INVARIANT: a list that is spelt out has a kind only if each of its elements has.
        is_flat = kind in ("number", "string", "bool")
        return _Operand(
            written, f"{_LISTS}{kind}" if is_flat else None,
            is_simple=False, items=items if all(each.may_be_repeated() for each in items) else None,
        )  # fmt: skip

    def _struct(self, node: Fields, names: _Names) -> _Operand:
        held = read_message(read_one(node, STRUCT))
        entries, members = [], []
        for raw in held.get(2, []):
            entry = read_message(raw)
            key, value = (self._read(_bytes(read_one(entry, part)), names) for part in (_KEY, _VALUE))
            members.append((key, value))
            entries.append(write_fields({**entry, _KEY: [key.node], _VALUE: [value.node]}))
        written = _rebuild(node, STRUCT, {**held, 2: list(entries)})
        is_spelt = all(key.kind == "string" and key.is_simple and value.may_be_repeated() for key, value in members)
        return _Operand(written, None, members=tuple(members) if is_spelt else None)

    def _loop(self, node: Fields, names: _Names) -> _Operand:
        loop = read_message(read_one(node, LOOP))
        within = self._read(_bytes(read_one(loop, 2)), names)
        start = self._read(_bytes(read_one(loop, 4)), names)
        element = within.kind.removeprefix(_LISTS) if within.kind and within.kind.startswith(_LISTS) else None
        spelling = f"{within.spelling}[*]" if within.spelling else ""
        inner = {**names, read_text(loop, 1): _Name(element, spelling), read_text(loop, 3): _Name(start.kind, "")}
        parts: dict[int, list[bytes | int]] = {**loop, 2: [within.node], 4: [start.node]}
        for part in (5, 6, 7):
            parts[part] = [self.rewrite(_bytes(each), inner) for each in loop.get(part, [])]
        return _Operand(_rebuild(node, LOOP, parts), "bool" if start.kind == "bool" else None)

    def _compare(self, function: str, written: bytes, left: _Operand, right: _Operand) -> bytes:
        if "null" in (left.kind, right.kind) or _is_known(function, left, right):
            return written
        self.has_changed = True
        spelling = left.spelling if left.kind is None and left.spelling else right.spelling
        lets: list[tuple[str, bytes]] = []
        sides: list[_Operand] = []
        for side in (left, right):
            if not side.may_be_repeated():
                lets.append((f"@held{self._count}", side.node))
                side = replace(side, node=make.ident(f"@held{self._count}"), is_simple=True)
                self._count += 1
            sides.append(side)
        compared = _compare(function, sides[0], sides[1], make.error(ANOTHER_TYPE + spelling))
        for variable, value in reversed(lets):
            compared = make.let(variable, value, compared)
        return compared


def _rebuild(node: Fields, number: int, parts: Fields) -> bytes:
    return write_fields({**{key: held for key, held in node.items() if key != number}, number: [write_fields(parts)]})


def _kind_of_constant(node: Fields) -> Kind:
    held = read_message(read_one(node, CONST))
    return next((kind for number, kind in _CONSTANTS.items() if number in held), None)


def _index(written: bytes, called: Fields, within: _Operand, key: _Operand) -> _Operand:
    kind = within.kind.removeprefix(_LISTS) if within.kind and within.kind.startswith(_LISTS) else None
    name = read_constant_text(read_message(called[3][1]))
    step = "[*]" if name is None else f".{name}"
    spelling = f"{within.spelling}{step}" if within.spelling else ""
    return _Operand(written, kind, spelling, within.is_simple and key.is_simple)


def _is_known(function: str, left: _Operand, right: _Operand) -> bool:
    """True if both sides certainly have types that fit."""
    if left.kind is None or right.kind is None:
        return False
    if function == _IN:
        return right.kind == _LISTS + left.kind or (right.kind == _OBJECT and left.kind == "string")
    # An object that a variable holds is known to be one, and no more than that.
    return left.kind == right.kind and left.kind != _OBJECT


def _compare(function: str, left: _Operand, right: _Operand, error: bytes) -> bytes:
    asked = make.call(function, left.node, right.node)
    if function == _UNEQUAL:
        return make.choose(asked, make.choose(_comparable(left, right), make.boolean(True), error), make.boolean(False))
    fits = _comparable_within(left, right) if function == _IN else _comparable(left, right)
    return make.choose(asked, make.boolean(True), make.choose(fits, make.boolean(False), error))


def _comparable_within(element: _Operand, within: _Operand) -> bytes:
    if within.items is not None:
        return _all_comparable(element, within.items)
    if within.members is not None:
        return _all_comparable(element, (key for key, _ in within.members))
    if within.kind is not None and within.kind.startswith(_LISTS):
        return _comparable(element, _Operand(b"", within.kind.removeprefix(_LISTS)))
    if within.kind == _OBJECT:
        return _comparable(element, _Operand(b"", "string"))
    each = make.ident("@each")
    if _is_scalar(element.kind):
        return make.every("@each", within.node, _comparable(element, _Operand(each, None, is_simple=True)))
    # No more than scalars are told apart here: it is looked at each element of each list.
    return make.every("@each", within.node, _are_alike_scalars(element.node, each))


def _all_comparable(element: _Operand, items: Iterable[_Operand]) -> bytes:
    # Constants of one kind need one look only.
    parts = dict.fromkeys(_comparable(element, item) for item in items)
    return make.both(*parts)


def _comparable(left: _Operand, right: _Operand) -> bytes:
    """Make the question whether two values that are not equal are of types that can be compared."""
    for one, other in ((left, right), (right, left)):
        if one.kind == "null":
            return make.boolean(True)
        if one.kind in ("number", "string", "bool"):
            return make.boolean(one.kind == other.kind) if _is_scalar(other.kind) else _is_of(one.kind, other.node)
    for one, other in ((left, right), (right, left)):
        if one.items is not None:
            return _fits_items(other.node, one.items)
        if one.members is not None:
            return _fits_members(other.node, one.members)
    return _is_alike(left.node, right.node)


def _is_scalar(kind: Kind) -> bool:
    return kind in ("number", "string", "bool", "null")


def _is_of(kind: str, node: bytes) -> bytes:
    names = _NUMBERS if kind == "number" else (kind,)
    return make.either(*(make.equal(make.call("type", node), make.ident(name)) for name in names))


def _fits_items(node: bytes, items: tuple[_Operand, ...]) -> bytes:
    parts = []
    for position, item in enumerate(items):
        element = _Operand(make.member(node, make.number(position)), None, is_simple=True)
        parts.append(make.either(make.equal(element.node, item.node), _comparable(element, item)))
    has_other_size = make.call("_!=_", make.call("size", node), make.number(len(items)))
    return make.both(_is_of("list", node), make.either(has_other_size, make.both(*parts)))


def _fits_members(node: bytes, members: tuple[tuple[_Operand, _Operand], ...]) -> bytes:
    parts = [_is_of("map", node)]
    for key, value in members:
        member = _Operand(make.member(node, key.node), None, is_simple=True)
        is_absent = make.call("!_", make.call(_IN, key.node, node))
        parts.append(make.either(is_absent, make.equal(member.node, value.node), _comparable(member, value)))
    return make.both(*parts)


def _is_alike(left: bytes, right: bytes) -> bytes:
    return make.either(_are_alike_scalars(left, right), _are_lists(left, right), _are_objects(left, right))


def _are_alike_scalars(left: bytes, right: bytes) -> bytes:
    is_same = make.equal(make.call("type", left), make.call("type", right))
    is_container = make.either(_is_of("list", left), _is_of("map", left))
    both_numbers = make.both(_is_of("number", left), _is_of("number", right))
    return make.either(make.both(is_same, make.call("!_", is_container)), both_numbers)


def _are_lists(left: bytes, right: bytes) -> bytes:
    has_other_size = make.call("_!=_", make.call("size", left), make.call("size", right))
    each = make.ident("@element")
    uniform = (
        make.both(*(make.every("@element", side, _is_of(kind, each)) for side in (left, right)))
        for kind in ("string", "number", "bool")
    )
    return make.both(_is_of("list", left), _is_of("list", right), make.either(has_other_size, *uniform))


def _are_objects(left: bytes, right: bytes) -> bytes:
    key = make.ident("@key")
    ours, theirs = make.member(left, key), make.member(right, key)
    fits = make.either(make.equal(ours, theirs), _are_alike_scalars(ours, theirs))
    is_absent = make.call("!_", make.call(_IN, key, right))
    each = make.every("@key", left, make.either(is_absent, fits))
    return make.both(_is_of("map", left), _is_of("map", right), each)
