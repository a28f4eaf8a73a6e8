"""What the names on the way to a value say of it."""

import pytest

from agen_authz.core.masking.row import Detector
from agen_authz.core.masking.trail import FieldIndex, split_key


def row(name: str, *fields: str) -> Detector:
    return Detector(name, "what is looked for", frozenset(), fields=fields)


INDEX = FieldIndex(
    [
        row("address", "address"),
        row("email", "email", "email address"),
        row("birth", "date of birth"),
        row("name", "first name", "last name", "=name"),
        row("pin", "=pin"),
        row("long", "one two three four five six seven"),
    ]
)


def follow(*names: str) -> tuple[tuple[str, ...], bool]:
    """Follow names from the root: which detectors they tell of, and whether they speak against all."""
    trail = INDEX.root
    for name in names:
        trail = INDEX.step(trail, name)
    return trail.fields, trail.is_against


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("customerDateOfBirth", ("customer", "date", "of", "birth")),
        ("customer_date-of.birth", ("customer", "date", "of", "birth")),
        ("SSNNumber2", ("ssn", "number")),
        ("gr\xf6\xdfe\xc4", ("gr\xf6\xdfe\xe4",)),
        ("\u96fb\u8a71", ("\u96fb\u8a71",)),
        ("12_-", ()),
        ("", ()),
    ],
    ids=["camel", "signs", "capitals", "marks", "other scripts", "no word", "empty"],
)
def test_name_is_split_into_its_words(key: str, words: tuple[str, ...]) -> None:
    assert split_key(key) == words


def test_only_the_beginning_of_a_very_long_name_is_read():
    assert split_key("a " * 200) == ("a",) * 64


@pytest.mark.parametrize(
    ("names", "fields"),
    [
        (("address",), ("address",)),
        (("customerAddress",), ("address",)),
        (("customer", "address"), ("address",)),
        (("email_address",), ("email",)),
        (("emailaddress",), ("email",)),
        (("address_email",), ("address", "email")),
        (("dateOfBirth",), ("birth",)),
        (("date_of_some_birth",), ()),
        (("pin",), ("pin",)),
        (("user_pin",), ()),
        (("name",), ("name",)),
        (("name", "first"), ("name",)),
        (("person", "first"), ()),
        (("address", "value"), ("address",)),
        (("address", "items", "0", "text"), ("address",)),
        (("address", "city"), ()),
        (("value",), ()),
        (("",), ()),
        (("one two three four five six seven",), ()),
        ((), ()),
    ],
    ids=[
        *("name", "with others", "of a parent", "the longer phrase", "joined", "one after the other", "three words"),
        *("words between", "exact", "exact, with others", "also exact", "first of a name", "first of others"),
        *("hollow", "hollow more than once", "a name of its own", "hollow at the root", "empty", "too long", "root"),
    ],
)
def test_names_tell_of_detectors(names: tuple[str, ...], fields: tuple[str, ...]) -> None:
    assert follow(*names)[0] == fields


@pytest.mark.parametrize(
    ("names", "is_against"),
    [
        (("order_id",), True),
        (("order", "id"), True),
        (("order", "value"), True),
        (("id",), True),
        (("order_address",), False),
        (("customer",), False),
        (("order", "customer"), False),
    ],
)
def test_name_of_what_has_numbers_speaks_against_values(names: tuple[str, ...], is_against: bool) -> None:
    assert follow(*names)[1] is is_against


@pytest.mark.parametrize("name", ["[ADDRESS]", "[EMAIL_ADDRESS]", "EMAIL_bcdfghjkmnpqrtwxbcdf"])
def test_name_that_was_masked_says_nothing(name: str) -> None:
    assert follow(name) == ((), False)


def test_names_are_followed_once():
    assert INDEX.step(INDEX.root, "address") is INDEX.step(INDEX.root, "address")
