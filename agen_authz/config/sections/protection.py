"""`data_protection` and `masking_keys`: what is masked in what comes back."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Literal

from pydantic import Field

from agen_authz.config.part.condition import check_conditions
from agen_authz.config.part.detector import DETECTORS, is_detector
from agen_authz.config.part.pointer import POINTER
from agen_authz.config.part.selector import check_selectors
from agen_authz.config.part.vocabulary import Vocabulary
from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Line, Lines, Name, Section, Selectors, Text, Word
from agen_authz.config.reading.tree import Path
from agen_authz.config.sections.policies import State

MaskStyle = Literal["redact", "partial", "last4", "hash", "tokenize", "generalize", "drop"]
# RE2 has no look-around, back-references, atomic groups, conditions or possessive repeats.
_NOT_RE2 = re.compile(r"\(\?(?:=|!|<=|<!|>|\(|P=)|\\[1-9]|[*+?}]\+")
# RE2 spells these as the standard library does not: any character is used for them.
_ONLY_RE2 = re.compile(r"\\[pP](?:\{\^?\w+\}|\w)|\[:\^?[a-z]+:\]|\\[zCQE]|\(\?U\)|\\x\{[0-9a-fA-F]+\}")
_MAX_PATTERN_CHARS = 1024


class DetectorChoice(Section):
    """Detectors besides those of the presets, and detectors to leave out."""

    add: Lines | None = Field(None, description="Detectors to add.")
    remove: Lines | None = Field(None, description="Detectors to leave out.")


class CustomDetector(Section):
    """Your own pattern."""

    name: Name = Field(description="The pattern's name in events and in redacted text.")
    pattern: Line = Field(description="An RE2 pattern.")
    style: MaskStyle = Field("redact", description="How its matches are masked.")


class Protection(Section):
    """Rules that mask sensitive values in responses."""

    name: Name = Field(description="The rule's name.")
    state: State = Field(description="disabled, shadow or enforce.")
    tools: Selectors = Field(None, description="The tools whose results the rule is about.")
    resources: Selectors = Field(None, description="Resource URIs it is about.")
    prompts: Selectors = Field(None, description="Prompts it is about.")
    when: tuple[Text, ...] | None = Field(
        None, description="CEL conditions; a condition that cannot be evaluated counts as true."
    )
    presets: tuple[Literal["pii", "phi", "gdpr", "pci", "secrets"], ...] | None = Field(
        None, description="Groups of detectors to use."
    )
    detectors: DetectorChoice | None = Field(None, description="Single detectors to add or leave out.")
    custom: tuple[CustomDetector, ...] | None = Field(None, description="Your own patterns.")
    style: dict[Line, MaskStyle] | None = Field(
        None, description="How matches are masked, by detector; `default` is for the other detectors."
    )
    exempt_paths: Lines | None = Field(
        None, description="JSON pointers of values that are not masked; * stands for one step."
    )
    binary: Literal["block", "pass"] = Field(
        "block", description="What happens to images, audio and blobs that are not text."
    )
    on_failure: Literal["block", "pass"] = Field(
        "block", description="What happens to bodies that cannot be inspected."
    )


class MaskingKey(Section):
    """A key for hashing and tokenizing values."""

    id: Word = Field(description="The key's name.")
    secret_file: Line = Field(description="The file with the key: at least 32 bytes.")


def check_protection(
    findings: Findings, rules: Sequence[Protection], masking_keys: Sequence[MaskingKey], known: Vocabulary
) -> None:
    """Check data-protection rules and the keys they may need."""
    findings.refuse_twins(("data_protection",), "name", (rule.name for rule in rules), "rules")
    findings.refuse_twins(("masking_keys",), "id", (key.id for key in masking_keys), "keys")
    for index, rule in enumerate(rules):
        path: Path = ("data_protection", index)
        check_selectors(findings, path, rule, known)
        check_conditions(findings, path, rule.when, known)
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
