from typing import Any

import pytest

from agen_authz.core.ambiguity import has_nul, is_ambiguous

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
    "largest exact fraction": ({"n": 2.0**53}, [("n",)], (), False),
    "beyond as a fraction": ({"n": 2.0**53 + 2}, [("n",)], (), True),
    "beyond below zero as a fraction": ({"n": -1e300}, [("n",)], (), True),
    "beyond inside": ({"n": [{"x": 2**60}]}, [("n",)], (), True),
    "beyond elsewhere": ({"n": 1, "m": 2**60}, [("n",)], (), False),
    "everything is read": ({"m": {"x": 2**60}}, [()], (), True),
    "boolean": ({"n": True}, [("n",)], (), False),
    "loose twin anywhere": ({"x": [{"D": 1}]}, [("x",)], ("d",), True),
    "loose itself": ({"x": [{"d": 1}]}, [("x",)], ("d",), False),
    "twins under a computed key": ({"amount": 1, "Amount": 9}, [("*",)], (), True),
    "twins where all is compared": ({"m": {"a": 1, "A": 2}}, [("m",)], (), True),
    "no twins under a computed key": ({"amount": 1, "note": 9}, [("*",), ()], (), False),
    "Kelvin sign": ({"\u212a": 1}, [("k",)], (), True),
    "snake case": ({"user_id": 1, "userId": 2}, [("user_id",)], (), True),
    "camel case": ({"userId": 1, "user_id": 2}, [("userId",)], (), True),
    "dashes": ({"user_id": 1, "user-id": 2}, [("user_id",)], (), True),
    "blank at the end": ({"amount": 1, "amount ": 2}, [("amount",)], (), True),
    "mark before": ({"amount": 1, "$amount": 2}, [("amount",)], (), True),
    "control character": ({"amount": 1, "amount\t": 2}, [("amount",)], (), True),
    "nothing but marks": ({"amount": 1, "_": 2, "": 3}, [("amount",), ("_",)], (), False),
    "full width": ({"amount": 1, "\uff41mount": 2}, [("amount",)], (), True),
    "zero width": ({"amount": 1, "am\u200bount": 2}, [("amount",)], (), True),
    "soft hyphen": ({"amount": 1, "a\u00admount": 2}, [("amount",)], (), True),
    "dotted capital i": ({"id": 1, "\u0130d": 2}, [("id",)], (), True),
    "another script": ({"amount": 1, "\u0430mount": 2}, [("amount",)], (), False),
    "marks without a letter": ({"amount": 1, "\u0301": 2}, [("amount",)], (), False),
    "longer name": ({"amount": 1, "amount_eur": 2}, [("amount",)], (), False),
    "snake case, loose": ({"x": [{"userId": 1}]}, [("x",)], ("user_id",), True),
    "sharp s": ({"stra\u00dfe": 1, "strasse": 2}, [("strasse",)], (), True),
}


@pytest.mark.parametrize("name", CASES)
def test_arguments_mean_one_thing_or_not(name):
    value, paths, loose, expected = CASES[name]
    assert is_ambiguous(value, paths, frozenset(loose)) == expected


def test_run_of_marks_takes_no_quadratic_time():
    # Unicode would put them in order: a minute for these.
    assert is_ambiguous({"amount" + "\u0316\u0301" * 200_000: 1}, [("amount",)], frozenset())


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param({"a": ["x", {"b": "y\0z"}]}, True, id="inside"),
        pytest.param({"a": {"b\0": 1}}, True, id="key"),
        pytest.param({"a": ["x", 1, None, True, {"b": ""}]}, False, id="none"),
    ],
)
def test_nul_is_found_wherever_it_stands(value, expected):
    assert has_nul(value) is expected
