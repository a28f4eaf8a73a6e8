"""How one value is masked: what each style writes, and that no style shows more than it may."""

import pytest

from agen_authz.core.masking.row import Style
from agen_authz.core.masking.style import Masker, MaskingKeys, is_masked, is_shown, settle, strictest
from agen_authz.core.masking.style_kind import ValueKind, kind_of

KEYS = MaskingKeys((("m1", b"k" * 32),))
MASKER = Masker(KEYS, "acme")


@pytest.mark.parametrize(
    ("detector", "value", "masked"),
    [
        ("email", "john.smith@example.com", "j***@example.com"),
        ("email", "j@example.com", "***@example.com"),
        ("email", "-john@example.com", "***@example.com"),
        ("email", "not an address", "no* ** *****ss"),
        ("email", "x@4111111111111111", "x@4*************11"),
        ("phone", "+49 30 1234567", "+49 ** *****67"),
        ("phone", "+353 20 912 3456", "+353 ** *** **56"),
        ("phone", "+1 (555) 010-9999", "+1 (***) ***-**99"),
        ("phone", "030 1234567", "03* *****67"),
        ("phone", "+1 234567", "+1 ****67"),
        ("phone", "+12345", "+1****"),
        ("phone", "+353 12345", "+3** ****5"),
        ("fax", "12345", "1****"),
        ("credit_card", "4111 1111 1111 1111", "4111 11** **** 1111"),
        ("credit_card", "4222222222222", "422222***2222"),
        ("credit_card", "501800000009", "********0009"),
        ("credit_card", "41111111", "******11"),
        ("credit_card", "4111111111111111 123", "**************** ***"),
        ("credit_card", "4111 1111 1111 1111 exp 12/26", "**** **** **** **** *** **/**"),
        ("credit_card", "6304000000000000000", "630400*********0000"),
        ("unverified_credit_card", "4111111111111112", "411111******1112"),
        ("kr_credit_card", "4111-1111-1111-1111", "4111-11**-****-1111"),
        ("iban", "DE89 3704 0044 0532 0130 00", "DE** **** **** **** **30 00"),
        ("iban", "DE89", "****"),
        ("ip_address", "192.0.2.77", "192.0.*.*"),
        ("ip_address", "2001:db8::1", "2001:db8:*"),
        ("ip_address", "::ffff:192.0.2.77", "192.0.*.*"),
        ("ip_address", "some host", "s*** ***t"),
        ("person_name", "John Smith", "J*** S****"),
        ("person_name", "Jean-Luc O'Neil", "J***-L** *'N***"),
        ("person_name", "X Y", "* *"),
        ("date_of_birth", "1990-05-12", "1990"),
        ("date_of_birth", "12.05.1990", "1990"),
        ("date_of_birth", "12 May 1990", "1990"),
        ("admission_date", "19900512", "1990"),
        ("date_time", "199005121830", "1990"),
        ("date_time", "2026-01-05T10:00:00Z", "2026"),
        ("date_of_birth", "12/05/90", "[DATE_OF_BIRTH]"),
        ("date_of_birth", "1830 h, 12 May 1990", "[DATE_OF_BIRTH]"),
        ("us_ssn", "123-45-6789", "12*-**-***9"),
        ("us_ssn", "1234", "****"),
        ("us_ssn", "12345", "1****"),
        ("vin", "1HGCM82633A004352", "1H*************52"),
        ("de_passport", "...", "***"),
        ("person_name", "...", "[PERSON_NAME]"),
        ("us_ssn", "\u201c12345678\u201d", "**********"),
        ("password", "!!a!!b.;.c.,d-", "**************"),
        ("password", "a.b-c./.-d/.-e/", "***************"),
        ("order-ref", "x" * 2000, "[ORDER_REF]"),
    ],
)
def test_partial_shows_what_is_right_for_the_kind_of_value(detector: str, value: str, masked: str) -> None:
    assert MASKER.mask(value, detector, Style.PARTIAL) == masked


@pytest.mark.parametrize(
    ("detector", "value", "masked"),
    [
        ("us_ssn", "123-45-6789", "***-**-6789"),
        ("credit_card", "4111 1111 1111 1111", "**** **** **** 1111"),
        ("credit_card", "4111 1111 1111 1111 123", "**** **** **** **** ***"),
        ("us_bank_account", "12345678", "******78"),
        ("us_bank_account", "12345", "****5"),
        ("us_bank_account", "1234", "****"),
        ("person_name", "John Smith", "**** ***th"),
        ("email", "\u200b", "*"),
        ("email", "-", "*"),
        ("phone", "\u0663" * 9, "*" * 5 + "\u0663" * 4),
        ("password", "x" * 1025, "[PASSWORD]"),
    ],
)
def test_last4_shows_four_and_fewer_of_short_values(detector: str, value: str, masked: str) -> None:
    assert MASKER.mask(value, detector, Style.LAST4) == masked


