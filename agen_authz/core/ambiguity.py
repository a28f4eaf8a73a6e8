"""Whether what a condition reads of a call's arguments means one thing to every backend.

A backend may read `Amount` or `a_mount` where a condition reads `amount`, and a whole number beyond 2^53 as its
neighbour: a condition that reads such a value cannot be evaluated.
"""

import re
import string
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

import orjson

from agen_authz.core.cel_tree import ANY, Path
from agen_authz.core.model import Json

_MAX_EXACT = 2**53
_MAX_REMEMBERED_CHARS, _MAX_REMEMBERED_KEYS = 64, 512
_ESCAPED_NUL = b"\\u0000"
_MARKS = re.compile(r"[\W_]+")
_WIDE = re.compile("[\uff10-\uff5a]")
_NARROW = {code: code - 0xFEE0 for code in range(0xFF10, 0xFF5B)}
_LETTERS_ONLY = str.maketrans("", "", string.punctuation + string.whitespace)


def is_ambiguous(value: dict[str, Json], paths: Iterable[Path], loose: frozenset[str]) -> bool:
    """Say whether a condition that reads `paths` below `value`, and `loose` names anywhere in it, is fooled."""
    for path in paths:
        if _is_ambiguous_along(value, path):
            return True
    return bool(loose) and _has_twin_below(value, loose)


def has_nul(value: object) -> bool:
    """Say whether a NUL stands in any string or key: a condition would see what is before it, a backend all of it."""
    try:
        # Nearly all values have none: written down, they hold no escaped one. Walking them takes five times as long.
        if _ESCAPED_NUL not in orjson.dumps(value):
            return False
    except orjson.JSONEncodeError:
        # Nested too deeply to be written, or a time.
        pass
    return _finds_nul(value)


def _finds_nul(value: object) -> bool:
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, str):
            if "\0" in each:
                return True
        elif isinstance(each, Mapping):
            pending.extend(each)
            pending.extend(each.values())
        elif isinstance(each, list):
            pending.extend(each)
    return False


def _is_ambiguous_along(value: Json, path: Path) -> bool:
    for position, step in enumerate(path):
        if step == ANY and isinstance(value, dict) and _has_twins(value):
            # The key is computed: any of these may be meant.
            return True
        if step == ANY or not isinstance(value, dict):
            rest = path[position + 1 :] if step == ANY else ()
            return step == ANY and any(_is_ambiguous_along(inner, rest) for inner in _elements(value))
        if _has_twin(value, step):
            return True
        if step not in value:
            return False
        value = value[step]
    # Nearly always it is one string or number that is read.
    if isinstance(value, dict | list):
        return any(_is_inexact(each) or (isinstance(each, dict) and _has_twins(each)) for each in _walk(value))
    return _is_inexact(value)


def _elements(value: Json) -> Iterable[Json]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _fold(key: str) -> str:
    # Callers choose keys: short ones are remembered, and only so many.
    return _remember(key) if len(key) <= _MAX_REMEMBERED_CHARS else _fold_anew(key)


def _fold_anew(key: str) -> str:
    # What mappers to members of objects look away from: case, width, and every mark between or around the letters
    # (protobuf's JSON takes `userId` for `user_id`, Go's json/v2 takes `user-id`, others trim). Not Unicode's
    # normal forms: to put a run of marks in order takes quadratic time, and callers choose the key.
    if key.isascii():
        return key.lower().translate(_LETTERS_ONLY) or key
    folded = _MARKS.sub("", key.casefold())
    return (folded.translate(_NARROW) if _WIDE.search(folded) else folded) or key


_remember = lru_cache(maxsize=1024)(_fold_anew)


def _has_twin(value: dict[str, Json], name: str) -> bool:
    # One client's calls have the same few keys: what is said of them is remembered, where they are short.
    keys = tuple(value)
    return _recall_twin(keys, name) if len("".join(keys)) <= _MAX_REMEMBERED_KEYS else _is_twin_among(keys, name)


def _is_twin_among(keys: tuple[str, ...], name: str) -> bool:
    folded = _fold(name)
    return folded in [_fold(key) for key in keys if key != name]


_recall_twin = lru_cache(maxsize=1024)(_is_twin_among)


def _has_twins(value: dict[str, Json]) -> bool:
    keys = tuple(value)
    return _recall_twins(keys) if len("".join(keys)) <= _MAX_REMEMBERED_KEYS else _are_twins_among(keys)


def _are_twins_among(keys: tuple[str, ...]) -> bool:
    return len({_fold(key) for key in keys}) < len(keys)


_recall_twins = lru_cache(maxsize=1024)(_are_twins_among)


def _has_twin_below(value: dict[str, Json], names: frozenset[str]) -> bool:
    folded = {_fold(name) for name in names}
    for each in _walk(value):
        if isinstance(each, dict) and any(key not in names and _fold(key) in folded for key in each):
            return True
    return False


def _is_inexact(value: Json) -> bool:
    # A fraction beyond is a whole number too, and may be the neighbour of the one that was written.
    return isinstance(value, int | float) and not -_MAX_EXACT <= value <= _MAX_EXACT


def _walk(value: Json) -> Iterator[Json]:
    pending: list[Json] = [value]
    while pending:
        each = pending.pop()
        yield each
        if isinstance(each, dict):
            pending.extend(each.values())
        elif isinstance(each, list):
            pending.extend(each)
