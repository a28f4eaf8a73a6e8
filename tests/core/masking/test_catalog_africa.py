"""Numbers of Africa, each invented: in which words they are found, and which look-alikes are not."""

from agen_authz.core.masking import Detectors, detect
from tests.core.masking.every import every

# What is typical enough to be found anywhere.
ALONE = [
    ("za_id", "8302150290197"),
    ("za_income_tax", "0619 768/38/5"),
    ("za_company", "2079/199410/31"),
    ("za_company", "1880/761657/99"),
    ("za_company", "K2009/703742"),
    ("za_license_plate", "AB20GA FS"),
    ("za_license_plate", "YMX157 MP"),
    ("ng_vehicle_registration", "KJI-687-PA"),
    ("ng_vehicle_registration", "XUC349GI"),
    ("ke_pin", "A996261076M"),
    ("gh_card", "GHA5208991044"),
    ("gh_tin", "P0067226213"),
]

# What is found only next to a word that says what it is.
NAMED = [
    ("za_id", "south african id: 5510079645142", "5510079645142"),
    ("za_income_tax", "sars: 3623927401", "3623927401"),
    ("za_vat", "vat: 4249761422", "4249761422"),
    ("za_driver_license", "driving licence: 3940575567MH", "3940575567MH"),
    ("za_license_plate", "licence plate: YRTW 971 WP", "YRTW 971 WP"),
    ("za_license_plate", "licence plate: 05WSEC", "05WSEC"),
    ("za_license_plate", "licence plate: NJ125-268", "NJ125-268"),
    ("za_traffic_register", "traffic register: 9907858937534", "9907858937534"),
    ("ng_nin", "nin: 0141 561-8181", "0141 561-8181"),
    ("ng_nin", "nin: 17549314905", "17549314905"),
    ("ng_bvn", "bvn: 22185873405", "22185873405"),
    ("ng_bvn", "bvn: 26733230423", "26733230423"),
    ("ke_national_id", "kenyan id: 5171516", "5171516"),
]

# What has the form, but a date or a check digit that cannot be.
LOOK_ALIKES = [
    ("za_id", "south african id: 8302150290190"),
    ("za_id", "south african id: 5510079645140"),
    ("za_income_tax", "sars: 0619 768/38/0"),
    ("za_income_tax", "sars: 3623927408"),
    ("za_vat", "vat: 4249761429"),
    ("ng_nin", "nin: 0141 561-8180"),
    ("ng_nin", "nin: 17549314900"),
    ("gh_tin", "tin: P0067226210"),
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
