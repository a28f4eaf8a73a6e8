import json
import sys

import pytest

from agen_authz.core.errors import Malformed
from agen_authz.core.reason import Reason
from agen_authz.core.strict_json import keeps_numbers, parse_json, parse_plain

READ = {
    "colons in strings": (b'{"a:b":"\\u003a:\\u003A"}', {"a:b": ":::"}),
    "escaped backslash before an escaped colon": (b'{"a":"\\\\u003a:\\u003a"}', {"a": "\\u003a::"}),
    "text that looks like a prototype": (
        b'[",\\"__proto__\\":","{","__proto__",":"]',
        [',"__proto__":', "{", "__proto__", ":"],
    ),
    "key that ends like the one of a prototype": (b'{"a\\"__proto__":{},"b":"\\n"}', {'a"__proto__': {}, "b": "\n"}),
    "prototype beside a constructor": (
        b'{"constructor":{"a":1},"b":[{"prototype":1}]}',
        {"constructor": {"a": 1}, "b": [{"prototype": 1}]},
    ),
    "brackets behind an escaped quote": (b'["\\\\\\"[[[[", "\\\\",[[]]]', ['\\"[[[[', "\\", [[]]]),
    "escaped key": (b'{"\\u006d":1}', {"m": 1}),
    "whole number next to a text of many digits": (
        b'[12,"%b\\ud83d\\ude00"]' % (b"1" * 30),
        [12, "1" * 30 + "\U0001f600"],
    ),
    "escaped pair": (b'"\\ud83d\\ude00"', "\U0001f600"),
    "escaped backslash before a look-alike": (b'"\\\\ud83d"', "\\ud83d"),
    "largest": (b"18446744073709551615", 2**64 - 1),
    "smallest": (b"-9223372036854775808", -(2**63)),
    "text that names a prototype": (
        b'{"constructor":["__proto__"],"prototype":1}',
        {"constructor": ["__proto__"], "prototype": 1},
    ),
    "constructor of another kind": (b'{"constructor":{"a":"prototype"}}', {"constructor": {"a": "prototype"}}),
    "underflow": (b"1e-999", 0.0),
    "brackets in strings": (b'["[[[[{{{{", "\\"[[["]', ["[[[[{{{{", '"[[[']),
    "as deep as allowed": (b'[{"a":[]}]', [{"a": []}]),
    "side by side": (b"[[],[],[],[]]", [[], [], [], []]),
    "surrogate look-alike in a list": (b'["\\ud83d\\ude00", 1, {"\\ud83d\\ude00": null}]', ["😀", 1, {"😀": None}]),
}
REFUSED = {
    "twice, the colons made up by an escaped one": (b'{"a":1,"a":"\\u003a"}', Reason.JSON_DUPLICATE_KEY),
    "twice, the colons made up by two escaped ones in what is lost": (
        b'{"a":"\\u003a","a":"\\u003A"}',
        Reason.JSON_DUPLICATE_KEY,
    ),
    "twice, the colons made up by what only looks escaped": (
        b'{"a":"\\\\u003a","a":1,"\\u0062":2}',
        Reason.JSON_DUPLICATE_KEY,
    ),
    "twice, and the lost one is as good as nothing": (b'{"":"","":"\\n\\u003a"}', Reason.JSON_DUPLICATE_KEY),
    "integer beyond 64 bits and half a pair": (b'[18446744073709551616,"\\ud800"]', Reason.JSON_SURROGATE),
    "negative integer beyond 64 bits": (b"-9223372036854775809", Reason.JSON_NUMBER),
    "closed too often": (b"[]]]]]]", Reason.JSON_SYNTAX),
    "never closed": (b"[[[", Reason.JSON_SYNTAX),
    "closed by the other kind": (b"[{]]", Reason.JSON_SYNTAX),
    "mark": (b"\xef\xbb\xbf1", Reason.JSON_ENCODING),
    "latin-1": (b'"\xe9"', Reason.JSON_ENCODING),
    "empty": (b"", Reason.JSON_SYNTAX),
    "two": (b"1 2", Reason.JSON_SYNTAX),
    "twice": (b'{"a":1,"\\u0061":2}', Reason.JSON_DUPLICATE_KEY),
    "NaN": (b"NaN", Reason.JSON_NUMBER),
    "overflow": (b"-1e999", Reason.JSON_NUMBER),
    "22 digits": (b"1" * 22, Reason.JSON_NUMBER),
    "20 digits": (b"18446744073709551616", Reason.JSON_NUMBER),
    "too deep": (b"[[[[1]]]]", Reason.JSON_DEPTH),
    "too deep behind a string": (b'["]]]]", [[[1]]]]', Reason.JSON_DEPTH),
    "too deep and never closed": (b"[" * 100_000, Reason.JSON_DEPTH),
    "more closed than opened, and no rounds over them": (b"[" * 9 + b"]" * 100_000, Reason.JSON_SYNTAX),
    "more opened than closed, by less than the limit": (b"[" * 9 + b"]" * 8, Reason.JSON_SYNTAX),
    "half a pair": (b'["\\uDFFF"]', Reason.JSON_SURROGATE),
    "half a pair as a key": (b'{"\\ud800":1}', Reason.JSON_SURROGATE),
    "prototype": (b'{"__proto__":{}}', Reason.JSON_KEY_TWIN),
    "prototype that is not the first key": (b'{"a":"\\n","__proto__":{}}', Reason.JSON_KEY_TWIN),
    "prototype, plain and with spaces": (b'{"a": 1, "__proto__": {}}', Reason.JSON_KEY_TWIN),
    "prototype, escaped": (b'[{"a":{"__pr\\u006fto__":1}}]', Reason.JSON_KEY_TWIN),
    "prototype of a constructor": (b'{"constructor":{"prototype":{"a":1}}}', Reason.JSON_KEY_TWIN),
    "half a pair deep inside": (b'[[{"a":"\\ud800"}]]', Reason.JSON_SURROGATE),
}


