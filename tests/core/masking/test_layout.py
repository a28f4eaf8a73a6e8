"""Names of members: which may be values, and what they tell of one another."""

import pytest

from agen_authz.core.masking.layout import Layouts, is_suspect
from agen_authz.core.masking.scanner import get_scanner
from agen_authz.core.masking.selection import Custom, Detectors

PERSONS = get_scanner(Detectors.of("person_name", "email"))


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("note", False),
        ("customer_name", False),
        ("a1", False),
        ("jane@example.com", True),
        ("536-22-1234", True),
        ("jane doe", True),
        ("M\xfcller", True),
        ("a_name_that_is_long", True),
        ("", False),
    ],
)
def test_name_that_is_more_than_a_short_word_is_suspect(name: str, is_one: bool) -> None:
    assert is_suspect(name) is is_one


@pytest.mark.parametrize(
    ("names", "fields"),
    [
        (("name", "email"), [("person_name",), ("email",)]),
        (("name", "date_of_birth"), [("person_name",), ()]),
        (("name", "size"), [(), ()]),
        (("full_name", "size"), [("person_name",), ()]),
    ],
    ids=["next to an e-mail address", "next to a birth date", "of a thing", "of a person by itself"],
)
def test_bare_name_is_a_persons_next_to_what_only_persons_have(
    names: tuple[str, ...], fields: list[tuple[str, ...]]
) -> None:
    layouts = Layouts(PERSONS)
    assert [trail.fields for trail in layouts.keep(layouts.root, names).trails] == fields


def test_bare_name_is_nobodys_if_persons_are_not_asked_for():
    layouts = Layouts(get_scanner(Detectors.of("email")))
    assert [trail.fields for trail in layouts.keep(layouts.root, ("name", "email")).trails] == [(), ("email",)]


def test_layout_is_kept_for_its_place_and_names():
    layouts = Layouts(PERSONS)
    made = layouts.keep(layouts.root, ("note", "jane@example.com"))
    assert (made.suspects, made.is_clean, made.has_blob) == (("jane@example.com",), False, False)
    assert layouts.find(layouts.root, ("note", "jane@example.com")) is made
    assert layouts.find(layouts.root, ("note",)) is None
    assert layouts.find(made.trails[0], ("note", "jane@example.com")) is None


@pytest.mark.parametrize(
    ("names", "has_blob"), [(("blob",), True), (("data", "type"), True), (("data",), False), (("type",), False)]
)
def test_object_may_hold_a_blob_by_its_names(names: tuple[str, ...], has_blob: bool) -> None:
    layouts = Layouts(PERSONS)
    assert layouts.keep(layouts.root, names).has_blob is has_blob


def test_custom_patterns_are_known():
    custom = get_scanner(Detectors().add_customs([Custom("x", "a")]))
    assert (Layouts(custom).has_customs, Layouts(PERSONS).has_customs) == (True, False)
