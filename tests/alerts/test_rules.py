"""The rules: each says what it means and what to do, asks for metrics that exist, and is tried in both ways."""

import re
import shutil
import subprocess

import pytest

from tests.alerts.expression import find_mistakes
from tests.alerts.rule import CASES, ROOT, RULES, find_command, load_cases, load_rules

PAGE = ROOT / "docs" / "alerts.md"
NAMES = [rule["alert"] for rule in load_rules()]


@pytest.mark.parametrize("rule", load_rules(), ids=NAMES)
def test_rule_has_a_severity_a_sentence_and_a_section_that_says_what_to_do(rule):
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    assert sorted(rule["annotations"]) == ["description", "docs", "summary"]
    assert rule["annotations"]["docs"] == f"docs/alerts.md#{rule['alert'].lower()}"


@pytest.mark.parametrize("rule", load_rules(), ids=NAMES)
def test_rule_asks_for_metrics_and_labels_that_exist(rule):
    assert list(find_mistakes(rule["expr"])) == []


@pytest.mark.parametrize(
    ("expr", "mistake"),
    [
        ("rate(agen_decision_total[5m])", "no metric is called agen_decision_total"),
        ('agen_decisions_total{outcome="deny"}', "agen_decisions_total has no label outcome"),
        ("sum by (pods) (agen_worker_up)", "no metric has the label pods"),
    ],
    ids=["metric", "label", "group"],
)
def test_mistake_in_an_expression_would_be_noticed(expr, mistake):
    assert list(find_mistakes(expr)) == [mistake]


def test_page_has_a_section_for_each_alert_and_its_severity_and_no_other():
    sections = re.findall(r"^### (\w+)\n\n`(\w+)`", PAGE.read_text("utf-8"), re.MULTILINE)
    assert sections == [(rule["alert"], rule["labels"]["severity"]) for rule in load_rules()]


@pytest.mark.parametrize("name", NAMES)
def test_each_alert_is_tried_where_it_fires_and_where_it_does_not(name):
    cases = [case for case in load_cases() if case["name"].startswith(f"{name}: ")]
    fires = [any(asked["exp_samples"] for asked in case["promql_expr_test"]) for case in cases]
    assert {True, False} == set(fires)


def run_promtool(*words: str) -> tuple[int, str]:
    done = subprocess.run([find_command("promtool"), *words], capture_output=True, text=True, check=False, cwd=ROOT)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.services
def test_prometheus_takes_the_rules():
    code, said = run_promtool("check", "rules", str(RULES))
    assert (code, f"SUCCESS: {len(NAMES)} rules found" in said) == (0, True), said


@pytest.mark.services
def test_rules_fire_where_they_should_and_nowhere_else():
    code, said = run_promtool("test", "rules", *map(str, CASES))
    assert code == 0, said


@pytest.mark.services
def test_wrong_expectation_would_be_noticed(tmp_path):
    rules = tmp_path / "helm" / "agen-authz" / "files" / "alerts.yaml"
    case = tmp_path / "tests" / "alerts" / "health.yaml"
    for path in (rules, case):
        path.parent.mkdir(parents=True)
    shutil.copy(RULES, rules)
    text = next(path for path in CASES if path.name == case.name).read_text("utf-8")
    case.write_text(text.replace('severity="critical"', 'severity="info"', 1), "utf-8")
    code, said = run_promtool("test", "rules", str(case))
    assert (code, "FAILED" in said) == (1, True)
