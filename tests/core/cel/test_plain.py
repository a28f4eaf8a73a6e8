"""Plain conditions are made of the forms on the list and of nothing else."""

import pytest

from agen_authz.core.cel.condition import Condition
from agen_authz.core.cel.plain import read_plain
from agen_authz.core.cel.wire import CALL, CONST, IDENT, LIST, STRING_VALUE, Fields, read_fields
from agen_authz.core.policy.table import environment


def field(number: int, content: bytes) -> bytes:
    """Write one field of a message, as protobuf does."""
    return bytes([number << 3 | 2, len(content)]) + content


def called(function: str, *operands: bytes) -> Fields:
    inner = field(2, function.encode()) + b"".join(field(3, each) for each in operands)
    return read_fields(field(CALL, inner))


ARGS = field(IDENT, field(1, b"args"))
TEXT = field(CONST, field(STRING_VALUE, b"a"))


def test_list_of_constants_is_plain():
    plain = read_plain(called("@in", ARGS, field(LIST, field(1, TEXT))))
    assert plain is not None
    assert [plain({"args": value}) for value in ("a", "b", 1, None)] == [True, False, None, None]


@pytest.mark.parametrize(
    "node",
    [
        # `[?x]`, whose element may be left out: our conditions cannot say it, and a plain one must not read past it.
        called("@in", ARGS, field(LIST, field(1, TEXT) + field(2, b"\x00"))),
        called("@in", ARGS, field(LIST, field(1, ARGS))),
        called("_==_", TEXT, TEXT),
        called("_==_", ARGS, ARGS),
        called("_<_", ARGS, TEXT),
        called("startsWith", ARGS, TEXT),
        called("_[_]", ARGS, ARGS),
    ],
)
def test_what_is_not_on_the_list_is_the_librarys(node):
    assert read_plain(node) is None


def test_comparison_with_a_whole_number_that_no_double_holds_is_the_librarys():
    readings = [environment().compile(f"args.n > {number}") for number in (2**53 - 1, 2**53 + 1)]
    assert [each.plain is None for each in readings if isinstance(each, Condition)] == [False, True]
