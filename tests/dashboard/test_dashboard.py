"""The dashboard is what its generator makes, and what a dashboard has to be."""

import json
from copy import deepcopy

import pytest

from tests.alerts.expression import find_mistakes
from tools import dashboard

BOARD = json.loads(dashboard.render())
PANELS = list(dashboard.list_panels(BOARD))


def test_file_of_the_chart_is_what_the_generator_makes(golden):
    golden(dashboard.FILE, dashboard.render())


def test_dashboard_has_no_fault():
    assert dashboard.find_faults(BOARD) == []


def test_panels_are_there_for_each_subject_and_many_of_them():
    rows = [panel["title"] for panel in BOARD["panels"] if panel["type"] == "row"]
    wanted = [
        "Overview", "Traffic", "Denials", "Latency", "Responses and masking", "Approvals", "Drift of tools", "Health",
    ]  # fmt: skip
    assert (rows, len(PANELS) > 25) == (wanted, True)


@pytest.mark.parametrize("panel", PANELS, ids=[f"{panel['id']} {panel['title']}" for panel in PANELS])
def test_panel_asks_for_metrics_and_labels_that_exist(panel):
    assert [mistake for target in panel["targets"] for mistake in find_mistakes(target["expr"])] == []


def _break(change):
    board = deepcopy(BOARD)
    change(board, next(panel for panel in board["panels"] if panel["title"] == "Denials by Reason"))
    return dashboard.find_faults(board)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda _, panel: panel["fieldConfig"]["defaults"].pop("unit"), "no unit"),
        (lambda _, panel: panel.update(description=""), "no description"),
        (lambda _, panel: panel["targets"][0].pop("legendFormat"), "no legend"),
        (lambda _, panel: panel.update(targets=[]), "no query, or two of the same name"),
        (lambda _, panel: panel["datasource"].update(uid="P1809F7CD0C75ACF3"), "a fixed data source"),
        (lambda _, panel: panel["targets"][0]["datasource"].update(uid="x"), "a query with a fixed data source"),
        (lambda _, panel: panel["targets"][0].update(expr="rate(agen_masked_total[5m])"), "a rate over a fixed time"),
        (lambda _, panel: panel["targets"][0].update(expr='agen_weakened{job="a"}'), "a metric of every installation"),
    ],
    ids=["unit", "description", "legend", "query", "source", "source of a query", "rate", "selectors"],
)
def test_fault_in_a_panel_would_be_noticed(change, fault):
    assert _break(change) == [f"Denials by Reason: {fault}"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda _, panel: panel.update(id=1), "two panels have the same id"),
        (lambda _, panel: panel["gridPos"].update(x=0, y=0), "two panels are at the same place"),
        (lambda _, panel: panel.update(title="$cluster"), "no variable is called cluster"),
        (
            lambda board, _: board["templating"]["list"][1]["datasource"].update(uid="x"),
            "the variable namespace has a fixed data source",
        ),
    ],
    ids=["id", "place", "variable", "source of a variable"],
)
def test_fault_of_the_whole_would_be_noticed(change, fault):
    assert _break(change) == [fault]
