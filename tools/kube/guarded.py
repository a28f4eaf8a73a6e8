"""What the policies lead to, on the addresses of `alone`: an issuer, MCP servers, the sidecar as the chart has it."""

import json
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from agen_authz.adapters.clock import SystemClock
from agen_authz.core.digest import off_word
from agen_authz.demo.backend.app import MCP_PATH, SERVERS, build_app
from agen_authz.demo.issuer import IssuerSettings, build_issuer, name_key, real_sources
from agen_authz.demo.issuer import build_app as build_issuer_app
from agen_authz.demo.listen import Site, authority_of, bind_loopback
from tests.builders import ec_key
from tests.stage.listen import serving
from tests.stage.port import HOST
from tests.stage.process import Process, end
from tests.stage.sidecar import start_sidecar
from tests.stage.world import Provider
from tools.kube.command import CHART, apply, kubectl, run, run_helm
from tools.kube.server import Api
from tools.kube.status import playing

RELEASE, NAMESPACE = "guard", "mcp"
NAME = f"{RELEASE}-agen-authz"
# Endpoints of Services cannot be loopback addresses: tools/kube/alone gives loopback these.
AGEN, WORKLOAD, SERVER = "10.99.0.1", "10.99.0.2", "10.99.0.3"
# Envoy Gateway serves its own metrics on 8080.
SERVER_PORT = 9000
KEY = b"kube-test-metadata-key-0123456789"
AUTHORITY = "mcp.example.com"
CUSTOMER = {"customer_id": "c-1001"}
CALLS = {
    "allowed": {"tool": "get_customer", "arguments": CUSTOMER},
    "denied": {"tool": "update_deal", "arguments": {}},
    "masked": {"tool": "get_customer", "arguments": CUSTOMER, "absent": "@"},
}


@dataclass(frozen=True, slots=True)
class Outside:
    """What agen-authz does not bring: who issues tokens, and MCP servers that tell what they received."""

    provider: Provider
    web: httpx.Client
    path: str

    @property
    def url(self) -> str:
        """The resource's, as users have it."""
        return f"https://{AUTHORITY}{self.path}"

    def mint(self) -> str:
        """Sign a token that is good."""
        return self.provider.mint(self.url)

    def values(self, mode: str, **more: Any) -> dict[str, Any]:
        """Write the values of the chart."""
        issuer = {"name": "demo", "issuer": self.provider.issuer.url, "insecure_issuer": True, "algorithms": ["ES256"]}
        resource = {
            "name": "crm",
            "url": self.url,
            "providers": ["demo"],
            "scopes": ["mcp:tools"],
            "insecure_unsigned": True,
        }
        rule = {"name": "read", "tools": ["crm/get_*"], "allow": ["analyst"]}
        mails = {"name": "mails", "state": "enforce", "tools": ["crm/*"], "detectors": {"add": ["email"]}}
        config = {
            "version": 1,
            "server": {"insecure_plaintext": True},
            "providers": [issuer | {"tenants": "any", "roles": "any"}],
            "resources": [resource | ({} if self.path == MCP_PATH else {"upstream_path": MCP_PATH})],
            "access": {"mapping": "roles", "rules": [rule]},
            "data_protection": [mails | {"style": {"email": "redact"}}],
            "store": {"url": "sqlite:////var/lib/agen/agen.db"},
        }
        key = {"metadataKey": {"existingSecret": "agen-metadata"}, "offWord": off_word(KEY)}
        return {"mode": mode, "config": config, **key, **more}

    def received(self, address: str) -> int:
        """Count what an MCP server received, and forget it."""
        place = f"http://{address}:{SERVER_PORT}/demo/received"
        seen = len(self.web.get(place).json()["received"])
        self.web.delete(place)
        return seen


@contextmanager
def running_outside(path: str, *addresses: str) -> Iterator[Outside]:
    """Run the issuer and an MCP server on each address; ready on entry.

    Args:
        path: of the resource; the servers are at /mcp.
    """
    listener = bind_loopback(HOST, 0)
    settings = IssuerSettings(port=0, resources=(f"https://{AUTHORITY}{path}",))
    issuer = build_issuer(
        settings, authority_of(listener), real_sources(SystemClock().now), name_key(ec_key("kube-test"))
    )
    provider = Provider(issuer, build_issuer_app(issuer))
    sites = [Site(build_app(SERVERS["crm"](), is_recording=True), _listen(address)) for address in addresses]
    with serving(Site(provider, listener), *sites), httpx.Client(trust_env=False, timeout=30.0) as web:
        yield Outside(provider, web, path)


