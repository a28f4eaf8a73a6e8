"""Which names another reader takes for one, for each kind of name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.twin import (
    fold_member,
    fold_members,
    fold_message_keys,
    fold_parameter,
    fold_selector,
    spell_header,
)

_FOLDS = {
    "member": fold_member,
    "message": lambda key: fold_message_keys([key])[0],
    "parameter": fold_parameter,
    "selector": fold_selector,
    "header": spell_header,
}
# Two names, and the kinds of name of which they are twins.
_PAIRS = {
    "case": ("Amount", "aMOUNT", set(_FOLDS)),
    "snake and camel": ("user_id", "userId", {"member", "message", "parameter"}),
    "kebab and camel": ("user-id", "userId", {"member", "message", "parameter"}),
    "kebab and snake": ("user-id", "user_id", {"member", "message", "parameter", "header"}),
    "other marks": ("user.id", "userId", {"member"}),
    "blank at the end": ("name ", "name", {"member", "message"}),
    "blank within": ("user id", "userId", {"member"}),
    "a control character": ("\bamount\x7f", "amount", {"member"}),
    "full width": ("\uff41\uff4d\uff4f\uff55\uff4e\uff54", "amount", {"member"}),
    "case beyond ASCII": ("STRASSE", "stra\u00dfe", {"member", "selector"}),
    "another letter": ("amount", "amounts", set()),
}


@pytest.mark.parametrize("name", _PAIRS)
def test_names_are_twins_of_the_kinds_whose_readers_look_away_from_the_difference(name):
    one, other, kinds = _PAIRS[name]
    assert {kind for kind, fold in _FOLDS.items() if fold(one) == fold(other)} == kinds


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=80), max_size=8))
def test_many_members_are_folded_as_each_of_them_is(keys):
    assert fold_members(keys) == [fold_member(key) for key in keys]


@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20), min_size=1, max_size=8))
def test_many_keys_of_a_message_are_folded_as_each_of_them_is(keys):
    assert fold_message_keys(keys) == [fold_message_keys([key])[0] for key in keys]


@pytest.mark.parametrize("key", ["", "_", "-._", "\uff0d"])
def test_members_without_letters_are_not_twins(key):
    assert fold_member(key) == key
