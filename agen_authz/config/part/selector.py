"""Selectors: each must be able to match something of a configured resource."""

import re
from fnmatch import fnmatchcase
from typing import Protocol

from agen_authz.config.part.vocabulary import Vocabulary
from agen_authz.config.reading.finding import Findings
from agen_authz.config.reading.tree import Path
from agen_authz.core.message.target import is_prompt_name, is_resource_uri, is_tool_name, is_uri_text
from agen_authz.core.twin import fold_selector

_SELECTOR = re.compile(r"(?P<server>[A-Za-z0-9_*-]{1,64})/(?P<name>[^\x00-\x1f\x7f]{1,2048})")
_TOOL = re.compile(r"[A-Za-z0-9_.:/*-]{1,128}")
_KINDS = ("tools", "resources", "prompts")
_NEVER = {
    "tools": ("no tool can have this name", "tools are named with A-Z a-z 0-9 _ . : / -"),
    "resources": ("no resource can have this URI", "write it as clients send it, such as customer://42"),
    "prompts": ("no prompt can have this name", "prompts are named in printable characters (NFKC)"),
}


class Selecting(Protocol):
    """What has selectors."""

    @property
    def tools(self) -> tuple[str, ...] | None: ...
    @property
    def resources(self) -> tuple[str, ...] | None: ...
    @property
    def prompts(self) -> tuple[str, ...] | None: ...


def check_selectors(
    findings: Findings, path: Path, rule: Selecting, known: Vocabulary, *, is_exact: bool = False
) -> None:
    """Check the selectors of one rule; `is_exact` where case matters, as in access rules."""
    for kind in _KINDS:
        selectors: tuple[str, ...] | None = getattr(rule, kind)
        findings.refuse_empty((*path, kind), selectors, "at least one selector")
        for index, selector in enumerate(selectors or ()):
            _check_selector(findings, (*path, kind, index), selector, known.resources, is_exact=is_exact)


def _check_selector(
    findings: Findings, path: Path, selector: str, resources: tuple[str, ...], *, is_exact: bool
) -> None:
    match = _SELECTOR.fullmatch(selector)
    if match is None or "***" in selector or "**" in match["server"]:
        cure = "write server/name; * matches within one part, ** any rest"
        findings.add(path, "not a selector", cure)
        return
    kind = str(path[-2])
    if not _may_match(kind, match["name"], is_exact=is_exact):
        findings.add(path, *_NEVER[kind])
        return
    server = match["server"] if is_exact else fold_selector(match["server"])
    if not any(fnmatchcase(name, server) for name in resources):
        cure = "use one of " + ", ".join(f"`{name}`" for name in resources)
        findings.add(path, f"no resource is called `{match['server']}`", cure, leans_on=(("resources",),))


def _may_match(kind: str, name: str, *, is_exact: bool) -> bool:
    is_plain = is_exact and "*" not in name
    if kind == "tools":
        return is_tool_name(name) if is_plain else _TOOL.fullmatch(name) is not None
    if kind == "resources":
        return is_resource_uri(name) if is_plain else is_uri_text(name)
    return is_prompt_name(name.replace("*", "x"))
