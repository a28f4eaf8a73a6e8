"""Pseudonyms and tokens: what they are made of, what they depend on, and who can read a token."""

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from agen_authz.core.masking.token_value import MaskingKeys, reveal, write_pseudonym, write_token

OLD, NEW = ("m1", b"1" * 32), ("m2", b"2" * 40)
BOTH = MaskingKeys((NEW, OLD))
MAIL = "john@example.com"
LETTERS = "bcdfghjkmnpqrtwx"


def derive(secret: bytes, info: bytes) -> bytes:
    """HKDF-SHA256 of RFC 5869, 64 bytes, without a salt."""
    extracted = hmac.digest(bytes(32), secret, "sha256")
    first = hmac.digest(extracted, info + b"\x01", "sha256")
    return first + hmac.digest(extracted, first + info + b"\x02", "sha256")


def spell(raw: bytes) -> str:
    return "".join(LETTERS[each >> 4] + LETTERS[each & 15] for each in raw)


def test_a_pseudonym_is_an_hmac_under_a_key_of_the_tenant() -> None:
    key = derive(OLD[1], b"agen-authz masking hash\x00acme")[:32]
    mac = hmac.digest(key, b"5:email" + MAIL.encode(), "sha256")
    assert write_pseudonym(MAIL, "email", OLD, "acme") == f"EMAIL_{spell(mac[:10])}"


def test_a_token_is_aes_siv_under_a_key_of_the_tenant() -> None:
    cipher = AESSIV(derive(OLD[1], b"agen-authz masking tokenize\x00acme"))
    sealed = cipher.encrypt(MAIL.encode(), [b"email", b"acme"])
    mark = hashlib.sha256(b"m1").digest()[:2]
    assert write_token(MAIL, "email", OLD, "acme") == f"tok_email_{spell(mark + sealed)}"


@pytest.mark.parametrize(
    ("detector", "one", "other"),
    [
        ("email", "John@Example.com", " john@example.COM "),
        ("email", "john@example.com", "jo\u200bhn@example.com"),
        ("phone", "+49 30 123-4567", "0049301234567"),
        ("phone", "+49 (0)30 1234567", "+49 30 1234567"),
        ("credit_card", "4111 1111 1111 1111", "4111-1111-1111-1111"),
        ("credit_card", "4111111111111111", "\uff14\uff11\uff11\uff11" + "1" * 12),
        ("us_ssn", "123-45-6789", "\u0661\u0662\u0663456789"),
        ("iban", "GB29 NWBK 6016 1331 9268 19", "gb29nwbk60161331926819"),
        ("postcode", "SW1A 1AA", "sw1a1aa"),
        ("ip_address", "2001:DB8:0::1", "2001:db8::1"),
        ("ip_address", "::ffff:192.0.2.1", "192.0.2.1"),
        ("date_of_birth", "1990-05-12", "1990/05/12"),
        ("person_name", "John  SMITH", "john smith"),
        ("ip_address", "My Host", "my host"),
        ("us_ssn", "1 " * 300, "1  " * 300),
    ],
)
def test_spellings_of_one_value_have_one_pseudonym(detector: str, one: str, other: str) -> None:
    assert write_pseudonym(one, detector, OLD, "acme") == write_pseudonym(other, detector, OLD, "acme")


@pytest.mark.parametrize(
    ("detector", "one", "other"),
    [
        ("date_of_birth", "1.12.1990", "11.2.1990"),
        ("email", "john.smith@example.com", "johnsmith@example.com"),
        ("person_name", "Ann Abel", "Anna Bel"),
        ("address", "1 12th Street", "11 2th Street"),
        ("us_ssn", "123456789", "123456788"),
        ("password", "...", "---"),
    ],
)
def test_different_values_have_different_pseudonyms(detector: str, one: str, other: str) -> None:
    assert write_pseudonym(one, detector, OLD, "acme") != write_pseudonym(other, detector, OLD, "acme")


def test_pseudonyms_differ_between_detectors_tenants_and_keys() -> None:
    ways = [("email", OLD, "acme"), ("e-mail", OLD, "acme"), ("email", NEW, "acme"), ("email", OLD, "other")]
    assert len({write_pseudonym(MAIL, *way).rpartition("_")[2] for way in ways}) == len(ways)


def test_tokens_differ_between_detectors_tenants_and_keys() -> None:
    ways = [("email", OLD, "acme"), ("phone", OLD, "acme"), ("email", NEW, "acme"), ("email", OLD, "other")]
    assert len({write_token(MAIL, *way).rpartition("_")[2] for way in ways}) == len(ways)


@pytest.mark.parametrize("value", [MAIL, "x", "\ud800", "\u5c71\u7530", "x" * 100_000], ids=lambda value: value[:8])
@pytest.mark.parametrize("detector", ["email", "order-ref", "3ds"])
def test_a_token_is_read_by_who_holds_the_key(value: str, detector: str) -> None:
    assert reveal(write_token(value, detector, OLD, "acme"), BOTH, "acme") == value


def test_a_token_is_not_read_with_another_key_or_for_another_tenant() -> None:
    token = write_token(MAIL, "email", OLD, "acme")
    assert reveal(token, MaskingKeys((NEW,)), "acme") is None
    assert reveal(token, MaskingKeys((("m1", NEW[1]),)), "acme") is None
    assert reveal(token, BOTH, "other") is None
    assert reveal(token, MaskingKeys(()), "acme") is None


def test_a_key_is_found_behind_another_of_the_same_id() -> None:
    keys = MaskingKeys((("m1", NEW[1]), OLD))
    assert reveal(write_token(MAIL, "email", OLD, "acme"), keys, "acme") == MAIL


@pytest.mark.parametrize(
    "token",
    ["", "tok", "tok_email_", "tok_email_" + "b" * 38, "tok_email_" + "b" * 37, "email", "tok_email_" + "e" * 40],
)
def test_what_is_not_a_token_is_not_read(token: str) -> None:
    assert reveal(token, BOTH, "acme") is None


def test_a_token_that_was_changed_is_not_read() -> None:
    token = write_token(MAIL, "email", OLD, "acme")
    start = len("tok_email_")
    for place in range(start, len(token)):
        changed = LETTERS[(LETTERS.index(token[place]) + 1) % 16]
        assert reveal(token[:place] + changed + token[place + 1 :], BOTH, "acme") is None
    assert reveal(token.replace("email", "phone"), BOTH, "acme") is None
    assert reveal(token[:-2], BOTH, "acme") is None
    assert reveal(token + "\n", BOTH, "acme") is None
