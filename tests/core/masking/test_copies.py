"""What a name or a label told of is masked wherever else the message has it."""

from typing import Any

import pytest

from agen_authz.core.masking import Detectors, Rule, Unmaskable, make_plan, mask_message
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.style import Masker

NAMES = make_plan([Rule("r", Detectors.of("person_name", "date_of_birth"), default=Style.REDACT)], Masker(None, ""))


def mask(value: Any) -> Any:
    return mask_message(value, NAMES, is_message=False).message


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("seen by Jane Doe.", "seen by [PERSON_NAME]."),
        ("JANE DOE, jane doe", "[PERSON_NAME], [PERSON_NAME]"),
        ("by jane does, ajane doe", "by jane does, ajane doe"),
        ("by jane  doe", "by jane  doe"),
        (r"Dear\nJane Doe\tof", r"Dear\n[PERSON_NAME]\tof"),
        ("Jane Doe", "[PERSON_NAME]"),
        ("", ""),
    ],
    ids=["within", "in other cases", "in other words", "written otherwise", "behind an escape", "whole", "empty"],
)
def test_name_is_masked_in_other_texts(text: str, masked: str) -> None:
    assert mask({"full_name": "Jane Doe", "x": text}) == {"full_name": "[PERSON_NAME]", "x": masked}


def test_name_is_masked_where_it_is_the_name_of_a_member():
    value = {"full_name": "Jane Doe", "x": {"jane doe": 1, "other": {"Jane Doe": 2}}}
    assert mask(value)["x"] == {"[PERSON_NAME]": 1, "other": {"[PERSON_NAME]": 2}}


def test_name_that_is_a_word_is_masked_in_the_names_of_every_row():
    rows = [{"mueller": n, "n": "a"} for n in range(5)]
    assert mask({"full_name": "Mueller", "x": rows})["x"] == [{"[PERSON_NAME]": n, "n": "a"} for n in range(5)]


def test_name_is_masked_in_the_names_of_every_row():
    rows = [{"Jane Doe": n, "n": "a"} for n in range(5)]
    assert mask({"full_name": "Jane Doe", "x": rows})["x"] == [{"[PERSON_NAME]": n, "n": "a"} for n in range(5)]


@pytest.mark.parametrize(
    ("name", "value"),
    [("full_name", "Jane"), ("full_name", "Unknown"), ("full_name", "x " * 101), ("date_of_birth", "1990")],
    ids=["short", "says nothing", "long", "few digits"],
)
def test_value_that_may_be_a_part_of_anything_is_masked_only_where_it_is(name: str, value: str) -> None:
    assert mask({name: value, "x": f"a {value} b"})["x"] == f"a {value} b"


def test_values_that_are_found_by_their_form_need_no_copies():
    plan = make_plan([Rule("r", Detectors.of("email"))], Masker(None, ""))
    masked = mask_message({"a": "jane@example.com", "b": "JANE@EXAMPLE.COM"}, plan, is_message=False)
    assert [each.count for each in masked.receipts] == [1, 1]


def test_too_many_values_whose_copies_matter_are_refused():
    value = {"first_name": [f"Aab{number:x}n" for number in range(50_001)]}
    with pytest.raises(Unmaskable, match="too many values"):
        mask(value)
