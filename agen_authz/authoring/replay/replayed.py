"""The result of a replay, counted, and how it is shown."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Replayed:
    """The result of a replay: changes with their counts, and what could not be decided again.

    Args:
        unheld: decisions that depend on what events do not hold: the decision, and what that is.
        ignores_pins: the draft denies calls by pins or schemas, which were not applied.
        logged: lines of the sidecar's own log, which are mixed with the events in a container's log.
        first_unreadable: the line of the first of `unreadable`.
    """

    events: int = 0
    same: int = 0
    skipped: int = 0
    undecided: int = 0
    unreadable: int = 0
    changes: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)
    unanswerable: Counter[str] = field(default_factory=Counter)
    unheld: Counter[tuple[str, str]] = field(default_factory=Counter)
    ignores_pins: bool = False
    logged: int = 0
    first_unreadable: int = field(default=0, compare=False)

    @property
    def gap(self) -> str:
        """Say what was not looked at, if "no changes" would hide it; empty if every event was read and any decided."""
        if not self.events:
            return "holds no events; name the file that the sidecar's standard output went to"
        if self.unreadable:
            return f"{self.unreadable} of {self.events} lines are not audit events, first line {self.first_unreadable}"
        if not self.same and not self.changes:
            return f"none of its {self.events} events could be decided again"
        return ""


def render_text(result: Replayed) -> str:
    """List changes with their counts, what could not be decided again, and the sum."""
    lines = ["{count:>7} x {target}: {before} -> {after} {policies}".format(**each).rstrip() for each in _rows(result)]
    lines += [
        f"{count:>7} x `{name}` reads arguments, claims or annotations, which events do not hold: not replayed"
        for name, count in result.unanswerable.most_common()
    ]
    lines += [
        f"{count:>7} x {before} depends on {missing}, which events do not hold: not replayed"
        for (before, missing), count in result.unheld.most_common()
    ]
    if result.ignores_pins:
        lines.append("pins and schemas, which the draft enforces, are not applied: events do not hold definitions")
    lines.append(
        f"{result.events} events: {result.same} decided alike, {result.skipped} refused before any policy, "
        f"{result.undecided} not replayed, {result.unreadable} unreadable"
    )
    return "\n".join(lines)


def render_json(result: Replayed) -> str:
    """Write counts and changes down as JSON."""
    counts = {"events": result.events, "same": result.same, "skipped": result.skipped}
    counts |= {"undecided": result.undecided, "logged": result.logged}
    unread: dict[str, Any] = {"unreadable": result.unreadable, "unanswerable": dict(result.unanswerable)}
    unheld = [
        {"before": before, "missing": missing, "count": count}
        for (before, missing), count in result.unheld.most_common()
    ]
    unread |= {"unheld": unheld, "ignores_pins": result.ignores_pins}
    return json.dumps({**counts, **unread, "changes": _rows(result)})


def _rows(result: Replayed) -> list[dict[str, Any]]:
    return [
        {"before": before, "after": after, "target": target, "policies": names, "count": count}
        for (before, after, target, names), count in result.changes.most_common()
    ]
