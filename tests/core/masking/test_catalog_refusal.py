"""What the catalogue's own checks refuse: values that have the form, and are none."""

from agen_authz.core.masking.catalog import CATALOG
from agen_authz.core.masking.catalog.login import is_strong_password
from agen_authz.core.masking.catalog.network import is_ipv6
from agen_authz.core.masking.catalog.wallet import is_base58_address, is_bech32_address
from tests.core.masking.every import every


@every("value", ["short1", "waterfalls", "Summer2026", "lower-case#words"])
def test_word_that_is_not_random_is_no_strong_password(value: str) -> None:
    assert not is_strong_password(value)


@every("value", ["12345::6789::1", "std::vector", "::", "::1", "2001:db8:1::"])
def test_name_or_network_is_no_address_of_an_interface(value: str) -> None:
    assert not is_ipv6(value)


@every("value", ["1BvBMSEYstWetqTFn5Au4m4GFg7xJaNV0O", "z" * 40])
def test_letters_that_are_no_base58_or_too_many_are_no_address(value: str) -> None:
    assert not is_base58_address(value)


@every("value", ["bc1QAR0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq", "bc1bbbbbbbb", "1qqqqqqqq"])
def test_letters_that_are_mixed_or_no_bech32_are_no_address(value: str) -> None:
    assert not is_bech32_address(value)


def test_private_address_is_not_a_public_one() -> None:
    checks = [form.check for form in CATALOG["public_ip_address"].forms if form.check is not None]
    assert {check(value) for check in checks for value in ("192.168.1.7", "203.0.113.0")} == {False}
