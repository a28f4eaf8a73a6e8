from typing import Any

import pytest

from agen_authz.core.ambiguity import is_ambiguous

CASES: dict[str, Any] = {
    "plain": ({"amount": 1, "note": "x"}, [("amount",)], (), False),
    "twin": ({"amount": 1, "Amount": 9}, [("amount",)], (), True),
    "twin alone": ({"AMOUNT": 9}, [("amount",)], (), True),
    "twin of what is not read": ({"amount": 1, "Note": 1, "note": 2}, [("amount",)], (), False),
    "twin deep": ({"a": {"b": 1, "B": 2}}, [("a", "b")], (), True),
    "twin elsewhere": ({"a": {"b": 1}, "c": {"B": 2}}, [("a", "b")], (), False),
    "absent": ({"x": 1}, [("a", "b")], (), False),
    "no object on the way": ({"a": 1}, [("a", "b")], (), False),
    "list where a member is read": ({"a": [1]}, [("a", "b")], (), False),
    "elements": ({"l": [{"p": 1}, {"P": 2}]}, [("l", "*", "p")], (), True),
    "elements without twins": ({"l": [{"p": 1}, {"q": 2}, 3]}, [("l", "*", "p")], (), False),
    "values": ({"m": {"k": {"p": 1, "P": 2}}}, [("m", "*", "p")], (), True),
    "element of no list": ({"l": 1}, [("l", "*")], (), False),
    "largest exact": ({"n": 2**53}, [("n",)], (), False),
    "beyond": ({"n": 2**53 + 1}, [("n",)], (), True),
    "beyond below zero": ({"n": -(2**53) - 1}, [("n",)], (), True),
    "beyond inside": ({"n": [{"x": 2**60}]}, [("n",)], (), True),
    "beyond elsewhere": ({"n": 1, "m": 2**60}, [("n",)], (), False),
    "everything is read": ({"m": {"x": 2**60}}, [()], (), True),
    "boolean": ({"n": True}, [("n",)], (), False),
    "loose twin anywhere": ({"x": [{"D": 1}]}, [("x",)], ("d",), True),
    "loose itself": ({"x": [{"d": 1}]}, [("x",)], ("d",), False),
    "Kelvin sign": ({"\u212a": 1}, [("k",)], (), True),
    "sharp s": ({"stra\u00dfe": 1, "strasse": 2}, [("strasse",)], (), True),
}


@pytest.mark.parametrize("name", CASES)
def test_arguments_mean_one_thing_or_not(name):
    value, paths, loose, expected = CASES[name]
    assert is_ambiguous(value, paths, frozenset(loose)) == expected