PLAIN = {
    "without spaces": (b'{"a":[1,2.5,"x"],"b":null}', True),
    "with spaces": (b'{"a": [1, 2.5, "x"], "b": null}', True),
    "spaces in strings": (b'{"a: b, c":"d: e, f"}', True),
    "indented": (b'{\n "a":1\n}', False),
    "key twice": (b'{"a":1,"a":1}', False),
    "key twice, of which one has a space": (b'{"a,b":1,"a, b":1}', True),
    "number that another takes the place of": (b'{"a":1e2,"":1,"":1}', False),
    "long integer": (b"18446744073709551616", False),
    "negative zero": (b"-0", False),
    "escape that is not needed": (b'"\\u0041"', False),
    "half a pair": (b'"\\ud800"', False),
    "no JSON": (b"{", False),
    "deeper than it can be written": (b"[" * 300 + b"]" * 300, False),
}


@pytest.mark.parametrize("name", PLAIN)
def test_plain_is_what_can_be_read_in_one_way(name):
    raw, is_plain = PLAIN[name]
    assert (parse_plain(raw) is not None) == is_plain


@pytest.mark.parametrize("depth", [250, 251, 300])
def test_body_deeper_than_it_can_be_written_is_refused_whatever_the_limit(depth):
    read = parse_json(b"[" * depth + b"]" * depth, 400)
    assert isinstance(read, list) if depth == 250 else read == Malformed(Reason.JSON_DEPTH)


@pytest.mark.parametrize("name", READ)
def test_value_is_read(name):
    raw, value = READ[name]
    assert parse_json(raw, 3) == value


@pytest.mark.parametrize(
    ("raw", "is_read"),
    [
        (b"[1,2,3,4]", True),
        (b"[1,2,3,4,5]", False),
        (b'{"a":1,"b":{"c":2,"d":3}}', True),
        (b'{"a":1,"b":{"c":2,"d":3,"e":4}}', False),
        (b"[[[[1]]]]", True),
        (b"[[[[[1]]]]]", False),
        (b'["a,b,c,d,e,f,g","[[[[[","{{{{"]', True),
        (b'["\\",","\\\\",1,1]', True),
        (b'["\\",","\\\\",1,1,1]', False),
        (b"[" + b",".join([b'""'] * 20) + b"]", False),
        (b"[" * 1_000_000, False),
        (b"," * 1_000_000, False),
    ],
    ids=lambda value: str(value)[:24],
)
def test_values_are_counted_before_a_parser_runs(raw, is_read):
    read = parse_json(raw, 5, 4)
    assert (read == json.loads(raw)) if is_read else (read == Malformed(Reason.JSON_VALUES))


def test_long_integer_is_refused_before_python_reads_it():
    allowed = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        assert parse_json(b"9" * 700, 3) == Malformed(Reason.JSON_NUMBER)
    finally:
        sys.set_int_max_str_digits(allowed)


@pytest.mark.parametrize("name", REFUSED)
def test_value_is_refused(name):
    raw, reason = REFUSED[name]
    assert parse_json(raw, 3) == Malformed(reason)


EXACT = [
    "1",
    "-1",
    "0",
    "0.1",
    "1.10",
    "1e2",
    "1E+2",
    "-0.0",
    "0.0000",
    "1e-300",
    "9007199254740993",
    "18446744073709551615",
]
INEXACT = [
    "-0", "9007199254740993.0", "0.1000000000000000055", "1e-400", "123456789012345678901.5", "0e-99999999999999999999",
]  # fmt: skip


@pytest.mark.parametrize("number", EXACT)
def test_number_is_kept(number):
    assert keeps_numbers(f'{{ "a": [{number}],\n"b": "1e-400" }}'.encode())
    assert keeps_numbers(f'{{"a":{number}}}'.encode())


@pytest.mark.parametrize("number", INEXACT)
def test_number_that_is_read_as_another_one_is_not_kept(number):
    raw = f'{{"a": [1, {{"b": {number}}}]}}'.encode()
    assert not isinstance(parse_json(raw, 8), Malformed)
    assert not keeps_numbers(raw)
