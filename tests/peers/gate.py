"""agen-authz and a real Envoy in front of one MCP server, with a second listener that adds a token."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from agen_authz.config import load
from agen_authz.envoy.model import TcpAddress, Upstream
from agen_authz.envoy.run import Launch, run_envoy
from agen_authz.envoy.settings import Placement
from tests.peers.provider import ROLE, SCOPE
from tests.stage.envoy import launch_envoy, sidecar_of
from tests.stage.port import HOST, reserve_address, reserve_port
from tests.stage.process import Process, end
from tests.stage.sidecar import start_sidecar

# Everything of the server is allowed: whatever differs through us is our doing.
CONFIG = """\
version: 1
server: {{authz: "{authz}", proc: "{proc}", ops: "{ops}", shutdown_grace: 1s}}
providers:
  - name: peer
    issuer: "{issuer}"
    insecure_issuer: true
    algorithms: [RS256]
    token_types: [at+jwt]
    tenants: any
    roles: [{role}]
    jwks: {{refresh: 10m, cooldown: 200ms, timeout: 1s}}
resources:
  - name: everything
    url: {url}
    providers: [peer]
    scopes: ["{scope}"]
    origins: ["{origin}"]
    resumable: true
    insecure_unsigned: true
access:
  mapping: roles
  rules:
    - name: everything
      tools: ["everything/*"]
      resources: ["everything/**"]
      prompts: ["everything/*"]
      allow: [{role}]
store: {{url: "sqlite:///{folder}/agen.db"}}
"""


@dataclass(frozen=True)
class Gate:
    """What runs: callers with a token use `gate`, those who cannot send one `url`, which is the audience."""

    url: str
    gate: str
    authority: str
    process: Process
    audit_file: Path


@dataclass(frozen=True)
class Plan:
    """Which provider's tokens are accepted, which server stands behind, and where callers go."""

    issuer: str
    backend: TcpAddress
    front_port: int

    @property
    def authority(self) -> str:
        """Host and port as callers name them: the suite looks for `localhost`."""
        return f"localhost:{self.front_port}"

    @property
    def url(self) -> str:
        """The resource's URL."""
        return f"http://{self.authority}/mcp"


def plan_gate(issuer: str, backend: TcpAddress) -> Plan:
    """Choose a free port for callers: tokens can be issued for its URL before anything listens."""
    return Plan(issuer, backend, reserve_port())


@contextmanager
def running_gate(folder: Path, plan: Plan, added_token: str) -> Iterator[Gate]:
    """Run the sidecar and Envoy; the listener at `plan.url` adds `added_token` to every request."""
    config_file = _write_config(folder, plan)
    listener = TcpAddress(HOST, reserve_port())
    with ExitStack() as stack:
        with (folder / "audit.jsonl").open("ab") as events:
            process = start_sidecar(config_file, _ops_of(config_file), events)
        stack.callback(end, process)
        stack.enter_context(run_envoy(_launch(folder, config_file, plan, listener, added_token)))
        gate = f"http://{listener.host}:{listener.port}/mcp"
        yield Gate(plan.url, gate, plan.authority, process, folder / "audit.jsonl")


def _write_config(folder: Path, plan: Plan) -> Path:
    config_file = folder / "agen.yaml"
    text = CONFIG.format(
        authz=reserve_address(),
        proc=reserve_address(),
        ops=reserve_address(),
        issuer=plan.issuer,
        role=ROLE,
        scope=SCOPE,
        url=plan.url,
        origin=f"http://{plan.authority}",
        folder=folder,
    )
    config_file.write_text(text, "utf-8")
    return config_file


def _ops_of(config_file: Path) -> str:
    return str(load(config_file, environ={}).config.server.ops)


def _launch(folder: Path, config_file: Path, plan: Plan, listener: TcpAddress, token: str) -> Launch:
    placement = Placement(listener=listener, upstreams={"everything": Upstream(plan.backend)})

    def with_front(rendered: str) -> str:
        bootstrap = yaml.safe_load(rendered)
        resources = bootstrap["static_resources"]
        resources["listeners"].append(_front(plan.front_port, token))
        resources["clusters"].append(_cluster("gate", listener.port))
        return yaml.safe_dump(bootstrap, sort_keys=False)

    front = TcpAddress(HOST, plan.front_port)
    return launch_envoy(folder, sidecar_of(config_file, placement), changed=with_front, listener=front)


def _front(port: int, token: str) -> dict[str, Any]:
    """A listener that adds a token, and passes everything else on as it came, streams without end included."""
    added = {
        "header": {"key": "authorization", "value": f"Bearer {token}"},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }
    route = {"match": {"prefix": "/"}, "route": {"cluster": "gate", "timeout": "0s"}}
    connection = {
        "stat_prefix": "front",
        "stream_idle_timeout": "0s",
        "generate_request_id": False,
        "skip_xff_append": True,
        "route_config": {
            "virtual_hosts": [
                {"name": "any", "domains": ["*"], "routes": [route], "request_headers_to_add": [added]},
            ]
        },
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": _typed("http.router.v3.Router")}],
    }
    manager = "network.http_connection_manager.v3.HttpConnectionManager"
    network = {"name": "front", "typed_config": _typed(manager) | connection}
    return {"name": "front", "address": _address(port), "filter_chains": [{"filters": [network]}]}


def _typed(name: str) -> dict[str, Any]:
    return {"@type": f"type.googleapis.com/envoy.extensions.filters.{name}"}


def _cluster(name: str, port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": HOST, "port_value": port}}
