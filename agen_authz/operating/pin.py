"""What `agen-authz tools pin` approves: chosen first, shown, and then approved exactly as it was shown.

1. A server's name stands for its new tools, those that changed too if they are asked for; a tool's name for the
   definition that was seen last, or one that is named by its digest.
2. What cannot be called, and what is not kept whole, cannot be approved.
3. What deceives a reader (hidden text, a look-alike) is approved only if the operator says so.
4. A schema that no call could be checked against is approved with a warning.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from agen_authz.core.arguments.graph import BadSchema
from agen_authz.core.arguments.schema import compile_schema
from agen_authz.core.pinning.change import Kind
from agen_authz.core.pinning.definition import INSTRUCTIONS, is_callable
from agen_authz.core.pinning.hidden import find_first, find_hidden
from agen_authz.core.pinning.pin import Kept, New, Pinned
from agen_authz.operating.tool_diff import list_differences, render_diff
from agen_authz.operating.tools import NoTool, ToolView, as_json
from agen_authz.ports import CatalogueStore

_MIN_DIGEST_CHARS = 8
_MAX_NAME_CHARS = 256


@dataclass(frozen=True, slots=True)
class Choice:
    """One definition that is to be approved, or whose approval is to be withdrawn."""

    view: ToolView
    kept: Kept

    @property
    def deceives(self) -> bool:
        """True if a reader may not see what it is."""
        return bool(find_hidden(self.kept.definition)) or Kind.LOOK_ALIKE in self.view.drift.kinds

    @property
    def unusable(self) -> str:
        """Why arguments cannot be checked against its schema; empty if they can, or if it has none to approve."""
        if self.kept.definition is None or self.kept.is_approved or self.view.tool.name == INSTRUCTIONS:
            return ""
        compiled = compile_schema(self.kept.definition.get("inputSchema"))
        return compiled.why if isinstance(compiled, BadSchema) else ""


def choose(views: Sequence[ToolView], digest: str | None, *, is_server: bool, changed: bool) -> list[Choice]:
    """Choose what is approved of the tools that a command names.

    Args:
        digest: its beginning, eight characters at least.
        is_server: True if the command names a server, so that what needs no approval is passed over.

    Raises:
        NoTool: what is named cannot be approved; the message says why.
    """
    # 1.
    if is_server:
        wanted = [view for view in views if isinstance(view.drift.state, New) or (changed and _is_open(view))]
        return [Choice(view, view.tool.last) for view in wanted if view.tool.last is not None and _may_pin(view)]
    (view,) = views
    kept = view.tool.last if digest is None else _find(view, digest)
    # 2.
    if not _is_pinnable(view):
        raise NoTool(f"`{view.spelling}` is not a name that a call can have, so it cannot be pinned")
    if kept is None or kept.definition is None:
        raise NoTool(f"the definition of `{view.spelling}` is too long or was pushed out, so it cannot be pinned")
    return [] if kept.is_approved else [Choice(view, kept)]


def _is_open(view: ToolView) -> bool:
    return not isinstance(view.drift.state, Pinned)


def _may_pin(view: ToolView) -> bool:
    return _is_pinnable(view) and view.tool.last is not None and view.tool.last.definition is not None


def _is_pinnable(view: ToolView) -> bool:
    return view.tool.name == INSTRUCTIONS or is_callable(view.tool.name)


def _find(view: ToolView, digest: str) -> Kept:
    if len(digest) < _MIN_DIGEST_CHARS:
        raise NoTool(f"`{digest}` is too short for a digest: give eight characters at least")
    found = [each for each in view.tool.definitions if each.digest.startswith(digest)]
    if len(found) != 1:
        raise NoTool(f"{len(found) or 'no'} definitions of `{view.spelling}` have the digest `{digest}`")
    return found[0]


def choose_approved(views: Sequence[ToolView], digest: str | None) -> list[Choice]:
    """Choose the approvals that are withdrawn: all of the tools that are named, or one.

    Raises:
        NoTool: no such definition is approved.
    """
    if digest is not None:
        (view,) = views
        return [Choice(view, kept)] if (kept := _find(view, digest)).is_approved else []
    return [Choice(view, kept) for view in views for kept in view.tool.approved]


def is_name(text: str) -> bool:
    """True if a text can name who did something: not empty, at most 256 characters, nothing hidden, one line."""
    return 0 < len(text) <= _MAX_NAME_CHARS and text.isprintable() and text == text.strip() and find_first(text) is None


async def approve(store: CatalogueStore, choices: Sequence[Choice], by: str, now: float) -> list[bool]:
    """Approve what was shown; False for each that another operator approved meanwhile, or that was pushed out."""
    return [
        await store.approve(each.view.tool.server, each.view.tool.name, each.kept.digest, by, now) for each in choices
    ]


async def withdraw(store: CatalogueStore, choices: Sequence[Choice], by: str, now: float) -> list[bool]:
    """Withdraw approvals; False for each that is withdrawn already."""
    return [
        await store.withdraw(each.view.tool.server, each.view.tool.name, each.kept.digest, by, now) for each in choices
    ]


async def forget(store: CatalogueStore, views: Sequence[ToolView], by: str, now: float) -> list[bool]:
    """Forget tools; False for each of which nothing is kept any longer."""
    return [await store.forget(each.tool.server, each.tool.name, by, now) for each in views]


def render_choices(choices: Sequence[Choice], words: Sequence[str]) -> str:
    """Show each definition, and what became of it."""
    shown = [
        f"{render_diff(each.view, each.kept)}\n{_warn(each)}  {word}" for each, word in zip(choices, words, strict=True)
    ]
    return "\n\n".join(shown) or "nothing to do"


def _warn(choice: Choice) -> str:
    # 4.
    why = choice.unusable
    effect = "`tools.arguments: check` denies every call of it (`schema_unusable`)"
    return f"  warning: its inputSchema cannot be used: {why}; {effect}\n" if why else ""


def render_choices_json(choices: Sequence[Choice], words: Sequence[str]) -> str:
    """Write each definition down as JSON, and what became of it."""
    rows = [
        {
            **as_json(each.view),
            "chosen_digest": each.kept.digest,
            "diff": list_differences(each.view, each.kept),
            "schema_unusable": each.unusable,
            "outcome": word,
        }
        for each, word in zip(choices, words, strict=True)
    ]
    return json.dumps({"tools": rows})
