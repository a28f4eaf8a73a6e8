"""Requests as text for a terminal: nothing of a call can move the cursor, hide or pretend to be ours."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from agen_authz.core.model import Json
from agen_authz.core.pinning.hidden import spell

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_INDENT = "  "


def render_requests(requests: Iterable[Mapping[str, Json]], now: float) -> str:
    """Render a list, one request a line."""
    rows = [
        (
            _text(each, "id"),
            _text(each, "status"),
            _left(each, now),
            _text(each, "target"),
            f"asked by {_text(each, 'requester')}",
        )
        for each in requests
    ]
    widths = [max((len(row[at]) for row in rows), default=0) for at in range(4)]
    columns = [[cell.ljust(width) for cell, width in zip(row[:4], widths, strict=True)] for row in rows]
    return "\n".join(_INDENT.join([*cells, row[4]]) for cells, row in zip(columns, rows, strict=True))


def render_request(request: Mapping[str, Json], now: float) -> str:
    """Render one request: what an approver has to know, and what became of it."""
    return "\n".join(_list_lines(request, now))


def _list_lines(request: Mapping[str, Json], now: float) -> Iterator[str]:
    yield f"{_text(request, 'target')}  {_text(request, 'status')}"
    yield f"asked by    {_text(request, 'requester')}, {_moment(request.get('created_at'))}"
    for name in ("subject", "issuer", "client", "tenant", "method"):
        if _text(request, name):
            yield f"{name:11} {_text(request, name)}"
    yield from _list_policy(request)
    if request.get("status") == "open":
        yield f"time left   {_left(request, now)}; {_text(request, 'timeout')}"
    elif _text(request, "end"):
        yield _text(request, "end")
    yield from _list_tool(request)
    yield from _list_params(request)
    yield "steps:"
    for each in _rows(request, "steps"):
        count = f"{_text(each, 'approvals')} of {_text(each, 'quorum')}"
        yield f"{_INDENT}{_text(each, 'name')}: {_text(each, 'state')}, {count}"
    yield "history:"
    yield from (line for each in _rows(request, "history") for line in _list_event(each))
    if _text(request, "link"):
        yield f"page        {_text(request, 'link')}"


def _list_policy(request: Mapping[str, Json]) -> Iterator[str]:
    yield f"policy      {_text(request, 'policy')}, flow {_text(request, 'flow')}"
    for name in ("policy_warning", "policy_reach"):
        if _text(request, name):
            yield _INDENT + _text(request, name)
    if _text(request, "policy_message"):
        yield from (f"because     {spell(line)}" for line in str(request["policy_message"]).split("\n"))
    yield from (f"if          {spell(str(each))}" for each in _items(request, "conditions"))


def _list_tool(request: Mapping[str, Json]) -> Iterator[str]:
    if _text(request, "title"):
        yield f"title       {_text(request, 'title')}"
    if _text(request, "description"):
        yield "as the model saw it described:"
        yield from (_INDENT + spell(line) for line in str(request["description"]).split("\n"))
    if request.get("definition"):
        yield "the rest of the definition:"
        yield from _list_json(request.get("definition"))
    if _text(request, "tool_note"):
        yield _text(request, "tool_note")
    yield from _list_hidden(request, "definition_hidden")


def _list_json(value: Json) -> Iterator[str]:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    yield from (_INDENT + spell(line) for line in text.split("\n"))


def _list_hidden(request: Mapping[str, Json], name: str) -> Iterator[str]:
    hidden = [spell(str(each)) for each in _items(request, name)]
    if hidden:
        yield "INVISIBLE CHARACTERS, spelled out above, in: " + ", ".join(hidden)


def _list_params(request: Mapping[str, Json]) -> Iterator[str]:
    problem = _text(request, "params_problem")
    if problem:
        yield problem
        return
    yield "parameters:"
    yield from _list_json(request.get("params"))
    if request.get("headers"):
        yield "headers that the server gets with it:"
        yield from _list_json(request.get("headers"))
    masked = request.get("masked")
    if isinstance(masked, dict) and masked:
        yield "masked      " + ", ".join(f"{spell(name)} {spell(str(count))}" for name, count in masked.items())
    yield from _list_hidden(request, "hidden")


def _list_event(event: Mapping[str, Json]) -> Iterator[str]:
    who = f" by {_text(event, 'who')}" if _text(event, "who") else ""
    yield f"{_INDENT}{_moment(event.get('time'))}  {_text(event, 'what')}{who}"
    if _text(event, "reason"):
        yield from (2 * _INDENT + spell(line) for line in str(event["reason"]).split("\n"))


def _text(row: Mapping[str, Json], name: str) -> str:
    value = row.get(name)
    return "" if value is None else spell(str(value))


def _items(row: Mapping[str, Json], name: str) -> list[Json]:
    value = row.get(name)
    return value if isinstance(value, list) else []


def _rows(row: Mapping[str, Json], name: str) -> list[dict[str, Json]]:
    return [each for each in _items(row, name) if isinstance(each, dict)]


def _moment(value: Json) -> str:
    if not isinstance(value, int | float) or not 0 <= value < 1e11:
        return "at an unknown time"
    return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M} UTC"


def _left(request: Mapping[str, Json], now: float) -> str:
    ends_at = request.get("ends_at")
    if request.get("status") != "open" or not isinstance(ends_at, int | float):
        return ""
    left = max(int(ends_at - now), 0)
    if left >= _DAY:
        return f"{left // _DAY} d {left % _DAY // _HOUR} h"
    if left >= _HOUR:
        return f"{left // _HOUR} h {left % _HOUR // _MINUTE} min"
    return f"{left // _MINUTE} min" if left >= _MINUTE else f"{left} s"
