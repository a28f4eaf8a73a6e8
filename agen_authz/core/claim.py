"""Claims by configured path, each of the type it must have; the first mistake is remembered, none is guessed at.

A claim that is absent, or null where it is optional, reads as empty. A claim of another type, with control
characters, or a number that is not finite is a mistake: the token is refused, never half believed.
"""

import re
from collections.abc import Mapping

from agen_authz.core.model import Json, Subject

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MAX_TEXT_CHARS = 2048
_MAX_LIST_ITEMS = 1000
# Year 9999: beyond it a time is a mistake of units.
_MAX_EPOCH_S = 253_402_300_800

Path = tuple[str, ...]


class ClaimReader:
    """Reads one token's verified claims; after the reading, `mistake` names the first that was wrong."""

    def __init__(self, claims: Mapping[str, Json]) -> None:
        self._claims = claims
        self.mistake = ""

    def _note(self, path: Path, expected: str) -> None:
        if not self.mistake:
            self.mistake = f"claim `{'.'.join(path)}` is not {expected}"

    def _find(self, candidates: tuple[Path, ...]) -> tuple[Path, Json]:
        for path in candidates:
            value = self._claims.get(path[0])
            for key in path[1:]:
                value = value.get(key) if isinstance(value, dict) else None
            if value is not None:
                return path, value
        return (candidates[0] if candidates else ()), None

    def _clean(self, path: Path, value: Json) -> str:
        if not isinstance(value, str) or len(value) > _MAX_TEXT_CHARS or _CONTROL.search(value):
            self._note(path, "a string without control characters")
            return ""
        return value

    def text(self, candidates: tuple[Path, ...]) -> str:
        """Read a string; absent is empty."""
        path, value = self._find(candidates)
        return "" if value is None else self._clean(path, value)

    def required_text(self, candidates: tuple[Path, ...]) -> Subject:
        """Read a string that must be there and not be empty."""
        path, value = self._find(candidates)
        text = self._clean(path, value)
        if not text:
            self._note(path, "a non-empty string")
        return Subject(text)

    def texts(self, candidates: tuple[Path, ...]) -> tuple[str, ...]:
        """Read a list of strings; absent is empty, a lone string is a mistake."""
        path, value = self._find(candidates)
        if value is None:
            return ()
        if not isinstance(value, list) or len(value) > _MAX_LIST_ITEMS:
            self._note(path, "a list of strings")
            return ()
        return tuple(self._clean(path, item) for item in value)

    def words(self, candidates: tuple[Path, ...]) -> tuple[str, ...]:
        """Read scopes: a string of words (RFC 8693 section 4.2), or a list of strings."""
        path, value = self._find(candidates)
        if isinstance(value, str):
            return tuple(word for word in self._clean(path, value).split(" ") if word)
        return self.texts(candidates)

    def flag(self, candidates: tuple[Path, ...]) -> bool:
        """Read a boolean; absent is false."""
        path, value = self._find(candidates)
        if value is None:
            return False
        if not isinstance(value, bool):
            self._note(path, "true or false")
            return False
        return value

    def seconds(self, name: str) -> float | None:
        """Read a NumericDate (RFC 7519 section 2): a finite number, never a boolean or a string."""
        if name not in self._claims:
            return None
        value = self._claims[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _MAX_EPOCH_S:
            self._note((name,), "a number of seconds since 1970")
            return None
        return float(value)

    def required_seconds(self, name: str) -> float:
        """Read a NumericDate that must be there."""
        value = self.seconds(name)
        if value is None:
            self._note((name,), "a number of seconds since 1970")
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
