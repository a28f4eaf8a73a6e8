import pytest

from agen_authz.core.errors import Malformed
from agen_authz.core.reason import Reason
from agen_authz.core.strict_json import parse_json

READ = {
    "escaped key": (b'{"\\u006d":1}', {"m": 1}),
    "escaped pair": (b'"\\ud83d\\ude00"', "\U0001f600"),
    "escaped backslash before a look-alike": (b'"\\\\ud83d"', "\\ud83d"),
    "largest": (b"18446744073709551615", 2**64 - 1),
    "smallest": (b"-9223372036854775808", -(2**63)),
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
    "half a pair deep inside": (b'[[{"a":"\\ud800"}]]', Reason.JSON_SURROGATE),
}


@pytest.mark.parametrize("name", READ)
def test_value_is_read(name):
    raw, value = READ[name]
    assert parse_json(raw, 3) == value


@pytest.mark.parametrize("name", REFUSED)
def test_value_is_refused(name):
    raw, reason = REFUSED[name]
    assert parse_json(raw, 3) == Malformed(reason)
