from typing import Any

import pytest

from agen_authz.core.message.mirror import decode_value, is_mirrored
from agen_authz.core.model import Mirrored

MIRRORED: dict[str, tuple[str, Any]] = {
    "text": ("eu", {"x": "eu"}),
    "of its name": ("eu", {"x": "eu", "y": "us"}),
    "of its name in another spelling": ("eu", {"X_": "eu"}),
    "blank inside": ("a b", {"x": "a b"}),
    "empty": ("", {"x": ""}),
    "one of two of its name": ("us", {"x": "eu", "a": {"x": "us"}}),
    "true": ("true", {"x": True}),
    "false": ("false", {"x": False}),
    "whole": ("-7", {"x": -7}),
    "whole with a fraction of nothing": ("42.0", {"x": 42}),
    "fraction that is whole": ("42", {"x": 42.0}),
    "fraction": ("0.5", {"x": 0.5}),
    "exponent": ("1e21", {"x": 1e21}),
    "exponent as it is written elsewhere": ("1e+21", {"x": 1e21}),
    "beyond a double": ("9007199254740993", {"x": 9007199254740993}),
    "text that is a number": ("007", {"x": "007"}),
}
LIES: dict[str, tuple[str, Any]] = {
    "another text": ("us", {"x": "eu"}),
    "of another name": ("us", {"x": "eu", "y": "us"}),
    "nothing there": ("eu", {}),
    "no arguments": ("eu", None),
    "arguments that are none": ("eu", ["eu"]),
    "in a list": ("eu", {"x": ["eu"]}),
    "in a list of objects": ("eu", {"l": [{"x": "eu"}]}),
    "null": ("null", {"x": None}),
    "object": ("{}", {"x": {}}),
    "number for true": ("1", {"x": True}),
    "another writing of true": ("True", {"x": True}),
    "neighbour of a number": ("9007199254740993", {"x": 9007199254740992}),
    "leading zero": ("042", {"x": 42}),
    "word that is no number of JSON": ("inf", {"x": 1.0}),
    "not ASCII": ("\u00e9", {"x": "\u00e9"}),
    "control character": ("a\tb", {"x": "a\tb"}),
    "half of a pair": ("=?base64?w6?=", {"x": "\u00e9"}),
}


@pytest.mark.parametrize("name", MIRRORED)
def test_header_that_repeats_an_argument_is_mirrored(name):
    value, arguments = MIRRORED[name]
    assert is_mirrored(Mirrored({"mcp-param-x": value}, arguments))


@pytest.mark.parametrize("name", LIES)
def test_header_that_repeats_nothing_is_a_lie(name):
    value, arguments = LIES[name]
    assert not is_mirrored(Mirrored({"mcp-param-x": value}, arguments))


def test_every_header_must_be_mirrored():
    headers = {"mcp-param-x": "1", "mcp-param-y": "3"}
    assert not is_mirrored(Mirrored(headers, {"x": 1, "y": 2}))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("plain", "plain"),
        ("=?base64?w6k=?=", "\u00e9"),
        ("=?base64?w6l=?=", None),
        ("=?base64?w6k?=", None),
        ("=?base64?/w==?=", None),
        ("=?BASE64?w6k=?=", "=?BASE64?w6k=?="),
    ],
)
def test_value_is_decoded_from_its_one_form(value, expected):
    assert decode_value(value) == expected
