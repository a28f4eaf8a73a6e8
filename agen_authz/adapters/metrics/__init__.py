"""Prometheus metrics: names and labels are a contract, and every label comes from a closed set (`table.py`)."""

from agen_authz.adapters.metrics.closed import Closed, is_added, list_zeros
from agen_authz.adapters.metrics.family import Family, render_families
from agen_authz.adapters.metrics.supervisor import SupervisorMetrics, WorkerCount
from agen_authz.adapters.metrics.worker import KeyAge, PrometheusMetrics

__all__ = [
    "Closed",
    "Family",
    "KeyAge",
    "PrometheusMetrics",
    "SupervisorMetrics",
    "WorkerCount",
    "is_added",
    "list_zeros",
    "render_families",
]