@pytest.mark.parametrize(
    ("detector", "value", "masked"),
    [
        ("date_of_birth", "1990-05-12", "1990"),
        ("date_of_birth", "soon", "[DATE_OF_BIRTH]"),
        ("age", "45", "45"),
        ("age", "89 years old", "89"),
        ("age", "90", "90+"),
        ("age", "aged 92", "90+"),
        ("age", "3 months", "[AGE]"),
        ("age", "12.5", "[AGE]"),
        ("postcode", "12345", "123**"),
        ("postcode", "12345-6789", "123**"),
        ("postcode", "03601", "000**"),
        ("postcode", "SW1A 1AA", "SW1A ***"),
        ("postcode", "k1a 0b1", "K1A ***"),
        ("postcode", "1010", "10**"),
        ("postcode", "1234 AB", "12****"),
        ("postcode", "12", "[POSTCODE]"),
        ("ip_address", "192.0.2.77", "192.0.2.0/24"),
        ("ip_address", "192.0.2.77/32", "192.0.2.0/24"),
        ("ip_address", "10.1.2.3/8", "10.0.0.0/8"),
        ("ip_address", "2001:db8:1:2::3", "2001:db8:1::/48"),
        ("ip_address", "fe80::1%eth0", "fe80::/48"),
        ("ip_address", "::ffff:192.0.2.77", "192.0.2.0/24"),
        ("ip_address", "host", "[IP_ADDRESS]"),
        ("gps", "52.520008, -13.404954", "52.5, -13.4"),
        ("gps", "52", "52.0"),
        ("gps", "geo:52.52,13.40", "52.5, 13.4"),
        ("gps", "52 31 12 N", "[GPS]"),
        ("us_ssn", "123-45-6789", "[US_SSN]"),
        ("date_of_birth", " " * 300 + "1990", "[DATE_OF_BIRTH]"),
    ],
)
def test_generalize_writes_the_coarser_value_or_redacts(detector: str, value: str, masked: str) -> None:
    assert MASKER.mask(value, detector, Style.GENERALIZE) == masked


@pytest.mark.parametrize(
    ("detector", "masked"),
    [
        ("credit_card", "[CREDIT_CARD]"),
        ("order-ref", "[ORDER_REF]"),
        ("3ds", "[X3DS]"),
        ("\u00f6l", "[X_L]"),
        ("", "[X]"),
    ],
)
def test_redact_writes_the_name_of_the_detector(detector: str, masked: str) -> None:
    assert MASKER.mask("4111111111111111", detector, Style.REDACT) == masked


@pytest.mark.parametrize("detector", ["card_track", "cvv", "card_pin"])
@pytest.mark.parametrize("style", list(Style))
def test_authentication_data_of_cards_is_always_dropped(detector: str, style: Style) -> None:
    assert settle(detector, style) is Style.DROP
    assert MASKER.mask("1234", detector, style) == ""
    assert not is_masked("1990", detector, style)


@pytest.mark.parametrize(("style", "start"), [(Style.HASH, "EMAIL_"), (Style.TOKENIZE, "tok_email_")])
def test_with_a_key_a_value_has_a_text_of_its_own_that_shows_nothing(style: Style, start: str) -> None:
    masked = MASKER.mask("john@example.com", "email", style)
    assert masked.startswith(start)
    assert masked == MASKER.mask("john@example.com", "email", style)
    assert masked != MASKER.mask("jack@example.com", "email", style)


@pytest.mark.parametrize(
    ("detector", "kind"),
    [
        ("email", ValueKind.EMAIL),
        ("work-email", ValueKind.EMAIL),
        ("work_email_address", ValueKind.EMAIL),
        ("public_ip_address", ValueKind.IP),
        ("mac_address", ValueKind.OTHER),
        ("bitcoin_address", ValueKind.OTHER),
        ("home_address", ValueKind.ADDRESS),
        ("discharge_date", ValueKind.DATE),
        ("us_ssn", ValueKind.OTHER),
    ],
)
def test_a_longer_name_of_a_known_detector_is_masked_in_its_way(detector: str, kind: ValueKind) -> None:
    assert kind_of(detector) is kind


def test_a_style_is_settled_as_it_is_asked_for() -> None:
    assert settle("credit_card", Style.LAST4) is Style.LAST4


@pytest.mark.parametrize("style", list(Style))
def test_an_empty_value_stays_empty(style: Style) -> None:
    assert MASKER.mask("", "email", style) == ""
    assert is_masked("", "email", style)


@pytest.mark.parametrize("style", [Style.HASH, Style.TOKENIZE])
@pytest.mark.parametrize("keys", [None, MaskingKeys(())], ids=["none", "empty"])
def test_without_a_key_values_are_redacted(style: Style, keys: MaskingKeys | None) -> None:
    assert Masker(keys, "acme").mask("john@example.com", "email", style) == "[EMAIL]"


