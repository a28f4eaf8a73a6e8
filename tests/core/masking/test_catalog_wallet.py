"""Addresses of cryptocurrencies: those that their specifications and block explorers print."""

from agen_authz.core.masking import Detectors, detect
from tests.core.masking.every import every

_WALLETS = (
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
    "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
    "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh",
    "TJRabPrwbZy45sbavfcjinPJC18kjpRTv8",
    "DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
    "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr",
)


def _found(name: str, text: str) -> list[str]:
    return [text[each.start : each.end] for each in detect(text, Detectors.of(name))]


@every("address", _WALLETS)
def test_a_wallet_is_found(address: str) -> None:
    assert _found("crypto_wallet", f"send it to {address}.") == [address]


@every("address", _WALLETS)
def test_no_wallet_with_its_last_letter_changed_is_one(address: str) -> None:
    changed = address[:-1] + ("2" if address[-1] != "2" else "3")
    assert _found("crypto_wallet", f"bitcoin {changed}") == []


@every(
    "text",
    [
        "bc1qW508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "abc1qw508",
        "bc1bbbbbbbbbbbbbbbb",
        "1111111111111111111111111111111111",
        "3f786850e387550fdab836ed7e6dc881de",
        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz1",
    ],
)
def test_other_long_words_are_no_wallets(text: str) -> None:
    assert _found("crypto_wallet", text) == []


@every(
    ("text", "found"),
    [
        ("0x52908400098527886E0F7030069857D2E4169EE7", ["0x52908400098527886E0F7030069857D2E4169EE7"]),
        ("eth: 0xde709f2102306220921060314715629080e2fb77,", ["0xde709f2102306220921060314715629080e2fb77"]),
        ("0x52908400098527886E0F7030069857D2E4169EE", []),
        ("0x52908400098527886E0F7030069857D2E4169EE7a1", []),
        ("52908400098527886E0F7030069857D2E4169EE7", []),
    ],
)
def test_an_ethereum_address_has_its_prefix_and_length(text: str, found: list[str]) -> None:
    assert _found("ethereum_address", text) == found
