"""The real parts on free loopback ports: two issuers, two MCP servers, the sidecar as a process, Envoy."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from agen_authz.demo.backend.app import SERVERS, build_app
from agen_authz.demo.issuer import IssuerSettings, build_issuer, name_key, real_sources
from agen_authz.demo.issuer import build_app as build_issuer_app
from agen_authz.demo.issuer.state import Issuer
from agen_authz.demo.listen import Site, authority_of, bind_loopback
from agen_authz.envoy.model import TcpAddress, Upstream
from agen_authz.envoy.run import run_envoy
from agen_authz.envoy.settings import Placement
from agen_authz.verify import BackendVerifier
from tests.builders import ec_key, sign
from tests.stage.envoy import launch_envoy, sidecar_of
from tests.stage.listen import serving
from tests.stage.port import HOST, reserve_port
from tests.stage.process import START_S, Process, end
from tests.stage.sidecar import start_sidecar

VERSION = "2026-07-28"

JWKS = "{refresh: 1s, cooldown: 200ms, timeout: 1s}"
CONFIG = """\
version: 1
server: {{authz: "{authz}", proc: "{proc}", ops: "{ops}", shutdown_grace: 2s, engine: {engine}}}
providers:
  - {{name: one, issuer: "{one}", insecure_issuer: true, algorithms: [ES256], tenants: any, roles: any, jwks: {jwks}}}
  - {{name: two, issuer: "{two}", insecure_issuer: true, algorithms: [ES256], tenants: any, roles: any, jwks: {jwks}}}
resources:
  - name: crm
    url: {crm}
    providers: [one, two]
    scopes: [mcp:tools]
    origins: ["https://app.example.com"]
    forward_headers: [x-kept]
    upstream_path: /mcp
    insecure_unsigned: true
  - name: billing
    url: {billing}
    providers: [one]
    upstream_path: /mcp
    insecure_unsigned: true
unruled_sample: 0%
access:
  mapping: roles
  rules:
    - name: read
      tools: ["crm/get_*", "crm/search_*"]
      resources: ["crm/customer://**"]
      prompts: ["crm/*"]
      allow: [analyst]
    - {{name: edit, tools: ["crm/update_deal"], allow: [support]}}
    - {{name: bill, tools: ["billing/get_invoice"], allow: [analyst]}}
store: {{url: "sqlite:///{state}/agen.db"}}
"""


@dataclass
class Provider:
    """An issuer that the test controls: what it publishes, and whether it answers."""

    issuer: Issuer
    app: ASGIApp
    is_down: bool = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        app = PlainTextResponse("down", 503) if self.is_down else self.app
        await app(scope, receive, send)

    def mint(self, aud: str, *, private: Any = None, kid: str | None = None, **changes: Any) -> str:
        """Sign a token; None leaves a claim out."""
        key, now = self.issuer.ring.signing, int(time.time())
        claims = {
            "iss": self.issuer.url,
            "sub": "u-1",
            "aud": aud,
            "exp": now + 300,
            "iat": now,
            "client_id": "agent",
            "scope": "mcp:tools",
            "roles": ["analyst"],
            **changes,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        return sign(kept, key=private or key.private, kid=kid or key.kid, typ="at+jwt")


@dataclass
class World:
    """Everything that runs, and how a test speaks to it."""

    one: Provider
    two: Provider
    crm: str
    billing: str
    backends: dict[str, str]
    ops: str
    admin: str
    sidecar: Process
    envoy: Process
    start: Callable[[], Process]
    audit_file: Path
    web: httpx.Client

    def received(self, name: str = "crm") -> list[dict[str, Any]]:
        """List what a backend received, and forget it."""
        seen: list[dict[str, Any]] = self.web.get(f"{self.backends[name]}/demo/received").json()["received"]
        self.web.delete(f"{self.backends[name]}/demo/received")
        return seen

    def events(self) -> list[dict[str, Any]]:
        """Read every event that was written so far."""
        return [json.loads(line) for line in self.audit_file.read_text("utf-8").splitlines()]

    def post(self, token: str | None, body: Any, **headers: str) -> httpx.Response:
        """Post a body as it is, or a message as JSON, with the headers of its era."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
        if token is not None:
            given["authorization"] = f"Bearer {token}"
        return self.web.post(
            self.crm, content=raw, headers=given | {k.replace("_", "-"): v for k, v in headers.items()}
        )


def tool_call(name: str = "get_customer", arguments: dict[str, Any] | None = None) -> dict[str, Any]:
    """Write a modern tools/call."""
    prefix = "io.modelcontextprotocol/"
    meta: dict[str, Any] = {f"{prefix}protocolVersion": VERSION, f"{prefix}clientCapabilities": {}}
    params = {"name": name, "arguments": {"customer_id": "c-1001"} if arguments is None else arguments, "_meta": meta}
    return {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}


def modern(name: str = "get_customer", method: str = "tools/call") -> dict[str, str]:
    """Write the headers that go with `tool_call`."""
    return {"mcp_protocol_version": VERSION, "mcp_method": method, "mcp_name": name}


