"""`agen-authz mask`: how a body is masked, and why, by presets, single detectors, or a rule of a configuration."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from agen_authz.build.protection import build_masking_keys, build_protection_rules
from agen_authz.config import Loaded
from agen_authz.config.part.detector import suggest_detector
from agen_authz.core.masking import INCOMPLETE, Detectors, Profile, Receipt, Rule, UnknownDetector, Unmaskable, find_id
from agen_authz.core.masking.explain import Explained, Fate
from agen_authz.core.masking.row import Preset, Style
from agen_authz.core.masking.style import MaskingKeys, reveal

_OTHERS = "default"
_KEYED = frozenset({Style.HASH, Style.TOKENIZE})
_MAX_SHOWN = 60


class WrongOption(ValueError):
    """What was asked for cannot be done; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to mask by, as it is written on the command line.

    Attributes:
        presets, add, remove: names of presets and detectors.
        styles: each `detector=style`, or `default=style`.
    """

    presets: Sequence[str] = ()
    add: Sequence[str] = ()
    remove: Sequence[str] = ()
    styles: Sequence[str] = ()


def build_rule(asked: Asked) -> Rule:
    """Build the rule that the options describe.

    Raises:
        WrongOption: a name or a style is unknown, or nothing is asked for.
    """
    if not asked.presets and not asked.add:
        raise WrongOption("nothing to look for; give --presets, --add, or --config and --rule")
    try:
        detectors = Detectors.preset(*asked.presets)
    except UnknownDetector as exc:
        raise WrongOption(f"there is no such preset; there are {', '.join(Preset)}") from exc
    styles, default = read_styles(asked.styles)
    detectors = detectors.add(*map(_find, asked.add)).remove(*map(_find, asked.remove))
    return Rule("mask", detectors, styles=styles, default=default)


def read_styles(written: Iterable[str]) -> tuple[Mapping[str, Style], Style | None]:
    """Read each `detector=style`; `default` is for the other detectors.

    Raises:
        WrongOption: a detector or a style is unknown.
    """
    styles: dict[str, Style] = {}
    default = None
    for each in written:
        name, _, style = each.partition("=")
        if style not in list(Style):
            raise WrongOption(f"`{each}` is not DETECTOR=STYLE; the styles are {', '.join(Style)}")
        if name == _OTHERS:
            default = Style(style)
        else:
            styles[_find(name)] = Style(style)
    return styles, default


def find_rule(loaded: Loaded, name: str, asked: Asked) -> Rule:
    """Find a rule of a configuration; one in shadow masks here, and options change it.

    Raises:
        WrongOption: there is no such rule, or an option names what is unknown.
    """
    rules = build_protection_rules(loaded.config)
    if name not in rules:
        known = ", ".join(f"`{each}`" for each in rules) or "none"
        raise WrongOption(f"no rule in use under `data_protection` is called `{name}`; there are: {known}")
    rule = rules[name]
    styles, default = read_styles(asked.styles)
    detectors = rule.detectors.add(*map(_find, asked.add)).remove(*map(_find, asked.remove))
    return replace(
        rule,
        detectors=detectors,
        is_enforced=True,
        styles={**rule.styles, **styles},
        default=default or rule.default,
    )


def _find(name: str) -> str:
    found = find_id(name)
    if found is None:
        raise WrongOption(f"unknown detector `{name}`; {suggest_detector(name)}")
    return found


def needs_keys(rule: Rule) -> bool:
    """True if a style of the rule needs a masking key."""
    return not _KEYED.isdisjoint({*rule.styles.values(), rule.default})


def read_keys(loaded: Loaded) -> MaskingKeys:
    """Read the masking keys of a configuration.

    Raises:
        WrongOption: it has none.
    """
    keys = build_masking_keys(loaded.secrets.masking_keys)
    if keys is None:
        raise WrongOption(
            f"{loaded.file}: no key under `masking_keys`; name a file with a key of 32 bytes or more there"
        )
    return keys


def build_profile(rule: Rule, keys: MaskingKeys | None, tenant: str) -> Profile:
    """Build how a body is masked.

    Raises:
        WrongOption: the rule needs a key, and there is none.
    """
    if keys is None and needs_keys(rule):
        raise WrongOption("the styles `hash` and `tokenize` need a key; give --config with `masking_keys`")
    return Profile.of(rule, keys=keys, tenant=tenant)


def reveal_token(token: str, keys: MaskingKeys, tenant: str) -> str | None:
    """Return the value that a token was made of; None if no key made it for this tenant."""
    return reveal(token, keys, tenant)


def advise(failure: Unmaskable) -> str:
    """Say why a body could not be masked, and what to do."""
    if failure.detail == INCOMPLETE:
        return "a value is still found after masking: a defect; please report it with a body that shows it"
    if "not JSON" in failure.detail:
        return f"{failure.detail}; correct the body, or give --content-type text/plain if it is text"
    return f"{failure.detail}; agen-authz blocks such a response unless the rule has `on_failure: pass`"


def render_text(explained: Sequence[Explained], *, show_values: bool) -> str:
    """Show a line for each value: place, detector, score, why, what becomes of it."""
    if not explained:
        return "nothing was found"
    documents = len({each.document for each in explained}) > 1
    rows = [_row(each, documents=documents, show_values=show_values) for each in explained]
    widths = [max(len(row[at]) for row in rows) for at in range(4)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, (*widths, 0), strict=True)).rstrip() for row in rows
    )


def _row(each: Explained, *, documents: bool, show_values: bool) -> tuple[str, str, str, str, str]:
    place = f"{each.pointer or '(text)'}{' (name)' if each.is_name else ''} {each.start}-{each.end}"
    became = f"{each.style} -> {_shorten(each.masked) or '(left out)'}" if each.fate is Fate.MASKED else str(each.fate)
    value = f"  {_shorten(each.value)}" if show_values else ""
    number = f"event {each.document + 1} " if documents else ""
    return f"{number}{place}", each.detector, f"{each.score:.2f}", ", ".join(each.why), became + value


def _shorten(text: str) -> str:
    line = text.replace("\n", "\\n")
    return line if len(line) <= _MAX_SHOWN else f"{line[:_MAX_SHOWN]}..."


def as_object(each: Explained, *, show_values: bool) -> dict[str, object]:
    """Write down one value for JSON."""
    written: dict[str, object] = {
        "document": each.document,
        "pointer": each.pointer,
        "in_name": each.is_name,
        "start": each.start,
        "end": each.end,
        "detector": each.detector,
        "score": round(each.score, 2),
        "why": list(each.why),
        "fate": each.fate.value,
        "style": each.style,
        "masked": each.masked,
    }
    return {**written, "value": each.value} if show_values else written


def render_receipts(receipts: Iterable[Receipt]) -> str:
    """Show a line for each receipt."""
    return "\n".join(f"{each.pointer or '(text)'}  {each.detector}  {each.style}  {each.count}" for each in receipts)


def write_object(body: bytes, receipts: Iterable[Receipt]) -> str:
    """Write a masked body and its receipts as JSON."""
    rows = [
        {
            "rule": each.rule,
            "detector": each.detector,
            "style": each.style,
            "pointer": each.pointer,
            "count": each.count,
        }
        for each in receipts
    ]
    return json.dumps({"ok": True, "body": body.decode("utf-8"), "receipts": rows}, ensure_ascii=False)
