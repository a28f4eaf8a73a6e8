"""tools/shape.py finds the names that it is there to find."""

from pathlib import Path

import pytest

from tools.shape import Limits, check_allowances, check_source, load_limits

ROOT = Path(__file__).parents[1]
LIMITS = load_limits(ROOT / "pyproject.toml", ROOT / "tools" / "words.toml")
PLACE = "agen_authz/core/thing.py"

REFUSED = {
    "a function": ("def read_user_id(): ...\n", "user_id"),
    "a class": ("class AuditMiddleware: ...\n", "middleware"),
    "a field": ("class Thing:\n    checksum: str\n", "checksum"),
    "an argument": ("def check(*, payload): ...\n", "payload"),
    "a variable": ("def check():\n    for ts in (): ...\n", "ts"),
    "a constant": ("_MAX_SALT = 5\n", "salt"),
    "a word that says nothing": ("def load_data(): ...\n", "data"),
}


@pytest.mark.parametrize(("source", "word"), REFUSED.values(), ids=REFUSED)
def test_name_with_a_refused_word_is_found_with_what_to_say_instead(source, word):
    found = list(check_source(PLACE, source, LIMITS))
    assert any(f"has the word `{word}`; say {LIMITS.refused_words[word]}" in each for each in found)


def test_name_of_a_file_is_found():
    assert list(check_source("agen_authz/core/helpers.py", "", LIMITS)) == [
        "agen_authz/core/helpers.py:1: `helpers` has the word `helpers`; say what it is or does"
    ]


@pytest.mark.parametrize("name", ["subject", "database", "tsunami", "BASE64", "user_agent", "doing"])
def test_name_that_only_looks_like_a_refused_word_is_not_found(name):
    assert list(check_source(PLACE, f"{name} = 1\n", LIMITS)) == []


def test_word_is_allowed_where_it_is_listed_and_nowhere_else():
    source = "class NativeEngine: ...\n"
    assert list(check_source("agen_authz/servers/native_engine.py", source, LIMITS)) == []
    assert len(list(check_source(PLACE, source, LIMITS))) == 1


def test_allowance_that_nothing_needs_is_found():
    limits = Limits(400, 40, {"salt": "nonce"}, {"salt agen_authz/core/": "a reason"}, {}, {})
    assert list(check_allowances({PLACE: "salt = 1\n"}, limits)) == []
    assert list(check_allowances({PLACE: "nonce = 1\n"}, limits)) == [
        "tools/words.toml: `salt agen_authz/core/` is allowed and nothing is called so; remove it"
    ]


def test_every_reason_is_written():
    assert all(LIMITS.allowed_words.values()) and all(LIMITS.refused_words.values())
