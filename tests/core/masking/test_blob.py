"""Base64 is read in any of its spellings, and text told from what is not text."""

from base64 import b64encode, encodebytes, urlsafe_b64encode

import pytest

from agen_authz.core.masking.blob import read_base64, read_text

RAW = bytes(range(0, 256, 3)) + b"\xfb\xff\xbf"


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        (b64encode(RAW).decode(), RAW),
        (b64encode(RAW).decode().rstrip("="), RAW),
        (encodebytes(RAW).decode(), RAW),
        (urlsafe_b64encode(RAW).decode(), RAW),
        ("", b""),
        ("a", None),
        ("not base64!", None),
        ("\xe4\xe4\xe4\xe4", None),
    ],
    ids=["padded", "bare", "in lines", "for URLs", "empty", "cut", "text", "not ASCII"],
)
def test_base64_is_read_in_any_spelling(text: str, raw: bytes | None) -> None:
    assert read_base64(text) == raw


@pytest.mark.parametrize(("raw", "text"), [(b"a\xc3\xa4", "a\xe4"), (b"", ""), (b"\xff", None), (b"a\x00b", None)])
def test_text_is_utf_8_without_null(raw: bytes, text: str | None) -> None:
    assert read_text(raw) == text
