"""What `explain_body` lists: every value, its place, what told of it and what becomes of it; never more than asked."""

import json

import pytest

from agen_authz.core.masking import Custom, Detectors, Rule, make_plan, mask_body
from agen_authz.core.masking.body import Profile
from agen_authz.core.masking.explain import Explained, Fate, explain_body
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.style import Masker

JSON, EVENTS, TEXT = "application/json", "text/event-stream", "text/plain"
CARD, EMAIL = "4111 1111 1111 1111", "ann.lee@example.com"


def explain(value: object, media: str = JSON, **changes: object) -> list[Explained]:
    rule = Rule("r", Detectors.of("credit_card", "email", "username"), **changes)  # type: ignore[arg-type]
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return explain_body(raw, media, make_plan([rule], Masker(None, "")))


def test_each_value_has_its_place_and_what_told_of_it():
    found = explain({"rows": [{"note": f"paid with {CARD}"}]})
    assert found == [
        Explained(
            document=0,
            pointer="/rows/0/note",
            start=10,
            end=29,
            detector="credit_card",
            score=found[0].score,
            why=("form", "check"),
            fate=Fate.MASKED,
            style=Style.LAST4,
            masked="**** **** **** 1111",
            value=CARD,
        )
    ]


def test_text_has_places_and_no_pointer():
    found = explain(f"write to {EMAIL}".encode(), TEXT)
    assert [(each.pointer, each.start, each.end, each.masked) for each in found] == [("", 9, 28, "a***@example.com")]


def test_values_of_an_event_stream_have_the_number_of_their_document():
    raw = f'data: {{"a": "{EMAIL}"}}\n\ndata: {{"b": "{CARD}"}}\n\n'.encode()
    assert [(each.document, each.pointer) for each in explain(raw, EVENTS)] == [(0, "/a"), (1, "/b")]


def test_name_of_a_member_that_holds_a_value_is_not_in_the_pointer():
    found = explain({EMAIL: {"x": CARD}})
    assert [(each.pointer, each.is_name) for each in found] == [("/[EMAIL]", True), ("/[EMAIL]/x", False)]


def test_exempt_value_is_listed_as_exempt():
    found = explain({"a": CARD, "b": CARD}, exempt=(("a",),))
    assert [(each.pointer, each.fate, each.style) for each in found] == [
        ("/a", Fate.EXEMPT, None),
        ("/b", Fate.MASKED, Style.LAST4),
    ]


def test_value_that_masking_wrote_is_listed_as_masked_before():
    found = explain({"email": "a***@example.com"})
    assert [each.fate for each in found] == [Fate.KEPT]


def test_of_values_that_overlap_one_is_masked():
    rule = Rule("r", Detectors.of("password", "username"))
    raw = json.dumps({"user": {"password": "jkruger49"}}).encode()
    customs = Rule("c", Detectors().add_customs([Custom("word", "jk[a-z]+")]))
    found = explain_body(raw, JSON, make_plan([rule, customs], Masker(None, "")))
    by_detector = {each.detector: each.fate for each in found if each.pointer.endswith("password")}
    assert by_detector == {"word": Fate.MASKED, "password": Fate.OVERLAPS}


def test_copy_is_explained_as_one():
    found = explain({"username": "jkruger49", "text": "as jkruger49 wrote"})
    assert [(each.pointer, each.why) for each in found if each.why == ("copy",)] == [("/text", ("copy",))]


def test_text_that_is_nested_too_deeply_is_withheld_whole():
    value: object = {"a": CARD}
    for _ in range(6):
        value = {"t": json.dumps(value)}
    assert [(each.detector, each.why, each.masked) for each in explain(value)] == [("nested", ("nested",), "[NESTED]")]


def test_binary_is_listed_unless_the_rule_lets_it_pass():
    message = {"content": [{"type": "image", "data": "/9j/4AAQSkZJRg==", "mimeType": "image/jpeg"}]}
    listed = [[each.detector for each in explain(message, passes_binary=passes)] for passes in (False, True)]
    assert listed == [["binary"], []]


@pytest.mark.parametrize("raw", [b"", b"{", b"data: {\n\n", b"\xff"], ids=["empty", "broken", "events", "bytes"])
@pytest.mark.parametrize("media", [JSON, EVENTS, TEXT])
def test_what_cannot_be_read_explains_nothing(raw, media):
    assert explain(raw, media) == []


def test_what_is_explained_as_masked_is_what_mask_body_writes():
    body = {"email": EMAIL, "card": CARD, "cvv": "123", "plain": "nothing"}
    profile = Profile.of(Rule("r", Detectors.of("credit_card", "email", "cvv")))
    raw = json.dumps(body).encode()
    written = json.loads(mask_body(raw, JSON, profile).body)
    explained = {each.pointer[1:]: each.masked for each in explain_body(raw, JSON, profile.plan)}
    assert {**body, **explained} == {"cvv": "", **written}
