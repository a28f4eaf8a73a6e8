"""The call that a request is about, as an approver reads it, and the tool as the model saw it."""

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from agen_authz.console.spelling import Line, list_json, list_paragraphs
from agen_authz.core.approval.request import Binding, KeptCall
from agen_authz.core.approval.shown import ShownParameters, read_parameters, show_parameters
from agen_authz.core.errors import Malformed
from agen_authz.core.masking import Receipt
from agen_authz.core.model import Digest, Json
from agen_authz.core.pinning.catalogue import Catalogue
from agen_authz.core.pinning.definition import is_callable
from agen_authz.core.pinning.hidden import find_hidden, spell
from agen_authz.core.pinning.pin import Kept, KeptTool, name_approved

# The member that names what a call is about, which is shown elsewhere.
_NAMED_BY: Mapping[str, str] = {"tool": "name", "prompt": "name", "resource": "uri"}
_DESCRIBED = frozenset({"name", "title", "description"})
_ERASED = "The arguments are erased: they were kept as long as `approvals.retention` says."
_UNREADABLE = "The arguments cannot be read."
_UNMASKABLE = "The arguments cannot be searched for personal values to their end, so they are not shown masked."


class CallView(Struct, frozen=True):
    """The parameters of a call.

    Args:
        problem: why there is nothing to show; empty if there is.
        is_only_clear: True if it can be shown, but only unmasked.
        rest: what a call has besides arguments.
        headers: that the server gets with it; `sent` is the same as it is, for the API.
        masked: how many values are masked, by detector.
        hidden: where hidden characters are.
        params: what is shown, as it is; for the API.
    """

    problem: str = ""
    is_only_clear: bool = False
    arguments: tuple[Line, ...] = ()
    rest: tuple[Line, ...] = ()
    masked: tuple[tuple[str, int], ...] = ()
    hidden: tuple[str, ...] = ()
    params: Json = None
    is_clear: bool = False
    headers: tuple[Line, ...] = ()
    sent: Json = None

    def is_seen_by(self, *, may_unmask: bool) -> bool:
        """True if a person can read the call: no one approves what they cannot read."""
        return not self.problem or (self.is_only_clear and may_unmask)


def view_call(binding: Binding, kept: KeptCall | None, show_arguments: Iterable[str], *, is_clear: bool) -> CallView:
    """View what is kept of a call; it takes a while when it is used first.

    Args:
        is_clear: True to show everything unmasked.
    """
    if kept is None:
        return CallView(_ERASED)
    params = read_parameters(kept.params)
    if isinstance(params, Malformed) or not isinstance(params, dict):
        return CallView(_UNREADABLE)
    headers: dict[str, Json] = dict(kept.headers)
    shown = ShownParameters(params) if is_clear else show_parameters(params, show_arguments)
    sent = ShownParameters(headers) if is_clear else show_parameters(headers)
    if shown is None or sent is None or not isinstance(shown.params, dict) or not isinstance(sent.params, dict):
        return CallView(_UNMASKABLE, is_only_clear=True)
    view = _view(shown.params, shown.receipts, _find_named(binding, params), is_clear=is_clear)
    return _add_headers(view, sent.params, sent.receipts) if headers else view


def _find_named(binding: Binding, params: Mapping[str, Json]) -> str:
    """Find the member that only repeats what the call is about; any other belongs to what is approved."""
    kind, _, name = binding.target.partition(":")
    member = _NAMED_BY.get(kind, "")
    return member if params.get(member) == name else ""


def _view(params: Mapping[str, Json], receipts: tuple[Receipt, ...], named: str, *, is_clear: bool) -> CallView:
    pointers = [each.pointer for each in receipts]
    arguments = params.get("arguments")
    rest: dict[str, Json] = {name: each for name, each in params.items() if name not in {"arguments", named}}
    below = [pointer.removeprefix("/arguments") for pointer in pointers if pointer.startswith("/arguments")]
    return CallView(
        arguments=() if arguments is None else list_json(arguments, below),
        rest=list_json(rest, pointers) if rest else (),
        masked=_count(receipts, Counter()),
        hidden=tuple(each.path or "/" for each in find_hidden(dict(params))),
        params=dict(params),
        is_clear=is_clear,
    )


def _count(receipts: Iterable[Receipt], counts: Counter[str]) -> tuple[tuple[str, int], ...]:
    """Count masked values by detector, added to what was counted before."""
    for each in receipts:
        counts[each.detector] += each.count
    return tuple(sorted(counts.items()))


def _add_headers(view: CallView, sent: Mapping[str, Json], receipts: tuple[Receipt, ...]) -> CallView:
    return replace(
        view,
        headers=list_json(dict(sent), [each.pointer for each in receipts]),
        sent=dict(sent),
        masked=_count(receipts, Counter(dict(view.masked))),
        hidden=(*view.hidden, *(each.path or "/" for each in find_hidden(dict(sent)))),
    )


class DefinitionView(Struct, frozen=True):
    """A tool's definition, as the model saw it.

    Args:
        is_of_request: True if the request is bound to it; False if none was pinned, and this is what the server listed
            last.
        bound: how many definitions the request is bound to: all that were approved.
        hidden: where hidden characters are.
        body: what it has besides name, title and description; `rest` is the same as it is, for the API.
    """

    digest: Digest
    is_of_request: bool
    bound: int
    approved_by: str
    title: str
    description: tuple[Line, ...]
    body: tuple[Line, ...]
    rest: Mapping[str, Json]
    hidden: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Say which definition this is."""
        if not self.is_of_request:
            return (
                "No definition of this tool was pinned when the request was made: this is what the server listed last."
            )
        by = f", pinned by {spell(self.approved_by)}" if self.approved_by else ""
        if self.bound == 1:
            return f"This is the definition that the request is bound to{by}."
        return f"The request is bound to all {self.bound} approved definitions. This one was listed last{by}."


def spell_no_tool(binding: Binding) -> str:
    """Say why there is no definition to show."""
    if binding.definition:
        return "What is approved of this tool has changed since this request was made, or is not kept any longer."
    return "The server has not listed this tool while the sidecar was watching, so there is nothing to show."


def view_tool(binding: Binding, catalogue: Catalogue) -> DefinitionView | None:
    """View the tool that a request is about; None if nothing is kept of it."""
    kind, _, name = binding.target.partition(":")
    known = catalogue.find(binding.server, name) if kind == "tool" and is_callable(name) else None
    if known is None:
        return None
    bound = _list_bound(known.tool, binding)
    shown = bound if binding.definition else (known.tool.last,)
    kept = next((each for each in shown if each is not None and each.definition is not None), None)
    if kept is None or kept.definition is None:
        return None
    definition = kept.definition
    title, description = definition.get("title"), definition.get("description")
    body: dict[str, Json] = {key: each for key, each in definition.items() if key not in _DESCRIBED}
    return DefinitionView(
        digest=kept.digest,
        is_of_request=bool(bound),
        bound=len(bound),
        approved_by=kept.approved_by,
        title=title if isinstance(title, str) else "",
        description=list_paragraphs(description) if isinstance(description, str) else (),
        body=list_json(body) if body else (),
        rest=body,
        hidden=tuple(each.path or "/" for each in find_hidden(definition)),
    )


def _list_bound(tool: KeptTool, binding: Binding) -> tuple[Kept, ...]:
    """List the definitions that a request is bound to, the one that was listed last first; none if that has changed."""
    if name_approved(tool) == binding.definition:
        return tool.approved
    return tuple(each for each in tool.definitions if each.digest == binding.definition)
