"""Builds the Grafana dashboard of the chart; `python -m tools.dashboard` prints it, `make golden` writes it.

What it must be is in `find_faults`: each panel has a unit, a description and a legend, and no data source is fixed.
"""

import json
import re
from collections.abc import Iterator
from itertools import count
from string import ascii_uppercase
from typing import Any

from grafana_foundation_sdk.builders import common, stat, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    Threshold,
    ThresholdsMode,
    VariableHide,
    VariableRefresh,
    VariableSort,
)

from tools.dashboard_panels import ROWS, Look, Panel

FILE = "helm/agen-authz/files/dashboard.json"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
_WIDTH, _NUMBERS, _LINES = 24, 6, 2
_VARIABLES = (
    ("namespace", "label_values(agen_build_info, namespace)"),
    ("job", 'label_values(agen_build_info{namespace=~"$namespace"}, job)'),
    ("server", 'label_values(agen_decisions_total{namespace=~"$namespace",job=~"$job"}, server)'),
)


def render() -> str:
    """Render the dashboard as JSON."""
    board = (
        build.Dashboard("agen-authz")
        .uid("agen-authz")
        .description("What agen-authz decides, masks and notices, and how it is.")
        .tags(["agen-authz", "mcp"])
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time("now-6h", "now")
        .refresh("30s")
        .readonly()
        .with_variable(build.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    for name, query in _VARIABLES:
        board.with_variable(_choose(name, query))
    numbers = count(1)
    for title, panels in ROWS:
        board.with_row(build.Row(title).id(next(numbers)))
        for panel in panels:
            drawn = _draw_number(panel) if panel.look is Look.NUMBER else _draw_lines(panel)
            board.with_panel(drawn.id(next(numbers)))
    return json.dumps(board.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _choose(name: str, query: str) -> build.QueryVariable:
    variable = build.QueryVariable(name).label(name.capitalize()).query(query).datasource(SOURCE)
    # A label that is not there is chosen by `.*` too.
    variable.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC).multi(True)
    return variable.include_all(True).all_value(".*").hide(VariableHide.DONT_HIDE)


def _draw_number(panel: Panel) -> stat.Panel:
    drawn = stat.Panel().title(panel.title).description(panel.meaning).unit(panel.unit).datasource(SOURCE)
    drawn.height(4).span(_WIDTH // _NUMBERS).graph_mode(look.BigValueGraphMode.AREA)
    drawn.reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    steps = [Threshold(value=None, color="text")]
    if panel.bad_from is not None:
        steps = [Threshold(value=None, color="green"), Threshold(value=panel.bad_from, color="red")]
    drawn.thresholds(build.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
    for letter, query in zip(ascii_uppercase, panel.queries, strict=False):
        drawn.with_target(_ask(query.expr, query.legend).ref_id(letter))
    return drawn


def _draw_lines(panel: Panel) -> timeseries.Panel:
    drawn = timeseries.Panel().title(panel.title).description(panel.meaning).unit(panel.unit).datasource(SOURCE)
    drawn.height(8).span(_WIDTH // _LINES).min(0).show_points(look.VisibilityMode.NEVER)
    legend = common.VizLegendOptions().display_mode(look.LegendDisplayMode.TABLE).show_legend(True)
    drawn.legend(legend.placement(look.LegendPlacement.RIGHT).calcs(["mean", "max"]))
    drawn.tooltip(common.VizTooltipOptions().mode(look.TooltipDisplayMode.MULTI).sort(look.SortOrder.DESCENDING))
    if panel.look is Look.STACK:
        drawn.stacking(common.StackingConfig().mode(look.StackingMode.NORMAL)).fill_opacity(20)
    for letter, query in zip(ascii_uppercase, panel.queries, strict=False):
        drawn.with_target(_ask(query.expr, query.legend).ref_id(letter))
    return drawn


def _ask(expr: str, legend: str) -> Dataquery:
    return Dataquery().expr(expr).legend_format(legend).datasource(SOURCE)


# ---- what is checked of it ---------------------------------------------------------------------------------


def list_panels(board: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """List the panels of a dashboard, those in rows too, without the rows."""
    for panel in board["panels"]:
        yield from panel.get("panels", ())
        if panel["type"] != "row":
            yield panel


def find_faults(board: dict[str, Any]) -> list[str]:
    """List what is wrong with a dashboard."""
    panels = list(list_panels(board))
    faults = [f"{panel.get('title') or panel.get('id')}: {fault}" for panel in panels for fault in _find_in(panel)]
    ids = [panel.get("id") for panel in board["panels"]]
    if len(set(ids)) != len(ids):
        faults.append("two panels have the same id")
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
    if len(set(places)) != len(places):
        faults.append("two panels are at the same place")
    known = {variable["name"] for variable in board["templating"]["list"]}
    used = {name for panel in panels for name in re.findall(r"\$\{?([a-z]\w*)", json.dumps(panel))}
    faults += [f"no variable is called {name}" for name in sorted(used - known)]
    fixed = [variable for variable in board["templating"]["list"] if _is_fixed(variable.get("datasource"))]
    return faults + [f"the variable {each['name']} has a fixed data source" for each in fixed]


def _find_in(panel: dict[str, Any]) -> Iterator[str]:
    for key in ("title", "description"):
        if not panel.get(key):
            yield f"no {key}"
    if not panel.get("fieldConfig", {}).get("defaults", {}).get("unit"):
        yield "no unit"
    if _is_fixed(panel.get("datasource", {"uid": ""})):
        yield "a fixed data source"
    letters = [target.get("refId") for target in panel.get("targets", ())]
    if not letters or not all(letters) or len(set(letters)) != len(letters):
        yield "no query, or two of the same name"
    for target in panel.get("targets", ()):
        yield from _find_in_query(target)


def _find_in_query(target: dict[str, Any]) -> Iterator[str]:
    expr = target.get("expr", "")
    if not target.get("legendFormat"):
        yield "no legend"
    if _is_fixed(target.get("datasource", {"uid": ""})):
        yield "a query with a fixed data source"
    if re.search(r"rate\([^)]*\[\d", expr):
        yield "a rate over a fixed time"
    if any('namespace=~"$namespace",job=~"$job"' not in chosen for chosen in re.findall(r"\w+\{([^}]*)\}", expr)):
        yield "a metric of every installation"


def _is_fixed(source: dict[str, Any] | None) -> bool:
    return source is not None and source.get("uid") != SOURCE.uid


if __name__ == "__main__":
    print(render(), end="")
