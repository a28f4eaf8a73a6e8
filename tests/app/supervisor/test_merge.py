"""The metrics of several processes as those of one."""

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from agen_authz.adapters.metrics import Family, PrometheusMetrics, render_families
from agen_authz.app.supervisor.merge import keep_counts, merge
from agen_authz.core.reason import Reason

KINDS = {"agen_a": "counter", "agen_b": "histogram", "agen_c": "gauge"}
FAMILIES = st.lists(
    st.builds(
        lambda name, values: Family(
            name, "", KINDS[name], {(name, (("label", label),)): float(value) for label, value in values.items()}
        ),
        st.sampled_from(sorted(KINDS)),
        st.dictionaries(st.sampled_from("xyz"), st.integers(0, 10**6)),
    ),
    unique_by=lambda family: family.name,
).map(tuple)


def counted(*seconds: float) -> tuple[Family, ...]:
    metrics = PrometheusMetrics(CollectorRegistry())
    for each in seconds:
        metrics.count_decision("allow", Reason.ALLOWED, "crm", each)
    metrics.set_policy_version("v1")
    metrics.set_weakened(("server.insecure_plaintext",))
    return metrics.collect()


def test_two_workers_are_shown_as_one_that_has_done_the_work_of_both():
    both = merge((counted(0.0002, 0.3), counted(0.002)))
    assert render_families(both) == render_families(counted(0.0002, 0.3, 0.002))


def test_workers_with_two_policy_sets_are_shown_with_both():
    other = PrometheusMetrics(CollectorRegistry())
    other.set_policy_version("v2")
    (family,) = (each for each in merge((counted(), other.collect())) if each.name == "agen_policy_set_info")
    assert {labels: value for (_, labels), value in family.samples.items()} == {
        (("version", "v1"),): 1,
        (("version", "v2"),): 1,
    }


def test_what_each_worker_has_in_flight_is_added_up_and_other_gauges_are_the_largest():
    several = []
    for count in (2, 3):
        metrics = PrometheusMetrics(CollectorRegistry())
        metrics.set_in_flight("process", count)
        metrics.set_tools_unmapped("crm", count)
        several.append(metrics.collect())
    shown = {key: value for family in merge(several) for key, value in family.samples.items()}
    assert shown == {
        ("agen_calls_in_flight", (("rpc", "process"),)): 5,
        ("agen_tools_unmapped", (("server", "crm"),)): 3,
    }


def test_worker_that_has_ended_leaves_its_counts_and_no_gauges():
    kept = {family.name for family in keep_counts(counted(0.1))}
    assert {"agen_decisions", "agen_decision_seconds"} <= kept
    assert {"agen_policy_set_info", "agen_weakened"}.isdisjoint(kept)


@settings(max_examples=30)
@given(st.lists(FAMILIES, max_size=3), FAMILIES)
def test_no_series_goes_back_when_a_worker_ends_and_another_begins(others, ending):
    before = {key: value for each in merge((*others, ending)) for key, value in each.samples.items()}
    after = {key: value for each in merge((*others, keep_counts(ending))) for key, value in each.samples.items()}
    counts = {key: value for key, value in before.items() if key[0] != "agen_c"}
    assert {key: after[key] for key in counts} == counts
