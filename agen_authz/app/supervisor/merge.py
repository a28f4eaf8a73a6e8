"""The metrics of several processes as those of one.

What is counted is added up, that of workers that have ended as well: a counter that goes back looks like a restart of
the whole sidecar. Gauges say how things are, so only workers that are there count.
"""

from collections.abc import Iterable

from agen_authz.adapters.metrics import Family

# A gauge shows the same thing in every worker: a policy set, a setting, how many tools of a server no rule names.
_GAUGE = "gauge"

Families = tuple[Family, ...]


def merge(several: Iterable[Families]) -> Families:
    """Make one family of each name: what is counted is added up, a gauge is the largest."""
    merged: dict[str, Family] = {}
    for family in (each for families in several for each in families):
        known = merged.get(family.name)
        merged[family.name] = family if known is None else _add(known, family)
    return tuple(merged.values())


def keep_counts(families: Families) -> Families:
    """Return what stays true once its worker has ended: what was counted."""
    return tuple(family for family in families if family.kind != _GAUGE)


def _add(one: Family, other: Family) -> Family:
    samples = dict(one.samples)
    for key, value in other.samples.items():
        before = samples.get(key, 0.0)
        samples[key] = max(before, value) if one.kind == _GAUGE else before + value
    return Family(one.name, one.meaning, one.kind, samples)
