"""The metrics of several processes as those of one.

What is counted is added up, that of workers that have ended as well: a counter that goes back looks like a restart of
the whole sidecar. Gauges say how things are, so only workers that are there count.
"""

from collections.abc import Iterable

from agen_authz.adapters.metrics import Closed, Family, is_added
from agen_authz.config import Config

_GAUGE = "gauge"

Families = tuple[Family, ...]


def merge(several: Iterable[Families]) -> Families:
    """Make one family of each name: what is counted is added up.

    Most gauges show the same thing in every worker, so the largest is shown: a policy set, a setting, how many tools of
    a server no rule names. Those that show a worker's own part are added up (`table.MetricRow.is_added`).
    """
    merged: dict[str, Family] = {}
    for family in (each for families in several for each in families):
        known = merged.get(family.name)
        merged[family.name] = family if known is None else _add(known, family)
    return tuple(merged.values())


def keep_counts(families: Families) -> Families:
    """Return what stays true once its worker has ended: what was counted."""
    return tuple(family for family in families if family.kind != _GAUGE)


def read_closed(config: Config) -> Closed:
    """Read the names that are labels; those of disabled policies are not."""
    policies = [*config.policies]
    for tenant in (config.tenants or {}).values():
        policies += tenant.policies
    return Closed(
        servers=tuple(resource.name for resource in config.resources),
        providers=tuple(provider.name for provider in config.providers),
        policies=tuple((policy.name, policy.then, policy.state) for policy in policies if policy.state != "disabled"),
        flows=tuple(flow.name for flow in config.approvals.flows),
    )


def _add(one: Family, other: Family) -> Family:
    samples = dict(one.samples)
    adds = one.kind != _GAUGE or is_added(one.name)
    for key, value in other.samples.items():
        before = samples.get(key)
        samples[key] = value if before is None else before + value if adds else max(before, value)
    return Family(one.name, one.meaning, one.kind, samples)
