import os
import platform
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from agen_authz.adapters.metrics import (
    KeyAge,
    PrometheusMetrics,
    SupervisorMetrics,
    WorkerCount,
    render_families,
)
from agen_authz.adapters.metrics.table import PROCESS
from agen_authz.core.model import Effect, Matched, Outcome, State
from agen_authz.core.reason import Reason
from agen_authz.core.response.step import ResponseOutcome

THREADS, EACH = 8, 500
# Above what Linux gives out.
GONE = 1 << 30


@pytest.fixture
def metrics():
    return PrometheusMetrics(CollectorRegistry())


def _families(metrics):
    return {
        family.name: family for family in text_string_to_metric_families(render_families(metrics.collect())[0].decode())
    }


def test_names_and_labels_are_those_of_the_contract_and_no_others(metrics):
    metrics.count_decision("deny", Reason.TOKEN_MISSING, "crm", 0.0002)
    metrics.count_matches((Matched("no refunds", Effect.DENY, State.SHADOW, Outcome.APPLIES),))
    metrics.count_audit_event("stdout", "written")
    metrics.count_jwks_refresh("idp", "ok")
    metrics.count_tool_drift("crm", "new", 2)
    metrics.count_masked("email", "redact", "crm", 2)
    metrics.count_masked_shadow("email", "redact", "crm", 1)
    metrics.count_masking_incomplete("crm", 1)
    metrics.count_unruled("email", "crm", 1)
    metrics.count_copy("crm", "found")
    metrics.count_response("crm", ResponseOutcome.PASSED)
    metrics.count_unread("crm")
    metrics.set_in_flight("check", 2)
    metrics.set_audit_queue("stdout", 3, 1000)
    metrics.set_keys((KeyAge("idp", 12.0, 4200.0, 2),))
    metrics.set_tools_unmapped("crm", 3)
    metrics.set_policy_version("v1")
    metrics.set_weakened(("resources.crm.insecure_unsigned",))
    seen = {
        (sample.name, *sorted(sample.labels)) for family in _families(metrics).values() for sample in family.samples
    }
    assert seen == {
        ("agen_decisions_total", "decision", "reason", "server"),
        ("agen_decision_seconds_bucket", "le", "server"),
        ("agen_decision_seconds_count", "server"),
        ("agen_decision_seconds_sum", "server"),
        ("agen_policy_matches_total", "effect", "policy", "state"),
        ("agen_audit_events_total", "outcome", "sink"),
        ("agen_jwks_refresh_total", "outcome", "provider"),
        ("agen_tool_drift_total", "kind", "server"),
        ("agen_masked_total", "detector", "server", "style"),
        ("agen_masked_shadow_total", "detector", "server", "style"),
        ("agen_masking_incomplete_total", "server"),
        ("agen_unruled_total", "detector", "server"),
        ("agen_response_copies_total", "outcome", "server"),
        ("agen_responses_total", "outcome", "server"),
        ("agen_responses_unread_total", "server"),
        ("agen_calls_in_flight", "rpc"),
        ("agen_audit_queue_depth", "sink"),
        ("agen_audit_queue_limit", "sink"),
        ("agen_jwks_age_seconds", "provider"),
        ("agen_jwks_max_age_seconds", "provider"),
        ("agen_jwks_keys", "provider"),
        ("agen_tools_unmapped", "server"),
        ("agen_policy_set_info", "version"),
        ("agen_weakened", "setting"),
    }


def _samples(metrics):
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in _families(metrics).values()
        for sample in family.samples
    }


def test_names_and_labels_of_the_supervisor_are_those_of_the_contract_and_no_others():
    metrics = SupervisorMetrics(CollectorRegistry(), 1000.0, 0.5)
    metrics.count_policy_reload("ok", 2000.0)
    metrics.watch_workers(lambda: [WorkerCount("check", 2, True)])
    samples = {key: value for key, value in _samples(metrics).items() if not key[0].startswith("process_")}
    build = ("agen_build_info", ("python", platform.python_version()), ("version", version("agen-authz")))
    assert samples == {
        build: 1,
        ("agen_check_timeout_seconds",): 0.5,
        ("agen_policy_reload_ok",): 1,
        ("agen_policy_reload_timestamp_seconds",): 2000,
        ("agen_policy_reload_total", ("outcome", "ok")): 1,
        ("agen_worker_restarts_total", ("worker", "check")): 2,
        ("agen_worker_up", ("worker", "check")): 1,
    }


