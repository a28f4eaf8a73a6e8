"""Checks of national numbers, with numbers that the authorities publish as examples."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agen_authz.core.masking import national
from agen_authz.core.masking.catalog import (
    africa,
    america,
    america_north,
    america_south,
    asia_east,
    asia_japan,
    asia_korea,
    asia_south,
    asia_southeast,
    middle_east,
    pacific,
    passport,
)
from agen_authz.core.masking.row import Check, Form

FILES = (
    africa,
    america,
    america_north,
    america_south,
    asia_east,
    asia_japan,
    asia_korea,
    asia_south,
    asia_southeast,
    middle_east,
    pacific,
    passport,
)


@pytest.mark.parametrize(
    ("check", "right", "wrong"),
    [
        (national.is_hong_kong_id, "A123456(3)", "A123456(4)"),
        (national.is_taiwan_id, "A123456789", "A123456788"),
        (national.is_singapore_id, "S1234567D", "S1234567E"),
        (national.is_singapore_id, "M5398242L", "M5398242K"),
        (national.is_new_zealand_health, "ZZZ0016", "ZZZ0017"),
        (national.is_new_zealand_health, "ZBN77VL", "ZBN77VM"),
        (national.is_australian_medicare, "2123 45670 1", "2123 45671 1"),
        (national.is_uruguay_id, "1.234.567-2", "1.234.567-3"),
        (national.is_china_id, "11010519491231002X", "110105194912310021"),
    ],
)
def test_a_published_example_passes_and_a_changed_one_does_not(check: Check, right: str, wrong: str) -> None:
    assert check(right)
    assert not check(wrong)


def _list_forms() -> Iterator[tuple[str, Form]]:
    for file in FILES:
        for row in file.ROWS:
            for number, form in enumerate(row.forms):
                yield f"{row.id}-{number}", form


@pytest.mark.parametrize("form", [pytest.param(form, id=name) for name, form in _list_forms()])
def test_a_check_answers_for_whatever_has_the_form(form: Form) -> None:
    alphabet = st.characters(max_codepoint=127)

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.from_regex(re.compile(form.pattern, re.ASCII), fullmatch=True, alphabet=alphabet))
    def answers(value: str) -> None:
        assert form.check is None or form.check(value) in (True, False)

    answers()
