"""Text in base64 is read, wherever it begins in a run of letters; what is no text stays."""

from base64 import b64encode, encodebytes, urlsafe_b64encode

import pytest

from agen_authz.core.masking.encoded import list_encoded

TEXT = "jane.doe@example.com"
WORD = b64encode(TEXT.encode())
BARE = WORD.rstrip(b"=")
LONG = "Jane Doe, jane.doe@example.com, born 1990; " * 3
LINES = encodebytes(LONG.encode()).rstrip(b"\n")
SIGNS = "\u00fb\u00ff\u00be\u00ff? a sign that is another one in URLs"


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (WORD, [(0, len(WORD), TEXT)]),
        (BARE, [(0, len(BARE), TEXT)]),
        (b"/api/v1/" + WORD, [(8, 8 + len(WORD), TEXT)]),
        (BARE + b"_x", [(0, len(BARE), TEXT)]),
        (b"AAAA-" + BARE + b"-BBBB", [(5, 5 + len(BARE), TEXT)]),
        (LINES, [(0, len(LINES), LONG)]),
        (LINES.replace(b"\n", b"\r\n"), [(0, len(LINES) + LINES.count(b"\n"), LONG)]),
        (b"z" * 17 + b"\n" + WORD, [(18, 18 + len(WORD), TEXT)]),
        (b64encode(TEXT.encode("utf-16-le")), [(0, 56, TEXT)]),
        (urlsafe_b64encode(SIGNS.encode()), [(0, len(urlsafe_b64encode(SIGNS.encode())), SIGNS)]),
    ],
    ids=[
        *("padded", "bare", "behind a path", "with an end", "between signs", "in lines", "in lines of mail"),
        *("on a line of its own", "in UTF-16", "for URLs"),
    ],
)
def test_text_in_base64_is_found_where_it_is(raw: bytes, found: list[tuple[int, int, str]]) -> None:
    assert list_encoded(raw) == found


@pytest.mark.parametrize(
    "raw",
    [
        b"A" * 17,
        b64encode(bytes(range(128, 152))),
        b64encode(b"\x00\xd8" * 9),
        b64encode(b"a\x01b\x02c\x03d\x04e\x05f\x06"),
        b"documentation/concepts/overview/introduction",
        b"a/" * 40,
    ],
    ids=["no length of it", "not UTF-8", "half a surrogate", "control characters", "a path", "many signs"],
)
def test_run_of_letters_that_is_no_text_is_left_out(raw: bytes) -> None:
    assert list_encoded(raw) == []


def test_run_is_read_in_a_bounded_number_of_ways():
    assert list_encoded(b"a-" * 4 + WORD) != []
    assert list_encoded(b"a-" * 40 + WORD) == []
