"""What a dump says next to its listeners: endpoints that discovery brought, and routes that refuse an upgrade."""

import json
from pathlib import Path
from typing import Any

import pytest

from agen_authz.envoy.check import check_file

DUMP: Any = json.loads((Path(__file__).parent / "shapes" / "dump-endpoints.json").read_text())
ROUTES = "type.googleapis.com/envoy.admin.v3.RoutesConfigDump"


def found(text: str) -> set[str]:
    """Find what is said of the dump, besides that no filter of it asks Process."""
    return {finding.id for finding in check_file(text).findings} - {"proc-missing"}


def test_the_dump_has_no_findings_but_that_process_is_not_asked():
    assert [finding.id for finding in check_file(json.dumps(DUMP)).findings] == ["proc-missing"]


REMOTE = '{"socket_address": {"address": "10.1.2.3", "port_value": 9191}}'
FIRST = '{"endpoint": {"address": {"pipe"'
MORE = f'{{"endpoint": {{"additional_addresses": [{{"address": {REMOTE}}}], "address": {{"pipe"'
SOCKET = '{"pipe": {"path": "/run/agen/authz.sock"}}'
# name: (what is written, what instead)
ELSEWHERE = {
    "one of the endpoints is on the network": (SOCKET, REMOTE),
    "another address of an endpoint is on the network": (FIRST, MORE),
    "endpoints of another cluster": ('"cluster_name": "agen/authz"', '"cluster_name": "authz"'),
    "a service without endpoints here": ('"service_name": "agen/authz"', '"service_name": "agen/other"'),
    "no service, and endpoints of one": (', "service_name": "agen/authz"', ""),
    "endpoints that are found elsewhere again": (
        '"endpoints": [{"lb', '"endpoints": [{"leds_cluster_locality_config": {"leds_collection_name": "x"}, "lb'
    ),
    "an endpoint by its name": (FIRST, '{"endpoint_name": "x"}, ' + FIRST),
    "a cluster that discovers nothing": ('"type": "EDS", "eds_cluster_config"', '"type": "STRICT_DNS", "other"'),
}  # fmt: skip


def test_endpoints_count_for_a_cluster_that_discovers_them_only():
    text = json.dumps(DUMP).replace('"type": "EDS", "eds_cluster_config"', '"type": "STRICT_DNS", "other"')
    assert found(text.replace('"cluster_name": "agen/authz"', '"cluster_name": "authz"')) == {"authz-plaintext"}


@pytest.mark.parametrize(("old", "new"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_endpoints_that_are_not_all_on_this_machine_are_asked_in_plain_text(old: str, new: str):
    text = json.dumps(DUMP)
    assert old in text
    assert found(text.replace(old, new)) == {"authz-plaintext"}


def test_endpoints_are_read_wherever_they_are():
    clusters, endpoints, listeners, routes = DUMP["configs"]
    inner = endpoints["dynamic_endpoint_configs"]
    part = {"@type": "type.googleapis.com/envoy.admin.v3.EndpointsConfigDump.DynamicEndpointConfig", **inner[0]}
    apart = [{"configs": [clusters, listeners, routes]}, {"configs": [part]}]
    loose = [{"configs": [clusters, listeners, routes]}, {"resources": [inner[0]["endpoint_config"]]}]
    static = [{"configs": [clusters, listeners, routes, {**endpoints, "static_endpoint_configs": inner}]}]
    for documents in (apart, loose, static):
        assert found("\n---\n".join(map(json.dumps, documents))) == set()


def test_two_clusters_of_one_discovered_address_are_one_way():
    text = json.dumps(DUMP)
    listener = json.loads(json.dumps(DUMP["configs"][2]["dynamic_listeners"][0]))
    manager = listener["active_state"]["listener"]["filter_chains"][0]["filters"][0]["typed_config"]
    manager["http_filters"] = [{"name": "envoy.filters.http.router"}]
    manager["route_config"] = {"virtual_hosts": [{"routes": [{"match": {"path": "/"}, "route": {"cluster": "twin"}}]}]}
    clusters = [
        {"cluster": {"name": name, "type": "EDS", "eds_cluster_config": {"service_name": name}}}
        for name in ("crm", "twin")
    ]
    place = [
        {"lb_endpoints": [{"endpoint": {"address": {"socket_address": {"address": "10.0.0.7", "port_value": 80}}}}]}
    ]
    endpoints = [{"endpoint_config": {"cluster_name": name, "endpoints": place}} for name in ("crm", "twin")]
    dump = json.loads(text)
    dump["configs"][0]["dynamic_active_clusters"] += clusters
    dump["configs"][1]["dynamic_endpoint_configs"] += endpoints
    dump["configs"][2]["dynamic_listeners"].append(listener)
    assert found(json.dumps(dump)) == {"bypass-listener"}


REFUSED = '"upgrade_configs": [{"upgrade_type": "WebSocket", "enabled": false}]'
OPEN_UPGRADES = {
    "not refused": "",
    "allowed again": REFUSED.replace("false", "true"),
    "allowed again beside": REFUSED.replace("[{", '[{"upgrade_type": "websocket"}, {'),
    "another one refused": REFUSED.replace("WebSocket", "CONNECT"),
    "one without a type": REFUSED.replace('"upgrade_type": "WebSocket", ', ""),
}


@pytest.mark.parametrize("written", OPEN_UPGRADES.values(), ids=OPEN_UPGRADES)
def test_upgrade_that_a_route_does_not_refuse_is_open(written: str):
    text = json.dumps(DUMP)
    assert REFUSED in text
    assert found(text.replace(f", {REFUSED}", f", {written}" if written else "")) == {"upgrade"}


def test_every_route_must_refuse():
    text = json.dumps(DUMP)
    one = '"routes": [{"match"'
    assert found(
        text.replace(one, f'"routes": [{{"match": {{"path": "/b"}}, "route": {{"cluster": "b"}}}}, {one[11:]}')
    ) == {"upgrade"}


def test_routes_that_are_not_here_refuse_nothing():
    dump = {"configs": [part for part in DUMP["configs"] if part["@type"] != ROUTES]}
    assert found(json.dumps(dump)) >= {"upgrade", "unread-routes"}
