"""The methods of MCP: which eras have them and what each one names.

Everything that is not in the table is unknown and denied, unless a resource's `methods` allows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from agen_authz.core.model import Envelope, Era, Shape


class Names(StrEnum):
    """What a method's parameters name."""

    NOTHING = "nothing"
    TOOL = "tool"
    PROMPT = "prompt"
    RESOURCE = "resource"
    REFERENCE = "reference"
    SUBSCRIPTION = "subscription"
    TASK = "task"


@dataclass(frozen=True, slots=True)
class Method:
    """One method: what it names, in which eras, and whether `mcp-name` must repeat the name."""

    names: Names
    eras: frozenset[Era]
    needs_name_header: bool = False


_BOTH = frozenset(Era)
_MODERN = frozenset({Era.MODERN})
_LEGACY = frozenset({Era.LEGACY})

METHODS: dict[str, Method] = {
    "initialize": Method(Names.NOTHING, _LEGACY),
    "ping": Method(Names.NOTHING, _LEGACY),
    "logging/setLevel": Method(Names.NOTHING, _LEGACY),
    "server/discover": Method(Names.NOTHING, _MODERN),
    "tools/list": Method(Names.NOTHING, _BOTH),
    "prompts/list": Method(Names.NOTHING, _BOTH),
    "resources/list": Method(Names.NOTHING, _BOTH),
    "resources/templates/list": Method(Names.NOTHING, _BOTH),
    "tools/call": Method(Names.TOOL, _BOTH, needs_name_header=True),
    "prompts/get": Method(Names.PROMPT, _BOTH, needs_name_header=True),
    "resources/read": Method(Names.RESOURCE, _BOTH, needs_name_header=True),
    "resources/subscribe": Method(Names.RESOURCE, _LEGACY),
    "resources/unsubscribe": Method(Names.RESOURCE, _LEGACY),
    "completion/complete": Method(Names.REFERENCE, _BOTH),
    "subscriptions/listen": Method(Names.SUBSCRIPTION, _MODERN),
    "tasks/get": Method(Names.TASK, _BOTH, needs_name_header=True),
    "tasks/update": Method(Names.TASK, _MODERN, needs_name_header=True),
    "tasks/cancel": Method(Names.TASK, _BOTH, needs_name_header=True),
    "tasks/result": Method(Names.TASK, _LEGACY),
    "tasks/list": Method(Names.TASK, _LEGACY),
}

NOTIFICATION_PREFIX = "notifications/"
# Not a method of JSON-RPC: what `methods` calls the answers that legacy clients post to the server's requests.
RESPONSE = "response"


def find_method(name: str, era: Era) -> Method | None:
    """Find a method of this era."""
    method = METHODS.get(name)
    return method if method is not None and era in method.eras else None


def names_target(name: str) -> bool:
    """True if rules decide on what `name` names, so that `methods` may not."""
    method = METHODS.get(name)
    return method is not None and method.names is not Names.NOTHING


def is_allowed_method(name: str, envelope: Envelope, configured: Mapping[str, bool]) -> bool | None:
    """True if a message that names nothing may pass; None if neither MCP nor the configuration knows it.

    The first that says something counts: configuration for the method, for its pattern (`*/list`,
    `notifications/*`), then MCP itself.
    """
    if envelope.shape is Shape.RESPONSE:
        return configured.get(RESPONSE, envelope.era is Era.LEGACY)
    if names_target(name):
        return None
    known = find_method(name, envelope.era) is not None
    pattern = _pattern_of(name)
    # A message whose method is spelt like a pattern, or like our word for responses, does not exist.
    if name in configured and name != RESPONSE and "*" not in name:
        return configured[name]
    if pattern is not None and (known or pattern != "*/list"):
        return configured.get(pattern, True)
    return True if known else None


def _pattern_of(name: str) -> str | None:
    if name.startswith(NOTIFICATION_PREFIX):
        return "notifications/*"
    return "*/list" if name.endswith("/list") else None
