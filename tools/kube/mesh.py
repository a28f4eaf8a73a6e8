"""The chart with the real istiod, a process that reads the API server, and two Envoys that ask it: run by `alone`.

One Envoy is a workload's: connections to the MCP server are redirected to it, as Istio does, and each is a path in. The
other is a gateway's. Both are the released Envoy, which does not have Istio's own filters, without mutual TLS.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import yaml

from agen_authz.demo.backend.app import MCP_PATH
from agen_authz.envoy.binary import find_binary
from tests.stage.port import HOST
from tests.stage.process import end, is_answering, running
from tests.stage.world import tool_call
from tools.kube.command import ROOT, apply, kubectl, make_namespace
from tools.kube.dump import Json, Wanted, fetch_dump, find_listener, list_problems, list_unasked
from tools.kube.guarded import (
    AUTHORITY,
    NAME,
    NAMESPACE,
    SERVER,
    SERVER_PORT,
    WORKLOAD,
    Outside,
    expose,
    install,
    make_calls,
    running_outside,
    running_sidecar,
)
from tools.kube.judge import await_none, list_findings, list_rejected
from tools.kube.server import Api, running_api

_XDS, _DEBUG = 15010, 15014
_HOST = f"{NAME}.{NAMESPACE}.svc.cluster.local"
# docs/kubernetes.md says that these are left. No mutual TLS is here: Envoy asks agen-authz in plain text.
_PLAINTEXT = ("authz-plaintext", "proc-plaintext")
_LEFT = {"sidecar": ("retry", "broad-match", "bypass-listener", *_PLAINTEXT), "router": _PLAINTEXT}
_MESH = {
    "accessLogFile": "",
    # Certificates come from istiod by an agent that is in Istio's own image.
    "enableAutoMtls": False,
    "pathNormalization": {"normalization": "MERGE_SLASHES"},
}
# A workload that also took mutual TLS would wait for its certificate before it listens.
_PLAIN = {
    "apiVersion": "security.istio.io/v1",
    "kind": "PeerAuthentication",
    "metadata": {"name": "default", "namespace": "istio-system"},
    "spec": {"mtls": {"mode": "DISABLE"}},
}
# Istio's own filters are not in the released Envoy. docs/kubernetes.md asks for the last one.
_SWITCHES = {
    "PILOT_ENABLE_ALPN_FILTER": "false",
    "PILOT_ENABLE_METADATA_EXCHANGE": "false",
    "ENABLE_100_CONTINUE_HEADERS": "false",
}
_GATEWAY_PORT = 8888
_UNNAMED_PORT = 9001


@dataclass(frozen=True, slots=True)
class Proxy:
    """An Envoy that asks istiod: its kind, the labels of its pod, its address, and where tests reach it."""

    kind: str
    app: str
    address: str
    admin: int
    listener: str
    front: str


_PROXIES = (
    Proxy("sidecar", "mcp-server", WORKLOAD, 16001, "virtualInbound", f"http://{WORKLOAD}:{SERVER_PORT}"),
    Proxy("router", "edge", SERVER, 16002, f"0.0.0.0_{_GATEWAY_PORT}", f"http://{SERVER}:{_GATEWAY_PORT}"),
)


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs."""

    api: Api
    folder: Path
    outside: Outside


def main() -> int:
    """Run everything; 1 if something was not as it must be."""
    crds = Path(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="agen-kube-") as name, ExitStack() as stack:
        folder = Path(name)
        api = stack.enter_context(running_api(ROOT / "build" / "kube", folder, (6443, 2379, 2380)))
        outside = stack.enter_context(running_outside(MCP_PATH, WORKLOAD, SERVER))
        kubectl(api, "apply", "--server-side", "-R", "-f", str(crds / "istio"))
        stage = Stage(api, folder, outside)
        _install(stage)
        sidecar = stack.enter_context(running_sidecar(api, folder))
        stack.enter_context(_running_istiod(stage))
        for proxy in _PROXIES:
            stack.enter_context(_running_envoy(stage, proxy))
        problems = [problem for proxy in _PROXIES for problem in _check(stage, proxy)]
        problems += _check_bytes()
        end(sidecar)
        problems += [problem for proxy in _PROXIES for problem in _check_without(stage, proxy)]
    print("\n".join(f"istio: WRONG: {each}" for each in problems) or "istio: passed")
    return 1 if problems else 0


def _install(stage: Stage) -> None:
    """Install the chart, and what a mesh with a workload and a gateway has."""
    for name in (NAMESPACE, "istio-system"):
        make_namespace(stage.api, name)
    for proxy in _PROXIES:
        _make_pod(stage.api, proxy)
    expose(stage.api, "crm", WORKLOAD, {"http": SERVER_PORT}, app="mcp-server")
    expose(stage.api, "behind", SERVER, {"http": SERVER_PORT})
    workloads = [{"name": each.app, "labels": {"app": each.app}, "gateway": each.kind == "router"} for each in _PROXIES]
    install(stage.api, stage.folder, stage.outside.values("istio", istio={"workloads": workloads}))
    apply(stage.api, _PLAIN, *_gateway())


