"""Inputs of the corpus, changed: the same changes in every run, so that only a change of the code makes a test fail."""

import re
from ast import literal_eval
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random

_MAX_CHANGES = 4
_MAX_PIECE = 16
_WORD = re.compile(r'^"(?:[^"\\]|\\.)*"$', re.MULTILINE)


def read_words(path: Path) -> list[bytes]:
    """Read a dictionary of the fuzzer: one word in quotes a line."""
    return [literal_eval("b" + word) for word in _WORD.findall(path.read_text(encoding="ascii"))]


def change(seeds: Sequence[bytes], words: Sequence[bytes], max_bytes: int, count: int) -> Iterator[bytes]:
    """Make inputs of seeds, each changed in up to four places."""
    random = Random(1)  # noqa: S311 - the same in every run is what is wanted
    kinds: tuple[Callable[[Random, bytes], bytes], ...] = (
        _flip,
        _cut,
        _repeat,
        lambda random, raw: _put(random, raw, random.choice(words)),
        lambda random, raw: _put(random, raw, _piece(random, random.choice(seeds))),
        lambda random, raw: _put(random, raw, random.randbytes(1)),
    )
    for _ in range(count):
        raw = random.choice(seeds)
        for _ in range(random.randint(1, _MAX_CHANGES)):
            raw = random.choice(kinds)(random, raw)
        yield raw[:max_bytes]


def _place(random: Random, raw: bytes) -> int:
    return random.randint(0, len(raw))


def _piece(random: Random, raw: bytes) -> bytes:
    start = _place(random, raw)
    return raw[start : start + random.randint(1, _MAX_PIECE)]


def _put(random: Random, raw: bytes, new: bytes) -> bytes:
    at = _place(random, raw)
    return raw[:at] + new + raw[at:]


def _flip(random: Random, raw: bytes) -> bytes:
    if not raw:
        return raw
    at = random.randrange(len(raw))
    return raw[:at] + bytes([raw[at] ^ 1 << random.randrange(8)]) + raw[at + 1 :]


def _cut(random: Random, raw: bytes) -> bytes:
    start = _place(random, raw)
    return raw[:start] + raw[start + random.randint(1, _MAX_PIECE) :]


def _repeat(random: Random, raw: bytes) -> bytes:
    return _put(random, raw, _piece(random, raw))
