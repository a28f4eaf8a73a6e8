"""Windows of letters and digits, and which forms each may have."""

import pytest

from agen_authz.core.masking.form import Candidate, FormIndex, Window, list_windows
from agen_authz.core.masking.row import Detector, Form
from agen_authz.core.masking.rule import Unmaskable
from agen_authz.core.masking.shape import shape_of
from agen_authz.core.masking.work import Allowance

FORMS = (
    Form(r"\d{3}-\d{2}-\d{4}", (9, 9), 0.7),
    Form(r"\d{9}", (9, 9), 0.3),
    Form(r"(?:\d{3} ){2}\d{3}", (9, 9), 0.6),
    Form(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2}", (12, 12), 0.9),
)
INDEX = FormIndex([Detector("it", "what is looked for", frozenset(), forms=FORMS)])
SSN, BARE, SPACED, CODE = (form.pattern for form in FORMS)


def find(text: str, index: FormIndex = INDEX) -> list[tuple[str, list[str], list[str]]]:
    """List the parts of a text that may have a form: the sure ones, and the others."""
    return [
        (
            text[each.start : each.end],
            [entry.pattern.pattern for entry in each.sure],
            [entry.pattern.pattern for entry in each.others],
        )
        for each in index.find(shape_of(text), Allowance(len(text)))
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("536-22-1234", [("536-22-1234", [SSN], [])]),
        ("id 536221234.", [("536221234", [], [BARE])]),
        ("a 536-22-1234, 536221234 b", [("536-22-1234", [SSN], []), ("536221234", [], [BARE])]),
        ("DE12 AB12 CD34", [("DE12 AB12 CD34", [CODE], [])]),
        ("de12 AB12 CD34", []),
        ("12-536-22-1234", [("536-22-1234", [], [SSN])]),
        ("536-22-1234-77", [("536-22-1234", [], [SSN])]),
        ("536 221 234 777", [("536 221 234", [], [SPACED]), ("221 234 777", [], [SPACED])]),
        ("5362", []),
        ("no digit at all", []),
        ("", []),
    ],
    ids=[
        *("form", "form that needs a word", "two", "letters", "small letters", "cut at its beginning"),
        *("cut at its end", "cut, with spaces", "too short", "no digit", "empty"),
    ],
)
def test_text_may_have_the_forms_of_its_shape(text: str, found: list[tuple[str, list[str], list[str]]]) -> None:
    assert [each for each in find(text) if each[0] != "12345"] == found


def test_same_shape_has_the_same_candidates_whatever_was_asked_before():
    index = FormIndex([Detector("it", "what is looked for", frozenset(), forms=FORMS)])
    long = "x" * 200 + " 536-22-1234"
    first = [find(text, index) for text in ("536-22-1234", long, "id 536-22-1234")]
    again = [find(text, index) for text in ("536-22-9999", long, "id 536-22-9999")]
    assert [[each[1:] for each in found] for found in first] == [[each[1:] for each in found] for found in again]
    assert index.find("000-00-0000", Allowance(0)) == (
        Candidate(0, 11, index.find("000-00-0000", Allowance(0))[0].sure, ()),
    )


def test_long_region_is_searched_like_a_short_one():
    assert find("12 " * 60 + "536-22-1234")[-1][0] == "536-22-1234"


def test_search_that_costs_too_much_ends():
    work = Allowance(0)
    with pytest.raises(Unmaskable):
        for number in range(100_000):
            INDEX.find(" ".join(["0" * (1 + (number >> at & 1)) for at in range(17)] * 20), work)


@pytest.mark.parametrize(
    ("region", "windows"),
    [
        ("00000", [Window(0, 5, 5, False)]),
        ("AA0", []),
        ("000-00", [Window(0, 6, 5, False)]),
        ("000-00-0", [Window(0, 6, 5, True), Window(0, 8, 6, False)]),
        ("00000 AAA00", [Window(0, 5, 5, False), Window(0, 11, 10, False), Window(6, 11, 5, False)]),
        ("00000.00000", [Window(0, 5, 5, True), Window(0, 11, 10, False), Window(6, 11, 5, True)]),
        ("0" * 96, [Window(0, 96, 96, False)]),
        ("0" * 97, []),
        ("0" * 30 + " 00000", [Window(0, 30, 30, False), Window(31, 36, 5, False)]),
    ],
    ids=["one", "too short", "two", "a part", "others", "of one number", "longest", "too long", "together too long"],
)
def test_windows_are_whole_groups(region: str, windows: list[Window]) -> None:
    assert list(list_windows(region)) == windows


@pytest.mark.parametrize(("group", "most"), [("0", 19), ("A", 9)], ids=["digits", "letters"])
def test_window_has_a_bounded_number_of_groups(group: str, most: int) -> None:
    windows = list_windows(" ".join([group] * 30))
    assert max(window.size for window in windows) == most
