from typing import Any

import pytest

from agen_authz.core.policy.ambiguity import INEXACT, MANY, MAX_VALUES, TWIN, Look, has_nul

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
    look = Look()
    found = [*(look.find_doubt(value, path) for path in paths), look.find_loose_twin(value, frozenset(loose))]
    assert any(found) == expected


def followed(value, *path):
    return Look().find_doubt(value, path)


ROWS = [{"a": 1, "b": 2}] * (MAX_VALUES // 3)
FEW, ENOUGH = [0] * MAX_VALUES, [0] * (MAX_VALUES + 1)
COUNTED: dict[str, Any] = {
    "as many as may be": ({"l": FEW}, ("l",), None),
    "one more": ({"l": ENOUGH}, ("l",), MANY),
    "elements": ({"l": FEW}, ("l", "*"), None),
    "one more element": ({"l": ENOUGH}, ("l", "*", "x"), MANY),
    "members of elements": ({"l": ROWS}, ("l",), None),
    "members of more elements": ({"l": [*ROWS, *ROWS]}, ("l",), MANY),
    "in one of several lists": ({"l": [FEW, [1]]}, ("l",), MANY),
    "members of an object of which one is read": ({str(number): 0 for number in range(MAX_VALUES)}, ("0",), None),
    "more members than that": ({str(number): 0 for number in range(MAX_VALUES + 2)}, ("0",), MANY),
    "members of a computed name": ({str(number): 0 for number in range(MAX_VALUES + 1)}, ("*",), MANY),
    "an object read as a whole": ({"o": {str(number): 0 for number in range(MAX_VALUES + 1)}}, ("o",), MANY),
    "beside what is read": ({"l": [*ENOUGH, *ENOUGH], "n": 1}, ("n",), None),
    "in what is absent": ({"l": ENOUGH}, ("x", "*"), None),
    "a long text": ({"t": "x" * 1_000_000}, ("t",), None),
    "twin before many": ({"l": FEW, "L": 1}, ("l",), TWIN),
    "number before many": ({"l": [*FEW[1:], 2**60]}, ("l",), INEXACT),
}


@pytest.mark.parametrize("name", COUNTED)
def test_values_along_a_path_are_counted(name):
    value, path, expected = COUNTED[name]
    assert followed(value, *path) == expected


def test_object_is_folded_once_however_many_paths_lead_through_it():
    look = Look()
    value: dict[str, Any] = {str(number): number for number in range(1000)}
    for number in range(1000):
        assert look.find_doubt(value, (str(number),)) is None
    assert len(look._folded) == 1


def test_list_is_walked_once_however_often_it_is_read():
    look = Look()
    value: dict[str, Any] = {"l": [0] * 1000}
    for _ in range(20):
        assert look.find_doubt(value, ("l",)) is None
    assert look.walked < 2200


def test_loose_names_are_looked_for_in_objects_that_are_listed_once():
    look = Look()
    value: dict[str, Any] = {"x": [{"D": 1}], "e": {}}
    asked = [frozenset("d"), frozenset("d"), frozenset("x")]
    assert [look.find_loose_twin(value, names) for names in asked] == [TWIN, TWIN, None]


def test_size_of_a_text_is_its_length():
    assert Look().follow({"t": "x" * 6400}, ("t",)).size == 101


def test_run_of_marks_takes_no_quadratic_time():
    # Unicode would put them in order: a minute for these.
    assert followed({"amount" + "\u0316\u0301" * 200_000: 1}, "amount") == TWIN


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param({"a": ["x", {"b": "y\0z"}]}, True, id="inside"),
        pytest.param({"a": {"b\0": 1}}, True, id="key"),
        pytest.param({"a": ["x", 1, None, True, {"b": ""}]}, False, id="none"),
        pytest.param({"a": "\\u0000"}, False, id="as text"),
        pytest.param({"a": "\\\\u0000"}, False, id="as text behind backslashes"),
        pytest.param({"a": "\\\0"}, True, id="behind a backslash"),
        pytest.param({"a": "\\\\\0"}, True, id="behind two backslashes"),
        pytest.param({"a": 2**70, "b": ["\0"]}, True, id="beside what cannot be written"),
        pytest.param({"a": 2**70, "b": {"x\0": 1}}, True, id="key beside what cannot be written"),
        pytest.param({"a": 2**70, "b": ["x"]}, False, id="none beside what cannot be written"),
    ],
)
def test_nul_is_found_wherever_it_stands(value, expected):
    assert has_nul(value) is expected
