"""How one response is inspected: by the rules that decided its call, or by the strictest if these are not known.

1. what a server tells of its tools (definitions, `instructions`) is noted, if definitions are pinned
2. a new task is noted, so that it is its caller's; other tasks are withheld (tasks.py)
3. a list shows what the caller may call, by the code that decides the call, and what pinning lets pass
4. `instructions` that pinning refuses are left out
5. what depends on the caller may be kept in a cache for this caller only
6. what deciding on the entries of one list costs is bounded: a list that costs more is withheld
7. the session id that `initialize` gives out proves its owner (core/session.py)
8. the state that comes with a question is noted, if approvals may depend on it (core/approval/continuing.py)
9. what is left is masked by the data-protection rules of the call (protect.py), after everything that reads it
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from msgspec import Struct

from agen_authz.core.approval.continuing import find_state
from agen_authz.core.arguments.approved import SchemaCompiler
from agen_authz.core.arguments.graph import BadSchema
from agen_authz.core.arguments.schema import Schema
from agen_authz.core.decide import may_list
from agen_authz.core.model import Call, Envelope, Facts, Inspection, Json, Owner, Target, TargetKind
from agen_authz.core.pinning.catalogue import Catalogue
from agen_authz.core.pinning.pin import Pinning
from agen_authz.core.policy.work import MAX_LIST_WORK, Work
from agen_authz.core.reason import Reason
from agen_authz.core.response.body import ResponseLimits, is_answer
from agen_authz.core.response.lists import MAX_ENTRIES, filter_lists, make_private
from agen_authz.core.response.message import Note, Passed, SawDefinitions, SentState, Withheld
from agen_authz.core.response.protect import Mask, Safeguard, protect
from agen_authz.core.response.step import Terms
from agen_authz.core.response.tasks import TaskScope, find_task
from agen_authz.core.response.unread import may_pass_unread
from agen_authz.core.ruleset import RuleSet
from agen_authz.core.session import sign_session


class Grounds(Struct, frozen=True):
    """What an inspection goes by: the call, the rules that decided it, what is known of tools, and the time.

    Args:
        mask: masks by the data-protection rules of the call; None if there are none.
        outputs: compiles the `outputSchema` of definitions; None if none is looked at.
    """

    inspection: Inspection
    rules: RuleSet
    catalogue: Catalogue
    now: float
    mask: Mask | None = None
    outputs: SchemaCompiler | None = None


class _Spent:
    """What deciding on one list has cost, in units of `core.policy.work`."""

    __slots__ = ("units",)

    def __init__(self) -> None:
        self.units = 0.0


class _View(Struct, frozen=True):
    """What one caller sees of one server.

    Args:
        shows: whether the caller sees an entry, by what its list has cost so far; None if lists are not filtered.
        hides: whether a server's `instructions` are left out.
        note: what the store learns from a result.
        is_discovery: the result depends on the caller, even if it holds no list.
        tasks: which tasks the server may tell of.
        sends_state: what a question may be about whose state is noted; None if none is.
        safeguard: how messages are masked; None if no rule is about the call.
    """

    server: str
    shows: Callable[["_Spent", Target, dict[str, Json]], bool] | None
    hides: Callable[[Json], bool]
    note: Callable[[Mapping[str, Json]], tuple[Note, ...]]
    is_discovery: bool
    tasks: TaskScope
    sends_state: Target | None = None
    safeguard: Safeguard | None = None


def build_terms(grounds: Grounds, limits: ResponseLimits) -> Terms:
    """Build the terms of a call whose rules are known."""
    inspection, rules = grounds.inspection, grounds.rules
    is_filtered = rules.filters_lists or rules.pinning is Pinning.ENFORCE
    view = _View(
        server=inspection.server,
        shows=partial(_is_shown, grounds, _ask_for(inspection)) if is_filtered else None,
        hides=partial(_hides_instructions, grounds),
        note=partial(_note, grounds),
        is_discovery=inspection.method == "server/discover",
        tasks=_scope(inspection, may_make=inspection.makes_task),
        sends_state=inspection.target if inspection.may_be_continued else None,
        safeguard=None if grounds.mask is None else Safeguard(grounds.mask, partial(_list_schemas, grounds)),
    )
    return Terms(
        inspect=partial(_inspect, view),
        envelope=inspection.envelope,
        request_id=inspection.request_id,
        limits=limits,
        mark_session=_session_marker(inspection, rules.session_key),
        passes_unread=may_pass_unread(inspection, rules),
    )


def build_strict_terms(inspection: Inspection | None, session_key: bytes, limits: ResponseLimits, mask: Mask) -> Terms:
    """Build the terms of a call that is not known, or that was decided by rules that are not: lists are empty.

    Args:
        inspection: None if what Check told is missing, cannot be opened or was forged.
        mask: masks by every preset.
    """
    server = "" if inspection is None else inspection.server
    # A new task cannot be bound, for nothing is noted.
    tasks = TaskScope("", Envelope()) if inspection is None else _scope(inspection, may_make=False)
    shows, hides, note = (lambda *_: False), (lambda _: True), (lambda _: ())
    view = _View(server, shows, hides, note, is_discovery=True, tasks=tasks, safeguard=Safeguard(mask))
    return Terms(
        inspect=partial(_inspect, view),
        envelope=Envelope() if inspection is None else inspection.envelope,
        request_id="" if inspection is None else inspection.request_id,
        limits=limits,
        mark_session=(lambda _: None) if inspection is None else _session_marker(inspection, session_key),
    )


def _inspect(view: _View, message: Json) -> Passed | Withheld:
    # 1. Of what the server sent, not of what is shown.
    result = message.get("result") if isinstance(message, dict) else None
    notes = view.note(result) if isinstance(result, dict) else ()
    if any(isinstance(note, SawDefinitions) and len(note.definitions) > MAX_ENTRIES for note in notes):
        return Withheld(Reason.LIST_TOO_LONG, f"more than {MAX_ENTRIES} tools to note")
    # 2.
    task = find_task(message, view.tasks)
    if isinstance(task, Withheld):
        return task
    # 3.
    spent = _Spent()
    filtered = Passed(message) if view.shows is None else filter_lists(message, view.server, partial(view.shows, spent))
    # 6.
    if spent.units > MAX_LIST_WORK:
        return Withheld(Reason.LIST_TOO_LONG, "deciding on its entries costs too much")
    if isinstance(filtered, Withheld):
        return filtered
    # 4. 5. 8.
    notes = (*notes, *(() if task is None else (task,)), *_note_state(view, message))
    passed = Passed(_finish(view, filtered.message), notes)
    # 9.
    return passed if view.safeguard is None else protect(passed, view.safeguard)


def _note_state(view: _View, message: Json) -> tuple[Note, ...]:
    result = message.get("result") if isinstance(message, dict) else None
    if view.sends_state is None or not isinstance(message, dict) or not isinstance(result, dict):
        return ()
    state = find_state(result) if is_answer(message, view.tasks.envelope) else None
    return () if state is None else (SentState(view.server, view.sends_state, state),)


def _finish(view: _View, message: Json) -> Json:
    result = message.get("result") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(result, dict):
        return message
    changed = dict(result)
    if "instructions" in result and view.hides(result["instructions"]):
        del changed["instructions"]
    if view.is_discovery:
        changed |= make_private(result)
    return message if changed == result else {**message, "result": changed}


def _ask_for(inspection: Inspection) -> Call:
    return Call(inspection.server, inspection.envelope, inspection.mcp_version, inspection.method)


def _is_shown(grounds: Grounds, listing: Call, spent: _Spent, target: Target, entry: dict[str, Json]) -> bool:
    inspection, rules = grounds.inspection, grounds.rules
    if spent.units > MAX_LIST_WORK:
        return False
    is_tool = target.kind is TargetKind.TOOL
    if is_tool and grounds.catalogue.refuse_listed(target.server, entry, rules.pinning):
        return False
    if not rules.filters_lists:
        return True
    # As for the call, which reads what is approved and not what is listed.
    annotations = grounds.catalogue.find_annotations(target.server, target.name) if is_tool else None
    facts = Facts(grounds.now, None, inspection.context, inspection.host, annotations=annotations)
    work = Work()
    shown = may_list(target, listing, inspection.principal, facts, rules, work=work)
    spent.units += work.done
    return shown


def _hides_instructions(grounds: Grounds, instructions: Json) -> bool:
    if grounds.rules.pinning is not Pinning.ENFORCE:
        return False
    if not isinstance(instructions, str):
        return True
    refused = grounds.catalogue.refuse_instructions(grounds.inspection.server, instructions, grounds.rules.pinning)
    return refused is not None


def _note(grounds: Grounds, result: Mapping[str, Json]) -> tuple[Note, ...]:
    if grounds.rules.pinning is Pinning.OFF:
        return ()
    listed, instructions = result.get("tools"), result.get("instructions")
    definitions = tuple(listed) if isinstance(listed, list) else ()
    told = instructions if isinstance(instructions, str) else None
    return (SawDefinitions(grounds.inspection.server, definitions, told),) if definitions or told is not None else ()


def _list_schemas(grounds: Grounds) -> Sequence[Schema | BadSchema]:
    """List what the call's tool must return; which of its approved definitions the caller saw is not known."""
    target = grounds.inspection.target
    if grounds.outputs is None or target is None or target.kind is not TargetKind.TOOL:
        return ()
    known = grounds.catalogue.find(target.server, target.name)
    approved = () if known is None else known.approved
    if not all("outputSchema" in each.definition for each in approved):
        return ()
    return grounds.outputs.compile((each.digest, each.definition) for each in approved).schemas


def _scope(inspection: Inspection, *, may_make: bool) -> TaskScope:
    target = inspection.target
    tool = target.name if may_make and target is not None and target.kind is TargetKind.TOOL else None
    return TaskScope(inspection.server, inspection.envelope, tool, inspection.task_ids)


def _session_marker(inspection: Inspection, key: bytes) -> Callable[[str], str | None]:
    if inspection.method != "initialize":
        return lambda _: None
    owner = Owner(inspection.principal.issuer, inspection.principal.subject)
    return partial(sign_session, server=inspection.server, owner=owner, key=key, declares_url=inspection.declares_url)
