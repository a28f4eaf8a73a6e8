"""Numbers of the Middle East, each invented: in which words they are found, and which look-alikes are not."""

from agen_authz.core.masking import Detectors, detect
from tests.core.masking.every import every

# What is typical enough to be found anywhere.
ALONE = [
    ("ae_id", "7841943 80118342"),
    ("il_hp", "56-746640-4"),
    ("ae_id", "784208955417184"),
    ("eg_id", "29407311447960"),
]

# What is found only next to a word that says what it is.
NAMED = [
    ("il_id", "israel id: 54633210-7", "54633210-7"),
    ("il_id", "israel id: 625006440", "625006440"),
    ("il_hp", "hevra pratit: 599111879", "599111879"),
    ("sa_id", "iqama: 1476779283", "1476779283"),
    ("eg_id", "egypt: 20304151034374", "20304151034374"),
    ("eg_tn", "egypt tax: 329-009-018", "329-009-018"),
]

# What has the form, but a date or a check digit that cannot be.
LOOK_ALIKES = [
    ("ae_id", "emirates id: 7841943 80118341"),
    ("il_id", "israel id: 54633210-0"),
    ("il_id", "israel id: 625006441"),
    ("il_hp", "hevra pratit: 56-746640-0"),
    ("il_hp", "hevra pratit: 599111870"),
    ("ae_id", "emirates id: 784218955417184"),
    ("sa_id", "iqama: 1476779280"),
    ("eg_id", "egypt: 29407314447960"),
    ("eg_id", "egypt: 20304150034374"),
]


def _find(name: str, text: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text, Detectors.of(name))]


@every(("name", "value"), ALONE)
def test_a_typical_number_is_found_among_any_words(name: str, value: str) -> None:
    assert _find(name, f"the value {value} was seen") == [value]


@every(("name", "text", "value"), NAMED)
def test_a_plain_number_is_found_next_to_a_word_and_not_without(name: str, text: str, value: str) -> None:
    assert _find(name, text) == [value]
    assert _find(name, f"the value {value} was seen") == []


@every(("name", "text"), LOOK_ALIKES)
def test_a_number_with_a_wrong_digit_is_not_found_even_next_to_a_word(name: str, text: str) -> None:
    assert _find(name, text) == []
