"""Which detectors are chosen: by preset, by any of their names, and patterns of the configuration."""

from collections.abc import Callable

import pytest

from agen_authz.core.masking.catalog import CATALOG
from agen_authz.core.masking.row import Preset
from agen_authz.core.masking.selection import Custom, Detectors, UnknownDetector, find_id

STAFF = Custom("staff", "XY-[0-9]{4}")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("credit_card", "credit_card"),
        ("CREDIT_CARD", "credit_card"),
        ("creditCard", "credit_card"),
        ("US_SSN", "us_ssn"),
        ("usSsn", "us_ssn"),
        ("EMAIL_ADDRESS", "email"),
        ("Credit_Card", None),
        ("nothing", None),
        ("", None),
    ],
)
def test_detector_is_found_by_any_of_its_names(name: str, found: str | None) -> None:
    assert find_id(name) == found


@pytest.mark.parametrize("preset", list(Preset))
def test_preset_has_the_rows_that_name_it(preset: Preset) -> None:
    expected = [row for row in CATALOG.values() if preset in row.presets]
    assert Detectors.preset(preset).list_rows() == expected != []


def test_presets_add_up_and_every_detector_of_them_is_every():
    every = Detectors.preset(*Preset)
    assert Detectors.preset("pii", "pci").ids == Detectors.preset("pii").ids | Detectors.preset("pci").ids
    assert (Detectors.every(), Detectors.preset()) == (every, Detectors())
    assert {row.id for row in CATALOG.values()} - every.ids >= {"unverified_credit_card", "url", "uuid"}


def test_names_are_added_and_removed_by_id_or_alias():
    chosen = Detectors.of("email", "usSsn").add("CREDIT_CARD", "email").remove("US_SSN", "phone")
    assert chosen == Detectors.of("email", "credit_card")


def test_custom_patterns_are_added_and_removed_by_their_name():
    chosen = Detectors.of("email").add_customs([STAFF, Custom("other", "a")])
    assert chosen == Detectors(frozenset({"email"}), (STAFF, Custom("other", "a")))
    assert chosen.remove("other", "email") == Detectors(customs=(STAFF,))


def test_every_alias_leads_to_a_row():
    assert [alias for alias, name in Detectors.aliases.items() if name not in CATALOG] == []


@pytest.mark.parametrize(
    "choose",
    [
        lambda: Detectors.preset("pii", "nothing"),
        lambda: Detectors.of("nothing"),
        lambda: Detectors().add("nothing"),
        lambda: Detectors().remove("nothing"),
        lambda: Detectors().add_customs([STAFF]).remove("stuff"),
    ],
    ids=["preset", "of", "add", "remove", "remove a custom one"],
)
def test_unknown_name_is_refused(choose: Callable[[], Detectors]) -> None:
    with pytest.raises(UnknownDetector, match=r"nothing|stuff"):
        choose()
