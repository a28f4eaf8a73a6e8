"""Properties of masking bodies: total, of the same shape, idempotent, and complete by its own search."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agen_authz.core.masking import Detectors, Profile, Rule, Unmaskable, detect, mask_body
from agen_authz.core.masking.catalog import CATALOG
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.style import MaskingKeys, is_masked, settle
from tests.core.masking.europe_case import ALONE as EUROPEAN
from tests.core.masking.evasion_case import encode, escape
from tests.core.masking.world_africa import ALONE as AFRICAN
from tests.core.masking.world_america import ALONE as AMERICAN
from tests.core.masking.world_asia_east import ALONE as EASTERN
from tests.core.masking.world_asia_south import ALONE as SOUTHERN
from tests.core.masking.world_pacific import ALONE as PACIFIC

MEDIA = ("application/json", "text/event-stream", "text/plain", "application/x-ndjson")
KEYS = MaskingKeys((("m1", b"k" * 32),))
EVERY = Detectors.every()
PROFILES = {style: Profile.of(Rule("all", EVERY, default=style), keys=KEYS, tenant="acme") for style in Style}
OWN = Profile.of(Rule("all", EVERY), keys=KEYS, tenant="acme")
SAMPLES = sorted({
    *(*EUROPEAN, *AFRICAN, *AMERICAN, *EASTERN, *SOUTHERN, *PACIFIC),
    *(("credit_card", number) for number in ("4111111111111111", "5555 5555 5555 4444", "3782-822463-10005")),
    *(("email", each) for each in ("jane.doe@example.com", "x@sub.example.co.uk", "o'neil+a@example.org")),
    *(("phone", each) for each in ("+49 30 901820", "+1 (415) 555-2671", "+44 20 7946 0958")),
    *(("ip_address", each) for each in ("192.168.4.17", "2001:db8::8a2e:370:7334")),
    *(("iban", "DE89370400440532013000"), ("mac_address", "00:1A:2B:3C:4D:5E"), ("aws_key", "AKIAQWERTYUIOPASDFGH")),
})  # fmt: skip
VALUES = [value for _, value in SAMPLES]
ONE_OF_EACH = dict(SAMPLES)
WORDS = [*VALUES, "ssn", "born", "card", "tel:", "Dear Ann Miller", "password:", "\n"]
MEMBERS = (
    "name",
    "first_name",
    "ssn",
    "email",
    "note",
    "id",
    "date_of_birth",
    "cvv",
    "password",
    "address",
    "age",
    "zip",
)

texts = st.one_of(
    st.text(max_size=20),
    st.sampled_from(VALUES),
    st.sampled_from(VALUES).map(encode),
    st.sampled_from(VALUES).map(escape),
    st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=6)), max_size=5).map(" ".join),
    st.sampled_from(VALUES).map(lambda value: json.dumps({"note": value, value: [value]})),
)  # fmt: skip
leaves = st.one_of(
    texts, st.integers(-(2**63), 2**63), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none()
)
documents = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.sampled_from(MEMBERS), texts), inner, max_size=4)
    ),
    max_leaves=8,
)
messages = st.one_of(
    documents.map(lambda value: {"jsonrpc": "2.0", "id": 1, "result": {"structuredContent": value}}),
    texts.map(lambda text: {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": text}]}}),
    documents,
)


def mask(value: Any, profile: Profile) -> tuple[Any, bool]:
    """Mask a document; return it, and whether anything was masked."""
    masked = mask_body(json.dumps(value).encode(), "application/json", profile)
    return json.loads(masked.body), bool(masked.receipts)


def shape(value: Any) -> Any:
    """Return what is left of a document without its texts and numbers: what is masked becomes a text."""
    if isinstance(value, dict):
        return [shape(item) for item in value.values()]
    if isinstance(value, list):
        return [shape(item) for item in value]
    return None if value is None else "leaf"


# ---- total -----------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(raw=st.one_of(st.binary(max_size=80), texts.map(str.encode)), media=st.sampled_from(MEDIA))
def test_any_bytes_are_masked_or_refused(raw: bytes, media: str) -> None:
    try:
        mask_body(raw, media, OWN)
    except Unmaskable as refused:
        assert refused.detail


@settings(max_examples=40)
@given(
    text=texts, path=st.lists(st.sampled_from(MEMBERS), max_size=2), region=st.sampled_from([None, "DE", "us", "??"])
)
def test_what_is_found_is_in_the_text(text: str, path: list[str], region: str | None) -> None:
    for found in detect(text, EVERY, path=tuple(path), region=region):
        assert 0 <= found.start < found.end <= len(text) and 0.5 <= found.score <= 1


# ---- shape -----------------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(value=messages, style=st.sampled_from([Style.REDACT, Style.PARTIAL, Style.HASH]))
def test_output_has_the_shape_of_the_input(value: Any, style: Style) -> None:
    # Verification codes and PINs are dropped in every style.
    profile = Profile.of(Rule("all", EVERY.remove("cvv", "card_pin", "card_track"), default=style), keys=KEYS)
    assert shape(mask(value, profile)[0]) == shape(value)


@settings(max_examples=40)
@given(value=messages)
def test_document_in_which_nothing_is_found_is_not_changed(value: Any) -> None:
    masked, has_changed = mask(value, OWN)
    assert has_changed or masked == value


# ---- idempotent ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", [None, *Style])
@settings(max_examples=12)
@given(value=messages)
def test_masking_again_changes_nothing(style: Style | None, value: Any) -> None:
    profile = OWN if style is None else PROFILES[style]
    masked, _ = mask(value, profile)
    assert mask(masked, profile) == (masked, False)


@pytest.mark.parametrize("style", Style)
@pytest.mark.parametrize("detector", ONE_OF_EACH)
def test_no_detector_finds_what_it_masked(detector: str, style: Style) -> None:
    value, chosen = ONE_OF_EACH[detector], Detectors.of(detector)
    profile = Profile.of(Rule("one", chosen, default=style), keys=KEYS)
    word = next(iter(CATALOG[detector].context), "it is")
    masked, has_changed = mask({"note": f"{word} {value}"}, profile)
    assert has_changed
    text = masked.get("note", "")
    assert value not in text
    left = [text[found.start : found.end] for found in detect(text, chosen)]
    assert [each for each in left if not is_masked(each, detector, settle(detector, style))] == []


@settings(max_examples=40)
@given(text=texts, style=st.sampled_from(Style))
def test_search_finds_nothing_more_in_what_is_masked(text: str, style: Style) -> None:
    masked = mask_body(text.encode("utf-8", "replace"), "text/plain", PROFILES[style]).body.decode()
    left = [(found.detector, masked[found.start : found.end]) for found in detect(masked, EVERY)]
    assert [each for each in left if not is_masked(each[1], each[0], settle(each[0], style))] == []