async def call(url: str, token: str, name: str, arguments: dict[str, Any], mode: str) -> str:
    """Call a tool through the official client; return `allowed`, or the Reason that it was told."""
    async with (
        httpx2.AsyncClient(headers={"authorization": f"Bearer {token}"}, timeout=START_S) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        try:
            result = await client.call_tool(name, arguments)
        except MCPError as exc:
            return str(exc.data["reason"])
    return "tool error" if result.is_error else "allowed"


def _provider(resources: tuple[str, ...]) -> tuple[Provider, Site]:
    listener = bind_loopback(HOST, 0)
    settings = IssuerSettings(port=0, resources=resources)
    # Both issuers sign with keys of one name: nobody may take one for the other.
    private = ec_key(f"world-{authority_of(listener)}")
    first = name_key(private)
    first = type(first)("same-kid", private)
    issuer = build_issuer(settings, authority_of(listener), real_sources(time.time), first)
    provider = Provider(issuer, build_issuer_app(issuer))
    return provider, Site(provider, listener)


@contextmanager
def running_world(
    folder: Path,
    engine: str = "auto",
    more: str = "",
    *,
    protect: Callable[[str], BackendVerifier] | None = None,
    crm_path: str = "/crm/mcp",
    crm_port: int | None = None,
    changed: Callable[[str], str] = str,
    envoy_changed: Callable[[str], str] = str,
) -> Iterator[World]:
    """Run everything; ready on entry.

    Args:
        protect: builds the verifier of a backend; requests are then signed with the keys in `folder/keys/NAME`.
        more: sections that the configuration does not have yet, as YAML.
        crm_path: where `crm` is; "" is the root of the host.
        crm_port: of another server that Envoy asks in the place of the demo's.
        changed: changes the configuration.
        envoy_changed: changes Envoy's.
    """
    ports = {name: reserve_port() for name in ("envoy", "authz", "proc", "ops", "admin")}
    crm, billing = (f"http://{HOST}:{ports['envoy']}{path}" for path in (crm_path, "/billing/mcp"))
    config_file = folder / "agen.yaml"
    with ExitStack() as stack:
        # Some clients ask for the root of a host with a slash, others without.
        asked = {crm, crm if crm_path else f"{crm}/", billing}
        (one, site_one), (two, site_two) = (_provider(tuple(asked)) for _ in range(2))
        listeners = {name: bind_loopback(HOST, 0) for name in SERVERS}
        verifiers = {name: None if protect is None else protect(name) for name in SERVERS}
        apps = {name: build_app(SERVERS[name](), verifier=verifiers[name], is_recording=True) for name in SERVERS}
        sites = [Site(apps[name], sock) for name, sock in listeners.items()]
        stack.enter_context(serving(site_one, site_two, *sites))
        values = {"one": one.issuer.url, "two": two.issuer.url, "crm": crm, "billing": billing, "state": folder}
        places = {name: f"{HOST}:{ports[name]}" for name in ("authz", "proc", "ops", "admin")}
        text = changed(CONFIG.format(**values, **places, engine=engine, jwks=JWKS) + more)
        config_file.write_text(text if protect is None else sign_all(text, folder), "utf-8")
        start = partial(_serve, config_file, places["ops"])
        process = start()
        stack.callback(end, process)
        asks = {name: int(sock.getsockname()[1]) for name, sock in listeners.items()}
        asks |= {} if crm_port is None else {"crm": crm_port}
        envoy = stack.enter_context(_envoy(config_file, ports, asks, envoy_changed))
        web = stack.enter_context(httpx.Client(trust_env=False, timeout=START_S))
        backends = {name: f"http://{authority_of(sock)}" for name, sock in listeners.items()}
        ops, admin = (f"http://{places[name]}" for name in ("ops", "admin"))
        events = folder / "audit.jsonl"
        world = World(one, two, crm, billing, backends, ops, admin, process, envoy, start, events, web)
        # A test may have put another one in its place.
        stack.callback(lambda: end(world.sidecar))
        yield world


def _envoy(
    config_file: Path, ports: dict[str, int], asks: dict[str, int], changed: Callable[[str], str]
) -> AbstractContextManager[Process]:
    placed = {name: Upstream(TcpAddress(HOST, port)) for name, port in asks.items()}
    front, admin = TcpAddress(HOST, ports["envoy"]), TcpAddress(HOST, ports["admin"])
    placement = Placement(listener=front, admin=admin, upstreams=placed)
    return run_envoy(launch_envoy(config_file.parent, sidecar_of(config_file, placement), changed=changed))


def sign_all(config: str, folder: Path, key: str = "1") -> str:
    """Let every resource of a configuration sign with its own key, `folder/keys/NAME/NAME-KEY`."""
    for name in SERVERS:
        signing = f"signing_keys: [{{id: {name}-{key}, secret_file: {folder}/keys/{name}/{name}-{key}}}]"
        config = config.replace("insecure_unsigned: true", signing, 1)
    return config


def _serve(config_file: Path, ops: str) -> Process:
    with (config_file.parent / "audit.jsonl").open("ab") as events:
        return start_sidecar(config_file, ops, events)
