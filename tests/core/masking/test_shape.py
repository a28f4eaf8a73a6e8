"""The shape of a text, and of a pattern: what a pattern matches has one of its shapes, and one of its beginnings."""

import re

import pytest

from agen_authz.core.masking.catalog import CATALOG
from agen_authz.core.masking.shape import list_firsts, needs_digit, shape_of, shape_of_bytes, shape_pattern
from tests.core.masking.pattern_sample import draw

DIGITS = "0123456789"


def list_forms() -> dict[str, list[str]]:
    """Lead from the pattern of every form to samples of it."""
    return {form.pattern: draw(form.pattern, 4) for row in CATALOG.values() for form in row.forms}


def list_labels() -> dict[str, list[str]]:
    """Lead from the pattern of every label to samples of it."""
    patterns = dict.fromkeys(label.pattern for row in CATALOG.values() for label in row.labels)
    return {pattern: draw(pattern, 2) for pattern in patterns}


FORMS, LABELS = list_forms(), list_labels()


# ---- texts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shape"),
    [("", ""), ("AB-12", "AA-00"), ("Zz 9_\x1e", "Aa 0_\x1e"), ("\u0664\xe4", "\u0664\xe4")],
    ids=["empty", "plain", "signs", "other scripts"],
)
def test_shape_keeps_what_is_no_ascii_letter_or_digit(text: str, shape: str) -> None:
    assert shape_of(text) == shape


def test_shape_of_bytes_has_a_character_for_each_byte():
    every = bytes(range(256))
    assert shape_of_bytes(every) == shape_of(every.decode("latin-1"))


# ---- patterns --------------------------------------------------------------------------------------------------


def test_every_form_of_the_catalogue_matches_samples_of_itself():
    forms = [(re.compile(pattern, re.ASCII), text) for pattern, texts in FORMS.items() for text in texts]
    assert [(form.pattern, text) for form, text in forms if form.fullmatch(text) is None] == []


def test_shape_pattern_of_every_form_matches_the_shape_of_what_the_form_matches():
    shapes = [(shape_pattern(pattern), text) for pattern, texts in FORMS.items() for text in texts]
    assert [(shape.pattern, text) for shape, text in shapes if shape.fullmatch(shape_of(text)) is None] == []


def test_every_form_of_the_catalogue_begins_with_a_letter_or_digit_that_is_listed():
    firsts = {pattern: list_firsts(pattern) for pattern in FORMS}
    assert [(each, text) for each, listed in firsts.items() for text in FORMS[each] if text[0] not in listed] == []
    assert [each for each, listed in firsts.items() if not all(char.isalnum() for char in listed)] == []


@pytest.mark.parametrize(
    ("pattern", "shaped", "others"),
    [
        (r"AB\d{2}", ["AA00"], ["Aa00", "AA0"]),
        (r"(?i)ab\d", ["aa0", "AA0", "aA0"], ["a0"]),
        (r"(?:(?i:x)|[0-4])-?", ["a-", "A", "0"], ["--"]),
        (r"[^0-9]", ["A", "a", "-"], ["0"]),
        (r"[^\W_]\S\s\D.", ["A- -a", "00 a0"], ["- -a-"]),
        (r"\d*?", ["", "000"], ["a"]),
        (r"^\w\b$", ["a", "A", "0", "_"], ["-"]),
        (r"[^a]", ["a", "0"], ["aa"]),
        (r"(?=\d)\w", ["a", "-a"], []),
        ("\u0664", [], ["0", "\u0664"]),
    ],
    ids=["capitals", "folded", "branch", "negated", "classes", "lazy", "anchors", "one not", "look-ahead", "not ASCII"],
)
def test_shape_pattern_matches_the_shapes_of_its_texts(pattern: str, shaped: list[str], others: list[str]) -> None:
    shape = shape_pattern(pattern)
    assert [bool(shape.fullmatch(each)) for each in (*shaped, *others)] == [True] * len(shaped) + [False] * len(others)


@pytest.mark.parametrize(
    ("pattern", "firsts"),
    [
        (r"AB", "A"),
        (r"(?i)ab", "aA"),
        (r"a?b", "ab"),
        (r"a{0}(?i:b)", "abB"),
        (r"(?:a|b?)c", "abc"),
        (r"(?:a|b)c", "ab"),
        (r"\bx[0-3]", "x"),
        (r"[0-3]*?[^\x00-\x7a\x7f]", "0123{|}~"),
        (r"a?", "a"),
        ("", ""),
    ],
    ids=["literal", "folded", "optional", "none", "branch, empty", "branch", "bound", "lazy", "only optional", "empty"],
)
def test_firsts_are_the_characters_that_texts_begin_with(pattern: str, firsts: str) -> None:
    assert list_firsts(pattern) == frozenset(firsts)


def test_text_behind_a_look_ahead_may_begin_with_anything():
    assert list_firsts("(?=a)b") == frozenset(map(chr, range(128)))


def test_value_of_every_label_has_a_character():
    """Of each sample of a label that it matches, group 1 is in it, if there is one, and is not empty."""
    empty = [
        (label.pattern, text)
        for label in map(re.compile, LABELS)
        for text in LABELS[label.pattern]
        if (found := label.match(text)) is not None and not found[1 if label.groups else 0]
    ]
    assert empty == []


# ---- digits ----------------------------------------------------------------------------------------------------


def test_label_that_needs_a_digit_has_no_sample_without_one():
    wrong = [
        (pattern, text)
        for pattern, texts in LABELS.items()
        if needs_digit(pattern)
        for text in (*texts, *draw(pattern, 2, avoids=DIGITS))
        if not any(char in DIGITS for char in text)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("pattern", "is_needed"),
    [
        (r"\d", True),
        (r"[0-9]{3,}", True),
        (r"(?:a|b)(\d)", True),
        (r"7", True),
        (r"(?:1|2)", True),
        (r"\d++", True),
        (r"(?>\d|[1-3])a", True),
        (r"(?>\d|a)", False),
        (r"\d*", False),
        (r"(?:1|a)", False),
        (r"[0-9a]", False),
        (r"[^0-9]", False),
        (r"[^\x00-\x7f]", False),
        (r"(?=\d)", False),
        (r".", False),
        ("", False),
    ],
)
def test_pattern_needs_a_digit_if_every_text_has_one(pattern: str, is_needed: bool) -> None:
    assert needs_digit(pattern) is is_needed
