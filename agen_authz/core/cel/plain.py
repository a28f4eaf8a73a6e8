"""Plain conditions: the few forms that most conditions have, evaluated without crossing into the library.

    args.amount > 1000.0      "office" in request.networks      user.country in ["DE", "FR"]      user.email_verified

and what `!`, `&&` and `||` make of them. Such a condition says true or false only where every value that it meets
is there and of the very type that the form is about; where one is not (and so wherever CEL has an error, a
conversion or a reading that only the library has) it returns nothing, and the library is asked. That both say the
same is tested
over random conditions and values (`tests/properties/test_plain_conditions.py`); what it is worth is in
docs/performance.md.
"""

import operator
import struct
from collections.abc import Callable, Mapping
from typing import TypeAlias

from agen_authz.core.cel.wire import (
    BOOL_VALUE,
    CALL,
    CONST,
    DOUBLE_VALUE,
    IDENT,
    INT64_VALUE,
    LIST,
    SELECT,
    STRING_VALUE,
    Fields,
    read_message,
    read_one,
    read_text,
)

Values: TypeAlias = Mapping[str, object]
Plain: TypeAlias = Callable[[Values], bool | None]
"""Says what a condition says of variables by their whole names; None where the library must be asked."""

_Path: TypeAlias = tuple[str, ...]
_TEST_ONLY = 3
_ELEMENTS, _OPTIONAL = 1, 2
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "_<_": operator.lt, "_<=_": operator.le, "_>_": operator.gt, "_>=_": operator.ge,
    "_==_": operator.eq, "_!=_": operator.ne,
}  # fmt: skip
_MIRRORED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_", "_==_": "_==_", "_!=_": "_!=_"}
# Python and CEL compare integers with doubles exactly; beyond this the same digits may be read as another number.
_MAX_EXACT = 2**53


def read_plain(node: Fields) -> Plain | None:
    """Make a plain condition of an expression's tree; None where it is none.

    Raises:
        ValueError: this is not an expression.
    """
    if CALL not in node:
        path = _read_path(node)
        return None if path is None else _holds(path)
    called = read_message(read_one(node, CALL))
    function, operands = read_text(called, 2), [read_message(each) for each in called.get(3, [])]
    if function == "!_":
        return _negate(read_plain(operands[0]))
    if function in ("_&&_", "_||_"):
        return _join(read_plain(operands[0]), read_plain(operands[1]), settles=function == "_||_")
    if function == "@in":
        return _read_membership(operands[0], operands[1])
    if function in _COMPARISONS:
        return _read_comparison(function, operands[0], operands[1])
    # `args["flag"]` is a call as well.
    path = _read_path(node)
    return None if path is None else _holds(path)


def _negate(inner: Plain | None) -> Plain | None:
    if inner is None:
        return None

    def negated(values: Values) -> bool | None:
        said = inner(values)
        return None if said is None else not said

    return negated


def _join(left: Plain | None, right: Plain | None, *, settles: bool) -> Plain | None:
    """Join two conditions: the first that says what `settles` decides; else the second says it."""
    if left is None or right is None:
        return None

    def joined(values: Values) -> bool | None:
        said = left(values)
        return right(values) if said is (not settles) else said

    return joined


def _holds(path: _Path) -> Plain:
    find = _follow(path)

    def holds(values: Values) -> bool | None:
        found = find(values)
        return found if found is True or found is False else None

    return holds


def _read_membership(element: Fields, within: Fields) -> Plain | None:
    if LIST in within:
        path, texts = _read_path(element), _read_texts(within)
        return None if path is None or texts is None else _is_among(path, texts)
    constant, path = _read_constant(element), _read_path(within)
    return _contains(path, constant) if path is not None and isinstance(constant, str) else None


def _is_among(path: _Path, texts: frozenset[str]) -> Plain:
    find = _follow(path)

    def among(values: Values) -> bool | None:
        found = find(values)
        return found in texts if isinstance(found, str) else None

    return among


def _contains(path: _Path, text: str) -> Plain:
    return _lists(path[0], text) if len(path) == 1 else _holds_member(path, text)


