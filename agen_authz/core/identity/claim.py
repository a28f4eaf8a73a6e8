"""Claims by configured path, each of the type it must have; the first mistake is remembered, nothing is guessed.

A claim that is absent or null reads as empty, unless the token says that it is kept elsewhere: then it is not known. A
claim of another type, inside one that is not an object, with control characters, or a number that is not finite is a
mistake. In a claim that access is decided on (subject, roles, scopes, times) a mistake refuses the token. Other claims
are read through `if_readable`: a mistake there makes this one claim unreadable, so that a condition or a step-up that
needs it cannot be met, and nothing else.
"""

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from agen_authz.core.identity.scope import split_scopes
from agen_authz.core.model import Json, Subject

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MAX_TEXT_CHARS = 2048
_MAX_LIST_ITEMS = 1000
# Year 9999: beyond it a time is a mistake of units.
_MAX_EPOCH_S = 253_402_300_800
_KINDS = {bool: "true or false", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}
_TEXT = "a string without control characters"
_SECONDS = "a number of seconds since 1970"
# What is wrong with a value whose type is right.
_FAULTS: dict[type, str] = {
    str: f"a string that is empty, longer than {_MAX_TEXT_CHARS} characters or has control characters",
    list: f"a list of more than {_MAX_LIST_ITEMS}",
    dict: f"an object of more than {_MAX_LIST_ITEMS} keys",
    int: "a number that is not a time",
    float: "a number that is not a time",
}

Path = tuple[str, ...]
_Read = TypeVar("_Read")


def _list_elsewhere(claims: Mapping[str, Json]) -> tuple[Json, ...]:
    """List claims that are not in the token although its subject has them.

    They are named in `_claim_names` (OpenID Connect Core 1.0 section 5.6.2): Entra does so for people in more than 200
    groups, or writes `hasgroups`.
    """
    named = claims.get("_claim_names")
    groups = ("groups",) if claims.get("hasgroups") else ()
    return (*named, *groups) if isinstance(named, dict | list) else groups


class ClaimReader:
    """Reads one token's verified claims; after the reading, `mistake` names the first that was wrong."""

    def __init__(self, claims: Mapping[str, Json]) -> None:
        self._claims = claims
        self._elsewhere = _list_elsewhere(claims)
        self.mistake = ""

    def _note(self, path: Path, expected: str, value: Json) -> None:
        if not self.mistake:
            seen = "missing" if value is None else _KINDS[type(value)]
            if expected.startswith(seen):
                seen = _FAULTS[type(value)]
            self.mistake = f"claim `{'.'.join(path)}` is {seen}; wanted {expected}"

    def _find(self, candidates: tuple[Path, ...]) -> tuple[Path, Json]:
        for path in candidates:
            value = self._claims.get(path[0])
            for depth, key in enumerate(path[1:], 1):
                if value is None:
                    break
                if not isinstance(value, dict):
                    # No other claim takes its place: what it would have held is not known.
                    self._note(path[:depth], "an object", value)
                    return path, None
                value = value.get(key)
            if value is not None:
                return path, value
            if path[0] in self._elsewhere:
                # No other claim takes its place: what it would have said is not known.
                self.mistake = (
                    self.mistake or f"claim `{'.'.join(path)}` is not in the token, which says it is elsewhere"
                )
                return path, None
        return (candidates[0] if candidates else ()), None

    def _clean(self, path: Path, value: Json) -> str:
        if not isinstance(value, str) or len(value) > _MAX_TEXT_CHARS or _CONTROL.search(value):
            self._note(path, _TEXT, value)
            return ""
        return value

    def if_readable(self, read: "Callable[[ClaimReader], _Read]") -> _Read | None:
        """Read a claim that no access is decided on; None if it has another type than it must have."""
        reader = ClaimReader(self._claims)
        value = read(reader)
        return None if reader.mistake else value

    def text(self, candidates: tuple[Path, ...]) -> str:
        """Read a string; absent is empty."""
        path, value = self._find(candidates)
        return "" if value is None else self._clean(path, value)

    def required_text(self, candidates: tuple[Path, ...]) -> Subject:
        """Read a string that must be there and not be empty."""
        path, value = self._find(candidates)
        text = self._clean(path, value)
        if not text:
            self._note(path, "a string that is not empty", value)
        return Subject(text)

    def texts(self, candidates: tuple[Path, ...]) -> tuple[str, ...]:
        """Read a list of strings; absent is empty, a lone string is a mistake."""
        path, value = self._find(candidates)
        return () if value is None else self._clean_list(path, value, "a list of strings")

    def names(self, candidates: tuple[Path, ...], *, has_keys: bool = False) -> tuple[str, ...]:
        """Read roles, permissions or groups: a list of strings, or one string, which is one name; absent is empty.

        Args:
            has_keys: the names are the keys of an object instead; a key whose value is false or null is left out.
        """
        path, value = self._find(candidates)
        if value is None or value == "":
            return ()
        if has_keys:
            return self._clean_keys(path, value)
        if isinstance(value, str):
            return (self._clean(path, value),)
        return self._clean_list(path, value, "a list of strings or one string")

    def _clean_list(self, path: Path, value: Json, expected: str) -> tuple[str, ...]:
        if not isinstance(value, list) or len(value) > _MAX_LIST_ITEMS:
            self._note(path, expected, value)
            return ()
        return tuple(self._clean(path, item) for item in value)

    def _clean_keys(self, path: Path, value: Json) -> tuple[str, ...]:
        if not isinstance(value, dict) or len(value) > _MAX_LIST_ITEMS:
            self._note(path, "an object whose keys are read (`keys: true`)", value)
            return ()
        return tuple(self._clean(path, key) for key, held in value.items() if held is not None and held is not False)

    def words(self, candidates: tuple[Path, ...]) -> tuple[str, ...]:
        """Read scopes: a string of words (RFC 8693 section 4.2), or a list of strings."""
        path, value = self._find(candidates)
        if isinstance(value, str):
            return split_scopes(self._clean(path, value))
        return self.texts(candidates)

    def flag(self, candidates: tuple[Path, ...]) -> bool:
        """Read a boolean; absent is false."""
        path, value = self._find(candidates)
        if value is None:
            return False
        if not isinstance(value, bool):
            self._note(path, "true or false", value)
            return False
        return value

    def seconds(self, name: str) -> float | None:
        """Read a NumericDate (RFC 7519 section 2): a finite number, never a boolean or a string; absent is None."""
        value = self._claims.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MAX_EPOCH_S:
            self._note((name,), _SECONDS, value)
            return None
        return float(value)

    def required_seconds(self, name: str) -> float:
        """Read a NumericDate that must be there."""
        value = self.seconds(name)
        if value is None:
            self._note((name,), _SECONDS, None)
            return 0.0
        return value

    def audiences(self) -> frozenset[str]:
        """Read `aud`: one string or a list of them (RFC 7519 section 4.1.3); absent is none at all."""
        value = self._claims.get("aud")
        if isinstance(value, str):
            return frozenset({value})
        if value is None:
            return frozenset()
        return frozenset(self.texts((("aud",),)))