@pytest.mark.parametrize(
    ("styles", "strict"),
    [
        ([Style.PARTIAL, Style.LAST4], Style.LAST4),
        ([Style.HASH, Style.TOKENIZE, Style.GENERALIZE], Style.HASH),
        ([Style.DROP, Style.REDACT], Style.DROP),
        ([], Style.DROP),
    ],
)
def test_the_strictest_style_is_the_last_in_order(styles: list[Style], strict: Style) -> None:
    assert strictest(styles) is strict


@pytest.mark.parametrize(
    "value",
    [
        *("[EMAIL]", "***-**-1234", "1990", "90+", "123**", "192.0.2.0/24", "2001:db8::/48"),
        *("j***@example.com", "J*** S****", "411111******1111", "DE** **** **** **** **30 00", "+49 ** *****67"),
        *("192.0.*.*", "2001:db8:*", "*****"),
        *("EMAIL_" + "bcdfghjkmnpqrtwxbcdf", "tok_email_" + "bc" * 19),
    ],
)
def test_what_masking_wrote_is_masked(value: str) -> None:
    assert is_masked(value)


@pytest.mark.parametrize(
    "value",
    [
        *("[email]", "[EMAIL", "[E MAIL]", "[]", "[1]", "123-45-6789", "1234", "3990", "91", "45", "52.5"),
        *("123*4", "ab***c9*x", "192.0.2.1/32", "192.0.2.1/24", "999.0.2.0/24", "2001:db8::/64", ":::/48"),
        *("jo***@example.com", "j**@example.com", "j***@example", "Jo** S****", "John S****", "hunter*", "hunter2!"),
        *("4111111*****1111", "411111**1111", "secret**", "EMAIL_k3j2abcd", "EMAIL_" + "b" * 19),
        *("email_" + "b" * 20, "tok_email_" + "b" * 37, "tok_email_" + "bc" * 18),
        *("tok__" + "bc" * 19, "-", "   ", "123-**-****", "\u00b9\u00b9\u00b9******"),
    ],
)
def test_what_masking_did_not_write_is_not_masked(value: str) -> None:
    assert not is_masked(value)


@pytest.mark.parametrize(
    ("value", "detector", "style", "masked"),
    [
        ("1990", "date_of_birth", Style.PARTIAL, True),
        ("1990", "date_of_birth", Style.GENERALIZE, True),
        ("1990", "date_of_birth", Style.REDACT, False),
        ("1990", "us_ssn", Style.PARTIAL, False),
        ("45", "age", Style.GENERALIZE, True),
        ("91", "age", Style.GENERALIZE, False),
        ("52.5, 13.4", "gps", Style.GENERALIZE, True),
        ("10**", "postcode", Style.GENERALIZE, True),
        ("j***@example.com", "email", Style.PARTIAL, True),
        ("j***@example.com", "email", Style.LAST4, False),
        ("j***@example.com", "us_ssn", Style.PARTIAL, False),
        ("411111******1111", "credit_card", Style.LAST4, False),
        ("411111******1111", "us_ssn", Style.PARTIAL, False),
        ("************1111", "credit_card", Style.PARTIAL, True),
        ("[EMAIL]", "email", Style.HASH, True),
        ("[EMAIL]", "email", Style.DROP, False),
        ("EMAIL_" + "b" * 20, "email", Style.TOKENIZE, True),
        ("tok_email_" + "bc" * 19, "email", Style.HASH, False),
    ],
)
def test_a_value_is_masked_if_the_detector_writes_it_as_strictly(
    value: str, detector: str, style: Style, masked: bool
) -> None:
    assert is_masked(value, detector, style) is masked


@pytest.mark.parametrize(
    ("text", "part", "shown"),
    [
        ("card 4111 11** **** 1111, phone", "4111 11", True),
        ("411111******1111", "411111", True),
        ("phone **030 123456**", "030 123456", False),
        ("phone 030 123**1", "030 123", False),
        ("phone 4111 11", "4111 11", False),
        ("4111 11** **** 11115", "4111 11", False),
    ],
    ids=["groups", "one run", "bold", "too short", "no stars", "digits behind"],
)
def test_digits_before_the_stars_of_a_masked_card_are_shown(text: str, part: str, shown: bool) -> None:
    start = text.index(part)
    assert is_shown(text, start, start + len(part)) is shown


@pytest.mark.parametrize("form", ["[{}]", "{}_" + "b" * 20, "tok_{}_" + "bc" * 19], ids=["redact", "hash", "tokenize"])
def test_only_the_names_that_are_given_may_be_in_a_masked_value(form: str) -> None:
    is_token = form.startswith("tok_")
    assert is_masked(form.format("email" if is_token else "EMAIL"), names=frozenset(["EMAIL"]))
    for name in ("ADMIN", "A536221234"):
        value = form.format(name.lower() if is_token else name)
        assert is_masked(value) and not is_masked(value, names=frozenset(["EMAIL"]))
