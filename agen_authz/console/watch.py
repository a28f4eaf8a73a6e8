"""Pages about what happens: live decisions, the trace of each, and what is masked where. For administrators."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from agen_authz.console.chart import Chart, draw
from agen_authz.console.console import Console
from agen_authz.console.decision_view import (
    DECISION_WORDS,
    Event,
    Wanted,
    find_trace,
    list_decisions,
    list_masked,
    read_events,
)
from agen_authz.console.form import read_query
from agen_authz.console.history import MASKED, MASKED_SHADOW, STEPS, History, Track
from agen_authz.console.session import ConsoleSession
from agen_authz.console.visit import for_admins

_MAX_SHOWN, _MAX_MASKED = 500, 100
_NAMES = ("server", "detector", "style")


class MaskedTrack(Struct, frozen=True):
    """What one detector found in the responses of one server over time."""

    server: str
    detector: str
    style: str
    masked: int
    shadow: int
    chart: Chart


@dataclass(frozen=True, slots=True)
class WatchPages:
    """The pages that show what happens."""

    console: Console

    @for_admins
    async def decisions(self, request: Request, session: ConsoleSession) -> Response:
        """List the last decisions."""
        query = read_query(request) or {}
        wanted = Wanted(*(query.get(name, "").strip() for name in ("decision", "server", "text")))
        events = await self._read_events()
        rows = list_decisions(events or (), wanted)
        kept = {name: getattr(wanted, name) for name in ("decision", "server", "text") if getattr(wanted, name)}
        is_live = query.get("live") == "1"
        counts = Counter[str]()
        for row in rows:
            counts[row.decision] += row.count
        values = {
            "rows": rows[:_MAX_SHOWN],
            "is_kept": events is not None,
            "has_any": bool(events),
            "wanted": wanted,
            "words": DECISION_WORDS,
            "counts": [(name, word, counts[name]) for name, word in DECISION_WORDS.items() if counts[name]],
            "is_live": is_live,
            "again": "?" + urlencode(kept | ({} if is_live else {"live": "1"})),
            "here": "/decisions",
        }
        return self.console.page("decisions.html", values, session=session)

    @for_admins
    async def decision(self, request: Request, session: ConsoleSession) -> Response:
        """Show the trace of one decision."""
        trace = find_trace(await self._read_events() or (), request.path_params["id"])
        if trace is None:
            text = "This decision is not among the last ones. The audit log has it, if it was recorded there."
            return self.console.notice("Not here any longer", text, session=session, status=404, again="/decisions")
        return self.console.page("decision.html", {"trace": trace, "here": "/decisions"}, session=session)

    @for_admins
    async def masking(self, _request: Request, session: ConsoleSession) -> Response:
        """Show what is masked where, over time."""
        now, history, events = self.console.ports.clock.now(), self.console.ports.history(), await self._read_events()
        found = () if history is None else _read_tracks(history, now)
        values = {
            "is_counted": history is not None,
            "since": None if history is None else history.since,
            "whole": draw("Values", _add(found), now),
            "tracks": _view_tracks(found, now),
            "is_kept": events is not None,
            "lately": list_masked(events or ())[:_MAX_MASKED],
            "here": "/masking",
        }
        return self.console.page("masking.html", values, session=session)

    async def _read_events(self) -> Sequence[Event] | None:
        lines = await self.console.ports.events()
        return None if lines is None else read_events(lines)


_Found = Sequence[tuple[str, Track]]


def _read_tracks(history: History, now: float) -> _Found:
    kinds = (("masked", MASKED), ("in shadow", MASKED_SHADOW))
    return [(kind, track) for kind, metric in kinds for track in history.read(metric, *_NAMES, now=now)]


def _add(found: Iterable[tuple[str, Track]]) -> Mapping[str, Sequence[int]]:
    """Add up what was masked and what would have been."""
    sums = {"masked": [0] * STEPS, "in shadow": [0] * STEPS}
    for kind, track in found:
        sums[kind] = [before + count for before, count in zip(sums[kind], track.counts, strict=True)]
    return sums


def _view_tracks(found: _Found, now: float) -> tuple[MaskedTrack, ...]:
    """List each server's detectors, those that found most first."""
    groups: dict[tuple[str, ...], list[tuple[str, Track]]] = {}
    for kind, track in found:
        groups.setdefault(track.labels, []).append((kind, track))
    views = []
    for (server, detector, style), tracks in groups.items():
        counts = _add(tracks)
        chart = draw(f"Values of {detector} at {server}", counts, now)
        views.append(MaskedTrack(server, detector, style, sum(counts["masked"]), sum(counts["in shadow"]), chart))
    return tuple(sorted(views, key=lambda each: (-each.masked - each.shadow, each.server, each.detector, each.style)))
