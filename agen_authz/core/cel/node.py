"""New nodes of a CEL expression: what `cel_strict` puts in the place of a comparison.

Each function returns the bytes of one `Expr` (cel-spec, `syntax.proto`). Nodes need no ids here: those are for the
type checker's notes, and nothing checks what is made here.
"""

from agen_authz.core.cel.wire import (
    BOOL_VALUE,
    CALL,
    CONST,
    IDENT,
    INT64_VALUE,
    LIST,
    LOOP,
    STRING_VALUE,
    STRUCT,
    write_field,
    write_fields,
)

_RESULT = "@result"


def ident(name: str) -> bytes:
    """A variable, or the name of a type."""
    return write_field(IDENT, write_field(1, name.encode()))


def text(value: str) -> bytes:
    """A constant text."""
    return write_field(CONST, write_field(STRING_VALUE, value.encode()))


def number(value: int) -> bytes:
    """A constant whole number that is not negative."""
    return write_field(CONST, write_fields({INT64_VALUE: [value]}))


def boolean(value: bool) -> bytes:
    """A constant."""
    return write_field(CONST, write_fields({BOOL_VALUE: [int(value)]}))


def call(function: str, *operands: bytes) -> bytes:
    """A call of a function or an operator, by CEL's own name for it (`_==_`)."""
    return write_field(CALL, write_fields({2: [function.encode()], 3: list(operands)}))


def either(*parts: bytes) -> bytes:
    """`||`; false of nothing."""
    return _join("_||_", parts) if parts else boolean(False)


def both(*parts: bytes) -> bytes:
    """`&&`; true of nothing."""
    return _join("_&&_", parts) if parts else boolean(True)


def _join(function: str, parts: tuple[bytes, ...]) -> bytes:
    # As a balanced tree: the library reads no message that is nested a hundred deep.
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    return call(function, _join(function, parts[:middle]), _join(function, parts[middle:]))


def choose(condition: bytes, then: bytes, otherwise: bytes) -> bytes:
    """`condition ? then : otherwise`."""
    return call("_?_:_", condition, then, otherwise)


def equal(left: bytes, right: bytes) -> bytes:
    """`==` as CEL itself has it."""
    return call("_==_", left, right)


def member(within: bytes, key: bytes) -> bytes:
    """`within[key]`."""
    return call("_[_]", within, key)


def error(label: str) -> bytes:
    """What cannot be evaluated: a member that an empty object does not have, so that the error names `label`."""
    return member(write_field(STRUCT, b""), text(label))


def every(variable: str, within: bytes, condition: bytes) -> bytes:
    """`within.all(variable, condition)`, as the macro spells it."""
    result = ident(_RESULT)
    parts = (
        (1, variable.encode()), (2, within), (3, _RESULT.encode()), (4, boolean(True)),
        (5, call("@not_strictly_false", result)), (6, both(result, condition)), (7, result),
    )  # fmt: skip
    return write_field(LOOP, write_fields({key: [part] for key, part in parts}))


def let(variable: str, value: bytes, within: bytes) -> bytes:
    """`within`, in which a variable stands for a value that is worked out once (a loop over nothing)."""
    parts = (
        (1, b"@unused"), (2, write_field(LIST, b"")), (3, variable.encode()), (4, value),
        (5, boolean(False)), (6, ident(variable)), (7, within),
    )  # fmt: skip
    return write_field(LOOP, write_fields({key: [part] for key, part in parts}))
