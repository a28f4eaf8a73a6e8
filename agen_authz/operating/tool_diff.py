"""An approved definition and the one that was seen last, line by line, with nothing that a terminal obeys.

Each line is a JSON pointer and the value at it; a text of several lines has a line for each. Hidden characters are
spelt out (core/pinning/hidden.py), so that what is shown is what a model reads.
"""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence

from agen_authz.core.model import Json
from agen_authz.core.pinning.definition import Definition
from agen_authz.core.pinning.hidden import spell
from agen_authz.core.pinning.pin import Changed, Kept, Reworded, name_state
from agen_authz.operating.tools import ToolView, as_json, notes_of, spell_time

# To compare many lines in their order takes quadratic time. Of more than these, only places that differ are compared;
# if that are still more, all of their lines are shown.
_MAX_ORDERED = 2000


def list_lines(value: Json) -> list[str]:
    """List every value of a definition with its place, keys in alphabetical order."""
    return [line for lines in dict(_list_places(value)).values() for line in lines]


def _list_places(value: Json, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield each place, as a JSON pointer, with the lines of the value that is there."""
    if isinstance(value, dict) and value:
        for key in sorted(value):
            yield from _list_places(value[key], f"{path}/{key.replace('~', '~0').replace('/', '~1')}")
    elif isinstance(value, list) and value:
        for index, each in enumerate(value):
            yield from _list_places(each, f"{path}/{index}")
    elif isinstance(value, str) and "\n" in value:
        yield path, [f"{spell(path)}: | {spell(line)}" for line in value.split("\n")]
    else:
        yield path, [f"{spell(path)}: {spell(json.dumps(value, ensure_ascii=False))}"]


def compare(before: Definition | None, after: Definition) -> list[str]:
    """List what differs: `-` for a line of the first, `+` for a line of the second; all of it if there is no first."""
    old = dict(() if before is None else _list_places(before))
    new = dict(_list_places(after))
    if _count(old, new) > _MAX_ORDERED:
        old, new = _leave_out(old, new), _leave_out(new, old)
    gone, come = ([line for lines in each.values() for line in lines] for each in (old, new))
    if len(gone) + len(come) > _MAX_ORDERED:
        return [*(f"- {line}" for line in gone), *(f"+ {line}" for line in come)]
    # The first two lines are the names of two files.
    changed = list(difflib.unified_diff(gone, come, n=0, lineterm=""))[2:]
    return [f"{line[0]} {line[1:]}" for line in changed if not line.startswith("@@")]


def _count(*several: Mapping[str, list[str]]) -> int:
    return sum(len(lines) for each in several for lines in each.values())


def _leave_out(places: Mapping[str, list[str]], others: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {path: lines for path, lines in places.items() if others.get(path) != lines}


def find_nearest(view: ToolView) -> Kept | None:
    """Find the approved definition that the last one is compared with; None if none is approved and kept."""
    state = view.drift.state
    since = state.since if isinstance(state, Reworded | Changed) else None
    approved = [each for each in view.tool.approved if each.definition is not None]
    return next((each for each in approved if each.digest == since), approved[0] if approved else None)


def list_differences(view: ToolView, seen: Kept | None) -> list[str]:
    """List how a kept definition differs from the approved one that is nearest."""
    nearest = find_nearest(view)
    if seen is None or seen.definition is None:
        return []
    return compare(None if nearest is None else nearest.definition, seen.definition)


def render_diff(view: ToolView, seen: Kept | None) -> str:
    """Show one tool: its state, what was approved and by whom, what was seen, and every line that differs."""
    nearest, kinds = find_nearest(view), ", ".join(view.drift.kinds)
    lines = [f"{view.spelling}: {name_state(view.drift.state)}{f' ({kinds})' if kinds else ''}"]
    if nearest is not None:
        lines.append(
            f"  approved {nearest.digest} by {spell(nearest.approved_by)} at {spell_time(nearest.approved_at)}"
        )
    if seen is None or seen.definition is None:
        return "\n".join(
            [*lines, f"  seen     {view.drift.digest}: it is too long, or was pushed out, and is not kept"]
        )
    lines.append(f"  seen     {seen.digest} first at {spell_time(seen.first_seen)}")
    lines += [f"  {note}" for note in notes_of(view)]
    return "\n".join([*lines, *(f"  {line}" for line in list_differences(view, seen))])


def render_diff_json(views: Sequence[ToolView]) -> str:
    """Write down as JSON what differs."""
    rows = [{**as_json(view), "diff": list_differences(view, view.tool.last)} for view in views]
    return json.dumps({"tools": rows})
