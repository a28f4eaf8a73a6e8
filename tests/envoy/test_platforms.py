"""The manifests for Envoy Gateway and Istio: `--check` finds nothing open, and what cannot be rendered has a cure."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from agen_authz.cli.main import app
from agen_authz.envoy.check import check_file
from agen_authz.envoy.model import (
    Address,
    EnvoyRoute,
    Gateway,
    Platform,
    TcpAddress,
    UnixAddress,
    Unusable,
    Upstream,
)
from agen_authz.envoy.platform.place import Cluster, InCluster, read_in_cluster
from agen_authz.envoy.render import render

ROOT = Path(__file__).resolve().parent.parent.parent
CRM = Upstream(TcpAddress("crm.tools.svc", 8080))
GATEWAY = Gateway(
    listener=TcpAddress("127.0.0.1", 10000),
    resources=(
        EnvoyRoute("crm", frozenset({"mcp.example.com"}), "/crm/mcp", upstream=CRM, upstream_path="/mcp"),
        EnvoyRoute("root", frozenset({"root.example.com:8443"}), "/", upstream=CRM, upstream_path="/"),
    ),
    authz=Upstream(TcpAddress("agen-authz.mcp.svc", 9191)),
    proc=Upstream(TcpAddress("agen-authz.mcp.svc", 9192)),
    check_timeout_s=0.25,
    off_word="off-0123456789abcdef",
)
BOTH = pytest.mark.parametrize("platform", [Platform.ENVOY_GATEWAY, Platform.ISTIO])


def _rendered(platform: Platform, gateway: Gateway = GATEWAY, cluster: Cluster | None = None) -> str:
    text = render(platform, gateway, cluster)
    assert not isinstance(text, Unusable), text
    return text


@pytest.mark.parametrize(
    ("platform", "left"),
    [
        # The patches are read by Envoy Gateway alone: its `/config_dump` shows what became of them. One of them has the
        # status on an error of Process, which not every release of its own API has.
        (Platform.ENVOY_GATEWAY, {"unread-patch", "proc-status"}),
        (Platform.ISTIO, {"unread-cluster"}),
    ],
)
def test_check_finds_nothing_that_the_platform_could_say(platform: Platform, left: set[str]) -> None:
    report = check_file(_rendered(platform), GATEWAY.limits.request_bytes, off_word=GATEWAY.off_word, version=None)
    assert {finding.id for finding in report.findings} == left


@BOTH
def test_each_manifest_is_in_the_namespace_of_the_sidecar(platform: Platform) -> None:
    manifests = [each for each in yaml.safe_load_all(_rendered(platform)) if "kind" in each]
    assert {each["metadata"]["namespace"] for each in manifests} == {"mcp"}


def test_anchors_are_not_in_manifests() -> None:
    assert "&id" not in _rendered(Platform.ENVOY_GATEWAY)


def test_route_is_exact_and_asks_for_the_metadata_too() -> None:
    manifests = [each for each in yaml.safe_load_all(_rendered(Platform.ENVOY_GATEWAY)) if each["kind"] == "HTTPRoute"]
    backend = {"name": "crm", "port": 8080, "namespace": "tools"}
    known = "/.well-known/oauth-protected-resource"

    def paths(rule: dict[str, list[dict[str, dict[str, str]]]]) -> list[str]:
        assert {match["path"]["type"] for match in rule["matches"]} == {"Exact"}
        return [match["path"]["value"] for match in rule["matches"]]

    found = [
        (
            each["spec"]["hostnames"],
            [paths(rule) for rule in each["spec"]["rules"]],
            each["spec"]["rules"][0]["backendRefs"],
        )
        for each in manifests
    ]
    assert found == [
        (["mcp.example.com"], [["/crm/mcp"], [f"{known}/crm/mcp", known]], [backend]),
        (["root.example.com"], [["/"], [known]], [backend]),
    ]


def test_every_process_is_asked_by_envoy_gateway_and_refused_for_istio() -> None:
    several = replace(GATEWAY, more_proc=(TcpAddress("agen-authz.mcp.svc", 9193),))
    manifests = list(yaml.safe_load_all(_rendered(Platform.ENVOY_GATEWAY, several)))
    (policy,) = (each for each in manifests if each["kind"] == "EnvoyExtensionPolicy")
    assert [each["port"] for each in policy["spec"]["extProc"][0]["backendRefs"]] == [9192, 9193]
    refused = render(Platform.ISTIO, several)
    assert isinstance(refused, Unusable) and "filter_workers: 1" in refused.cure


def test_envoy_gateway_gives_process_responses_before_they_are_compressed() -> None:
    (proxy,) = (each for each in yaml.safe_load_all(_rendered(Platform.ENVOY_GATEWAY)) if each["kind"] == "EnvoyProxy")
    order = [{"name": "envoy.filters.http.ext_proc", "after": "envoy.filters.http.compressor"}]
    assert proxy["spec"] == {"filterOrder": order}


def test_gateway_of_istio_has_its_own_context() -> None:
    texts = [_rendered(Platform.ISTIO, cluster=Cluster(is_gateway=each)) for each in (True, False)]
    counts = [(text.count("context: GATEWAY"), text.count("context: SIDECAR_INBOUND")) for text in texts]
    assert counts == [(6, 0), (0, 6)]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (TcpAddress("a.b.svc", 1), InCluster("a", "b", 1)),
        (TcpAddress("a.b.svc.corp.local", 1), InCluster("a", "b", 1, "corp.local")),
        (TcpAddress("a.b", 1), None),
        (TcpAddress("a.b.c.svc", 1), None),
        (TcpAddress("a.b.svcs", 1), None),
        (TcpAddress("10.0.0.7", 1), None),
        (UnixAddress("/run/agen/check.sock"), None),
    ],
    ids=str,
)
def test_service_is_read_from_its_name(address: Address, expected: InCluster | None) -> None:
    found = read_in_cluster(address)
    assert found == expected if expected is not None else isinstance(found, Unusable)


@BOTH
@pytest.mark.parametrize(
    "changed",
    [
        {"authz": Upstream(TcpAddress("10.0.0.7", 9191))},
        {"proc": Upstream(UnixAddress("/run/agen/process.sock"))},
    ],
    ids=["Check by address", "Process by socket"],
)
def test_what_is_no_service_cannot_be_rendered(platform: Platform, changed: dict[str, Upstream]) -> None:
    assert isinstance(render(platform, replace(GATEWAY, **changed)), Unusable)  # type: ignore[arg-type]  # one of two fields


def test_mcp_server_that_is_no_service_cannot_be_routed_to() -> None:
    elsewhere = replace(GATEWAY.resources[0], upstream=Upstream(TcpAddress("10.0.0.7", 80)))
    assert isinstance(render(Platform.ENVOY_GATEWAY, replace(GATEWAY, resources=(elsewhere,))), Unusable)


@pytest.mark.parametrize("words", [("--gateway", "mcp"), ("--workload", "mcp-server"), ("--workload", "app=")], ids=str)
def test_names_that_are_half_written_are_misuse(words: tuple[str, str]) -> None:
    place = ("--authz", "agen-authz.mcp.svc:9191", "--proc", "agen-authz.mcp.svc:9192")
    config = ("--config", str(ROOT / "envoy" / "example.yaml"))
    told = CliRunner().invoke(app, ["envoy-config", *config, "--for", "istio", *place, *words])
    assert (told.exit_code, told.stdout, told.stderr.count("\n")) == (2, "", 1)


def test_patch_for_bytes_on_the_page_is_the_first_of_those_that_are_rendered() -> None:
    page = (ROOT / "docs" / "envoy.md").read_text("utf-8")
    (written,) = (yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL))
    cluster = Cluster(gateway="mcp", listener="https")
    manifests = yaml.safe_load_all(_rendered(Platform.ENVOY_GATEWAY, cluster=cluster))
    (policy,) = (each for each in manifests if each["kind"] == "EnvoyPatchPolicy")
    policy["spec"]["jsonPatches"] = policy["spec"]["jsonPatches"][:1]
    assert written == policy
