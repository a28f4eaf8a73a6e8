"""Properties of masking one value: total, idempotent, and never more shown than the style may show."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agen_authz.core.masking.row import Style
from agen_authz.core.masking.style import Masker, MaskingKeys, is_masked, reveal

KEYS = MaskingKeys((("m1", b"k" * 32), ("m2", b"l" * 32)))
MASKER = Masker(KEYS, "acme")
DETECTORS = [
    *("email", "phone", "credit_card", "unverified_credit_card", "iban", "us_ssn", "ip_address", "date_of_birth"),
    *("date_time", "age", "postcode", "person_name", "address", "gps", "cvv", "password", "order-ref"),
]
EVERY_WAY = st.tuples(st.sampled_from(DETECTORS), st.sampled_from(Style))

# Text of any kind, and text that is nearly what the detectors find.
VALUES = st.one_of(
    st.text(max_size=40),
    st.text("0123456789 -./:+()*@,", max_size=40),
    st.text("abcXYZ019 -.'@*[]_\u0661\uff11\u00b9\u2460\u01c4\u0301\u200b", max_size=40),
    st.ip_addresses().map(str),
    st.emails(),
    st.dates().map(str),
    st.datetimes().map(str),
    st.from_regex(r"[A-Z]{1,2}[0-9]{1,2} ?[0-9][A-Z]{2}|[0-9]{5}(-[0-9]{4})?", fullmatch=True),
    st.from_regex(r"\+?[0-9]{1,4}( ?[0-9]{2,4}){2,5}", fullmatch=True),
    st.from_regex(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", fullmatch=True),
    st.from_regex(r"-?[0-9]{1,3}\.[0-9]{1,6}, ?-?[0-9]{1,3}\.[0-9]{1,6}", fullmatch=True),
    st.from_regex(r"[A-Z][a-z]{0,8}( [A-Z][a-z]{0,8}){0,3}", fullmatch=True),
)


def letters(value: str) -> int:
    return sum(map(str.isalnum, value))


@given(value=st.text(), detector=st.text(max_size=20), style=st.sampled_from(Style))
def test_masking_any_text_for_any_detector_writes_text_that_is_masked(value: str, detector: str, style: Style) -> None:
    assert is_masked(MASKER.mask(value, detector, style), detector, style)


@pytest.mark.parametrize("style", list(Style))
@given(value=VALUES, detector=st.sampled_from(DETECTORS))
def test_what_is_masked_is_recognised(style: Style, value: str, detector: str) -> None:
    assert is_masked(MASKER.mask(value, detector, style), detector, style)


@pytest.mark.parametrize("style", list(Style))
@given(value=VALUES, detector=st.sampled_from(DETECTORS))
def test_what_is_masked_does_not_hold_the_value(style: Style, value: str, detector: str) -> None:
    assume(letters(value) >= 5 and "*" not in value and not is_masked(value, detector, style))
    name = detector.replace("-", "_")
    assume(value.lower() not in f"[tok_{name}_]")
    assert value not in MASKER.mask(value, detector, style)


@given(value=VALUES, detector=st.sampled_from(["us_ssn", "password", "order-ref", "address"]))
def test_partial_shows_a_third_at_most_of_what_it_does_not_know(value: str, detector: str) -> None:
    masked = MASKER.mask(value, detector, Style.PARTIAL)
    assert masked.startswith("[") or letters(masked) <= min(4, letters(value) // 3)


@given(value=VALUES, detector=st.sampled_from(DETECTORS))
def test_last4_shows_four_at_most_and_a_quarter_of_what_is_short(value: str, detector: str) -> None:
    masked = MASKER.mask(value, detector, Style.LAST4)
    may = 4 if letters(value) >= 9 else letters(value) // 4
    assert not masked or masked == f"[{detector.upper().replace('-', '_')}]" or letters(masked) <= may


@given(digits=st.text("0123456789", min_size=1, max_size=24), joint=st.sampled_from(["", " ", "-", " - "]))
@pytest.mark.parametrize("detector", ["credit_card", "unverified_credit_card"])
def test_a_card_shows_its_first_six_and_last_four_at_most(detector: str, digits: str, joint: str) -> None:
    value = joint.join(digits[at : at + 4] for at in range(0, len(digits), 4))
    masked = "".join(each for each in MASKER.mask(value, detector, Style.PARTIAL) if each.isdigit() or each == "*")
    assert len(masked) == len(digits)
    shown = {place for place, each in enumerate(masked) if each != "*"}
    front = range(6) if len(digits) >= 13 else range(0)
    assert shown <= {*front, *range(len(digits) - 4, len(digits))}


@given(value=st.emails())
def test_an_address_shows_one_letter_in_front_of_its_domain(value: str) -> None:
    local, _, domain = MASKER.mask(value, "email", Style.PARTIAL).rpartition("@")
    assert domain == value.rpartition("@")[2]
    assert letters(local) <= 1 or not domain


@given(digits=st.text("0123456789", min_size=4, max_size=20), places=st.sets(st.integers(1, 19)))
def test_numbers_have_one_pseudonym_however_they_are_grouped(digits: str, places: set[int]) -> None:
    grouped = "".join(f"-{each}" if place in places else each for place, each in enumerate(digits))
    assert MASKER.mask(grouped, "us_ssn", Style.HASH) == MASKER.mask(digits, "us_ssn", Style.HASH)


@given(value=st.text(min_size=1), detector=st.sampled_from(["email", "order-ref", "us_ssn"]), tenant=st.text())
def test_a_token_is_read_by_its_tenant_only(value: str, detector: str, tenant: str) -> None:
    token = Masker(KEYS, tenant).mask(value, detector, Style.TOKENIZE)
    assert reveal(token, KEYS, tenant) == value
    assert reveal(token, KEYS, tenant + "x") is None


@given(token=st.one_of(st.text(), st.from_regex(r"tok_[a-z]{1,5}_[bcdfghjkmnpqrtwx]{34,60}", fullmatch=True)))
def test_reading_any_text_as_a_token_is_total(token: str) -> None:
    assert reveal(token, KEYS, "acme") is None


@given(value=st.text())
def test_recognising_any_text_is_total(value: str) -> None:
    assert is_masked(value) in {True, False}
