import pytest

from agen_authz.core.errors import Malformed
from agen_authz.core.reason import Reason
from agen_authz.core.strict_json import parse_json, parse_plain

READ = {
    "escaped key": (b'{"\\u006d":1}', {"m": 1}),
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
    "half a pair": (b'["\\uDFFF"]', Reason.JSON_SURROGATE),
    "half a pair as a key": (b'{"\\ud800":1}', Reason.JSON_SURROGATE),
    "prototype": (b'{"__proto__":{}}', Reason.JSON_KEY_TWIN),
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


def test_body_deeper_than_it_can_be_written_is_read_all_the_same():
    assert isinstance(parse_json(b"[" * 300 + b"]" * 300, 400), list)


@pytest.mark.parametrize("name", READ)
def test_value_is_read(name):
    raw, value = READ[name]
    assert parse_json(raw, 3) == value


@pytest.mark.parametrize("name", REFUSED)
def test_value_is_refused(name):
    raw, reason = REFUSED[name]
    assert parse_json(raw, 3) == Malformed(reason)
