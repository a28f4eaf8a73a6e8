"""What evaluating a condition costs at most, as a polynomial of the size of what it reads; known when it loads.

One unit is about 5 ns of the CEL library's time (`bench/conditions.py`):

1. Each node of the tree costs a little, each time that it is evaluated.
2. A loop evaluates its body once for each element. `filter` and `map` copy what they have so far at each step, so they
   are quadratic.
3. `in`, `==` and the functions on texts read all of what they are given; what is in no table here does, too. A text
   is searched for in another (`contains`) at each of its places, and `matches` compiles its pattern each time.
4. What is reached through the element of a loop costs nothing extra the first time: the parts of all elements together
   are no more than the whole. A second loop through the same element multiplies, as a loop through anything else does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TypeAlias

from agen_authz.core.cel.pattern import read_size
from agen_authz.core.cel.wire import (
    CALL,
    CONST,
    IDENT,
    LIST,
    LOOP,
    SELECT,
    STRUCT,
    Fields,
    read_constant_text,
    read_message,
    read_one,
    read_text,
)

TEXT_UNIT_CHARS = 64
"""So many characters of a text count as one value."""

_MAX_POWER = 4
_NODE, _COPY, _COMPARE, _READ = 6.0, 4.0, 1.0, 24.0
_CONSTANT_TIME = frozenset(
    {"_&&_", "_||_", "!_", "-_", "_-_", "_*_", "_/_", "_%_", "type", "dyn", "@not_strictly_false"}
)
_COMPARISONS = frozenset({"_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_"})
_ADD, _IN, _INDEX, _CHOOSE = "_+_", "@in", "_[_]", "_?_:_"
_MATCHES, _CONTAINS = "matches", "contains"
# A pattern: to compile it, and each part of it; each text unit that is looked through, and each place of the pattern.
_COMPILE, _COMPILE_STEP, _LOOK, _LOOK_PLACE = 1000.0, 60.0, 1024.0, 128.0
_LOOK_TEXT = 16.0

Polynomial: TypeAlias = tuple[float, ...]
"""Coefficients by power; the last one holds all powers beyond as well."""

_ZERO: Polynomial = (0.0,) * (_MAX_POWER + 1)
_ONE: Polynomial = (1.0, *_ZERO[1:])
_ALL: Polynomial = (0.0, 1.0, *_ZERO[2:])


def work_out(polynomial: Polynomial, size: float) -> float:
    """Work a polynomial out for a size."""
    return reduce(lambda sum_, coefficient: sum_ * size + coefficient, reversed(polynomial), 0.0)


def read_cost(root: Fields) -> Polynomial:
    """Read what evaluating an expression costs at most.

    Raises:
        ValueError: this is not an expression.
    """
    reckoner = _Reckoner()
    reckoner.walk(root, _Scope({}, _ONE, frozenset()))
    return reckoner.cost


@dataclass(frozen=True, slots=True)
class _Value:
    """How large a value may be, and the loop through whose element it was reached."""

    size: Polynomial
    loop: int | None = None


@dataclass(frozen=True, slots=True)
class _Scope:
    """Where a node is: what names stand for, how often it is evaluated, and the loops that were gone through."""

    names: Mapping[str, _Value]
    times: Polynomial
    spent: frozenset[int]

    def is_open(self, value: _Value) -> bool:
        return value.loop is not None and value.loop not in self.spent

    def all_of(self, value: _Value) -> Polynomial:
        """Say how much is read if a value is read each time."""
        return self.times if self.is_open(value) else _multiply(self.times, value.size)


class _Reckoner:
    """One walk over a tree, adding up."""

    def __init__(self) -> None:
        self.cost = _ZERO
        self._loops = 0

    def walk(self, node: Fields, scope: _Scope) -> _Value:
        self._add(_NODE, scope.times)
        if CONST in node:
            return _Value(_scale(1 + len(read_constant_text(node) or "") // TEXT_UNIT_CHARS, _ONE))
        if IDENT in node:
            return scope.names.get(read_text(read_message(read_one(node, IDENT)), 1), _Value(_ALL))
        if SELECT in node:
            return self.walk(read_message(read_one(read_message(read_one(node, SELECT)), 1)), scope)
        if CALL in node:
            return self._call(read_message(read_one(node, CALL)), scope)
        if LOOP in node:
            return self._loop(read_message(read_one(node, LOOP)), scope)
        return _join([self.walk(each, scope) for each in _parts_of(node)])

    def _add(self, units: float, polynomial: Polynomial) -> None:
        self.cost = _sum(self.cost, _scale(units, polynomial))

    def _call(self, node: Fields, scope: _Scope) -> _Value:
        function = read_text(node, 2)
        operands = [self.walk(read_message(each), scope) for each in (*node.get(1, []), *node.get(3, []))]
        if function == _INDEX:
            return operands[0]
        if function == _CHOOSE:
            return _join(operands[1:])
        if function == _ADD:
            self._add(_COPY, _sum(*(scope.all_of(each) for each in operands)))
            return _join(operands)
        self._read(function, node, operands, scope)
        return _Value(_ONE)

    def _read(self, function: str, node: Fields, operands: list[_Value], scope: _Scope) -> None:
        read = [scope.all_of(each) for each in operands]
        if function in _COMPARISONS:
            # Two values are compared as far as the smaller one goes.
            self._add(_COMPARE, min(read, key=lambda each: each[::-1]))
        elif function == _IN:
            self._add(_COMPARE, read[-1])
        elif function == _MATCHES:
            self._match(read_constant_text(read_message([*node.get(1, []), *node.get(3, [])][-1])), read[0], scope)
        elif function not in _CONSTANT_TIME:
            self._add(_READ, _sum(*read))
        if function == _CONTAINS:
            self._add(_LOOK_TEXT, _each_in_each(operands[0], operands[1], scope))

    def _match(self, pattern: str | None, read: Polynomial, scope: _Scope) -> None:
        # An argument that is not a constant does not load (`function.FIXED`).
        size = read_size(pattern or "")
        self._add(_COMPILE + _COMPILE_STEP * size.steps, scope.times)
        self._add(_LOOK + _LOOK_PLACE * size.places, read)

    def _loop(self, node: Fields, scope: _Scope) -> _Value:
        within = self.walk(read_message(read_one(node, 2)), scope)
        start_node = read_message(read_one(node, 4))
        start = self.walk(start_node, scope)
        self._loops += 1
        times = scope.all_of(within)
        spent = scope.spent | {within.loop} if within.loop is not None else scope.spent
        element = _Value(within.size, self._loops if within.size == _ALL else None)
        result_name = read_text(node, 3)
        held = _Value(_ONE) if CONST in start_node else _join([start, _Value(within.size)])
        inner = _Scope({**scope.names, read_text(node, 1): element, result_name: held}, times, spent)
        for part in (5, 6):
            self.walk(read_message(read_one(node, part)), inner)
        if CONST not in start_node and within.size != _ZERO:
            held = self._collected(read_message(read_one(node, 6)), within, result_name, inner)
        elif within.size == _ZERO:
            held = start
        return self.walk(
            read_message(read_one(node, 7)), _Scope({**scope.names, result_name: held}, scope.times, spent)
        )

    def _collected(self, step: Fields, within: _Value, result_name: str, inner: _Scope) -> _Value:
        """Say how large a list is that a loop collects: its steps are looked at once more, at no cost."""
        names = {**inner.names, result_name: _Value(_ZERO)}
        piece = self.walk(step, _Scope(names, _ZERO, inner.spent))
        return _Value(piece.size if inner.is_open(piece) else _multiply(within.size, piece.size))


def _each_in_each(text: _Value, sought: _Value, scope: _Scope) -> Polynomial:
    """Compute how much is compared if one text is searched for at each place of another."""
    one, other = (sought, text) if scope.is_open(sought) else (text, sought)
    return _multiply(scope.all_of(one), other.size)


def _parts_of(node: Fields) -> Iterator[Fields]:
    for held in node.get(LIST, []):
        yield from map(read_message, read_message(held).get(1, []))
    for held in node.get(STRUCT, []):
        for entry in map(read_message, read_message(held).get(2, [])):
            yield from (read_message(read_one(entry, part)) for part in (3, 4))


def _join(values: list[_Value]) -> _Value:
    """Say how large values are together: the part of a loop's element if all others are constants."""
    varying = [each for each in values if any(each.size[1:])]
    if len(varying) == 1:
        return varying[0]
    return _Value(_sum(_ZERO, *(each.size for each in values)))


def _sum(*polynomials: Polynomial) -> Polynomial:
    return tuple(map(sum, zip(*polynomials, strict=True)))


def _scale(factor: float, polynomial: Polynomial) -> Polynomial:
    return tuple(factor * each for each in polynomial)


def _multiply(left: Polynomial, right: Polynomial) -> Polynomial:
    product = [0.0] * (_MAX_POWER + 1)
    for power, each in enumerate(left):
        for other, factor in enumerate(right):
            product[min(power + other, _MAX_POWER)] += each * factor
    return tuple(product)
