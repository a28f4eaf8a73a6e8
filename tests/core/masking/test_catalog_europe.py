"""European identifiers: what is found alone, what needs a word next to it, and what is not found at all.

Values are invented, or those that authorities print as examples.
"""

from agen_authz.core.masking import Detectors, detect
from agen_authz.core.masking.selection import find_id
from tests.core.masking.europe_case import ALONE, MEMBERS, NAMED, NAMES, NEAR_MISSES, NUMBERS
from tests.core.masking.every import every


def _found(detector: str, text: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text, Detectors.of(detector))]


@every(("detector", "value"), ALONE)
def test_a_value_of_a_distinctive_form_is_found_without_a_word(detector: str, value: str) -> None:
    assert _found(detector, f"It was {value}, they say.") == [value]


@every(("detector", "before", "value"), NAMED)
def test_a_value_is_found_next_to_its_word(detector: str, before: str, value: str) -> None:
    assert _found(detector, f"{before} {value}.") == [value]


@every(("detector", "before", "value"), NAMED)
def test_a_value_that_needs_a_word_is_not_found_without_it(detector: str, before: str, value: str) -> None:
    assert _found(detector, f"It was {value}, they say.") == []


@every(("detector", "before", "value"), NEAR_MISSES)
def test_a_near_miss_is_not_found_even_next_to_the_word(detector: str, before: str, value: str) -> None:
    assert _found(detector, f"{before} {value}.") == []


@every(("detector", "key", "value"), MEMBERS)
def test_a_member_of_its_name_is_masked_whole(detector: str, key: str, value: str) -> None:
    matches = detect(value, Detectors.of(detector), path=("customer", key))

    assert [value[each.start : each.end] for each in matches] == [value]


@every("name", NAMES)
def test_a_name_of_other_products_is_an_alias(name: str) -> None:
    assert find_id(name) is not None


@every("number", NUMBERS)
def test_an_ordinary_number_is_no_identifier(number: str) -> None:
    europe = Detectors.of(*{each[0] for each in (*ALONE, *NAMED)})

    assert detect(f"Order {number} was built and shipped.", europe) == []
