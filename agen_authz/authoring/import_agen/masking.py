"""What one of Agen's masking policies masks, as `data_protection` has it: our detectors, and its own patterns.

Agen has a switch for each detector, by names in camelCase (API) or with underscores (Terraform), and patterns that it
names by their ids. It has no styles: what is found is redacted.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agen_authz.authoring.import_agen.condition import NoEquivalent
from agen_authz.authoring.import_agen.tool import is_terraform, listed, walk_terraform
from agen_authz.core.masking.selection import find_id

PATTERN_IDS = "customMaskingRegexIds"
_RESOURCE = "_custom_masking_regex"
_HUMP = re.compile(r"_([a-z0-9])")
# JavaScript's: every match is masked here anyway, and every text is Unicode.
_FLAGS = {"g": "", "u": "", "i": "i", "m": "m", "s": "s"}


@dataclass(frozen=True, slots=True)
class Pattern:
    """One of Agen's patterns."""

    name: str
    pattern: str
    flags: str
    is_enabled: bool


@dataclass(frozen=True, slots=True)
class Masking:
    """What is masked: ids of our detectors, and patterns as `custom` has them."""

    detectors: tuple[str, ...]
    custom: tuple[dict[str, str], ...]


def read_patterns(document: Any) -> dict[str, Pattern]:
    """Read patterns by their ids, from Agen's list of them or a Terraform state.

    Raises:
        ValueError: it is one page of several.
    """
    if is_terraform(document):
        held = [
            resource.get("values")
            for resource in walk_terraform(document)
            if str(resource.get("type")).endswith(_RESOURCE)
        ]
    else:
        held = listed(document, "patterns")
    return {
        each["id"]: Pattern(each["name"], each["pattern"], each.get("flags") or "", each.get("enabled") is not False)
        for each in held
        if isinstance(each, dict) and all(isinstance(each.get(key), str) for key in ("id", "name", "pattern"))
    }


def read_masking(configuration: Any, patterns: Mapping[str, Pattern], where: str) -> Masking:
    """Read which detectors are switched on, or a list of their names.

    Raises:
        NoEquivalent: a detector or a pattern is not known, or nothing is masked; the message names it.
    """
    if isinstance(configuration, list):
        configuration = dict.fromkeys(map(str, configuration), True)
    if not isinstance(configuration, dict):
        raise NoEquivalent(f"{where}: does not say what is masked")
    detectors = []
    for name, is_on in configuration.items():
        if name == PATTERN_IDS or is_on is False or is_on is None:
            continue
        found = find_id(name) or find_id(_HUMP.sub(lambda hump: hump[1].upper(), name))
        if is_on is not True or found is None:
            raise NoEquivalent(f"{where}: no detector here is called `{name}`")
        detectors.append(found)
    custom = _read_custom(configuration.get(PATTERN_IDS), patterns, f"{where}.{PATTERN_IDS}")
    if not detectors and not custom:
        raise NoEquivalent(f"{where}: masks nothing")
    return Masking(tuple(dict.fromkeys(detectors)), custom)


def _read_custom(ids: Any, patterns: Mapping[str, Pattern], where: str) -> tuple[dict[str, str], ...]:
    if ids is None:
        return ()
    if not isinstance(ids, list):
        raise NoEquivalent(f"{where}: is not a list")
    unknown = next((each for each in ids if not isinstance(each, str) or each not in patterns), None)
    if unknown is not None:
        raise NoEquivalent(f"{where}: no pattern with the id `{unknown}` is known; give Agen's list by `--patterns`")
    return tuple(_render(patterns[each], where) for each in ids if patterns[each].is_enabled)


def _render(held: Pattern, where: str) -> dict[str, str]:
    for flag in held.flags:
        if flag not in _FLAGS:
            raise NoEquivalent(f"{where}: pattern `{held.name}`: the flag `{flag}` has no equivalent here")
    flags = "".join(dict.fromkeys(_FLAGS[flag] for flag in held.flags))
    return {"name": held.name, "pattern": f"(?{flags}){held.pattern}" if flags else held.pattern}
