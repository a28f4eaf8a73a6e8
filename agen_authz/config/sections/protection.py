"""`data_protection` and `masking_keys`: what is masked in what comes back."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

from pydantic import Field

from agen_authz.config.part.condition import check_conditions
from agen_authz.config.part.detector import find_pattern_flaw, suggest_detector
from agen_authz.config.part.pointer import POINTER
from agen_authz.config.part.selector import check_selectors
from agen_authz.config.part.vocabulary import Vocabulary
from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.section import Line, Lines, Name, Section, Selectors, Text, Word
from agen_authz.config.reading.tree import Path
from agen_authz.config.sections.policies import State
from agen_authz.core.masking.row import Style
from agen_authz.core.masking.selection import Detectors, find_id
from agen_authz.core.masking.style import settle

MaskStyle = Literal["redact", "partial", "last4", "hash", "tokenize", "generalize", "drop"]
_KEYED = frozenset({"hash", "tokenize"})
# In `style`: every detector that is not named there.
OTHERS = "default"


class DetectorChoice(Section):
    """Detectors besides those of the presets, and detectors to leave out."""

    add: Lines | None = Field(None, description="Detectors to add.")
    remove: Lines | None = Field(None, description="Detectors to leave out.")


class CustomDetector(Section):
    """Your own pattern."""

    name: Name = Field(description="The pattern's name in events and in redacted text.")
    pattern: Line = Field(description="An RE2 pattern of at most 1024 characters; it must not match the empty text.")
    style: MaskStyle = Field("redact", description="How its matches are masked.")


class Protection(Section):
    """Rules that mask sensitive values in responses."""

    name: Name = Field(description="The rule's name.")
    state: State = Field(description="disabled, shadow or enforce.")
    tools: Selectors = Field(None, description="The tools whose results the rule is about.")
    resources: Selectors = Field(None, description="Resource URIs it is about.")
    prompts: Selectors = Field(None, description="Prompts it is about.")
    when: tuple[Text, ...] | None = Field(
        None,
        description="CEL conditions; a condition that cannot be evaluated counts as true, and so does one on arguments"
        " for responses that are not about one call, such as lists and streams.",
    )
    presets: tuple[Literal["pii", "phi", "gdpr", "pci", "secrets"], ...] | None = Field(
        None, description="Groups of detectors to use."
    )
    detectors: DetectorChoice | None = Field(None, description="Single detectors to add or leave out.")
    custom: tuple[CustomDetector, ...] | None = Field(None, description="Your own patterns.")
    style: dict[Line, MaskStyle] | None = Field(
        None,
        description="How matches are masked, by detector; `default` is for the other detectors. Only detectors that the"
        " rule uses may be named. hash and tokenize need `masking_keys`. card_track, cvv and card_pin are always"
        " dropped.",
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
    _refuse_namesakes(findings, rules)
    for index, rule in enumerate(rules):
        path: Path = ("data_protection", index)
        check_selectors(findings, path, rule, known)
        check_conditions(findings, path, rule.when, known)
        _check_names(findings, path, rule)
        _check_custom(findings, (*path, "custom"), rule)
        _check_styles(findings, path, rule)
        if not masking_keys:
            _refuse_keyed(findings, path, rule)
        for position, pointer in enumerate(rule.exempt_paths or ()):
            if not POINTER.fullmatch(pointer):
                cure = "write one such as /result/structuredContent/order_id"
                findings.add((*path, "exempt_paths", position), "not a JSON pointer (RFC 6901)", cure)


def _refuse_namesakes(findings: Findings, rules: Sequence[Protection]) -> None:
    """Refuse two patterns of one name: several rules may mask one response, and what is found is told apart by name."""
    seen: dict[str, tuple[str, str]] = {}
    for index, rule in enumerate(rules):
        for position, custom in enumerate(rule.custom or ()):
            owner, pattern = seen.setdefault(custom.name, (rule.name, custom.pattern))
            if owner != rule.name and pattern != custom.pattern:
                place: Path = ("data_protection", index, "custom", position, "name")
                findings.add(place, f"`{custom.name}` is another pattern in rule `{owner}`", "choose another name")


def choose_detectors(rule: Protection) -> Detectors:
    """Choose the detectors of the catalogue that a rule asks for; names that no detector has are passed over."""
    choice = rule.detectors or DetectorChoice()
    added, removed = (filter(find_id, names or ()) for names in (choice.add, choice.remove))
    return Detectors.preset(*(rule.presets or ())).add(*added).remove(*removed)


def _check_names(findings: Findings, path: Path, rule: Protection) -> None:
    findings.refuse_empty((*path, "presets"), rule.presets, "at least one preset")
    choice = rule.detectors or DetectorChoice()
    own = {custom.name for custom in rule.custom or ()}
    for key in ("add", "remove"):
        names: tuple[str, ...] = getattr(choice, key) or ()
        _check_detectors(findings, (((*path, "detectors", key, index), name) for index, name in enumerate(names)), own)
    _check_detectors(findings, (((*path, "style", name), name) for name in rule.style or ()), own | {OTHERS})
    # A name that no detector has was meant to be one.
    if not choose_detectors(rule).ids and not own and all(map(find_id, choice.add or ())):
        cure = "add `presets`, `detectors.add` or `custom`"
        leans_on = ((*path, "presets"), (*path, "detectors"))
        findings.add(path, f"rule `{rule.name}` looks for nothing", cure, leans_on=leans_on)


def _check_detectors(findings: Findings, named: Iterable[tuple[Path, str]], own: set[str]) -> None:
    for place, name in named:
        if find_id(name) is None and name not in own:
            cure = suggest_detector(name, own)
            findings.add(place, f"unknown detector `{name}`", cure, leans_on=((*place[:2], "custom"),))


def _check_custom(findings: Findings, path: Path, rule: Protection) -> None:
    customs = rule.custom or ()
    findings.refuse_twins(path, "name", (custom.name for custom in customs), "detectors")
    for index, custom in enumerate(customs):
        if find_id(custom.name) is not None:
            findings.add((*path, index, "name"), "a detector of ours is called that", "choose another name")
        flaw = find_pattern_flaw(custom.pattern)
        if flaw is not None:
            why, cure = flaw
            findings.add((*path, index, "pattern"), f"not a pattern that RE2 can search for: {why}", cure)


def _check_styles(findings: Findings, path: Path, rule: Protection) -> None:
    used = choose_detectors(rule).ids | {custom.name for custom in rule.custom or ()}
    custom_styles = {
        custom.name
        for index, custom in enumerate(rule.custom or ())
        if findings.is_written((*path, "custom", index, "style"))
    }
    seen: set[str] = set(custom_styles)
    for name, style in (rule.style or {}).items():
        place, detector = (*path, "style", name), find_id(name) or name
        if name == OTHERS:
            continue
        if find_id(name) is not None and detector not in used:
            cure = "add it under `detectors.add`, or remove the style"
            leans_on = ((*path, "presets"), (*path, "detectors"))
            findings.add(place, f"rule `{rule.name}` does not look for `{name}`", cure, leans_on=leans_on)
        if detector in seen:
            findings.add(place, f"two styles for `{detector}`", "write one of them")
        seen.add(detector)
        if settle(detector, Style(style)) != style:
            message = f"`{detector}` is never shown or kept in any form (PCI DSS 3.3.1)"
            findings.add(place, message, "write `drop`, or remove the style")


def _list_styles(path: Path, rule: Protection) -> Iterator[tuple[Path, str]]:
    styles: Mapping[str, str] = rule.style or {}
    yield from (((*path, "style", name), style) for name, style in styles.items())
    yield from (((*path, "custom", index, "style"), custom.style) for index, custom in enumerate(rule.custom or ()))


def _refuse_keyed(findings: Findings, path: Path, rule: Protection) -> None:
    for place, style in _list_styles(path, rule):
        if style in _KEYED:
            cure = "name a file with a key of 32 bytes or more under `masking_keys`"
            findings.add(place, f"the style `{style}` needs a key", cure, leans_on=(("masking_keys",),))
