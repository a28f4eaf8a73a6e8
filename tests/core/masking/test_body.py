"""A body masked by its media type, and what is refused because it is not what its type says."""

import json

import pytest

from agen_authz.core.masking import Detectors, Profile, Receipt, Rule, UnknownDetector, Unmaskable, mask_body
from agen_authz.core.masking.body import Masked
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.style import MaskingKeys

EMAIL = "jane.doe@example.com"
# Each word is decoded, and what it says is searched.
DEAR = "bm90aGluZyBpcyBoZXJl " * 4_000
JSON, EVENTS, TEXT = "application/json", "text/event-stream", "text/plain"
PROFILE = Profile.of(Rule("r", Detectors.of("email"), default=Style.REDACT))


def receipt(pointer: str) -> Receipt:
    return Receipt("r", "email", Style.REDACT, pointer)


@pytest.mark.parametrize(
    ("raw", "media", "masked"),
    [
        (f'{{"a":"{EMAIL}"}}', JSON, Masked(b'{"a":"[EMAIL]"}', (receipt("/a"),))),
        (f'{{"a":"{EMAIL}"}}', " Application/JSON; charset=utf-8", Masked(b'{"a":"[EMAIL]"}', (receipt("/a"),))),
        (f'["{EMAIL}"]', "application/problem+json", Masked(b'["[EMAIL]"]', (receipt("/0"),))),
        (f"of {EMAIL}", TEXT, Masked(b"of [EMAIL]", (receipt(""),))),
        (f'{{"a":"{EMAIL}"}}\n{{}}', "application/x-ndjson", Masked(b'{"a":"[EMAIL]"}\n{}', (receipt("/a"),))),
        ("nothing", "", Masked(b"nothing")),
        (f'{{"jsonrpc":"2.0","id":"{EMAIL}"}}', JSON, Masked(f'{{"jsonrpc":"2.0","id":"{EMAIL}"}}'.encode())),
        (f'{{"jsonrpc":"1","id":"{EMAIL}"}}', JSON, Masked(b'{"jsonrpc":"1","id":"[EMAIL]"}', (receipt("/id"),))),
    ],
    ids=["JSON", "parameters", "a kind of JSON", "text", "lines", "no type", "message", "no message"],
)
def test_body_is_masked_by_its_media_type(raw: str, media: str, masked: Masked) -> None:
    assert mask_body(raw.encode(), media, PROFILE) == masked


def test_messages_of_events_are_masked_and_the_rest_is_written_again():
    raw = (
        f': comment {EMAIL}\n\nevent: message\nid: 1\ndata: {{"a":\ndata: "{EMAIL}"}}\n\n'
        f'data: \n\nretry: 5\n\n: ping\nid: 2\n\ndata: {{"b":1}}\n\ndata: {{"c":"{EMAIL}"'
    )
    masked = mask_body(raw.encode(), EVENTS, PROFILE)
    assert masked.receipts == (receipt("/a"),)
    assert [line for line in masked.body.decode().split("\n") if line] == [
        *(":", "event: message", "id: 1", 'data: {"a":"[EMAIL]"}', "data: ", "retry: 5", ":", "id: 2", 'data: {"b":1}'),
    ]


@pytest.mark.parametrize(
    ("raw", "media", "detail"),
    [
        (b"\xff\xfe", TEXT, "not text in UTF-8"),
        (b"{", JSON, "not JSON that every parser reads alike (json_syntax)"),
        (b'{"a":1,"a":2}', JSON, "not JSON that every parser reads alike (json_duplicate_key)"),
        (b"data: {\n\n", EVENTS, "not JSON that every parser reads alike (json_syntax)"),
        (b"event: a b\ndata: {}\n\n", EVENTS, "an event with a name that is not one"),
        (json.dumps({"a": DEAR}).encode(), JSON, "looking for values in it costs too much"),
    ],
    ids=["no UTF-8", "no JSON", "a name twice", "no JSON in an event", "name of an event", "too dear"],
)
def test_body_that_cannot_be_inspected_is_refused(raw: bytes, media: str, detail: str) -> None:
    with pytest.raises(Unmaskable) as refused:
        mask_body(raw, media, PROFILE)
    assert refused.value.detail == detail


def test_profile_of_presets_masks_each_value_in_its_own_style():
    masked = mask_body(b'{"card":"4111111111111111","cvv":"123"}', JSON, Profile.preset("pci"))
    assert json.loads(masked.body) == {"card": "************1111"}
    with pytest.raises(UnknownDetector):
        Profile.preset("nothing")


def test_profile_has_the_keys_of_its_tenant():
    rule = Rule("r", Detectors.of("email"), default=Style.HASH)
    keys = MaskingKeys((("m1", b"k" * 32),))
    bodies = [
        mask_body(EMAIL.encode(), TEXT, profile).body
        for profile in (
            Profile.of(rule, keys=keys, tenant="a"),
            Profile.of(rule, keys=keys, tenant="a"),
            Profile.of(rule, keys=keys, tenant="b"),
            Profile.of(rule),
        )
    ]
    assert bodies[0] == bodies[1] != bodies[2]
    assert bodies[3] == b"[EMAIL]"