def _make_pod(api: Api, proxy: Proxy) -> None:
    """Make the pod of a proxy, and say that it runs, as its kubelet would."""
    place = f"/api/v1/namespaces/{NAMESPACE}/pods"
    security = {"allowPrivilegeEscalation": False, "runAsNonRoot": True, "capabilities": {"drop": ["ALL"]}}
    container = {
        "name": "main",
        "image": "none",
        "securityContext": security | {"seccompProfile": {"type": "RuntimeDefault"}},
    }
    meta = {"name": f"{proxy.app}-0", "labels": {"app": proxy.app}}
    spec = {"containers": [container], "automountServiceAccountToken": False}
    api.create(place, {"kind": "Pod", "metadata": meta, "spec": spec})
    ready = [{"type": each, "status": "True"} for each in ("Ready", "ContainersReady", "PodScheduled", "Initialized")]
    addresses = {"podIP": proxy.address, "podIPs": [{"ip": proxy.address}]}
    api.set_status(f"{place}/{meta['name']}", {"phase": "Running", "conditions": ready, **addresses})


def _gateway() -> list[Json]:
    """Write what leads calls through the gateway to the server behind it."""
    version, meta = "networking.istio.io/v1", {"name": "edge", "namespace": NAMESPACE}
    port = {"number": _GATEWAY_PORT, "name": "http", "protocol": "HTTP"}
    servers = [{"port": port, "hosts": [AUTHORITY]}]
    target = {"host": f"behind.{NAMESPACE}.svc.cluster.local", "port": {"number": SERVER_PORT}}
    route = {"match": [{"uri": {"exact": MCP_PATH}}], "route": [{"destination": target}], "retries": {"attempts": 0}}
    specs = {
        "Gateway": {"selector": {"app": "edge"}, "servers": servers},
        "VirtualService": {"hosts": [AUTHORITY], "gateways": ["edge"], "http": [route]},
    }
    return [{"apiVersion": version, "kind": kind, "metadata": meta, "spec": spec} for kind, spec in specs.items()]


@contextmanager
def _running_istiod(stage: Stage) -> Iterator[None]:
    """Run istiod with what the chart says that the mesh must have; ready on entry."""
    words = ("-n", NAMESPACE, "get", "configmap", f"{NAME}-mesh", "-o", r"jsonpath={.data.mesh\.yaml}")
    file = stage.folder / "mesh.yaml"
    file.write_text(yaml.safe_dump(_MESH | yaml.safe_load(kubectl(stage.api, *words))), "utf-8")
    options = {
        "kubeconfig": stage.api.kubeconfig,
        "meshConfig": file,
        "grpcAddr": f"{HOST}:{_XDS}",
        "secureGRPCAddr": "",
        "httpAddr": f"{HOST}:15080",
        "httpsAddr": "",
        "monitoringAddr": f"{HOST}:{_DEBUG}",
    }
    command = [str(ROOT / "build" / "kube-mesh" / "pilot-discovery"), "discovery", "--ctrlz_port", "0"]
    command += [f"--{name}={value}" for name, value in options.items()]
    named = {"POD_NAMESPACE": "istio-system", "POD_NAME": "istiod"}
    environment = {"PATH": os.defpath, "HOME": str(stage.folder)} | named | _SWITCHES
    log = stage.folder / "istiod.log"
    is_ready = partial(is_answering, f"http://{HOST}:15080/ready")
    with running(command, log, is_ready, env=environment, cwd=stage.folder):
        yield


@contextmanager
def _running_envoy(stage: Stage, proxy: Proxy) -> Iterator[None]:
    """Run an Envoy that asks istiod for everything; ready as soon as it listens."""
    binary = find_binary()
    if not isinstance(binary, Path):
        raise SystemExit(f"kube-test: {binary}")
    if proxy.kind == "sidecar":
        _redirect(proxy)
    file = stage.folder / f"{proxy.app}.json"
    file.write_text(json.dumps(_bootstrap(proxy)), "utf-8")
    command = [str(binary), "-c", str(file), "--base-id", str(proxy.admin), "--log-level", "warning"]
    is_ready = partial(is_answering, f"http://{HOST}:{proxy.admin}/ready")
    with running(command, stage.folder / f"{proxy.app}.log", is_ready):
        yield


