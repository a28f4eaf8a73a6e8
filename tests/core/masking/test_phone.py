"""How much of a text is a telephone number, by the numbering plans of its region."""

import pytest

from agen_authz.core.masking.phone import is_international, measure_phone


@pytest.mark.parametrize(
    ("text", "region", "length", "score"),
    [
        ("+49 30 901820", None, 13, 0.8),
        ("0049 30 901820", None, 14, 0.8),
        ("+49 30 901820 99 88 77 66", None, 22, 0.8),
        ("+1 415 555 2671 9", None, 15, 0.8),
        ("+1 200 000 0000", None, 15, 0.55),
        ("030 901820", "DE", 10, 0.6),
        ("020 7946 0958 12", "GB", 13, 0.6),
        ("030 901820", None, 0, 0.0),
        ("030 901820", "??", 0, 0.0),
        ("12", "DE", 0, 0.0),
        ("+49 1", None, 0, 0.0),
        ("+999 12345678", None, 0, 0.0),
        ("+999 1 2 3 4 5 6 7 8", None, 0, 0.0),
        ("", None, 0, 0.0),
    ],
    ids=[
        *("international", "with zeros", "with more behind", "with a digit behind", "possible only", "national"),
        *("national, more behind", "no region", "no such region", "too short", "nothing of one", "no such country"),
        *("cut in vain", "empty"),
    ],
)
def test_number_is_measured_from_its_beginning(text: str, region: str | None, length: int, score: float) -> None:
    assert measure_phone(text, region) == (length, score)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("+49 30 901820", True), ("0049 30 901820", True), ("+49 30 901820 99 88 77 66", False), ("030", False)],
)
def test_whole_text_is_an_international_number_or_not(text: str, is_one: bool) -> None:
    assert is_international(text) is is_one
