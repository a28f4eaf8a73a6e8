"""How JSON is spelt oddly: white space, numbers, strings and keys, sound ones and ones that are not."""

import string
from typing import Any

from hypothesis import strategies as st


def joined(*parts: Any) -> st.SearchStrategy[bytes]:
    return st.tuples(*(st.just(part) if isinstance(part, bytes) else part for part in parts)).map(b"".join)


def mostly(sound: st.SearchStrategy[bytes], odd: st.SearchStrategy[bytes], one_in: int) -> st.SearchStrategy[bytes]:
    # One oddity a body is what finds differences: two of them are refused for one, and hide the other.
    return st.integers(1, one_in).flatmap(lambda drawn: odd if drawn == one_in // 2 + 1 else sound)


SPACE = mostly(
    st.sampled_from([b"", b"", b"", b" ", b"\n", b"\t\r\n "]),
    st.sampled_from([b"\xc2\xa0", b"\x0b", b"\x0c", b"\xe2\x80\xa8", b"/**/", b"//\n", b"\x00", b"\xef\xbb\xbf"]),
    250,
)

# ---- numbers ---------------------------------------------------------------------------------------------

_NAMED_NUMBERS = st.sampled_from(
    [
        b"0",
        b"-0",
        b"-0.0",
        b"0e0",
        b"0E+5",
        b"1e400",
        b"-1e400",
        b"1e308",
        b"1.7976931348623157e308",
        b"1.8e308",
        b"1.7976931348623158079e308",
        b"1.797693134862315808e308",
        b"5e-324",
        b"2e-324",
        b"2.47e-324",
        b"1e-400",
        b"4.9406564584124654e-324",
        b"2.2250738585072011e-308",
        b"9007199254740991",
        b"9007199254740992",
        b"9007199254740993",
        b"-9007199254740993",
        b"9007199254740993.0",
        b"9223372036854775807",
        b"9223372036854775808",
        b"-9223372036854775808",
        b"-9223372036854775809",
        b"18446744073709551615",
        b"18446744073709551616",
        b"1E0",
        b"0.1",
        b"0.30000000000000004",
        b"0.1000000000000000055511151231257827021181583404541015625",
        b"1.0",
        b"1.00e+00",
        b"10000000000000000000000",
        b"123456789012345678901234567890",
        b"8.5e15",
        b"1e16",
        b"1e21",
        b"1e22",
        b"1e23",
        b"0." + b"0" * 400 + b"1",
        b"1" + b"0" * 300 + b".0",
        b"100e-2",
        b"1e0000000000000000001",
        b"1e-0",
    ]
)
_NO_NUMBERS = st.sampled_from(
    [
        b"01",
        b"+1",
        b".5",
        b"1.",
        b"1e",
        b"0x10",
        b"1_000",
        b"--1",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"-",
        b"1,0",
        b"\xd9\xa1",
        b"\xef\xbc\x91",
        b"0b1",
        b"1n",
        b"1d",
        b"-NaN",
        b"00",
        b"1e1.5",
    ]
)
_DIGITS = st.text("0123456789", min_size=1, max_size=24)
_BUILT_NUMBERS = st.builds(
    lambda sign, whole, part, exponent: f"{sign}{whole.lstrip('0') or '0'}{part}{exponent}".encode(),
    st.sampled_from(["", "-"]),
    _DIGITS,
    st.just("") | _DIGITS.map(lambda digits: "." + digits),
    st.just("")
    | st.builds("{}{}{}".format, st.sampled_from("eE"), st.sampled_from(["", "+", "-"]), st.integers(0, 400)),
)
_INTEGERS = st.integers(-(2**64), 2**65).map(lambda number: b"%d" % number)
NUMBERS = mostly(_NAMED_NUMBERS | _BUILT_NUMBERS | _INTEGERS, _NO_NUMBERS, 12)

# ---- strings ---------------------------------------------------------------------------------------------

_SHORT = {'"': b'\\"', "\\": b"\\\\", "/": b"\\/", "\b": b"\\b", "\f": b"\\f", "\n": b"\\n", "\r": b"\\r", "\t": b"\\t"}


def _units(char: str) -> list[int]:
    raw = char.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]


def _write_char(char: str, form: int) -> bytes:
    if form == 0 and char in _SHORT:
        return _SHORT[char]
    if form > 1 and char >= " " and char not in '"\\':
        return char.encode("utf-8", "surrogatepass")
    return "".join(f"\\u{unit:04x}" if form else f"\\u{unit:04X}" for unit in _units(char)).encode()


def written(text: str) -> st.SearchStrategy[bytes]:
    """Write a string with any mixture of escapes: every spelling means the same."""
    forms = st.lists(st.sampled_from([0, 1, 2, 2, 2, 2]), min_size=len(text), max_size=len(text))
    plain = b'"' + b"".join(_write_char(char, 2) for char in text) + b'"'
    return st.just(plain) | forms.map(lambda chosen: b'"' + b"".join(map(_write_char, text, chosen)) + b'"')


_ODD_PIECES = st.sampled_from(
    [
        b"\\ud83d\\ude00",
        b"\\uD83D\\uDE00",
        b"\\u0000",
        b"\\uffff",
        b"\\ufeff",
        b"\\ufffd",
        b"\\\\ud800",
        b"\\u00e9",
        b"e\\u0301",
        b"\xc3\xa9",
        b"\xf0\x9f\x98\x80",
        b"\xef\xbb\xbf",
        b"\x7f",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"\xe2\x80\xae",
        b"\\u000a",
        b"\\/",
        b"'",
        b"//",
        b"/*",
        b"[" * 70,
        b"\xf4\x8f\xbf\xbf",
        b"\\\\u0041",
        b"\\u2028",
        b"\xef\xbf\xbf",
    ]
)
_NO_PIECES = st.sampled_from(
    [
        b"\\ud800",
        b"\\udc00",
        b"\\ude00\\ud83d",
        b"\\uD83D",
        b"\\ud800\\u0041",
        b"\\ud83d\\\\ude00",
        b"\\ud83d\xf0\x9f\x98\x80",
        b"\xed\xa0\x80",
        b"\xed\xa0\xbd\xed\xb8\x80",
        b"\xc0\x80",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xf4\x90\x80\x80",
        b"\xff",
        b"\x80",
        b"\xc3",
        b"\x00",
        b"\x01",
        b"\t",
        b"\n",
        b"\\x41",
        b"\\'",
        b"\\u{41}",
        b"\\u12",
        b"\\U0041",
        b"\\a",
        b"\\0",
        b"\\\n",
        b"\\u+041",
        b"\\u 041",
        b"\\u0_41",
        b"\\u\xef\xbc\x90041",
    ]
)
_PLAIN_PIECES = st.text(string.ascii_letters + " {}[]:,", max_size=4).map(str.encode)
_PIECES = mostly(_PLAIN_PIECES | _ODD_PIECES, _NO_PIECES, 20)
STRINGS = joined(b'"', st.lists(_PIECES, max_size=3).map(b"".join), b'"')
SINGLE_QUOTED = st.sampled_from([b"'a'", b"a", b"`a`", b'"a', b'a"', b'""a', b'"""a"""'])

KEYS = st.one_of(
    st.sampled_from(
        [b'"a"', b'"A"', b'"b"', b'"\\u0061"', b'"a "', b'"a\\u0000"', b'""', b'"__proto__"', b'"constructor"']
    ),
    st.sampled_from(
        [b'"name"', b'"length"', b'"0"', b'"1"', b'"-1"', b'"toString"', b'"\\u212a"', b'"k"', b'"\xc5\xbf"']
    ),
    STRINGS,
)