def _listen(address: str) -> socket.socket:
    # The demo's own way of listening refuses what is not loopback, as these addresses seem not to be.
    return socket.create_server((address, SERVER_PORT))


def install(api: Api, folder: Path, values: Mapping[str, Any]) -> None:
    """Install or change the release, with the Secrets that it names."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "agen-metadata", "namespace": NAMESPACE}}
    apply(api, secret | {"stringData": {"metadata.key": KEY.decode()}})
    file = folder / "values.json"
    file.write_text(json.dumps(values), "utf-8")
    with playing(api, NAMESPACE):
        words = ("upgrade", "--install", RELEASE, str(CHART), "-n", NAMESPACE, "-f", str(file))
        done = run_helm(api, *words, "--wait", "--timeout", "60s")
    if done.returncode:
        raise SystemExit(f"kube-test: helm: {done.stderr}")


def expose(api: Api, name: str, address: str, ports: Mapping[str, int], app: str = "") -> None:
    """Say which address a Service leads to, as its controller would; a Service that is not there is made.

    Args:
        app: the label of the pods that the Service selects.
    """
    place = f"/api/v1/namespaces/{NAMESPACE}/services"
    meta = {"name": name, "namespace": NAMESPACE}
    listed = [{"name": each, "port": port, "targetPort": port} for each, port in ports.items()]
    selected = {"selector": {"app": app}} if app else {}
    api.create(place, {"kind": "Service", "metadata": meta, "spec": {"ports": listed} | selected})
    slices: dict[str, Any] = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4"}
    ready = {"addresses": [address], "conditions": {"ready": True, "serving": True, "terminating": False}}
    labels = {"kubernetes.io/service-name": name}
    numbers = [{"name": each, "port": port, "protocol": "TCP"} for each, port in ports.items()]
    apply(api, slices | {"metadata": meta | {"labels": labels}, "endpoints": [ready], "ports": numbers})


@contextmanager
def running_sidecar(api: Api, folder: Path) -> Iterator[Process]:
    """Run agen-authz with the configuration that is in the cluster, but with its files in `folder`."""
    (folder / "metadata").mkdir(exist_ok=True)
    (folder / "metadata" / "metadata.key").write_bytes(KEY)
    file = write_config(api, folder)
    with ExitStack() as stack:
        events = stack.enter_context((folder / "events.jsonl").open("ab"))
        process = start_sidecar(file, f"{HOST}:9464", events)
        stack.callback(end, process)
        expose(api, NAME, AGEN, {"grpc-check": 9191, "grpc-process": 9192, "http-ops": 9464})
        yield process


def write_config(api: Api, folder: Path) -> Path:
    """Write the configuration that is in the cluster to a file."""
    words = ("-n", NAMESPACE, "get", "configmap", NAME, "-o", r"jsonpath={.data.agen\.yaml}")
    text = kubectl(api, *words)
    file = folder / "agen.yaml"
    file.write_text(text.replace("/etc/agen/", f"{folder}/").replace("/var/lib/agen/", f"{folder}/"), "utf-8")
    return file


def make_calls(outside: Outside, folder: Path, front: str) -> list[str]:
    """Make the calls of `helm test` with its script; list what was wrong."""
    problems: list[str] = []
    script = CHART / "scripts" / "guarded_calls.py"
    (folder / "token").write_text(outside.mint(), "utf-8")
    for legacy in (False, True):
        calls = {"url": f"{front}{outside.path}", "host": AUTHORITY, "legacy": legacy, "token_key": "token", **CALLS}
        (folder / "calls.json").write_text(json.dumps(calls), "utf-8")
        words = [sys.executable, "-I", str(script), str(folder / "calls.json"), str(folder)]
        done = run(words, more={"SSL_CERT_FILE": str(folder / "ca.crt")})
        problems += [line for line in done.stdout.splitlines() if not line.endswith("as it must be")]
        problems += done.stderr.splitlines()[-1:]
    return problems
