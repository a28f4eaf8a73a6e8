"""Cross-checks of `data_protection` and `masking_keys`."""

import re
from collections.abc import Iterable
from difflib import get_close_matches

from agen_authz.config.access import Protection
from agen_authz.config.check_condition import check_conditions
from agen_authz.config.check_target import check_selectors
from agen_authz.config.detector import DETECTORS, is_detector
from agen_authz.config.finding import Findings
from agen_authz.config.tree import Path

POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)+")
# RE2 has no look-around, back-references, atomic groups, conditions or possessive repeats.
_NOT_RE2 = re.compile(r"\(\?(?:=|!|<=|<!|>|\(|P=)|\\[1-9]|[*+?}]\+")
# RE2 spells these as the standard library does not: any character stands in for them.
_ONLY_RE2 = re.compile(r"\\[pP](?:\{\^?\w+\}|\w)|\[:\^?[a-z]+:\]|\\[zCQE]|\(\?U\)|\\x\{[0-9a-fA-F]+\}")
_MAX_PATTERN_CHARS = 1024


def check_protection(findings: Findings) -> None:
    """Check data-protection rules and the keys they may need."""
    config = findings.config
    findings.refuse_twins(("data_protection",), "name", (rule.name for rule in config.data_protection), "rules")
    findings.refuse_twins(("masking_keys",), "id", (key.id for key in config.masking_keys), "keys")
    for index, rule in enumerate(config.data_protection):
        path: Path = ("data_protection", index)
        check_selectors(findings, path, rule)
        check_conditions(findings, path, rule.when)
        _check_names(findings, path, rule)
        _check_custom(findings, (*path, "custom"), rule)
        for position, pointer in enumerate(rule.exempt_paths or ()):
            if not POINTER.fullmatch(pointer):
                cure = "write one such as /result/structuredContent/order_id"
                findings.add((*path, "exempt_paths", position), "not a JSON pointer (RFC 6901)", cure)


def _check_names(findings: Findings, path: Path, rule: Protection) -> None:
    findings.refuse_empty((*path, "presets"), rule.presets, "at least one preset")
    choice = rule.detectors
    added = () if choice is None else choice.add or ()
    removed = () if choice is None else choice.remove or ()
    own = {custom.name for custom in rule.custom or ()}
    if not rule.presets and not added and not own:
        findings.add(path, f"rule `{rule.name}` looks for nothing", "add `presets`, `detectors.add` or `custom`")
    _check_detectors(findings, ((*path, "detectors", "add", index) for index in range(len(added))), added, own)
    _check_detectors(findings, ((*path, "detectors", "remove", index) for index in range(len(removed))), removed, own)
    styled = tuple(rule.style or ())
    _check_detectors(findings, ((*path, "style", name) for name in styled), styled, own | {"default"})


def _check_detectors(findings: Findings, places: Iterable[Path], names: Iterable[str], own: set[str]) -> None:
    for place, name in zip(places, names, strict=True):
        if not is_detector(name) and name not in own:
            near = get_close_matches(name, sorted(DETECTORS | own), n=1)
            cure = f"did you mean `{near[0]}`" if near else "use one of ours, or define it under `custom`"
            findings.add(place, f"unknown detector `{name}`", cure, leans_on=((*place[:2], "custom"),))


def _check_custom(findings: Findings, path: Path, rule: Protection) -> None:
    customs = rule.custom or ()
    findings.refuse_twins(path, "name", (custom.name for custom in customs), "detectors")
    for index, custom in enumerate(customs):
        if is_detector(custom.name):
            findings.add((*path, index, "name"), "a detector of ours is called that", "choose another name")
        why = _find_flaw(custom.pattern)
        if why is not None:
            findings.add((*path, index, "pattern"), f"not an RE2 pattern: {why}", "correct the pattern")


def _find_flaw(pattern: str) -> str | None:
    """Find what RE2 or a scan cannot take; the scanner itself compiles the pattern again."""
    if len(pattern) > _MAX_PATTERN_CHARS:
        return f"longer than {_MAX_PATTERN_CHARS} characters"
    if _NOT_RE2.search(pattern.replace("\\\\", "")):
        return "look-around, back-references and possessive repeats do not exist there"
    try:
        compiled = re.compile(_ONLY_RE2.sub("x", pattern))
    except (re.error, OverflowError, RecursionError):
        return "it cannot be compiled"
    return "it matches nothing at all, everywhere" if compiled.search("") else None
