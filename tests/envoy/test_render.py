"""What is rendered: accepted by the real Envoy, the same bytes every time, and nothing in it that must not be."""

import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from agen_authz.envoy.binary import find_binary
from agen_authz.envoy.model import (
    ClientTls,
    EnvoyLimits,
    EnvoyRoute,
    Gateway,
    Platform,
    TcpAddress,
    UnixAddress,
    Unusable,
    Upstream,
)
from agen_authz.envoy.render import render, render_sidecar
from agen_authz.envoy.text import REMARKS

HTTPS = Upstream(TcpAddress("hr.internal", 8443), ClientTls("hr.internal"))
HTTPS_BY_IP = Upstream(TcpAddress("127.0.0.1", 8443), ClientTls("127.0.0.1"))
UNIX = Upstream(UnixAddress("/run/wiki.sock"))
PLAIN = Upstream(TcpAddress("crm.internal", 8080))
SIDECAR = Gateway(
    listener=TcpAddress("127.0.0.1", 10000),
    resources=(
        EnvoyRoute("crm", frozenset({"mcp.example.com"}), "/crm/mcp", upstream=PLAIN, upstream_path="/mcp"),
        EnvoyRoute("wiki", frozenset({"mcp.example.com"}), "/wiki/mcp", upstream=UNIX, upstream_path="/wiki/mcp"),
        EnvoyRoute("root", frozenset({"root.example.com"}), "/", upstream=PLAIN, upstream_path="/"),
    ),
    authz=Upstream(UnixAddress("/run/agen/authz.sock")),
    proc=Upstream(UnixAddress("/run/agen/proc.sock")),
    check_timeout_s=1.0,
    off_word="off",
)
ALL_SETTINGS = replace(SIDECAR, admin=TcpAddress("127.0.0.1", 9901))


def _with_upstream(upstream: Upstream) -> Gateway:
    route = EnvoyRoute("hr", frozenset({"[::1]:10000"}), "/mcp", upstream=upstream, upstream_path="/mcp")
    return replace(SIDECAR, resources=(route,))


@pytest.mark.envoy
@pytest.mark.parametrize(
    "sidecar",
    [
        pytest.param(SIDECAR, id="plain"),
        pytest.param(ALL_SETTINGS, id="admin"),
        pytest.param(replace(SIDECAR, listener=TcpAddress("::1", 10000)), id="IPv6"),
        pytest.param(replace(SIDECAR, check_timeout_s=0.25, limits=EnvoyLimits(request_bytes=1024)), id="small"),
        pytest.param(replace(SIDECAR, resources=()), id="no resources"),
        pytest.param(_with_upstream(HTTPS), id="https upstream"),
        pytest.param(_with_upstream(HTTPS_BY_IP), id="https upstream by address"),
    ],
)
def test_envoy_accepts_what_is_rendered(tmp_path: Path, sidecar: Gateway) -> None:
    binary = find_binary()
    assert not isinstance(binary, Unusable)
    config_file = tmp_path / "envoy.yaml"
    config_file.write_text(render_sidecar(sidecar), encoding="utf-8")
    arguments = [str(binary), "--mode", "validate", "--disable-hot-restart", "-l", "warning", "-c", str(config_file)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr, done.stdout.strip()) == (0, "", f"configuration '{config_file}' OK")


@pytest.fixture(scope="module")
def lines() -> list[str]:
    return render_sidecar(ALL_SETTINGS).splitlines()


@pytest.mark.parametrize("setting", REMARKS)
def test_a_remark_is_above_its_setting(lines: list[str], setting: str) -> None:
    above = [before for before, line in pairwise(lines) if line.lstrip(" -").split(" ")[0] == setting]
    assert above[0].lstrip().startswith("#")


def test_the_same_values_give_the_same_bytes() -> None:
    again = replace(SIDECAR, resources=tuple(replace(route) for route in SIDECAR.resources))
    assert render_sidecar(again) == render_sidecar(SIDECAR)


def test_a_sidecar_is_rendered_whole() -> None:
    assert render(Platform.SIDECAR, SIDECAR) == render_sidecar(SIDECAR)


def _keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value).union(*(_keys(item) for item in value.values()))
    if isinstance(value, list):
        return set().union(*(_keys(item) for item in value))
    return set()


@pytest.fixture(scope="module")
def keys() -> set[str]:
    return _keys(yaml.safe_load(render_sidecar(SIDECAR)))


@pytest.mark.parametrize(
    "setting",
    [
        "admin",
        "failure_mode_allow",
        "allow_partial_message",
        "clear_route_cache",
        "shadow_mode",
        "hedge_policy",
        "internal_redirect_policy",
        "request_mirror_policies",
        "retry_policy",
        "upgrade_configs",
        "proxy_100_continue",
        "allow_mode_override",
        "observability_mode",
        "receiving_namespaces",
        "forward_rules",
        "config_discovery",
        "health_checks",
    ],
)
def test_what_weakens_is_not_there(keys: set[str], setting: str) -> None:
    assert "http_filters" in keys and setting not in keys


FILTERS = ("header_mutation", "ext_authz", "ext_proc", "router")


def test_nothing_between_process_and_client_changes_a_body() -> None:
    listener = yaml.safe_load(render_sidecar(SIDECAR))["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    names = tuple(each["name"].removeprefix("envoy.filters.http.") for each in manager["http_filters"])
    assert names == FILTERS


def test_only_routes_that_forward_are_inspected() -> None:
    listener = yaml.safe_load(render_sidecar(SIDECAR))["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    routes = [route for host in manager["route_config"]["virtual_hosts"] for route in host["routes"]]
    off = [route.get("typed_per_filter_config", {}).get("envoy.filters.http.ext_proc", {}) for route in routes]
    assert [each.get("disabled", False) for each in off] == ["direct_response" in route for route in routes]


def _virtual_hosts(text: str) -> dict[str, list[str]]:
    listener = yaml.safe_load(text)["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    hosts = manager["route_config"]["virtual_hosts"]
    return {
        " ".join(host["domains"]): [
            f"{route['match'].get('path', '/*')} -> {route.get('route', route.get('direct_response'))}"
            for route in host["routes"]
        ]
        for host in hosts
    }


def test_resources_are_grouped_by_the_hosts_that_they_share() -> None:
    both = frozenset({"a.example.com", "a.example.com:443"})
    routes = (
        EnvoyRoute("one", both, "/one", upstream=PLAIN, upstream_path="/one"),
        EnvoyRoute("two", frozenset({"a.example.com"}), "/two", upstream=PLAIN, upstream_path="/"),
    )
    one = ["/one -> {'cluster': 'resource-one', 'timeout': '0s'}", "/one -> {'status': 401}"]
    two = ["/two -> {'cluster': 'resource-two', 'prefix_rewrite': '/', 'timeout': '0s'}", "/two -> {'status': 401}"]
    well_known = "/.well-known/oauth-protected-resource"
    metadata = [f"{well_known}/one -> {{'status': 404}}", f"{well_known}/two -> {{'status': 404}}"]
    nowhere = ["/* -> {'status': 404}"]
    assert _virtual_hosts(render_sidecar(replace(SIDECAR, resources=routes))) == {
        "a.example.com": [*one, *two, *metadata, *nowhere],
        "a.example.com:443": [*one, metadata[0], f"{well_known} -> {{'status': 404}}", *nowhere],
        "*": nowhere,
    }
