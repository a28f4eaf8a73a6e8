"""Numbers of countries outside of Europe: found by themselves, next to a word, or not at all."""

from itertools import chain

from agen_authz.core.masking import Detectors, detect
from tests.core.masking import (
    world_africa,
    world_america,
    world_america_north,
    world_america_south,
    world_asia_east,
    world_asia_south,
    world_middle_east,
    world_pacific,
)
from tests.core.masking.every import every

FILES = (
    world_africa,
    world_america,
    world_america_north,
    world_america_south,
    world_asia_east,
    world_asia_south,
    world_middle_east,
    world_pacific,
)


def _find(name: str, text: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text, Detectors.of(name))]


@every(("name", "value"), chain.from_iterable(file.ALONE for file in FILES))
def test_a_typical_number_is_found_among_any_words(name: str, value: str) -> None:
    assert _find(name, f"the value {value} was seen") == [value]


@every(("name", "text", "value"), chain.from_iterable(file.NAMED for file in FILES))
def test_a_plain_number_is_found_next_to_a_word_and_not_without(name: str, text: str, value: str) -> None:
    assert _find(name, text) == [value]
    assert _find(name, f"the value {value} was seen") == []


@every(("name", "text"), chain.from_iterable(file.LOOK_ALIKES for file in FILES))
def test_a_number_with_a_wrong_digit_is_not_found_even_next_to_a_word(name: str, text: str) -> None:
    assert _find(name, text) == []
