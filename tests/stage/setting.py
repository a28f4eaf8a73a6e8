"""The sidecar as it is run, `agen-authz serve`: an issuer that publishes one key, a configuration, a good call."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Protocol

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from tests.stage.port import HOST, reserve_port
from tests.stage.process import Process, end
from tests.stage.sidecar import start_sidecar
from tests.stage.talk import talking

RULES = 10
ROLES = ("analyst", "reader")
VERSION = "2026-07-28"
_KID = "bench"
_CONFIG = """\
version: 1
server: {{authz: "{host}:{authz}", proc: "{host}:{proc}", ops: "{host}:{ops}", shutdown_grace: 1s}}
providers:
  - {{name: bench, issuer: "{issuer}", insecure_issuer: true, algorithms: [ES256], tenants: any, roles: any}}
resources:
  - name: crm
    url: http://{host}:{envoy}/crm/mcp
    providers: [bench]
    scopes: [mcp:tools]
    upstream_path: /mcp
    signing_keys: [{{id: crm-1, secret_file: "{folder}/signing.key"}}]
unruled_sample: 0%
access:
  mapping: roles
  rules:
    - {{name: reads, tools: ["crm/get_*"], allow: [analyst]}}
{rules}
policies:
  - {{name: amount, state: enforce, tools: ["crm/get_*"], when: ["args.amount > 1000.0"], then: deny}}
  - {{name: office, state: enforce, tools: ["crm/*"], when: ['"office" in request.networks'], then: deny}}
networks: {{office: ["10.20.0.0/16"]}}
store: {{url: "sqlite:///{folder}/agen.db"}}
"""


class Minting(Protocol):
    """Signs tokens of the issuer."""

    def __call__(self, subject: str, roles: Sequence[str] = ()) -> str:
        """Sign a token of a subject that has roles."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A configuration file, where things are, a token that is good there, and what signs others."""

    config_file: Path
    authz_port: int
    ops_port: int
    envoy_port: int
    token: str
    mint: Minting = lambda subject, roles=ROLES: ""

    @property
    def folder(self) -> Path:
        """Where the configuration, the store and the logs are."""
        return self.config_file.parent


@contextmanager
def running_issuer(folder: Path) -> Iterator[Setting]:
    """Publish a key and write the configuration that believes it."""
    private = ec.generate_private_key(ec.SECP256R1())
    with _publishing(private) as issuer:
        ports = {name: reserve_port() for name in ("authz", "proc", "ops", "envoy")}
        others = (f'    - {{name: r{n}, tools: ["crm/tool_{n}_*"], allow: [role-{n}]}}' for n in range(RULES - 1))
        text = _CONFIG.format(host=HOST, issuer=issuer, folder=folder, rules="\n".join(others), **ports)
        (folder / "signing.key").write_bytes(b"s" * 32)
        (folder / "signing.key").chmod(0o600)
        (folder / "agen.yaml").write_text(text, "utf-8")
        audience = f"http://{HOST}:{ports['envoy']}/crm/mcp"

        def mint(subject: str, roles: Sequence[str] = ROLES) -> str:
            return _sign(private, issuer, audience, subject, roles)

        yield Setting(folder / "agen.yaml", ports["authz"], ports["ops"], ports["envoy"], mint("alice"), mint)


@contextmanager
def _publishing(private: ec.EllipticCurvePrivateKey) -> Iterator[str]:
    key = jwt.algorithms.ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    documents: dict[str, object] = {"/jwks": {"keys": [{**key, "kid": _KID}]}}

    class Published(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(documents[self.path]).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer((HOST, 0), Published) as server:
        issuer = f"http://{HOST}:{server.server_address[1]}"
        documents["/.well-known/openid-configuration"] = {"issuer": issuer, "jwks_uri": f"{issuer}/jwks"}
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield issuer
        finally:
            server.shutdown()


def _sign(private: ec.EllipticCurvePrivateKey, issuer: str, audience: str, subject: str, roles: Sequence[str]) -> str:
    now = int(time.time())
    claims = {
        "iss": issuer, "sub": subject, "aud": audience, "exp": now + 3600, "iat": now, "client_id": "agent",
        "jti": "j-1", "scope": "mcp:tools", "roles": list(roles), "tenantId": "acme",
    }  # fmt: skip
    return jwt.encode(claims, private, "ES256", headers={"kid": _KID, "typ": "at+jwt"})


@contextmanager
def serving(setting: Setting, events: int = subprocess.DEVNULL) -> Iterator[tuple[Process, float]]:
    """Run `agen-authz serve`: ready on entry, with the seconds that took; ended on exit."""
    started = time.perf_counter()
    process = start_sidecar(setting.config_file, f"{HOST}:{setting.ops_port}", events)
    try:
        yield process, time.perf_counter() - started
    finally:
        end(process)


@contextmanager
def listening(module: str, *arguments: str) -> Iterator[None]:
    """Run one of our small servers, which prints a line when it listens."""
    with (
        TemporaryDirectory(prefix="agen-stage-") as folder,
        talking([sys.executable, "-m", module, *arguments], Path(folder) / f"{module}.log") as talk,
    ):
        talk.read_line()
        yield


def write_call(setting: Setting, token: str | None, body: bytes | None = None) -> bytes:
    """Write the call that is measured, 400 bytes of arguments, as bytes on the wire; or any body in its place."""
    if body is None:
        meta = {"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {}}
        arguments = {"customer_id": "c-1001", "note": "x" * 325, "amount": 12.5, "fields": ["name", "company", 3]}
        params = {"name": "get_customer", "arguments": arguments, "_meta": meta}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    rows = [
        "POST /crm/mcp HTTP/1.1", f"host: {HOST}:{setting.envoy_port}", "content-type: application/json",
        "accept: application/json, text/event-stream", f"mcp-protocol-version: {VERSION}", "mcp-method: tools/call",
        "mcp-name: get_customer", "user-agent: bench/1", f"content-length: {len(body)}",
    ]  # fmt: skip
    if token is not None:
        rows.append(f"authorization: Bearer {token}")
    return "\r\n".join([*rows, "", ""]).encode("ascii") + body
