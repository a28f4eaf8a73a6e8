import pytest

from agen_authz.core.quote import quote, quote_all

TEXTS = {
    "plain": ("desk", "`desk`"),
    "empty": ("", "``"),
    "backtick": ("a`b", "`a\\u{60}b`"),
    "line end": ("a\nb", "`a\\u{a}b`"),
    "C1 control": ("a\u009bb", "`a\\u{9b}b`"),
    "right to left": ("a\u202eb", "`a\\u{202e}b`"),
    "letters beyond ASCII": ("ä語", "`ä語`"),
    "long": ("x" * 101, f"`{'x' * 100}…`"),
    "as long as may be": ("x" * 100, f"`{'x' * 100}`"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_text_is_quoted_escaped_and_bounded(name):
    text, shown = TEXTS[name]
    assert quote(text) == shown


@pytest.mark.parametrize(
    ("texts", "shown"),
    [((), "none"), (("b", "a"), "`a`, `b`"), ("abcdefg", "`a`, `b`, `c`, `d`, `e` and 2 more")],
    ids=["none", "in order", "five and more"],
)
def test_several_texts_are_shown_in_order_and_counted(texts, shown):
    assert quote_all(texts) == shown
