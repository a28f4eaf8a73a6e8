"""Reads a body as a client and its model would: JSON, JSON in strings, escapes, base64, digits of any script."""

import binascii
import html
import json
import re
import unicodedata
from base64 import b64decode
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

MAX_READINGS = 12
_ENDS_OF_WORDS = re.compile(r"\\+[nrtbfv]")
_UTF16 = re.compile(r"(?:\\+u[0-9a-fA-F]{4})+")
_HEX = re.compile(r"\\+x([0-9a-fA-F]{2})")
_EXPONENT = re.compile(r"[0-9]\.?[0-9]*[eE][+-]?[0-9]{1,2}")
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{12,}")
_OPENING = re.compile(r'[{\["]')
_TAGS = {0xE0000 + code: chr(code) for code in range(0x20, 0x7F)}


def find_rest(body: Any, value: str, length: int = 9) -> str | None:
    """Return a text of a body that holds so many letters and digits of a value in a row, in any reading."""
    bare = squeeze(value)
    parts = {bare[at : at + length] for at in range(len(bare) - length + 1)}
    assert parts
    for text in list_readings(body):
        seen = squeeze(text)
        if any(part in seen for part in parts):
            return text
    return None


def squeeze(text: str) -> str:
    """Return the letters and digits of a text, as ASCII if they are digits."""
    written = []
    for each in unicodedata.normalize("NFKC", text.translate(_TAGS)):
        digit = unicodedata.digit(each, None)
        if digit is not None:
            written.append(str(digit))
        elif each.isalnum():
            written.append(each.lower())
    return "".join(written)


def list_readings(value: Any, depth: int = 0) -> Iterator[str]:
    """List every text of a JSON value, and what else it may be read as."""
    match value:
        case dict():
            yield from list_readings([*value, *value.values()], depth)
        case list():
            for item in value:
                yield from list_readings(item, depth)
        case str():
            yield value
            if depth < MAX_READINGS:
                yield from list_readings([*{*_read_again(value)}, *_list_documents(value)], depth + 1)
        case float():
            yield f"{value:.0f}"
        case _:
            yield str(value)


def _read_again(text: str) -> Iterator[str]:
    yield from (f"{float(each):.0f}" for each in _EXPONENT.findall(text))
    read = unquote(html.unescape(text))
    read = _UTF16.sub(lambda found: _read_utf16(found.group()), read)
    read = _ENDS_OF_WORDS.sub(" ", _HEX.sub(lambda found: chr(int(found[1], 16)), read))
    if read != text:
        yield read
    for word in (*_ENCODED.findall(text), re.sub(r"\s", "", text)):
        letters = word.rstrip("=").translate(str.maketrans("-_", "+/"))
        try:
            yield b64decode(letters + "=" * (-len(letters) % 4), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            continue


def _read_utf16(text: str) -> str:
    return bytes.fromhex(text.replace("\\", "").replace("u", "")).decode("utf-16-be", "replace")


def _list_documents(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    for found in list(_OPENING.finditer(text))[:40]:
        try:
            document, _ = decoder.raw_decode(text, found.start())
        except ValueError:
            continue
        if document != text:
            yield document
