"""Pinning, for any definition: digests, kinds and states."""

import json

from hypothesis import given
from hypothesis import strategies as st

from agen_authz.core.pinning.catalogue import build_catalogue, sight
from agen_authz.core.pinning.change import find_changes, find_signs, is_more_than_wording
from agen_authz.core.pinning.definition import digest_definition, name_of, spell_canonical
from agen_authz.core.pinning.hidden import find_first, spell, strip_hidden
from agen_authz.core.pinning.lookalike import Named, find_lookalikes, index_names, skeleton_of
from agen_authz.core.pinning.phrase import find_addresses, holds_instruction
from agen_authz.core.pinning.pin import Pinned, Pinning, Reworded, judge, refuse
from tests.core.pinning.rig import kept, kept_tool, tool

TEXTS = st.text(max_size=12) | st.sampled_from(["you must", "https://a.b", "\u200b", "e\u0301", "\U000e0041"])
FINITE = st.floats(allow_nan=False, allow_infinity=False)
LEAVES = st.none() | st.booleans() | st.integers() | FINITE | TEXTS
KEYS = TEXTS | st.sampled_from(
    ["properties", "items", "anyOf", "title", "description", "type", "default", "required", "enum", "$defs", "_meta"]
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=2), max_leaves=4
)
FIELDS = st.sampled_from(
    ["title", "description", "inputSchema", "outputSchema", "annotations", "icons", "_meta", "execution", "invented"]
)
DEFINITIONS = st.builds(lambda held: {"name": "t", **held}, st.dictionaries(FIELDS, VALUES, max_size=3))
ANYTHING = st.text(st.characters(), max_size=60)


@given(DEFINITIONS)
def test_digest_survives_the_wire_and_canonical_text_is_a_fixed_point(definition):
    text = spell_canonical(definition)
    assert digest_definition(json.loads(json.dumps(definition))) == digest_definition(definition)
    assert spell_canonical(json.loads(text)) == text and text.isascii()


@given(DEFINITIONS, DEFINITIONS)
def test_change_is_found_if_and_only_if_the_digest_differs(one, other):
    differs = spell_canonical(one) != spell_canonical(other)
    kinds = find_changes(json.loads(spell_canonical(one)), json.loads(spell_canonical(other)))
    assert bool(kinds) == differs


@given(DEFINITIONS, DEFINITIONS, st.sampled_from(["inputSchema", "annotations", "icons", "invented", "execution"]))
def test_field_that_is_not_wording_never_changes_unseen(one, other, field):
    before, after = json.loads(spell_canonical(one)), json.loads(spell_canonical(other))
    before[field], after[field] = {"type": "a"}, {"type": "b"}
    assert is_more_than_wording(find_changes(before, after))


@given(DEFINITIONS, st.lists(DEFINITIONS, max_size=3))
def test_nothing_passes_in_enforce_that_is_not_approved_or_reworded(seen, approved):
    known = [kept(each) for each in approved]
    state = judge(digest_definition(seen), seen, known)
    passes = refuse(state, Pinning.ENFORCE) is None
    assert passes == isinstance(state, Pinned | Reworded)
    assert (state == Pinned()) == (digest_definition(seen) in {each.digest for each in known})
    if known:
        listed = build_catalogue(1, [kept_tool(*known)])
        assert (listed.refuse_listed("crm", seen, Pinning.ENFORCE) is None) == passes


@given(VALUES)
def test_any_value_may_be_listed(value):
    assert (sight(value) is None) == (name_of(value) is None)
    assert build_catalogue(1, []).refuse_listed("crm", value, Pinning.ENFORCE) is not None


@given(ANYTHING)
def test_what_is_spelt_out_has_nothing_hidden_and_one_line(text):
    spelt = spell(text)
    assert strip_hidden(spelt) == spelt and find_first(spelt) is None and len(spelt.splitlines()) <= 1


@given(ANYTHING, st.lists(st.sampled_from("\u200b\u2060\u202e\U000e0041\ufeff"), min_size=1, max_size=3))
def test_hidden_characters_change_neither_look_nor_findings(text, hidden):
    noisy = text + "".join(hidden)
    assert skeleton_of(noisy[:40]) == skeleton_of(text[:40])
    assert (find_addresses([noisy]), holds_instruction(noisy)) == (find_addresses([text]), holds_instruction(text))
    assert find_first(noisy) is not None


@given(ANYTHING)
def test_every_name_looks_like_itself_on_another_server(name):
    found = find_lookalikes("crm", tool(name, title=None, annotations=None), index_names([Named("billing", name)]))
    assert [each.is_twin for each in found] == [True]


@given(DEFINITIONS)
def test_signs_of_any_definition_can_be_looked_for(definition):
    assert set(find_signs(definition)) <= {"instruction", "hidden_text"}
