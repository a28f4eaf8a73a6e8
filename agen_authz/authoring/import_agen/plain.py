"""One of Agen's policies in its simplest form, and what is needed to read the others in that form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agen_authz.authoring.import_agen.condition import NoEquivalent, at
from agen_authz.authoring.import_agen.masking import Masking, Pattern
from agen_authz.authoring.import_agen.tool import Tool

MASK = "mask"
APPROVE = "approval_required"
_ACTIONS = ("deny", "step_up", MASK, APPROVE)


@dataclass(frozen=True, slots=True)
class ImportNames:
    """What ids stand for here.

    Args:
        server: the resource of tools whose application is not named in `apps`.
        tools: Agen's tools by their ids.
        apps: our resources by the ids of Agen's applications.
        patterns: Agen's own patterns by their ids.
        flow: our flow for what must be approved; empty if none is named.
    """

    server: str = "*"
    tools: Mapping[str, Tool] = field(default_factory=dict)
    apps: Mapping[str, str] = field(default_factory=dict)
    patterns: Mapping[str, Pattern] = field(default_factory=dict)
    flow: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions under one logic, and where they, and each of them, are written; empty if one cannot say."""

    conditions: Any
    logic: Any = "and"
    where: str = ""
    places: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plain:
    """One policy: about which tools it is, under which conditions, and what it asks for.

    Args:
        masking: what is masked; None unless the action is `mask`.
        flow: who approves; empty unless the action is `approval_required`.
    """

    name: str
    action: str
    is_enabled: bool
    tools: tuple[str, ...]
    group: Group
    conditions: tuple[str, ...] = ()
    message: str | None = None
    masking: Masking | None = None
    flow: str = ""


def check_action(action: Any, names: ImportNames, where: str = "") -> str:
    """Check that an action can be imported.

    Raises:
        NoEquivalent: it cannot; the message says why.
    """
    if not isinstance(action, str):
        raise NoEquivalent(at(where, f"unknown action `{action}`"))
    if action == APPROVE and not names.flow:
        raise NoEquivalent(at(where, f"action `{action}`: name the flow of `approvals.flows` by `--flow`"))
    if action == "allow":
        raise NoEquivalent(at(where, "action `allow`: policies only restrict here; write an access rule"))
    if action not in _ACTIONS:
        raise NoEquivalent(at(where, f"unknown action `{action}`"))
    return action


def check_enabled(written: Mapping[str, Any]) -> bool:
    """Read whether a policy is enabled; it is, unless the policy says otherwise.

    Raises:
        NoEquivalent: it is written in another way.
    """
    is_enabled = written.get("enabled", True)
    if not isinstance(is_enabled, bool):
        raise NoEquivalent("`enabled` is not true or false")
    return is_enabled


def check_names(names: Any, key: str) -> list[str]:
    """Read a list of names, in which `*` would stand for any.

    Raises:
        NoEquivalent: it is not one.
    """
    if names is None:
        return []
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise NoEquivalent(f"`{key}` is not a list of names")
    for name in names:
        if "*" in name:
            raise NoEquivalent(f"tool `{name}`: here * stands for any name")
    return names
