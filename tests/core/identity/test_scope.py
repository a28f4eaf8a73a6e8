"""Words that are scopes (RFC 6749 section 3.3), and lists of them."""

import pytest

from agen_authz.core.identity.scope import is_scope, split_scopes


def test_scope_is_printable_ascii_without_blank_quote_and_backslash():
    assert {code for code in range(0x110000) if is_scope(chr(code))} == set(range(0x21, 0x7F)) - {0x22, 0x5C}


@pytest.mark.parametrize("word", ["", "two words", 'say"so', "back\\slash", "tab\t", "line\n", "\u00e4"])
def test_other_words_are_not_scopes(word):
    assert not is_scope(word)


@pytest.mark.parametrize(
    ("text", "scopes"), [("", ()), ("a", ("a",)), (" a  b ", ("a", "b")), ("a\tb c", ("a\tb", "c"))]
)
def test_scopes_are_split_at_blanks_only(text, scopes):
    assert split_scopes(text) == scopes