def _redirect(proxy: Proxy) -> None:
    """Let connections to the pod reach its Envoy first, but for those that Envoy makes itself, as Istio does."""
    chosen = ["-p", "tcp", "-d", proxy.address, "!", "-s", "127.0.0.6"]
    command = ["iptables", "-t", "nat", "-A", "OUTPUT", *chosen, "-j", "REDIRECT", "--to-ports", "15006"]
    subprocess.run(command, check=True)


def _bootstrap(proxy: Proxy) -> Json:
    ads = {"ads": {}, "initial_fetch_timeout": "0s", "resource_api_version": "V3"}
    metadata = {
        "NAMESPACE": NAMESPACE,
        "NAME": f"{proxy.app}-0",
        "LABELS": {"app": proxy.app},
        "CLUSTER_ID": "Kubernetes",
        "ISTIO_VERSION": "1.31.0",
        "INTERCEPTION_MODE": "REDIRECT",
    }
    name = f"{proxy.app}-0.{NAMESPACE}"
    http2: Json = {"explicit_http_config": {"http2_protocol_options": {}}}
    protocol = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    istiod = {
        "name": "xds-grpc",
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {protocol: {"@type": f"type.googleapis.com/{protocol}"} | http2},
        "load_assignment": {"cluster_name": "xds-grpc", "endpoints": [{"lb_endpoints": [_endpoint(_XDS)]}]},
    }
    asked = {"api_type": "GRPC", "transport_api_version": "V3", "set_node_on_first_message_only": True}
    node = {"cluster": f"{proxy.app}.{NAMESPACE}", "metadata": metadata}
    return {
        "node": node | {"id": f"{proxy.kind}~{proxy.address}~{name}~{NAMESPACE}.svc.cluster.local"},
        "admin": {"address": _endpoint(proxy.admin)["endpoint"]["address"]},
        "dynamic_resources": {
            "lds_config": ads,
            "cds_config": ads,
            "ads_config": asked | {"grpc_services": [{"envoy_grpc": {"cluster_name": "xds-grpc"}}]},
        },
        "static_resources": {"clusters": [istiod]},
    }


def _endpoint(port: int) -> Json:
    return {"endpoint": {"address": {"socket_address": {"address": HOST, "port_value": port}}}}


def _check(stage: Stage, proxy: Proxy) -> list[str]:
    """List what is wrong with the configuration of an Envoy, and with calls through it."""
    admin = f"{HOST}:{proxy.admin}"
    wanted = _wanted(stage.api, proxy)
    problems = await_none(lambda: _list_wrong(fetch_dump(admin), proxy, wanted))
    problems += list_rejected(admin)
    problems += list_findings(stage.api, stage.folder, fetch_dump(admin), _LEFT[proxy.kind])
    problems += make_calls(stage.outside, stage.folder, proxy.front)
    return [f"{proxy.app}: {each}" for each in problems]


def _list_wrong(dump: Json, proxy: Proxy, wanted: Wanted) -> list[str]:
    listener = find_listener(dump, proxy.listener)
    return list_problems(dump, listener, wanted) + list_unasked(listener)


def _wanted(api: Api, proxy: Proxy) -> Wanted:
    """Read in the chart's EnvoyFilter what ext_proc must be, so that nothing but the chart says it."""
    found = json.loads(kubectl(api, "-n", NAMESPACE, "get", "envoyfilter", f"{NAME}-{proxy.app}", "-o", "json"))
    values = [each["patch"]["value"] for each in found["spec"]["configPatches"]]
    (process,) = (each["typed_config"] for each in values if each.get("name") == "envoy.filters.http.ext_proc")
    return Wanted(f"outbound|9191||{_HOST}", process, request_bytes=1 << 20, by_route=False)


def _check_bytes() -> list[str]:
    """List what is wrong with a connection without HTTP to a port that no Service names: no byte may pass.

    Envoy asks agen-authz as soon as the client sends something, and connects to the server before that.
    """
    address = (WORKLOAD, _UNNAMED_PORT)
    with socket.create_server(address) as server, socket.create_connection(address, timeout=30.0) as client:
        client.sendall(b"bytes, and no request\n")
        server.settimeout(30.0)
        with server.accept()[0] as reached:
            reached.settimeout(30.0)
            return [f"a port without a Service receives: {got!r}"] if (got := reached.recv(1)) else []


def _check_without(stage: Stage, proxy: Proxy) -> list[str]:
    """List what is wrong if agen-authz is not there: nothing may reach the server."""
    headers = {"host": AUTHORITY, "authorization": f"Bearer {stage.outside.mint()}"}
    answered = stage.outside.web.post(f"{proxy.front}{MCP_PATH}", headers=headers, json=tool_call()).status_code
    return [] if answered == httpx.codes.SERVICE_UNAVAILABLE else [f"{proxy.app}: without agen-authz: {answered}"]


if __name__ == "__main__":
    sys.exit(main())
