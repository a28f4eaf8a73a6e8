"""Numbers of the United States, each invented: in which words they are found, and which look-alikes are not."""

from agen_authz.core.masking import Detectors, detect
from tests.core.masking.every import every


def _find(name: str, text: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text, Detectors.of(name))]


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
