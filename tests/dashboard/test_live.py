"""A real Prometheus scrapes the running demo: every panel has an answer, and a spike of denials fires its alert."""

import asyncio
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from agen_authz.adapters.metrics.table import METRICS
from agen_authz.demo.plan import DemoPorts, Plan
from agen_authz.demo.token import fetch_token
from agen_authz.demo.wire import post_call, post_message
from tests.alerts.expression import SERIES
from tests.alerts.rule import RULES, find_command
from tests.stage.port import HOST, reserve_port
from tests.stage.process import BOUND_S, START_S, is_answering, running, tail
from tests.stage.talk import talking
from tools import dashboard

pytestmark = pytest.mark.services

BOARD = json.loads(dashboard.render())
# While the demo is watched no rule is in shadow, no tool changes and no message is sent: there is nothing to show.
MAY_BE_EMPTY = {"Would be masked", "Changed tools", "Messages to people"}
# Windows of the rules, and those of the copy that a test can wait for.
SHORT = (("[6h]", "[60s]"), ("10m", "10s"))
SPIKE = 60


@dataclass
class Watched:
    """The demo, and the Prometheus that watches it."""

    plan: Plan
    url: str

    def ask(self, path: str, **params: str) -> Any:
        """Ask Prometheus; its answer's data."""
        answer = httpx.get(f"{self.url}/api/v1/{path}", params=params, trust_env=False, timeout=START_S).json()
        assert answer["status"] == "success", (params, answer.get("error"))
        return answer["data"]

    def value(self, expr: str) -> float:
        """Ask for the sum of an expression."""
        result = self.ask("query", query=f"sum({expr}) or vector(0)")["result"]
        return float(result[0]["value"][1])

    def find_firing(self) -> list[dict[str, str]]:
        """List the labels of what fires."""
        return [alert["labels"] for alert in self.ask("alerts")["alerts"] if alert["state"] == "firing"]

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something that Prometheus sees in the end."""
        ends = time.monotonic() + BOUND_S
        while not is_so():
            assert time.monotonic() < ends, (self.find_firing(), tail(self.plan.state / "prometheus.log"))
            time.sleep(0.25)

    def call(self, role: str, server: str, tool: str, arguments: dict[str, object], *, times: int = 1) -> None:
        """Call a tool as a role."""

        async def call() -> None:
            url = self.plan.url_of(server)
            token = await fetch_token(self.plan.issuer, role, url, country="US")
            for _ in range(times):
                await post_call(url, token, tool, arguments)
            await post_message(url, token, "tools/list")

        asyncio.run(call())


def write_files(plan: Plan) -> Path:
    """Write Prometheus' configuration, and a copy of the denial spike's rule with short windows."""
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    (rule,) = (rule for group in groups for rule in group["rules"] if rule["alert"] == "AgenDenialSpike")
    for old, new in SHORT:
        assert old in rule["expr"]
        rule["expr"] = rule["expr"].replace(old, new)
    rule["for"] = "0s"
    rules, config = plan.state / "rules.yaml", plan.state / "prometheus.yaml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "short", "interval": "1s", "rules": [rule]}]}), "utf-8")
    job = {"job_name": "agen", "static_configs": [{"targets": [f"{HOST}:{plan.ports.ops}"]}]}
    every = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config.write_text(yaml.safe_dump({"global": every, "rule_files": [str(rules)], "scrape_configs": [job]}), "utf-8")
    return config


@pytest.fixture(scope="module")
def watched(tmp_path_factory) -> Iterator[Watched]:
    state = tmp_path_factory.mktemp("watched")
    ports = DemoPorts(*(reserve_port() for _ in fields(DemoPorts)))
    demo = [sys.executable, "-m", "agen_authz", "demo", "--ports", str(ports), "--state", str(state)]
    with talking(demo, state / "demo.log") as talk:
        for line in iter(talk.read_line, "ready"):
            assert line != "never"
        plan, port = Plan(state, ports), reserve_port()
        options = (f"--config.file={write_files(plan)}", f"--storage.tsdb.path={state / 'tsdb'}")
        command = [find_command("prometheus"), *options, f"--web.listen-address={HOST}:{port}"]
        url = f"http://{HOST}:{port}"
        with running(command, state / "prometheus.log", lambda: is_answering(f"{url}/-/ready")):
            yield Watched(plan, url)


def test_every_metric_of_the_table_is_exposed_as_it_says_and_no_other(watched):
    watched.call("analyst", "crm", "get_customer", {"customer_id": "c-1001"})
    text = httpx.get(f"http://{HOST}:{watched.plan.ports.ops}/metrics", trust_env=False, timeout=START_S).text
    seen = {
        family.name: {sample.name: set(sample.labels) for sample in family.samples}
        for family in text_string_to_metric_families(text)
    }
    assert set(seen) == {row.name for row in METRICS}
    wrong = {name: labels for each in seen.values() for name, labels in each.items() if labels != SERIES[name]}
    assert wrong == {}
    processes = re.findall(r'^process_open_fds\{process="([\w-]+)"\}', text, re.MULTILINE)
    assert sorted(processes) == ["check", "console", "process", "supervisor"]


def test_every_panel_has_an_answer_from_a_prometheus_that_scrapes_the_demo(watched):
    def is_rated() -> bool:
        """Make calls of every kind, until they are in two scrapes."""
        watched.call("analyst", "crm", "get_customer", {"customer_id": "c-1001"})
        watched.call("finance", "billing", "payout", {"payee": "ACME", "iban": "DE89370400440532013000", "amount": 10})
        watched.call("analyst", "crm", "delete_customer", {"customer_id": "c-1001"})
        return watched.value("rate(agen_masked_total[30s])") > 0

    watched.until(is_rated)
    empty = set()
    for panel in dashboard.list_panels(BOARD):
        for target in panel["targets"]:
            expr = target["expr"].replace("$__rate_interval", "30s")
            expr = re.sub(r"\$(namespace|job|server)", ".*", expr)
            if not watched.ask("query", query=expr)["result"]:
                empty.add(panel["title"])
    assert empty - MAY_BE_EMPTY == set()


def test_spike_of_denials_fires_its_alert_and_only_for_its_server(watched):
    denied = 'agen_decisions_total{decision="deny"}'
    # The seconds before have to be known: there is something to compare with.
    watched.until(lambda: bool(watched.ask("query", query=f"rate({denied}[60s] offset 10s)")["result"]))
    watched.call("analyst", "crm", "delete_customer", {"customer_id": "c-1001"}, times=3)
    assert watched.find_firing() == []
    watched.call("analyst", "billing", "refund", {"invoice_id": "i-4001", "amount": 1}, times=SPIKE)
    watched.until(lambda: bool(watched.find_firing()))
    assert watched.find_firing() == [
        {"alertname": "AgenDenialSpike", "job": "agen", "server": "billing", "severity": "warning"}
    ]
