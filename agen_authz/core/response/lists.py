"""Lists show what the caller may use, and nothing else: tools, resources, templates of resources, and prompts.

A list is found by its structure, whatever method it answers: a stream that is resumed repeats lists too. What no call
could name (a name that is missing, or that Check refuses) is left out. A name that is listed twice makes the list
ambiguous, and it is withheld. So is a result with a key that some client takes for a list (`Tools`), and an entry with
two keys that some client takes for its name is left out.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from agen_authz.core.message.target import is_prompt_name, is_resource_uri, is_tool_name
from agen_authz.core.model import Json, Target, TargetKind
from agen_authz.core.reason import Reason
from agen_authz.core.response.message import Passed, Withheld
from agen_authz.core.twin import fold_member, fold_members

IsShown: TypeAlias = Callable[[Target, dict[str, Json]], bool]
"""True if the caller may see this target, whose entry in the list is given as well."""

# More entries than any client shows; each is decided on.
MAX_ENTRIES = 10_000
_UPDATED = "notifications/resources/updated"


@dataclass(frozen=True, slots=True)
class _List:
    """One kind of list: its key in a result, what its entries are, and where an entry has its name."""

    key: str
    kind: TargetKind
    name: str
    is_name: Callable[[str], bool]


_LISTS = (
    _List("tools", TargetKind.TOOL, "name", is_tool_name),
    _List("resources", TargetKind.RESOURCE, "uri", is_resource_uri),
    # A template is decided by its own text, as `completion/complete` is.
    _List("resourceTemplates", TargetKind.RESOURCE, "uriTemplate", is_resource_uri),
    _List("prompts", TargetKind.PROMPT, "name", is_prompt_name),
)
# What of a result depends on the caller or on pins.
_KEYS = frozenset({*(each.key for each in _LISTS), "instructions", "cacheScope", "resultType"})


def filter_lists(message: Json, server: str, is_shown: IsShown) -> Passed | Withheld:
    """Leave out of one message what the caller may not see; total.

    What is filtered may be kept for this caller only: its `cacheScope` becomes `private` (MCP 2026-07-28, caching).
    """
    if not isinstance(message, dict):
        return Passed(message)
    if message.get("method") == _UPDATED:
        return _filter_update(message, server, is_shown)
    result = message.get("result")
    if not isinstance(result, dict):
        return Passed(message)
    changed = _filter_all(result, server, is_shown)
    if isinstance(changed, Withheld):
        return changed
    return Passed({**message, "result": {**result, **changed, **make_private(result)}} if changed else message)


def _filter_all(result: Mapping[str, Json], server: str, is_shown: IsShown) -> dict[str, Json] | Withheld:
    if _has_twin(result, _KEYS):
        return Withheld(Reason.RESPONSE_UNREADABLE, "a key that some client takes for a list")
    changed: dict[str, Json] = {}
    for each in _LISTS:
        listed = result.get(each.key)
        if isinstance(listed, list):
            kept = _filter(listed, each, server, is_shown)
            if isinstance(kept, Withheld):
                return kept
            changed[each.key] = kept
    return changed


def _has_twin(members: Mapping[str, Json], exact: Collection[str]) -> bool:
    """True if some client takes another key for one of these: Go's official SDK does (GHSA-wvj2-96wp-fq3f)."""
    others = members.keys() - exact
    if not "".join(others).isprintable():
        return True
    return not frozenset(map(fold_member, exact)).isdisjoint(fold_members(others))


def make_private(result: Mapping[str, Json]) -> dict[str, Json]:
    """Return the change to a result after which a cache may give it to this caller only.

    Results of the legacy era know no caching; there a `cacheScope` is changed only if there is one.
    """
    return {"cacheScope": "private"} if "cacheScope" in result or "resultType" in result else {}


def _filter(listed: list[Json], which: _List, server: str, is_shown: IsShown) -> list[Json] | Withheld:
    if len(listed) > MAX_ENTRIES:
        return Withheld(Reason.LIST_TOO_LONG, f"more than {MAX_ENTRIES} {which.key}")
    kept: list[Json] = []
    seen: set[str] = set()
    for entry in listed:
        name = entry.get(which.name) if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not isinstance(name, str):
            continue
        if name in seen:
            return Withheld(Reason.LISTED_TWICE, f"{which.key}: a name is listed twice")
        seen.add(name)
        is_plain = which.is_name(name) and not _has_twin(entry, (which.name,))
        if is_plain and is_shown(Target(which.kind, server, name), entry):
            kept.append(entry)
    return kept


def _filter_update(message: dict[str, Json], server: str, is_shown: IsShown) -> Passed | Withheld:
    params = message.get("params")
    uri = params.get("uri") if isinstance(params, dict) and not _has_twin(params, ("uri",)) else None
    if not isinstance(uri, str) or not is_resource_uri(uri):
        return Withheld(Reason.NOT_GRANTED, "an update of no resource that could be asked for")
    shown = is_shown(Target(TargetKind.RESOURCE, server, uri), {})
    return Passed(message) if shown else Withheld(Reason.NOT_GRANTED, "an update of a resource of others")
