"""Checks of national numbers, with numbers that the authorities publish as examples."""

from collections.abc import Iterator

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
from tests.core.masking.every import every
from tests.core.masking.pattern_sample import draw

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


@every(
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


def _list_forms() -> Iterator[Form]:
    for file in FILES:
        for row in file.ROWS:
            yield from (form for form in row.forms if form.check is not None)


@every("form", _list_forms())
def test_a_check_answers_for_whatever_has_the_form(form: Form) -> None:
    answers = {value: form.check(value) for value in draw(form.pattern, 15)} if form.check is not None else {}

    assert [value for value, is_one in answers.items() if is_one not in (True, False)] == []
