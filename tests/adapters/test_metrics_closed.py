"""Series that exist from the start."""

import pytest
from prometheus_client import CollectorRegistry

from agen_authz.adapters.metrics import Closed, PrometheusMetrics, list_zeros
from agen_authz.adapters.metrics.closed import APPROVAL_EVENTS, MOST_SERVERS, NEVER
from agen_authz.adapters.metrics.table import LABELS, METRICS, AtStart, MetricKind
from agen_authz.core.reason import Reason
from agen_authz.wire.approval_event import ApprovalWord

CLOSED = Closed(("crm", "billing"), ("idp",), (("no refunds", "deny", "enforce"),), ("finance",))


def _series(closed):
    return {key: value for family in list_zeros(closed) for key, value in family.samples.items()}


def _decisions(closed):
    return [dict(labels) for name, labels in _series(closed) if name == "agen_decisions_total"]


def test_every_series_from_the_start_is_0():
    assert set(_series(CLOSED).values()) == {0.0}


@pytest.mark.parametrize(
    "series",
    [
        ("agen_decisions_total", ("decision", "deny"), ("reason", "policy_denied"), ("server", "crm")),
        ("agen_decisions_total", ("decision", "allow"), ("reason", "allowed"), ("server", "billing")),
        ("agen_decisions_total", ("decision", "step_up"), ("reason", "step_up_required"), ("server", "crm")),
        ("agen_decisions_total", ("decision", "deny"), ("reason", "unknown_host"), ("server", "")),
        ("agen_decision_seconds_bucket", ("server", "crm"), ("le", "+Inf")),
        ("agen_policy_matches_total", ("policy", "no refunds"), ("effect", "deny"), ("state", "enforce")),
        ("agen_decisions_total", ("decision", "await_approval"), ("reason", "approval_required"), ("server", "crm")),
        ("agen_approvals_total", ("flow", "finance"), ("event", "timed_out")),
        ("agen_approval_wait_seconds_bucket", ("flow", "finance"), ("le", "+Inf")),
        ("agen_responses_total", ("server", "crm"), ("outcome", "blocked")),
        ("agen_tool_drift_total", ("server", "billing"), ("kind", "schema")),
        ("agen_jwks_refresh_total", ("provider", "idp"), ("outcome", "failed")),
        ("agen_policy_reload_total", ("outcome", "failed")),
        ("agen_audit_events_total", ("sink", "stdout"), ("outcome", "failed")),
    ],
    ids=lambda series: " ".join((series[0], *(value for _, value in series[1:]))),
)
def test_series_that_alerts_rely_on_exist_from_the_start(series):
    name, *labels = series
    assert (name, tuple(labels)) in _series(CLOSED)


def test_each_reason_of_a_decision_has_one_decision_and_those_of_responses_none():
    found = {(each["reason"], each["decision"]) for each in _decisions(CLOSED)}
    assert sorted(reason for reason, _ in found) == sorted(each.value for each in Reason if each not in NEVER)


def test_number_of_series_is_bounded_however_many_servers_there_are():
    many = tuple(f"s{number}" for number in range(MOST_SERVERS + 50))
    of = {each["server"] for each in _decisions(Closed(many, (), ()))}
    assert (len(of), len(_decisions(CLOSED)) // 2 <= 120) == (MOST_SERVERS + 1, True)


def test_series_that_is_counted_is_the_one_that_was_0():
    metrics = PrometheusMetrics(CollectorRegistry())
    metrics.count_decision("deny", Reason.POLICY_DENIED, "crm", 0.001)
    metrics.count_tool_drift("crm", "schema")
    metrics.count_copy("crm", "found")
    metrics.count_jwks_refresh("idp", "ok")
    metrics.count_unread("crm")
    metrics.count_approval("finance", "used")
    metrics.time_approval("finance", 90.0)
    counted = {key for family in metrics.collect() for key in family.samples}
    assert counted - _series(CLOSED).keys() == set()


def test_rows_say_which_series_exist_from_the_start():
    made = {family.name for family in list_zeros(CLOSED)}
    said = {row.name for row in METRICS if row.kind is not MetricKind.GAUGE and row.start is not AtStart.NONE}
    # Those are read where they are: their series are there anyway.
    assert said - {"agen_worker_restarts", "process_cpu_seconds"} == made


def test_every_label_of_a_metric_is_described_and_no_other():
    assert {label for row in METRICS for label in row.labels} == set(LABELS)


def test_no_label_is_one_that_prometheus_writes():
    # Prometheus would rename ours to `exported_...`, and the rules would ask for the wrong one.
    written = {"job", "instance", "namespace", "pod", "service", "endpoint", "container", "node"}
    assert written & set(LABELS) == set()


def test_events_of_approvals_are_the_words_of_their_audit_events():
    assert tuple(ApprovalWord) == APPROVAL_EVENTS
