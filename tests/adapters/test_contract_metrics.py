"""`DecisionMetrics`, `AuditMetrics`, `ResponseMetrics`, `MaskingMetrics`, `KeyMetrics`, `DriftMetrics`; of approvals,
`ApprovalMetrics`, `NotificationMetrics`, `TaskMetrics`."""

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from agen_authz.adapters.metrics import PrometheusMetrics, render_families
from agen_authz.core.model import Effect, Matched, Outcome, State
from agen_authz.core.reason import Reason
from agen_authz.core.response.step import ResponseOutcome
from tests.fakes import CountingMetrics


def _samples(metrics):
    text = render_families(metrics.collect())[0].decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _read_prometheus(metrics):
    return _by_label({key: int(value) for key, value in _samples(metrics).items() if key[0].endswith("_total")})


def _read_fake(metrics):
    return _by_label(metrics.counts)


def _by_label(counts):
    # The exposition sorts labels by name, the fake keeps the order of arguments.
    return {(name, *sorted(labels)): count for (name, *labels), count in counts.items()}


@pytest.fixture(params=["prometheus", "fake"])
def rig(request):
    if request.param == "prometheus":
        return PrometheusMetrics(CollectorRegistry()), _read_prometheus
    return CountingMetrics(), _read_fake


def test_nothing_is_counted_at_first(rig):
    metrics, read = rig
    assert read(metrics) == {}


def test_everything_is_counted_under_its_labels(rig):
    metrics, read = rig
    for reason in (Reason.ALLOWED, Reason.ALLOWED, Reason.TOKEN_EXPIRED):
        metrics.count_decision("allow" if reason is Reason.ALLOWED else "deny", reason, "crm", 0.001)
    for state in (State.SHADOW, State.SHADOW, State.ENFORCE):
        metrics.count_matches((Matched("no refunds", Effect.DENY, state, Outcome.APPLIES),))
    for outcome in ("written", "written", "failed"):
        metrics.count_audit_event("stdout", outcome)
    for outcome in ("ok", "failed", "malformed", "ok"):
        metrics.count_jwks_refresh("idp", outcome)
    metrics.count_tool_drift("crm", "new", 3)
    metrics.count_tool_drift("crm", "new")
    metrics.count_tool_drift("crm", "schema")
    for ended in (ResponseOutcome.PASSED, ResponseOutcome.PASSED, ResponseOutcome.ABORTED):
        metrics.count_response("crm", ended)
    for count in (2, 3):
        metrics.count_masked("email", "redact", "crm", count)
        metrics.count_masked_shadow("iban", "hash", "crm", count)
        metrics.count_masking_incomplete("crm", count)
        metrics.count_unruled("vin", "crm", count)
    for event in ("asked", "asked", "used"):
        metrics.count_approval("finance", event)
    metrics.count_notification("opened", "sent")
    metrics.count_defect("outbox")
    metrics.count_copy("crm", "dropped")
    metrics.count_unread("crm")
    assert read(metrics) == {
        ("agen_masked_total", "crm", "email", "redact"): 5,
        ("agen_masked_shadow_total", "crm", "hash", "iban"): 5,
        ("agen_masking_incomplete_total", "crm"): 5,
        ("agen_unruled_total", "crm", "vin"): 5,
        ("agen_approvals_total", "asked", "finance"): 2,
        ("agen_approvals_total", "finance", "used"): 1,
        ("agen_notifications_total", "opened", "sent"): 1,
        ("agen_task_defects_total", "outbox"): 1,
        ("agen_response_copies_total", "crm", "dropped"): 1,
        ("agen_responses_unread_total", "crm"): 1,
        ("agen_responses_total", "crm", "passed"): 2,
        ("agen_responses_total", "aborted", "crm"): 1,
        ("agen_tool_drift_total", "crm", "new"): 4,
        ("agen_tool_drift_total", "crm", "schema"): 1,
        ("agen_decisions_total", "allow", "allowed", "crm"): 2,
        ("agen_decisions_total", "crm", "deny", "token_expired"): 1,
        ("agen_policy_matches_total", "deny", "no refunds", "shadow"): 2,
        ("agen_policy_matches_total", "deny", "enforce", "no refunds"): 1,
        ("agen_audit_events_total", "stdout", "written"): 2,
        ("agen_audit_events_total", "failed", "stdout"): 1,
        ("agen_jwks_refresh_total", "idp", "ok"): 2,
        ("agen_jwks_refresh_total", "failed", "idp"): 1,
        ("agen_jwks_refresh_total", "idp", "malformed"): 1,
    }
