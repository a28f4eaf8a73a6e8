"""Ways past Check by another listener are found whatever takes them."""

import pytest

from agen_authz.envoy.check import check_file
from tests.envoy_check.written import (
    SOUND,
)

NETWORK = "type.googleapis.com/envoy.extensions.filters.network"
AGGREGATE = (
    "  - name: all\n    cluster_type: {name: envoy.clusters.aggregate, typed_config: {'@type':"
    " type.googleapis.com/envoy.extensions.clusters.aggregate.v3.ClusterConfig, clusters: [all, crm]}}\n"
)
SIDES = {
    "a cluster of clusters": ("tcp_proxy.v3.TcpProxy, cluster: all", ["bypass-listener"]),
    "a filter of another kind": ("redis_proxy.v3.RedisProxy, routes: [{cluster: crm}]", ["bypass-listener"]),
    "a filter of another kind to elsewhere": (
        "redis_proxy.v3.RedisProxy, routes: [{cluster: cache}]",
        ["unguarded-listener"],
    ),
}


@pytest.mark.parametrize(("settings", "expected"), SIDES.values(), ids=SIDES)
def test_ways_past_check_are_found_whatever_takes_them(settings: str, expected: list[str]):
    config = f"{{'@type': {NETWORK}.{settings}}}"
    side = (
        f"  - name: side\n    filter_chains: [{{filters: [{{name: n, typed_config: {config}}}]}}]\n"
        f"  clusters:\n{AGGREGATE}"
    )
    text = SOUND.replace("  clusters:\n", side)
    assert [finding.id for finding in check_file(text).findings] == expected


def test_two_clusters_of_one_address_are_one_way():
    place = "{endpoint: {address: {socket_address: {address: 10.0.0.7, port_value: 8080}}}}"
    side = (
        "  - name: side\n    filter_chains: [{filters: [{name: tcp, typed_config: {'@type':"
        " type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, cluster: twin}}]}]\n  clusters:\n"
        f"  - name: twin\n    load_assignment: {{endpoints: [{{lb_endpoints: [{place}]}}]}}\n"
    )
    text = SOUND.replace("  clusters:\n", side)
    assert [finding.id for finding in check_file(text).findings] == ["bypass-listener"]
