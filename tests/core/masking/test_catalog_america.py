"""Numbers of the United States, each invented: in which words they are found, and which look-alikes are not."""

from agen_authz.core.masking import Detectors, detect
from tests.core.masking.every import every

# What is typical enough to be found anywhere.
ALONE = [
    ("us_ssn", "156-61-6948"),
    ("us_ssn", "008.25.1561"),
    ("us_itin", "959 55 1785"),
    ("us_itin", "930-84-5385"),
    ("us_routing", "6231-5158-5"),
]

# What is found only next to a word that says what it is.
NAMED = [
    ("us_ssn", "ssn: 811-231282", "811-231282"),
    ("us_ein", "ein: 06-4853437", "06-4853437"),
    ("us_ein", "ein: 512793243", "512793243"),
    ("us_driver_license", "driver license: C 926 617-364 568", "C 926 617-364 568"),
    ("us_driver_license", "driver license: 853T855451", "853T855451"),
    ("us_driver_license", "driver license: 1878079669600820", "1878079669600820"),
    ("us_routing", "aba: 236805781", "236805781"),
    ("us_bank_account", "bank account: 204562364340", "204562364340"),
    ("us_bank_account", "bank account: 6389 5123", "6389 5123"),
]

# What has the form, but a date or a check digit that cannot be.
LOOK_ALIKES = [
    ("us_ssn", "ssn: 956-61-6948"),
    ("us_ssn", "ssn: 000.25.1561"),
    ("us_ssn", "ssn: 911-231282"),
    ("us_ein", "ein: 00-4853437"),
    ("us_routing", "aba: 6231-5158-0"),
    ("us_routing", "aba: 236805780"),
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


@every(
    ("text", "value"),
    [
        ("SSN last four: 6789", "6789"),
        ("social security number ending in 6789", "6789"),
        ("ssn (last 4) 6789", "6789"),
        ("last 4 of SSN is 6789", "6789"),
    ],
)
def test_the_last_digits_of_a_social_security_number_are_found(text: str, value: str) -> None:
    assert _find("us_ssn", text) == [value]


@every("value", ["000-12-3456", "666-12-3456", "912-12-3456", "536-00-4399", "536-90-0000"])
def test_an_area_group_or_serial_that_is_never_given_out_is_no_social_security_number(value: str) -> None:
    assert _find("us_ssn", f"ssn: {value}") == []


@every("text", ["order 536-90-4399", "zip 53690-4399", "build 536904399", "536904399"])
def test_a_number_of_something_else_is_no_social_security_number(text: str) -> None:
    assert _find("us_ssn", text) == []


@every("name", ["ssn", "socialSecurityNumber", "customer_ssn", "SSN"])
def test_a_member_that_says_so_holds_a_social_security_number(name: str) -> None:
    assert [each.detector for each in detect("536904399", Detectors.of("us_ssn"), path=(name,))] == ["us_ssn"]


@every(
    "value",
    [
        "D1234567",
        "A123-456-78-901-0",
        "S123-4567-8901",
        "M-123-456-789-012",
        "Z1234 56789 01234",
        "B1234567890123",
        "K12-34-5678",
        "T12-345-678",
        "ABC-12-3456",
        "WDLABCD456DG",
        "AA123456B",
        "123AB4567",
        "12 345 678",
        "123456789",
    ],
)
def test_a_licence_of_any_state_is_found_next_to_a_word(value: str) -> None:
    assert _find("us_driver_license", f"driver's license {value}") == [value]
