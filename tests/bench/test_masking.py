"""The corpus is what it says, and what is counted of it is right."""

from random import Random

import pytest

from agen_authz.core.masking.catalog import CATALOG
from agen_authz.core.masking.row import Preset
from bench.masking import figures, ours, speed
from bench.masking.corpus import ALONE, FIELD, LABELLED, LOOKALIKE, ORDINARY, Sample, build_corpus
from bench.masking.kind import Kind, read_kinds
from bench.masking.score import Score, score
from bench.masking.values import draw, spoil

KINDS = read_kinds()


def test_every_kind_is_a_detector_and_every_detector_of_people_cards_and_health_has_one():
    kinds = {kind.detector for kind in KINDS}
    secrets = frozenset({Preset.SECRETS})
    wanted = {row.id for row in CATALOG.values() if row.presets and row.presets != secrets}
    assert (kinds - set(CATALOG), wanted - kinds) == (set(), {"eg_tn"})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.detector)
def test_values_pass_their_check_and_look_alikes_do_not(kind: Kind):
    random = Random(1)  # noqa: S311 a corpus
    value = draw(kind, random)
    spoilt = spoil(kind, value, random)
    if kind.check is not None:
        assert (kind.check(value), spoilt is not None and kind.check(spoilt)) == (True, False)
    else:
        assert (bool(value), spoilt) == (True, None)


def test_corpus_is_the_same_every_time():
    assert build_corpus(each=1, documents=5) == build_corpus(each=1, documents=5)


def test_values_are_where_the_samples_say():
    wrong = [
        sample
        for sample in build_corpus(each=1, documents=3)
        if not sample.text[slice(*sample.value)].strip() and sample.how != ORDINARY
    ]
    assert wrong == []


def test_what_is_found_is_counted():
    samples = [
        Sample(LABELLED, "email", "mail a@example.com", (5, 18)),
        Sample(FIELD, "email", '{"x": "nothing"}', (7, 14)),
        Sample(ALONE, "iban", "DE1", (0, 3)),
        Sample(LOOKALIKE, "iban", "DE2", (0, 3)),
        Sample(ORDINARY, "", "12"),
    ]
    hits = [[(5, 18, "email")], [], [(0, 3, "phone")], [(0, 3, "iban")], [(0, 2, "phone")]]
    counted = score(samples, hits)
    email, iban = counted.of("email"), counted.of("iban")
    assert (email.recall(LABELLED), email.recall(FIELD), email.recall(ALONE), email.precision) == (1, 0, None, 1)
    assert (iban.recall(), iban.masked, iban.fooled, iban.precision) == (0, 1, {LOOKALIKE: 1}, 0)
    assert (counted.touched, counted.strays, counted.of("phone").precision) == (1, {"phone": 1}, 0)


def test_kinds_that_the_other_side_does_not_know_are_left_out():
    samples = [Sample(LABELLED, name, "x", (0, 1)) for name in ("email", "iban")]
    assert set(score(samples, [[], []], frozenset({"iban"})).counts) == {"iban"}


def test_page_of_figures_has_a_row_for_each_kind():
    samples = build_corpus(each=1, documents=3)
    counted: Score = score(samples, ours.find(samples))
    page = figures.render(ours=counted, shared=(counted, counted), costs="| body |\n")
    assert [kind.detector for kind in KINDS if f"| `{kind.detector}` |" not in page] == []


def test_cost_of_every_shape_is_measured():
    costs = speed.measure(hostile_bytes=2_000, rounds=1)
    assert (len(costs), all(cost.ours_ms > 0 and cost.json_ms > 0 for cost in costs)) == (19, True)
    assert speed.render(costs).count("\n") == 2 + len(costs)