def _lists(name: str, text: str) -> Plain:
    # A variable that is a list is one of texts: the type check has seen to it.
    def lists(values: Values) -> bool | None:
        found = values.get(name)
        return text in found if isinstance(found, list) else None

    return lists


def _holds_member(path: _Path, text: str) -> Plain:
    find = _follow(path)

    def contains(values: Values) -> bool | None:
        found = find(values)
        # A list that holds anything but texts is for the library: it compares them in its own way.
        is_plain = type(found) is list and all(type(each) is str for each in found)
        return text in found if is_plain and isinstance(found, list) else None

    return contains


def _read_comparison(function: str, left: Fields, right: Fields) -> Plain | None:
    path, constant = _read_path(left), _read_constant(right)
    if path is None:
        function, path, constant = _MIRRORED[function], _read_path(right), _read_constant(left)
    if path is None or constant is None:
        return None
    if isinstance(constant, int) and abs(constant) > _MAX_EXACT:
        # cel-cpp rounds such a constant if it is compared with a fraction; Python does not.
        return None
    if isinstance(constant, bool | str):
        return _is_equal(path, constant, is_wanted=function == "_==_") if function in ("_==_", "_!=_") else None
    return _compares(path, constant, _COMPARISONS[function])


def _is_equal(path: _Path, constant: bool | str, *, is_wanted: bool) -> Plain:
    find, kind = _follow(path), type(constant)

    def equal(values: Values) -> bool | None:
        found = find(values)
        return (found == constant) is is_wanted if type(found) is kind else None

    return equal


def _compares(path: _Path, constant: float, compare: Callable[[float, float], bool]) -> Plain:
    find = _follow(path)

    def compares(values: Values) -> bool | None:
        found = find(values)
        if type(found) is float or (type(found) is int and -_MAX_EXACT <= found <= _MAX_EXACT):
            return compare(found, constant)
        return None

    return compares


def _follow(path: _Path) -> Callable[[Values], object]:
    """Follow a path through objects; None for what is not there, as for null: both are the library's."""
    root, steps = path[0], path[1:]

    def follow(values: Values) -> object:
        found = values.get(root)
        for step in steps:
            if type(found) is not dict:
                return None
            found = found.get(step)
        return found

    return follow


def _read_path(node: Fields) -> _Path | None:
    if IDENT in node:
        return (read_text(read_message(read_one(node, IDENT)), 1),)
    if SELECT in node:
        selected = read_message(read_one(node, SELECT))
        if _TEST_ONLY in selected:
            return None
        return _extend(_read_path(read_message(read_one(selected, 1))), read_text(selected, 2))
    if CALL in node:
        called = read_message(read_one(node, CALL))
        operands = [read_message(each) for each in called.get(3, [])]
        if read_text(called, 2) == "_[_]":
            return _extend(_read_path(operands[0]), _read_constant(operands[1]))
    return None


def _extend(path: _Path | None, step: object) -> _Path | None:
    return (*path, step) if path is not None and isinstance(step, str) else None


def _read_texts(node: Fields) -> frozenset[str] | None:
    held = read_message(read_one(node, LIST))
    if _OPTIONAL in held:
        return None
    texts = [_read_constant(read_message(each)) for each in held.get(_ELEMENTS, [])]
    return (
        frozenset(each for each in texts if isinstance(each, str)) if all(isinstance(t, str) for t in texts) else None
    )


def _read_constant(node: Fields) -> bool | float | str | None:
    if CONST not in node:
        return None
    held = read_message(read_one(node, CONST))
    if STRING_VALUE in held:
        return read_text(held, STRING_VALUE)
    if BOOL_VALUE in held:
        return read_one(held, BOOL_VALUE) == 1
    raw = held.get(DOUBLE_VALUE, [b""])[0]
    if isinstance(raw, bytes) and len(raw) == 8:
        number: float = struct.unpack("<d", raw)[0]
        return number
    return _read_integer(held)


def _read_integer(held: Fields) -> int | None:
    raw = held.get(INT64_VALUE, [b""])[0]
    if not isinstance(raw, int):
        return None
    # Two's complement of 64 bits.
    return raw - (1 << 64) if raw >= 1 << 63 else raw
