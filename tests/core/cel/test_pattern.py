"""How large a pattern is: what a repetition stands for, and what takes more than a letter."""

import pytest

from agen_authz.core.cel.pattern import Size, read_size

SIZES = {
    "": (0, 0),
    "abc": (3, 3),
    "a{3}": (3, 3),
    "a{2,5}": (5, 5),
    "a{3,}": (4, 4),
    "a{0}": (1, 1),
    "a{,3}": (5, 5),
    "(ab){3}": (9, 9),
    "((ab){3}c){2}": (22, 22),
    "(?:a|b){2}": (8, 8),
    "(?P<name>a)": (2, 2),
    "(a{30}){30}": (930, 930),
    "[ab]{200}": (200, 400),
    "[[:alpha:]]{2}": (2, 4),
    "[]a]{2}": (2, 4),
    r"[\]{9}]": (1, 2),
    r"\{9}": (3, 4),
    r"\Qa{9}\E": (4, 4),
    r"\Q(((": (3, 3),
    ".{10}": (30, 100),
    "[^a]": (3, 10),
    r"\S": (3, 10),
    r"[\x{61}-\x{10ff}]": (3, 10),
    "[a-ü]": (3, 10),
    r"\pL": (6, 7000),
    r"\p{Greek}{2}": (12, 14000),
    r"[\pL\PN]": (12, 14000),
    "(?i)k": (2, 8),
    "(?s-i:k)": (2, 2),
    "a{9999999999}": (1000, 1000),
    # No patterns.
    ")a": (2, 2),
    "(a": (2, 2),
    "{3}": (0, 0),
}


@pytest.mark.parametrize("pattern", SIZES)
def test_size_of_a_pattern_is_read(pattern):
    assert read_size(pattern) == Size(*SIZES[pattern])
