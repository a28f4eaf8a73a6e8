"""What is pinned of a tool, and its digest: SHA-256 of canonical JSON, less an explicit list of exclusions (ADR 0020).

Everything is covered unless it is listed in `EXCLUDED`, so a field that is invented later is covered from its first
day. A server's `instructions` are pinned in the same way, as a definition without a name.

Canonical JSON: keys in the order of their code points, no spaces, everything beyond ASCII escaped, so that no
library's idea of Unicode changes a digest. Numbers are written by their value: a number without a fraction within 64
bits is written as an integer (`1`, `1.0` and `1e0` are one number, and so are `0` and `-0.0`), any other as the
shortest text that reads back as the same double. The strict parser has refused before that what has no one value:
duplicate keys, NaN, overflow, lone surrogates (core/strict_json.py).
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import TypeAlias

from agen_authz.core.message.target import is_tool_name
from agen_authz.core.model import Digest, Json
from agen_authz.core.pinning.hidden import spell

Definition: TypeAlias = dict[str, Json]

# W3C Trace Context and Baggage: lists of `key=value`; without a blank, so that no sentence is excluded.
_PAIRS = re.compile(r"[a-z0-9_*/@.-]{1,256}=[!-~]{1,512}", re.IGNORECASE)
# Members of a definition that vary from one answer to the next and mean nothing: trace context (W3C, OpenTelemetry),
# which MCP allows in every `_meta`. Of any other form they may mean something, and are covered.
EXCLUDED: Mapping[str, Mapping[str, "re.Pattern[str]"]] = {
    "_meta": {
        "traceparent": re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"),
        "tracestate": _PAIRS,
        "baggage": _PAIRS,
    }
}
INSTRUCTIONS = ""
"""The name that a server's `instructions` are kept under: no tool can have it."""

# What is kept under this mark has a name that no call can have, so it is never pinned.
_UNCALLABLE = "?"
_MAX_NAME_CHARS = 200
MAX_DEFINITION_BYTES = 128 * 1024
"""A longer one is not kept, so it can be neither shown nor pinned."""

# Integers that doubles and integers can both spell.
_INTEGERS = 2.0**64


def define_instructions(text: str) -> Definition:
    """Return the definition that a server's `instructions` are pinned as."""
    return {"instructions": text}


def name_of(definition: Json) -> str | None:
    """Name a definition as it is kept; None if it has no name, so that nothing can be kept of it.

    A name that no call can have (core/message/target.py) is kept in a readable spelling after a `?`.
    """
    if not isinstance(definition, dict):
        return None
    if "name" not in definition and "instructions" in definition:
        return INSTRUCTIONS
    name = definition.get("name")
    if not isinstance(name, str):
        return None
    return name if is_tool_name(name) else _UNCALLABLE + spell(name[:_MAX_NAME_CHARS])[:_MAX_NAME_CHARS]


def is_callable(name: str) -> bool:
    """True if a call can have this name, as `name_of` returns names; instructions are not called."""
    return name != INSTRUCTIONS and not name.startswith(_UNCALLABLE)


def spell_canonical(definition: Definition) -> str:
    """Write down what is pinned of a definition as canonical JSON, in ASCII."""
    kept = {key: _without(key, value) for key, value in definition.items()}
    return spell_value({key: value for key, value in kept.items() if value != {} or definition[key] == {}})


def _without(key: str, value: Json) -> Json:
    excluded = EXCLUDED.get(key)
    if excluded is None or not isinstance(value, dict):
        return value
    return {name: each for name, each in value.items() if name not in excluded or not _is_form(each, excluded[name])}


def _is_form(value: Json, form: "re.Pattern[str]") -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


def spell_value(value: Json) -> str:
    """Write down any value as canonical JSON: equal texts, equal values."""
    return json.dumps(_settle(value), sort_keys=True, separators=(",", ":"))


def _settle(value: Json) -> Json:
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _INTEGERS else value
    if isinstance(value, dict):
        return {key: _settle(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_settle(each) for each in value]
    return value


def digest_canonical(text: str) -> Digest:
    """Digest canonical JSON: SHA-256 as hex."""
    return Digest(hashlib.sha256(text.encode("ascii")).hexdigest())


def digest_definition(definition: Definition) -> Digest:
    """Digest what is pinned of a definition."""
    return digest_canonical(spell_canonical(definition))
