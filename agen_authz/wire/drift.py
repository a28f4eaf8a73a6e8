"""The events of the catalogue (event.proto): what a server lists for the first time, and what was pinned.

Names and texts of a backend are spelt out (core/pinning/hidden.py) and bounded as in every event.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from agen_authz.core.pinning.change import Kind
from agen_authz.core.pinning.drift import Drift
from agen_authz.core.pinning.pin import name_state
from agen_authz.core.pinning.record import PinRecord
from agen_authz.wire.event import MAX_EVENT_BYTES
from agen_authz.wire.heading import render_heading
from agen_authz.wire.line import render_line
from agen_authz.wire.shorten import FULL, Room, Row, Shortener, fit

DRIFT, PIN = "drift", "pin"
_QUIET = frozenset({Kind.NEW.value, Kind.WORDING.value})


def render_drift(drifts: Sequence[Drift], pushed_out: int, *, request_id: str, policy_set: str, now: float) -> bytes:
    """Render one event, without its line end, for all that one list of a server shows for the first time."""

    def render(room: Room) -> bytes:
        event = render_heading(DRIFT, drifts[0].server, request_id, policy_set, now=now)
        return _render(room, drifts, pushed_out, event)

    # It fits: tests/wire/test_drift.py.
    return fit(render, MAX_EVENT_BYTES)


def _render(room: Room, drifts: Sequence[Drift], pushed_out: int, event: dict[str, object]) -> bytes:
    brief = Shortener(room)
    rows = brief.rows("drift.tools", [_row(each) for each in drifts], _choose)
    event["drift"] = {
        "total": len(drifts),
        "pushed_out": pushed_out,
        "tools": [
            {
                "name": name,
                "digest": digest,
                "state": state,
                "kinds": kinds.split(),
                "former_name": former,
                "looks_like": alike.split("\n") if alike else [],
                "hidden": hidden.split("\n") if hidden else [],
            }
            for name, digest, state, kinds, former, alike, hidden in rows
        ],
    }
    if brief.shortened:
        event["shortened"] = brief.shortened
    return render_line(event)


def _row(drift: Drift) -> Row:
    return (
        drift.name,
        drift.digest,
        name_state(drift.state),
        " ".join(drift.kinds),
        drift.former_name or "",
        "\n".join(f"{each.server}/{each.tool}" for each in drift.lookalikes),
        "\n".join(f"{each.path}: {each.shown}" for each in drift.hidden),
    )


def _choose(rows: Sequence[Row], room: int) -> list[Row]:
    """Keep what is more than new or reworded first, each kind in its order."""
    first = sorted(range(len(rows)), key=lambda at: set(rows[at][3].split()) <= _QUIET)[:room]
    return [rows[at] for at in sorted(first)]


def render_pin(record: PinRecord, *, policy_set: str, now: float) -> bytes:
    """Render the event of an operator's action, without its line end."""
    event = render_heading(PIN, record.server, "", policy_set, now=now)
    brief = Shortener(FULL)
    event["pin"] = {
        "id": record.id,
        "time": datetime.fromtimestamp(record.time, UTC),
        "action": record.action.value,
        "by": brief.text("pin.by", record.by),
        "name": brief.text("pin.name", record.name),
        "digest": record.digest,
    }
    if brief.shortened:
        event["shortened"] = brief.shortened
    return render_line(event)