def test_start_is_the_last_good_reload_and_a_failed_one_keeps_its_time():
    metrics = SupervisorMetrics(CollectorRegistry(), 1000.0, 0.5)
    wanted = [("agen_policy_reload_ok",), ("agen_policy_reload_timestamp_seconds",)]
    seen = [[_samples(metrics)[name] for name in wanted]]
    metrics.count_policy_reload("failed", 2000.0)
    seen.append([_samples(metrics)[name] for name in wanted])
    assert seen == [[1, 1000], [0, 1000]]


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not tell")
def test_processes_are_shown_by_name_and_one_that_is_gone_is_not():
    metrics = SupervisorMetrics(CollectorRegistry(), 1000.0, 0.5)
    workers = [
        WorkerCount("check", 0, True, os.getpid()),
        WorkerCount("process", 0, False),
        WorkerCount("x", 0, True, GONE),
    ]
    metrics.watch_workers(lambda: workers)
    samples = [key for key in _samples(metrics) if key[0].startswith("process_")]
    names = {row.exposed for row in PROCESS}
    assert sorted(samples) == sorted((name, ("process", of)) for name in names for of in ("check", "supervisor"))


def test_keys_of_a_provider_that_has_not_answered_have_no_age():
    metrics = PrometheusMetrics(CollectorRegistry())
    metrics.set_keys((KeyAge("idp", 12.0, 4200.0, 2), KeyAge("old", 1.0, 60.0, 1)))
    metrics.set_keys((KeyAge("idp", None, 4200.0, 0),))
    assert _samples(metrics) == {
        ("agen_jwks_max_age_seconds", ("provider", "idp")): 4200,
        ("agen_jwks_keys", ("provider", "idp")): 0,
    }


def _labels(metrics, name):
    return [label for sample in _families(metrics)[name].samples for label in sample.labels.values()]


def test_one_policy_set_decides_at_a_time(metrics):
    metrics.set_policy_version("v1")
    metrics.set_policy_version("v2")
    assert _labels(metrics, "agen_policy_set_info") == ["v2"]


def test_settings_that_weaken_no_longer_are_gone(metrics):
    metrics.set_weakened(("server.insecure_plaintext", "resources.crm.insecure_unsigned"))
    metrics.set_weakened(("resources.crm.insecure_unsigned",))
    assert _labels(metrics, "agen_weakened") == ["resources.crm.insecure_unsigned"]


def test_number_of_unmapped_tools_is_the_last_one():
    metrics = PrometheusMetrics(CollectorRegistry())
    metrics.set_tools_unmapped("crm", 3)
    metrics.set_tools_unmapped("crm", 1)
    assert [sample.value for sample in _families(metrics)["agen_tools_unmapped"].samples] == [1.0]


def test_seconds_are_summed_by_server(metrics):
    for server, seconds in (("crm", 0.25), ("crm", 0.5), ("billing", 1.0)):
        metrics.count_decision("allow", Reason.ALLOWED, server, seconds)
    samples = _families(metrics)["agen_decision_seconds"].samples
    sums = {sample.labels["server"]: sample.value for sample in samples if sample.name.endswith("_sum")}
    assert sums == {"crm": 0.75, "billing": 1.0}


def test_content_type_is_the_text_format(metrics):
    assert render_families(metrics.collect())[1].startswith("text/plain; version=")


def test_no_count_of_many_threads_is_lost(metrics):
    def count(number):
        for _ in range(EACH):
            metrics.count_decision("allow", Reason.ALLOWED, f"s-{number % 2}", 0.001)
            metrics.count_audit_event("stdout", "written")

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(count, range(THREADS)))
    families = _families(metrics)
    decisions = {sample.labels["server"]: sample.value for sample in families["agen_decisions"].samples}
    events = [sample.value for sample in families["agen_audit_events"].samples]
    assert (decisions, events) == ({"s-0": THREADS * EACH / 2, "s-1": THREADS * EACH / 2}, [THREADS * EACH])
