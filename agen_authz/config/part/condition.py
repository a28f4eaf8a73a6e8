"""Conditions of policies and rules: compiled, and held to what this configuration can know."""

import re
from collections.abc import Collection, Iterator
from ipaddress import IPv6Address, ip_address

from agen_authz.config.part.detector import suggest_detector
from agen_authz.config.part.vocabulary import Vocabulary
from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.tree import Path
from agen_authz.core.cel.condition import Condition, ConditionMistake
from agen_authz.core.masking.selection import Detectors, find_id
from agen_authz.core.message.target import open_uri
from agen_authz.core.policy.attribute import ATTRIBUTES, Attribute
from agen_authz.core.policy.table import environment

_NETWORK = re.compile(r"""(["'])(?P<name>[^"']*)\1\s+in\s+request\.networks""")
_DETECTOR = re.compile(r"""(["'])(?P<name>[^"']*)\1\s+in\s+detected\b""")


def check_conditions(findings: Findings, path: Path, when: tuple[str, ...] | None, known: Vocabulary) -> None:
    """Check every condition of one policy or rule."""
    findings.refuse_empty((*path, "when"), when, "at least one condition")
    for index, text in enumerate(when or ()):
        here: Path = (*path, "when", index)
        compiled = environment().compile(text)
        if isinstance(compiled, Condition):
            findings.conditions[text] = compiled
            _check_reads(findings, here, compiled, known)
            _check_compared(findings, here, compiled)
        else:
            findings.add(here, _locate(compiled), compiled.cure)
        _check_networks(findings, here, text, known.networks)
        for match in _DETECTOR.finditer(text):
            _check_detector(findings, here, match["name"])


def _locate(mistake: ConditionMistake) -> str:
    return f"column {mistake.column}: {mistake.message}"


def _check_reads(findings: Findings, path: Path, condition: Condition, known: Vocabulary) -> None:
    names = {read[0] for read in condition.tree.paths}
    for name, attribute in ATTRIBUTES.items():
        if name in names:
            for message, cure, leans_on in _find_unknowable(known, attribute):
                findings.add(path, message, cure, leans_on=(leans_on,))


def _find_unknowable(known: Vocabulary, attribute: Attribute) -> Iterator[tuple[str, str, Path]]:
    """Say what no call could ever tell: the condition could never be evaluated."""
    claim = attribute.claim
    if claim is not None and claim not in known.claims:
        cure = f"map it under `providers[].claims.{claim}`"
        yield f"no provider says where `{attribute.name}` is", cure, ("providers",)
    if attribute.name == "request.country" and not known.has_country:
        yield "no setting says where `request.country` comes from", "set `country_header`", ("country_header",)
    if attribute.name == "tool.annotations" and not known.pins_tools:
        cure = "set it to `observe` or `enforce`"
        yield "`tools.pinning` is `off`, so no definition has `tool.annotations`", cure, ("tools", "pinning")


def _check_compared(findings: Findings, path: Path, condition: Condition) -> None:
    """Refuse constants that no call could ever be equal to: a policy on them would never apply."""
    for (name, *rest), text in sorted(condition.tree.compared):
        if name == "detected":
            _check_detector(findings, path, text)
        elif name == "request.ip" and not rest:
            cure = _correct_address(text)
            if cure:
                findings.add(path, f"no address is spelt `{text}`", cure)
        elif name == "tool.name" and not rest and "://" in text and open_uri(text) != text:
            message = f"`{text}` is not spelt as a backend opens it, so other spellings would pass"
            findings.add(path, message, f"write `{open_uri(text)}`, which is compared with every spelling")


def _check_detector(findings: Findings, path: Path, name: str) -> None:
    """Refuse a name that is never in `detected`: a policy on it would never apply."""
    found = find_id(name)
    if found is None:
        findings.add(path, f"unknown detector `{name}`", suggest_detector(name))
    elif found not in Detectors.every().ids:
        findings.add(path, f"`{found}` is in no preset, so it is never in `detected`", "use a detector of a preset")
    elif found != name:
        findings.add(path, f"`detected` has our ids, and `{name}` is another name", f"write `{found}`")


def _correct_address(text: str) -> str:
    """Say how an address should be written; empty where it is right, or where no address is meant."""
    if not text:
        return ""
    if "/" in text:
        return "give the range a name under `networks`, and ask for it in `request.networks`"
    try:
        address = ip_address(text)
    except ValueError:
        return "write an address such as 192.0.2.7 or 2001:db8::7"
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return "" if mapped is None and str(address) == text else f"write `{mapped or address}`"


def _check_networks(findings: Findings, path: Path, text: str, networks: Collection[str]) -> None:
    for match in _NETWORK.finditer(text):
        if match["name"] not in networks:
            message = f"unknown network `{match['name']}`"
            findings.add(path, message, "add it under `networks`", leans_on=(("networks",),))
